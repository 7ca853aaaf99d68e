//! What must be undone: written down before it is done, undone in reverse when the value goes.
//!
//! The ledger is a file, locked as long as its owner lives, so that what a killed run left behind is found and undone
//! by the next one. Names in it are names only: of files beside it, of devices and groups that this program makes. After
//! a restart of the machine only its files are still there: numbers of devices mean others by then.

use crate::error::{At, Error};
use crate::{group, swap, zram};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

const PREFIX: &str = "mager-bench-";
const SUFFIX: &str = ".undo";

/// Something to undo.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Undo {
    /// Remove this file beside the ledger.
    Remove(String),
    /// Remove this directory beside the ledger, and all that is in it.
    Tree(String),
    /// Switch swap off; a file beside the ledger, or a path of a device.
    SwapOff(String),
    /// Reset and remove the device of this number.
    Zram(u32),
    /// Set `vm.page-cluster` back.
    PageCluster(u32),
    /// Remove the control group of this name.
    Group(String),
}

impl Undo {
    fn line(&self) -> String {
        match self {
            Undo::Remove(name) => format!("remove {name}\n"),
            Undo::Tree(name) => format!("tree {name}\n"),
            Undo::SwapOff(name) => format!("swapoff {name}\n"),
            Undo::Zram(number) => format!("zram {number}\n"),
            Undo::PageCluster(order) => format!("page-cluster {order}\n"),
            Undo::Group(name) => format!("group {name}\n"),
        }
    }

    /// A line of a ledger; `None` for what this program would not have written.
    fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ')?;
        let ours = rest.starts_with(PREFIX) && !rest.contains('/');
        match word {
            "remove" if ours => Some(Undo::Remove(rest.into())),
            "tree" if ours => Some(Undo::Tree(rest.into())),
            "swapoff" if ours || rest.starts_with("/dev/zram") => Some(Undo::SwapOff(rest.into())),
            "zram" => rest.parse().ok().map(Undo::Zram),
            "page-cluster" => rest.parse().ok().map(Undo::PageCluster),
            "group" if ours => Some(Undo::Group(rest.into())),
            _ => None,
        }
    }

    fn perform(&self, dir: &Path) -> std::io::Result<()> {
        match self {
            Undo::Remove(name) => std::fs::remove_file(dir.join(name)),
            Undo::Tree(name) => std::fs::remove_dir_all(dir.join(name)),
            Undo::SwapOff(name) => swap::off(&dir.join(name)),
            Undo::Zram(number) => zram::remove(*number),
            Undo::PageCluster(order) => swap::set_page_cluster(*order),
            Undo::Group(name) => group::remove(name),
        }
    }
}

/// A list of things to undo, on disk and here.
#[derive(Debug)]
pub struct Ledger {
    dir: PathBuf,
    path: PathBuf,
    file: File,
    entries: Vec<Undo>,
}

impl Ledger {
    /// A new one in `dir`.
    ///
    /// # Errors
    ///
    /// If it cannot be written there.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let dir = dir.canonicalize().at(dir)?;
        let path = dir.join(unique("") + SUFFIX);
        let file = File::options().append(true).create_new(true).open(&path).at(&path)?;
        let mut ledger = Ledger { dir, path, file, entries: Vec::new() };
        flock(&ledger.file, FlockOperation::NonBlockingLockExclusive).at(&ledger.path)?;
        ledger.file.write_all(format!("boot {}\n", boot()).as_bytes()).at(&ledger.path)?;
        Ok(ledger)
    }

    /// Writes down what is about to be done.
    pub(crate) fn note(&mut self, undo: Undo) -> Result<(), Error> {
        self.file.write_all(undo.line().as_bytes()).at(&self.path)?;
        self.entries.push(undo);
        Ok(())
    }

    /// The path of a file about to be made beside the ledger.
    ///
    /// # Errors
    ///
    /// If it cannot be written down.
    pub fn file(&mut self, what: &str) -> Result<PathBuf, Error> {
        let name = unique(what);
        self.note(Undo::Remove(name.clone()))?;
        Ok(self.dir.join(name))
    }

    /// A new directory beside the ledger.
    ///
    /// # Errors
    ///
    /// If it cannot be written down or made.
    pub fn tree(&mut self, what: &str) -> Result<PathBuf, Error> {
        let name = unique(what);
        self.note(Undo::Tree(name.clone()))?;
        let path = self.dir.join(name);
        std::fs::create_dir(&path).at(&path)?;
        Ok(path)
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if undo_all(&self.entries, &self.dir) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Which start of the machine this is.
fn boot() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// A name that no other process, and no other call, uses.
pub(crate) fn unique(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{PREFIX}{}-{}{what}", std::process::id(), COUNT.fetch_add(1, Relaxed))
}

/// Undoes in reverse; whatever fails is told, but for what was never done. True: all is undone.
fn undo_all(entries: &[Undo], dir: &Path) -> bool {
    let failures = entries.iter().rev().filter(|undo| match undo.perform(dir) {
        Ok(()) => false,
        Err(why) if never_done(&why) => false,
        Err(why) => {
            eprintln!("mager: not undone: {}: {why}", undo.line().trim_end());
            true
        }
    });
    failures.count() == 0
}

/// It is written down before it is done, so it may not have happened.
fn never_done(why: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidInput, NotFound};
    matches!(why.kind(), NotFound | InvalidInput)
}

