//! The rows of the two tables, in the order they are shown in.

use super::model::Model;
use crate::observe::{earlier_client, over};
use mager_linux_wire::figures::{Arena, Client, File};
use std::cmp::Ordering;

/// One process.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Process {
    pub(super) pid: i32,
    pub(super) command: String,
    /// Bytes in memory, and bytes reserved.
    pub(super) memory: u64,
    pub(super) reserved: u64,
    /// Per second.
    pub(super) faults: f64,
    pub(super) page_ins: f64,
    pub(super) arenas: usize,
}

/// What processes are sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Key {
    #[default]
    Faults,
    PageIns,
    Memory,
    Reserved,
    Command,
    Pid,
}

/// The order of processes: the highest first, or, turned, last. Names and numbers of processes rise at first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Sort {
    pub(super) key: Key,
    pub(super) turned: bool,
}

impl Sort {
    /// By `key`; if it is that already, the other way round.
    pub(super) fn by(&mut self, key: Key) {
        *self = Sort { key, turned: self.key == key && !self.turned };
    }

    fn order(self, a: &Process, b: &Process) -> Ordering {
        let order = match self.key {
            Key::Faults => b.faults.total_cmp(&a.faults),
            Key::PageIns => b.page_ins.total_cmp(&a.page_ins),
            Key::Memory => b.memory.cmp(&a.memory),
            Key::Reserved => b.reserved.cmp(&a.reserved),
            Key::Command => a.command.cmp(&b.command),
            Key::Pid => a.pid.cmp(&b.pid),
        };
        let order = if self.turned { order.reverse() } else { order };
        order.then(b.memory.cmp(&a.memory)).then(a.pid.cmp(&b.pid))
    }
}

/// All processes that the pager told of.
pub(super) fn processes(model: &Model) -> Vec<Process> {
    let mut rows: Vec<Process> = model.now.clients.iter().map(|client| process(model, client)).collect();
    rows.sort_by(|a, b| model.sort.order(a, b));
    rows
}

fn process(model: &Model, client: &Client) -> Process {
    let old = earlier_client(&model.before, client);
    Process {
        pid: client.pid,
        command: client.command.clone(),
        memory: model.bytes(client.private_frames),
        reserved: model.bytes(client.reserved_pages),
        faults: over(client.faults, old.faults, model.seconds()),
        page_ins: over(client.page_ins, old.page_ins, model.seconds()),
        arenas: client.arenas,
    }
}

/// An arena or a file.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Hot {
    pub(super) what: String,
    pub(super) memory: u64,
    /// Per second; of files they are not counted.
    pub(super) faults: Option<f64>,
    pub(super) page_ins: f64,
}

/// Arenas and files, those with the most page-ins first, then those with the most faults, then the largest.
pub(super) fn hottest(model: &Model) -> Vec<Hot> {
    let arenas = model.now.busiest_arenas.iter().map(|arena| of_arena(model, arena));
    let files = model.now.busiest_files.iter().map(|file| of_file(model, file));
    let mut rows: Vec<Hot> = arenas.chain(files).collect();
    let faults = |hot: &Hot| hot.faults.unwrap_or(0.0);
    rows.sort_by(|a, b| {
        let order = b.page_ins.total_cmp(&a.page_ins).then(faults(b).total_cmp(&faults(a)));
        order.then(b.memory.cmp(&a.memory))
    });
    rows
}

fn of_arena(model: &Model, arena: &Arena) -> Hot {
    let same = |old: &&Arena| (old.slot, old.generation) == (arena.slot, arena.generation);
    let old = model.before.busiest_arenas.iter().find(same).cloned();
    // Of one that was not among the busiest before, it is not known what it did meanwhile.
    let old = old
        .unwrap_or_else(|| if model.before.uptime_seconds > 0.0 { arena.clone() } else { Arena::default() });
    let whose = model.now.clients.iter().find(|client| client.number == arena.client);
    let whose = whose.map_or_else(String::new, |client| format!(" of {} {}", client.pid, client.command));
    Hot {
        what: format!("arena {}{whose}", arena.slot),
        memory: model.bytes(arena.held_pages),
        faults: Some(over(arena.faults, old.faults, model.seconds())),
        page_ins: over(arena.page_ins, old.page_ins, model.seconds()),
    }
}

fn of_file(model: &Model, file: &File) -> Hot {
    let old = model.before.busiest_files.iter().find(|old| old.name == file.name);
    let old = old.map_or(0, |old| old.page_ins);
    Hot {
        what: format!("file {}", file.name),
        memory: model.bytes(file.held_pages),
        faults: None,
        page_ins: over(file.page_ins, old, model.seconds()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::model::tests::{figures, model};

    fn pids(model: &Model) -> Vec<i32> {
        processes(model).iter().map(|row| row.pid).collect()
    }

    #[test]
    fn keys_choose_the_order_and_turn_it() {
        let mut model = model();
        for (key, first) in [
            (Key::Faults, 102),
            (Key::PageIns, 101),
            (Key::Memory, 100),
            (Key::Reserved, 102),
            (Key::Command, 101),
            (Key::Pid, 100),
        ] {
            model.sort = Sort::default();
            if key != Key::Faults {
                model.sort.by(key);
            }
            assert_eq!(pids(&model)[0], first, "{key:?}");
            model.sort.by(key);
            assert_eq!(pids(&model)[2], first, "{key:?} turned");
        }
    }

    #[test]
    fn rates_are_between_two_answers() {
        let row = &processes(&model())[0];
        assert_eq!((row.pid, row.faults, row.page_ins), (102, 3000.0, 10.0));
    }

    #[test]
    fn a_new_process_with_an_old_number_starts_from_nothing() {
        let mut model = model();
        let mut now = figures(4.0);
        now.clients.truncate(1);
        (now.clients[0].number, now.clients[0].faults) = (77, 8);
        model.take(now);
        assert_eq!(processes(&model)[0].faults, 4.0);
    }

    #[test]
    fn the_hottest_are_arenas_and_files_together() {
        let hot = hottest(&model());
        let what: Vec<_> = hot.iter().map(|hot| hot.what.as_str()).collect();
        assert_eq!(
            what,
            [
                "arena 1 of 101 a program",
                "file /data/table.bin",
                "arena 2 of 102 sort big",
                "arena 0 of 100 python3 job.py"
            ]
        );
        assert_eq!((hot[1].faults, hot[1].page_ins), (None, 50.0));
    }
}
