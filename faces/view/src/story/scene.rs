//! Who is called what in a story, and which frame shows where: what its sentences are made of.

use crate::Names;
use mager_pager::{ArenaId, Effect, FrameNo, Home, Site};
use std::collections::BTreeMap;

/// The state of affairs, as far as effects tell it.
#[derive(Default, Debug)]
pub(super) struct Scene {
    arenas: BTreeMap<ArenaId, String>,
    pub(super) names: Names,
    shown: BTreeMap<FrameNo, Vec<Site>>,
    homes: BTreeMap<FrameNo, Home>,
}

impl Scene {
    /// A name for a new arena: A, B, ..., Z, A1, B1, ...
    pub(super) fn name_arena(&mut self, arena: ArenaId) -> String {
        let number = self.arenas.len();
        let letter = char::from(b'A' + u8::try_from(number % 26).unwrap_or(0));
        let name = if number < 26 { letter.to_string() } else { format!("{letter}{}", number / 26) };
        self.arenas.insert(arena, name.clone());
        name
    }

    pub(super) fn arena(&self, arena: ArenaId) -> String {
        self.arenas.get(&arena).cloned().unwrap_or_else(|| format!("arena {arena}"))
    }

    pub(super) fn site(&self, at: Site) -> String {
        format!("{} page {}", self.arena(at.arena), at.page)
    }

    pub(super) fn home(&self, home: Home) -> String {
        match home {
            Home::Swap(block) => format!("swap block {block}"),
            Home::Object(object, block) => match self.names.get(object) {
                Some(name) => format!("block {block} of {name}"),
                None => format!("block {block} of object {object}"),
            },
        }
    }

    /// Whose page is in `frame`: its sites, or its home for a ghost.
    pub(super) fn contents(&self, frame: FrameNo) -> String {
        let mut sites = self.sites(frame).to_vec();
        sites.sort_unstable_by_key(|at| (self.arena(at.arena), at.page));
        let named: Vec<String> = sites.iter().map(|&at| self.site(at)).collect();
        match (named.is_empty(), self.homes.get(&frame)) {
            (false, _) => named.join(" and "),
            (true, Some(&home)) => format!("{}, mapped by nobody now", self.home(home)),
            (true, None) => String::from("a page"),
        }
    }

    /// Where `frame` is shown.
    pub(super) fn sites(&self, frame: FrameNo) -> &[Site] {
        self.shown.get(&frame).map(Vec::as_slice).unwrap_or_default()
    }

    /// Keeps track.
    pub(super) fn follow(&mut self, effect: &Effect) {
        match *effect {
            Effect::Map { at, frame, .. } => {
                self.shown.values_mut().for_each(|sites| sites.retain(|&site| site != at));
                self.shown.entry(frame).or_default().push(at);
            }
            Effect::Unmap { at, frame } => {
                self.shown.entry(frame).or_default().retain(|&site| site != at);
            }
            Effect::Read { frame, home, .. } | Effect::Write { frame, home } => {
                self.homes.insert(frame, home);
            }
            Effect::Zero { frame, .. } | Effect::Copy { to: frame, .. } => {
                self.homes.remove(&frame);
            }
            Effect::Clear { .. } | Effect::Empty { .. } | Effect::Release { .. } | Effect::Resume { .. } => {}
        }
    }
}
