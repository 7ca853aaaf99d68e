//! What the pager may ask for: frames of physical memory, blocks of files and swap. Each transfer is logged.

use crate::disk::Disk;
use crate::log::{Log, shown};
use crate::memory::Memory;
use crate::report::Transfers;
use mager_course_abi::{IoFailed, Services};
use std::sync::{Arc, Mutex, PoisonError};

/// Physical memory, the disk, and what is written down about them.
pub(crate) struct Machine {
    pub(crate) memory: Memory,
    disk: Disk,
    log: Arc<Mutex<Log>>,
    pub(crate) transfers: Transfers,
    failure: Option<String>,
    /// Transfers are not logged: they belong to no call of the contract.
    pub(crate) unlogged: bool,
}

impl Machine {
    pub(crate) fn new(memory: Memory, disk: Disk, log: Arc<Mutex<Log>>) -> Machine {
        Machine { memory, disk, log, transfers: Transfers::default(), failure: None, unlogged: false }
    }

    /// Why the last transfer since the last asking failed, if one did.
    pub(crate) fn take_failure(&mut self) -> Option<String> {
        self.failure.take()
    }

    fn record(
        &mut self,
        call: &'static str,
        name: Option<&[u8]>,
        block: u32,
        done: Result<(), String>,
    ) -> Result<(), IoFailed> {
        if !self.unlogged {
            let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            log.file(call, name, block, done.as_ref().err().map(String::as_str));
        }
        done.map_err(|why| {
            let verb = if call == "file_read" { "read" } else { "written" };
            let place = name.map_or_else(|| "swap".to_owned(), |_| format!("file \"{}\"", shown(name)));
            self.failure = Some(format!("block {block} of {place} cannot be {verb}: {why}"));
            IoFailed
        })
    }
}

impl Services for Machine {
    fn zero(&mut self, frame: u32) {
        self.memory.zero(frame);
    }

    fn copy(&mut self, from: u32, to: u32) {
        self.memory.copy(from, to);
    }

    fn byte(&self, frame: u32, offset: u32) -> u8 {
        self.memory.byte(frame, offset)
    }

    fn file_read(&mut self, name: Option<&[u8]>, block: u32, frame: u32) -> Result<(), IoFailed> {
        self.transfers.count_read(name.is_some());
        let done = self.disk.read(name, block, self.memory.bytes_mut(frame));
        self.record("file_read", name, block, done)
    }

    fn file_write(&mut self, name: Option<&[u8]>, block: u32, frame: u32) -> Result<(), IoFailed> {
        self.transfers.count_write(name.is_some());
        let done = self.disk.write(name, block, self.memory.bytes_mut(frame));
        self.record("file_write", name, block, done)
    }

    fn failure(&self) -> Option<String> {
        self.failure.clone()
    }
}
