//! The pager object behind the log and the watch: every call goes through here, and its results are judged.

use crate::error::HostError;
use crate::log::Log;
use crate::services::Machine;
use crate::watch::{Call, Watch};
use mager_course_abi::{Entry, Flushed, PAGE_SIZE, PageTable, PagerObject, Services, arena_page};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A pager object, the machine it works on, and which process it holds for current.
pub(crate) struct Pager {
    object: Box<dyn PagerObject>,
    pub(crate) machine: Machine,
    log: Arc<Mutex<Log>>,
    watch: Watch,
    current: Option<i32>,
    last: Call,
}

impl Pager {
    pub(crate) fn new(
        object: Box<dyn PagerObject>,
        machine: Machine,
        log: Arc<Mutex<Log>>,
        watch: Watch,
    ) -> Pager {
        Pager { object, machine, log, watch, current: None, last: Call::Flush }
    }

    pub(crate) fn init(&mut self, swap_blocks: u32) {
        let frames = self.machine.memory.frames();
        let call = Call::Init { frames, swap_blocks };
        self.call(call, |object, services| object.init(services, frames, swap_blocks));
    }

    /// Is the process known to the pager from now on?
    pub(crate) fn create(&mut self, parent: i32, child: i32) -> bool {
        self.log().create(parent, child);
        let result = self
            .call(Call::Create { parent, child }, |object, services| object.create(services, parent, child));
        self.log().returned("vm_create", format_args!("{result}"));
        result == 0
    }

    /// Makes `pid` current if it is not; says whether that took a switch.
    pub(crate) fn switch(&mut self, pid: i32) -> bool {
        if self.current == Some(pid) {
            return false;
        }
        self.log().switch(pid);
        self.call(Call::Switch { pid }, |object, services| object.switch(services, pid));
        self.current = Some(pid);
        true
    }

    /// May the access of the current process be tried again?
    pub(crate) fn fault(&mut self, address: usize, write: bool) -> bool {
        self.log().fault(address, write);
        let call = Call::Fault { address, write };
        let result = self.call(call, |object, services| object.fault(services, address, write));
        self.log().returned("vm_fault", format_args!("{result}"));
        result == 0
    }

    /// The new page of the current process, 0 for null.
    pub(crate) fn map(&mut self, filename: usize, block: u32) -> Result<usize, HostError> {
        self.log().map(filename, block);
        let result = self
            .call(Call::Map { filename, block }, |object, services| object.map(services, filename, block));
        self.log().returned("vm_map", format_args!("{result:#x}"));
        let broken = |what| Err(self.broken(what));
        match result {
            0 => Ok(0),
            _ if !result.is_multiple_of(PAGE_SIZE) => {
                broken(format!("{result:#x} is not the start of a page"))
            }
            _ if arena_page(result).is_none() => broken(format!("{result:#x} is outside the arena")),
            _ => Ok(result),
        }
    }

    /// The current process has ended.
    pub(crate) fn destroy(&mut self) {
        self.log().destroy();
        let pid = self.current.take().expect("a process is made current before it is destroyed");
        self.call(Call::Destroy { pid }, |object, services| object.destroy(services));
    }

    /// Not a call of the contract, so nothing of it is in the log: logs of pagers that cannot flush stay comparable.
    pub(crate) fn flush(&mut self) -> Flushed {
        self.machine.unlogged = true;
        self.call(Call::Flush, |object, services| object.flush(services))
    }

    pub(crate) fn describe(&self) -> Option<String> {
        self.object.describe()
    }

    pub(crate) fn summary(&self) -> Option<String> {
        self.object.summary()
    }

    /// Why the last call failed: as the pager says, or else as the machine knows.
    pub(crate) fn reason(&mut self) -> Option<String> {
        self.object.reason().or_else(|| self.machine.take_failure())
    }

    /// The current process's table, every entry of it legal.
    pub(crate) fn table(&self) -> Result<&PageTable, HostError> {
        self.watch.enter(self.last);
        let table = self.object.page_table();
        let checked = table.map_or(Ok(()), |table| self.check(table));
        self.watch.leave();
        checked?;
        table.ok_or_else(|| self.broken("page_table_base_register is null".to_owned()))
    }

    /// Writes down the rights with which control returns to the current process.
    pub(crate) fn log_table(&self) -> Result<(), HostError> {
        let (pid, table) = (self.current.unwrap_or(0), self.table()?);
        self.log().table(pid, table);
        Ok(())
    }

    pub(crate) fn flush_log(&self) -> Option<String> {
        let mut log = self.log();
        log.flush();
        log.complaint()
    }

    fn check(&self, table: &PageTable) -> Result<(), HostError> {
        let frames = self.machine.memory.frames();
        let wrong = |entry: &Entry| {
            let used = entry.effective() != Entry::NONE;
            used && (!entry.read() || entry.frame() >= frames)
        };
        let Some(page) = table.iter().position(wrong) else { return Ok(()) };
        let (entry, frame) = (table[page], table[page].frame());
        Err(self.broken(match entry.read() {
            false => format!("the entry of page {page} allows writing but not reading"),
            true => {
                format!("the entry of page {page} names physical page {frame:#x}, but there are {frames:#x}")
            }
        }))
    }

    fn broken(&self, what: String) -> HostError {
        HostError::Pager { call: self.last.to_string(), what }
    }

    fn call<R>(&mut self, call: Call, body: impl FnOnce(&mut dyn PagerObject, &mut dyn Services) -> R) -> R {
        self.last = call;
        self.machine.take_failure();
        self.watch.enter(call);
        let result = body(&mut *self.object, &mut self.machine);
        self.watch.leave();
        result
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
