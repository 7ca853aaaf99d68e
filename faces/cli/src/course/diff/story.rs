//! What both logs have told so far: who runs, which call is under way, and what each page is.

use super::entry::{Call, Entry};
use super::mask::Masked;
use std::collections::{BTreeMap, HashMap};

/// What kind of page a virtual page was mapped as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Private,
    File,
}

/// The story up to a place.
#[derive(Default, Debug)]
pub(super) struct Story {
    pub(super) current: i64,
    /// The last call that was made, if no application ran since.
    pub(super) under_way: Option<Entry>,
    kinds: HashMap<i64, BTreeMap<u64, Kind>>,
    /// The fork that is being asked for.
    asked: Option<(i64, i64)>,
    mapping: Option<Kind>,
}

impl Story {
    pub(super) fn of(entries: &[Masked]) -> Story {
        let mut story = Story::default();
        entries.iter().for_each(|entry| story.take_in(entry));
        story
    }

    /// What the page was mapped as by the current process.
    pub(super) fn kind(&self, pid: i64, vpage: u64) -> Option<Kind> {
        self.kinds.get(&pid)?.get(&vpage).copied()
    }

    /// "during vm_fault (...) of process 2".
    pub(super) fn during(&self) -> String {
        match &self.under_way {
            Some(Entry::Create { .. }) => format!("during {}", self.call()),
            Some(_) => format!("during {} of process {}", self.call(), self.current),
            None if self.current == 0 => "at the very beginning".to_owned(),
            None => format!("while process {} runs", self.current),
        }
    }

    fn call(&self) -> String {
        self.under_way.as_ref().map_or_else(String::new, ToString::to_string)
    }

    fn take_in(&mut self, entry: &Entry) {
        match entry {
            Entry::Create { parent, child } => {
                self.asked = Some((*parent, *child));
                self.under_way = Some(entry.clone());
            }
            Entry::Switch { pid } => {
                self.current = *pid;
                self.under_way = Some(entry.clone());
            }
            Entry::Map { name, .. } => {
                self.mapping = Some(if *name == 0 { Kind::Private } else { Kind::File });
                self.under_way = Some(entry.clone());
            }
            Entry::Fault { .. } => self.under_way = Some(entry.clone()),
            Entry::Destroy => {
                self.kinds.remove(&self.current);
                self.under_way = Some(entry.clone());
            }
            Entry::Returned { call, value } => self.returned(*call, *value),
            Entry::File { .. } => {}
            Entry::Table { .. } => self.under_way = None,
        }
    }

    fn returned(&mut self, call: Call, value: i64) {
        match (call, self.asked, self.mapping) {
            (Call::Create, Some((parent, child)), _) if value == 0 => {
                let pages = self.kinds.get(&parent).cloned().unwrap_or_default();
                self.kinds.insert(child, pages);
            }
            (Call::Map, _, Some(kind)) if value != 0 => {
                let vpage = value.unsigned_abs() >> 16;
                self.kinds.entry(self.current).or_default().insert(vpage, kind);
            }
            (Call::Create | Call::Map | Call::Fault, _, _) => {}
        }
    }
}
