//! The machine under the core: page tables for mappings, the host's services for bytes and blocks.

use crate::names::Names;
use mager_course_abi::{ARENA_PAGES, Entry, PageTable, Services};
use mager_driver::{Hardware, Io, Paging};
use mager_pager::{Access, ArenaId, Denied, Event, FrameNo, Home, IoFailed, Site, Ticket};
use std::collections::VecDeque;

/// The page tables of all arenas, by slot. Boxed, so that the address of one never changes.
pub(crate) type Tables = Vec<Box<PageTable>>;

/// What the machine keeps from one effect to the next.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) tables: Tables,
    pub(crate) names: Names,
    answers: VecDeque<Event>,
    /// How the fault or flush that is being handled ended.
    pub(crate) outcome: Option<Result<(), Denied>>,
    /// The last I/O that failed, in words.
    pub(crate) failed: Option<String>,
}

impl State {
    /// The table of `arena`, empty if it is new.
    pub(crate) fn table(&mut self, arena: ArenaId) -> &mut PageTable {
        let slot = arena.slot as usize;
        while self.tables.len() <= slot {
            self.tables.push(Box::new([Entry::NONE; ARENA_PAGES]));
        }
        &mut self.tables[slot]
    }

    fn describe(&self, home: Home) -> String {
        match home {
            Home::Swap(block) => format!("swap block {block}"),
            Home::Object(object, block) => {
                format!("block {block} of file \"{}\"", self.names.name(object).escape_ascii())
            }
        }
    }
}

/// The state together with the host, for the time of one call.
pub(crate) struct Machine<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) services: &'a mut dyn Services,
}

impl Hardware for Machine<'_> {
    fn map(&mut self, at: Site, frame: FrameNo, access: Access) {
        let entry = match access {
            Access::Trap => Entry::NONE,
            Access::Read => Entry::new(frame.0, true, false),
            Access::Write => Entry::new(frame.0, true, true),
        };
        self.state.table(at.arena)[at.page.index()] = entry;
    }

    fn unmap(&mut self, at: Site, _frame: FrameNo) {
        self.state.table(at.arena)[at.page.index()] = Entry::NONE;
    }

    fn zero(&mut self, frame: FrameNo, _at: Site) {
        self.services.zero(frame.0);
    }

    fn copy(&mut self, from: FrameNo, to: FrameNo, _at: Site) {
        self.services.copy(from.0, to.0);
    }

    fn resume(&mut self, _who: Ticket, outcome: Result<(), Denied>) {
        self.state.outcome = Some(outcome);
    }
}

impl Paging for Machine<'_> {
    fn start(&mut self, io: Io) {
        let (verb, home) = match io {
            Io::Read { home, .. } => ("read", home),
            Io::Write { home, .. } => ("write", home),
        };
        let (name, block) = match home {
            Home::Swap(block) => (None, block.0),
            Home::Object(object, block) => (Some(self.state.names.name(object)), block.0),
        };
        let done = match io {
            Io::Read { frame, .. } => self.services.file_read(name, block, frame.0),
            Io::Write { frame, .. } => self.services.file_write(name, block, frame.0),
        };
        if done.is_err() {
            let why = self.services.failure();
            self.state.failed =
                Some(why.unwrap_or_else(|| format!("could not {verb} {}", self.state.describe(home))));
        }
        let result = done.map_err(|_| IoFailed);
        self.state.answers.push_back(match io {
            Io::Read { frame, .. } => Event::Read { frame, result },
            Io::Write { frame, .. } => Event::Written { frame, result },
        });
    }

    fn finished(&mut self) -> Option<Event> {
        self.state.answers.pop_front()
    }
}