/// Undoes what processes left behind that were killed, the latest first; tells how many ledgers they left.
///
/// # Errors
///
/// If the directory or a ledger cannot be read.
pub fn sweep(dir: &Path) -> Result<usize, Error> {
    let entries: Result<Vec<_>, _> = std::fs::read_dir(dir).at(dir)?.collect();
    let names = entries.at(dir)?.into_iter().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let swept = latest_first(names).into_iter().map(|name| sweep_one(&dir.join(name), dir));
    swept.into_iter().try_fold(0, |all, one| Ok(all + usize::from(one?)))
}

/// The ledgers among these, in the order in which they are undone: what a later one does stands on an earlier one.
fn latest_first(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut ledgers: Vec<_> = names.filter_map(|name| Some((number(&name)?, name))).collect();
    ledgers.sort_unstable();
    ledgers.into_iter().rev().map(|(_, name)| name).collect()
}

/// Which ledger of its process this is; `None` for other files.
fn number(name: &str) -> Option<u32> {
    let middle = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    middle.rsplit('-').next()?.parse().ok()
}

fn sweep_one(path: &Path, dir: &Path) -> Result<bool, Error> {
    let Ok(file) = File::open(path) else { return Ok(false) };
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(false);
    }
    let text = std::fs::read_to_string(path).at(path)?;
    let same = text.lines().next() == Some(&format!("boot {}", boot()));
    let stands = |undo: &Undo| same || matches!(undo, Undo::Remove(_) | Undo::Tree(_));
    let entries: Vec<Undo> = text.lines().filter_map(Undo::parse).filter(stands).collect();
    if undo_all(&entries, dir) {
        std::fs::remove_file(path).at(path)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_written() {
        let name = unique("swap");
        let all = [
            Undo::Remove(name.clone()),
            Undo::Tree(name.clone()),
            Undo::SwapOff("/dev/zram7".into()),
            Undo::Zram(7),
            Undo::PageCluster(3),
            Undo::Group(name),
        ];
        for undo in all {
            assert_eq!(Undo::parse(undo.line().trim_end()), Some(undo));
        }
    }

    #[test]
    fn lines_that_name_what_is_not_ours_are_passed_over() {
        for line in [
            "remove passwd",
            "tree mager-bench-1/..",
            "tree etc",
            "remove mager-bench-1/../x",
            "swapoff /swapfile",
            "group init",
            "rm x",
            "",
        ] {
            assert_eq!(Undo::parse(line), None, "{line}");
        }
    }

    /// A file in use as swap cannot be removed, so the ledger that switches it off comes before the one that made it.
    #[test]
    fn the_latest_ledger_is_swept_first() {
        let names = [
            "mager-bench-1-9.undo",
            "mager-bench-1-10.undo",
            "mager-bench-1-10swap",
            "x",
            "mager-bench-1-2.undo",
        ];
        let order: Vec<String> = latest_first(names.map(str::to_owned).into_iter());
        assert_eq!(order, ["mager-bench-1-10.undo", "mager-bench-1-9.undo", "mager-bench-1-2.undo"]);
    }

    #[test]
    fn what_a_killed_run_left_is_swept_and_what_a_living_one_has_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut living = Ledger::open(dir.path()).unwrap();
        let kept = living.file("kept").unwrap();
        std::fs::write(&kept, "").unwrap();
        let left = dir.path().join("mager-bench-1-0left");
        std::fs::write(&left, "").unwrap();
        let text = "boot of long ago\nzram 4000000\nremove mager-bench-1-0left\n";
        std::fs::write(dir.path().join("mager-bench-1-1.undo"), text).unwrap();
        assert_eq!(sweep(dir.path()).unwrap(), 1);
        assert!(kept.exists() && !left.exists());
        drop(living);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
