//! The seam: memory that workloads run on, as the measured process sees it. One implementation for each kind.

use crate::args::ChildJob;
use crate::error::{At, Failure};
use crate::kind::Kind;
use crate::mager::Managed;
use mager_linux_doctor::Mapping;
use rustix::mm::Advice;
use std::fs::File;
use std::sync::atomic::AtomicU64;

/// Memory of some kind, given back with the value.
pub(crate) trait Memory {
    /// All of it.
    fn words(&self) -> &[AtomicU64];

    /// Waits until what was written so far costs no time later.
    fn settle(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Why figures taken over it do not count, if they do not.
    fn flaw(&self) -> Option<String> {
        None
    }

    /// How many accesses so far had to wait for a page to be brought in.
    fn page_ins(&self) -> u64 {
        own_faults().1
    }

    /// How many accesses so far trapped, for whatever reason.
    fn faults(&self) -> u64 {
        own_faults().0 + own_faults().1
    }
}

/// This process's faults without and with I/O, of all its threads: the 10th and 12th word of its `stat`.
fn own_faults() -> (u64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second word is the program's name in brackets, which may have spaces in it.
    let words: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let number = |at: usize| words.get(at - 3).and_then(|word| word.parse().ok()).unwrap_or(0);
    (number(10), number(12))
}

/// The memory that the job asks for.
pub(crate) fn open(job: &ChildJob) -> Result<Box<dyn Memory>, Failure> {
    let bytes = job.touched as usize * 1024 * 1024;
    match job.kind {
        Kind::Swap | Kind::SwapNoReadAhead | Kind::Zram => Ok(Box::new(Anonymous::new(bytes)?)),
        Kind::File => Ok(Box::new(SharedFile::new(job, bytes)?)),
        Kind::Mager | Kind::MagerCompressed => Ok(Box::new(Managed::new(job)?)),
    }
}

/// Private memory of this process, swapped by the kernel where its group's limit makes it.
struct Anonymous(Mapping);

impl Anonymous {
    fn new(bytes: usize) -> Result<Self, Failure> {
        let mapping = Mapping::private(bytes).of("mapping memory")?;
        // Pages of 4 KiB, whatever the system's setting.
        mapping.advise(Advice::LinuxNoHugepage).of("asking for small pages")?;
        Ok(Anonymous(mapping))
    }
}

impl Memory for Anonymous {
    fn words(&self) -> &[AtomicU64] {
        self.0.words()
    }
}

/// A file mapped for sharing, without read-ahead.
struct SharedFile(Mapping);

impl SharedFile {
    fn new(job: &ChildJob, bytes: usize) -> Result<Self, Failure> {
        let path = job.file.as_ref().ok_or_else(|| Failure::Unavailable("no file was given".into()))?;
        let file = File::options().read(true).write(true).open(path).at(path)?;
        let mapping = Mapping::shared(&file, bytes).at(path)?;
        mapping.advise(Advice::Random).at(path)?;
        Ok(SharedFile(mapping))
    }
}

impl Memory for SharedFile {
    fn words(&self) -> &[AtomicU64] {
        self.0.words()
    }

    fn settle(&self) -> Result<(), Failure> {
        self.0.sync().of("writing the file back")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contents::{PAGE_BYTES, PAGE_WORDS};
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn touching_pages_is_counted_as_faults() {
        let memory = Anonymous::new(500 * PAGE_BYTES).unwrap();
        let before = memory.faults();
        memory.words().chunks(PAGE_WORDS).for_each(|page| page[0].store(1, Relaxed));
        assert!(memory.faults() - before >= 500);
        assert!(memory.page_ins() < 500);
    }
}
