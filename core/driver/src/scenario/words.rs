//! What came out of the core, in words: names instead of handles.

use super::command::verb;
use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String, vec::Vec};
use mager_pager::{Access, ArenaId, Effect, Home, ObjectNo, Site, Ticket};

/// The names a scenario has given, and what each ticket stands for.
#[derive(Debug, Default)]
pub(super) struct Names {
    arenas: BTreeMap<String, ArenaId>,
    /// Dead ones too.
    every: BTreeMap<ArenaId, String>,
    files: Vec<String>,
    tickets: Vec<String>,
}

impl Names {
    pub(super) fn arena(&self, name: &str) -> Option<ArenaId> {
        self.arenas.get(name).copied()
    }

    pub(super) fn call(&mut self, arena: ArenaId, name: &str) {
        self.arenas.insert(name.to_owned(), arena);
        self.every.insert(arena, name.to_owned());
    }

    pub(super) fn bury(&mut self, name: &str) {
        self.arenas.remove(name);
    }

    /// The number of a file: files are numbered in the order in which they are first named.
    pub(super) fn file(&mut self, name: &str) -> ObjectNo {
        let known = self.files.iter().position(|file| file == name);
        let index = known.unwrap_or_else(|| {
            self.files.push(name.to_owned());
            self.files.len() - 1
        });
        ObjectNo(u32::try_from(index).unwrap_or(u32::MAX))
    }

    pub(super) fn ticket(&mut self, what: String) -> Ticket {
        self.tickets.push(what);
        Ticket(self.tickets.len() as u64 - 1)
    }

    fn site(&self, at: Site) -> String {
        match self.every.get(&at.arena) {
            Some(name) => format!("{name} {}", at.page),
            None => format!("{at}"),
        }
    }

    fn home(&self, home: Home) -> String {
        match home {
            Home::Swap(block) => format!("swap {block}"),
            Home::Object(object, block) => match self.files.get(object.index()) {
                Some(file) => format!("{file} {block}"),
                None => format!("{home}"),
            },
        }
    }

    fn who(&self, who: Ticket) -> &str {
        usize::try_from(who.0).ok().and_then(|index| self.tickets.get(index)).map_or("nobody", String::as_str)
    }

    pub(super) fn effect(&self, effect: &Effect) -> String {
        match *effect {
            Effect::Map { at, frame, access: Access::Trap } => {
                format!("map {} to frame {frame}, trap", self.site(at))
            }
            Effect::Map { at, frame, access } => {
                format!("map {} to frame {frame}, {}", self.site(at), verb(access))
            }
            Effect::Clear { at, frame } => format!("clear {} frame {frame}", self.site(at)),
            Effect::Unmap { at, frame } => format!("unmap {} from frame {frame}", self.site(at)),
            Effect::Zero { frame, at } => format!("zero frame {frame} for {}", self.site(at)),
            Effect::Copy { from, to, at } if from == to => format!("move frame {to} to {}", self.site(at)),
            Effect::Copy { from, to, at } => format!("copy frame {from} to frame {to} for {}", self.site(at)),
            Effect::Read { frame, home, at } => {
                format!("read {} into frame {frame} for {}", self.home(home), self.site(at))
            }
            Effect::Write { frame, home } => format!("write frame {frame} to {}", self.home(home)),
            Effect::Empty { frame } => format!("empty frame {frame}"),
            Effect::Release { block } => format!("release {}", self.home(Home::Swap(block))),
            Effect::Resume { who, outcome: Ok(()) } => format!("resume {}", self.who(who)),
            Effect::Resume { who, outcome: Err(why) } => format!("deny {}: {why}", self.who(who)),
        }
    }
}
