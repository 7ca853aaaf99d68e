//! Takes out of a log what may differ between two right pagers.

use super::entry::{Entry, Log, Right, SWAP};
use std::collections::HashMap;

/// An entry in which only what means something is left: pids are numbered as they appear; physical page 0 stays 0
/// and others are numbered as they appear in the same table; a swap block that is read is known by which write to
/// swap filled it (0: none), and one that is written by nothing at all.
pub(super) type Masked = Entry;

#[derive(Default)]
struct Mask {
    pids: HashMap<i64, i64>,
    /// For each swap block, which write was the last.
    filled: HashMap<u64, u64>,
    swap_writes: u64,
}

pub(super) fn mask(log: &Log) -> Vec<Masked> {
    let mut mask = Mask::default();
    log.entries.iter().map(|placed| mask.entry(&placed.entry)).collect()
}

impl Mask {
    fn entry(&mut self, entry: &Entry) -> Masked {
        match entry {
            Entry::Create { parent, child } => {
                Entry::Create { parent: self.pid(*parent), child: self.pid(*child) }
            }
            Entry::Switch { pid } => Entry::Switch { pid: self.pid(*pid) },
            Entry::Table { pid, rights } => Entry::Table { pid: self.pid(*pid), rights: frames(rights) },
            Entry::File { write, name, block, failed } if name == SWAP => {
                let block = self.swap(*write, *block, *failed);
                Entry::File { write: *write, name: name.clone(), block, failed: *failed }
            }
            Entry::Map { .. }
            | Entry::Fault { .. }
            | Entry::Destroy
            | Entry::Returned { .. }
            | Entry::File { .. } => entry.clone(),
        }
    }

    fn pid(&mut self, pid: i64) -> i64 {
        let next = i64::try_from(self.pids.len()).unwrap_or(i64::MAX - 1) + 1;
        *self.pids.entry(pid).or_insert(next)
    }

    fn swap(&mut self, write: bool, block: u64, failed: bool) -> u64 {
        if !write {
            return self.filled.get(&block).copied().unwrap_or(0);
        }
        self.swap_writes += 1;
        if !failed {
            self.filled.insert(block, self.swap_writes);
        }
        0
    }
}

fn frames(rights: &[Right]) -> Vec<Right> {
    let mut seen: HashMap<u64, u64> = HashMap::from([(0, 0)]);
    let mut number = |ppage| {
        let next = seen.len() as u64;
        *seen.entry(ppage).or_insert(next)
    };
    rights.iter().map(|right| Right { ppage: number(right.ppage), ..*right }).collect()
}
