//! Who runs: one process at a time, first come, first served.
//!
//! What a process asks for is answered here, by calls to the pager. Before each answer, while nobody runs, the
//! pager is told of processes that have ended and that have come ([`Host::settle`]).

use crate::arrivals::NO_ROOM;
use crate::error::HostError;
use crate::host::Host;
use crate::kin::{among_the_last, may_be_child};
use crate::process::{Process, ProcessNo, State};
use crate::talk;
use mager_course_abi::{ARENA_BASE, ARENA_PAGES, Entry, PAGE_SIZE, arena_page};
use mager_course_protocol::Request;
use rustix::process::Signal;
use std::os::fd::OwnedFd;

impl Host {
    /// Nobody runs: lets the next in line.
    pub(crate) fn schedule(&mut self) -> Result<(), HostError> {
        self.settle();
        match self.queue.pop_front() {
            Some(next) => self.resume(next),
            None => Ok(()),
        }
    }

    /// Tells the pager of ends, then of arrivals.
    fn settle(&mut self) {
        while let Some(no) = self.processes.find(has_ended) {
            self.bury(no);
        }
        while let Some(no) = self.processes.find(|process| process.state == State::Arriving) {
            self.admit(no);
        }
    }

    pub(crate) fn bury(&mut self, no: ProcessNo) {
        let Some(process) = self.processes.remove(no) else { return };
        self.queue.retain(|&queued| queued != no);
        self.pager.switch(process.pid);
        self.pager.destroy();
        let comes_back = |other: &Process| other.pid == process.pid && other.state == State::Arriving;
        if self.processes.find(comes_back).is_none()
            && let Some(waiting) = self.processes.waiting_for(process.parent, process.pid)
        {
            self.enqueue(waiting);
        }
    }

    fn admit(&mut self, no: ProcessNo) {
        let Some(process) = self.processes.get(no) else { return };
        if !self.pager.create(process.parent, process.pid) {
            let why = self.pager.reason().unwrap_or_else(|| "vm_create refused".to_owned());
            talk::say(process.conn(), self.reply.refused(&why));
            self.processes.remove(no);
            return;
        }
        let welcome = self.reply.welcome(self.pager.machine.memory.frames(), self.cpu);
        talk::say_with(process.conn(), welcome, self.pager.machine.memory.file());
        self.report.processes += 1;
        self.enqueue(no);
    }

    fn enqueue(&mut self, no: ProcessNo) {
        if let Some(process) = self.processes.get_mut(no) {
            process.state = State::Ready;
            self.queue.push_back(no);
        }
    }

    fn resume(&mut self, no: ProcessNo) -> Result<(), HostError> {
        let Some(process) = self.processes.get(no) else { return Ok(()) };
        let switched = self.pager.switch(process.pid);
        self.let_run(no, 0, switched)
    }

    /// Gives a result to the process that asked.
    fn deliver(&mut self, no: ProcessNo, value: usize) -> Result<(), HostError> {
        let Some(process) = self.processes.get(no) else { return Ok(()) };
        self.pager.switch(process.pid);
        self.let_run(no, value, true)
    }

    fn let_run(&mut self, no: ProcessNo, value: usize, log_table: bool) -> Result<(), HostError> {
        if log_table {
            self.pager.log_table()?;
        }
        let table = self.pager.table()?;
        let Some(process) = self.processes.get_mut(no) else { return Ok(()) };
        let reply = self.reply.resume(value as u64, &mut process.shown, table);
        talk::say(process.conn(), reply);
        process.state = State::Running;
        self.running = Some(no);
        Ok(())
    }

    /// A process said something.
    pub(crate) fn asked(
        &mut self,
        no: ProcessNo,
        request: Request,
        descriptor: Option<OwnedFd>,
    ) -> Result<(), HostError> {
        let Some(process) = self.processes.get(no) else { return Ok(()) };
        match (process.state, request) {
            (State::New, Request::Hello { version, parent }) => self.greeted(no, version, parent),
            (State::Away, Request::Ready) => self.enqueue(no),
            (State::Running, request) => self.answer(no, request, descriptor)?,
            (State::New | State::Arriving, _) => self.expel(no, "it asked before it was let in"),
            (_, _) => self.expel(no, "it asked while it was not running"),
        }
        Ok(())
    }

    fn answer(
        &mut self,
        no: ProcessNo,
        request: Request,
        descriptor: Option<OwnedFd>,
    ) -> Result<(), HostError> {
        self.settle();
        let Some(pid) = self.processes.get(no).map(|process| process.pid) else { return Ok(()) };
        match request {
            Request::Fault { address, write } => self.fault(no, pid, address, write),
            Request::Map { filename, block } => {
                self.pager.switch(pid);
                let page = self.pager.map(usize::try_from(filename).unwrap_or(usize::MAX), block)?;
                if page == 0 {
                    self.remark_refusal(pid, "vm_map returned null");
                }
                self.deliver(no, page)
            }
            Request::Yield => {
                self.enqueue(no);
                self.running = None;
                self.schedule()
            }
            Request::Fork { child } => self.fork(no, pid, child, descriptor),
            Request::Wait { child } => {
                self.wait(no, pid, child);
                self.running = None;
                self.schedule()
            }
            Request::Hello { .. } | Request::Ready => {
                self.expel(no, "it greeted while it was running");
                Ok(())
            }
        }
    }

    fn fault(&mut self, no: ProcessNo, pid: i32, address: u64, write: bool) -> Result<(), HostError> {
        *(if write { &mut self.report.write_faults } else { &mut self.report.read_faults }) += 1;
        self.pager.switch(pid);
        let address = usize::try_from(address).unwrap_or(usize::MAX);
        if self.pager.fault(address, write) {
            return self.deliver(no, 0);
        }
        self.report.refused += 1;
        let why = self.refusal(address, write);
        if let Some(process) = self.processes.get(no) {
            talk::say(process.conn(), self.reply.refused(&why));
        }
        Ok(())
    }

    fn refusal(&mut self, address: usize, write: bool) -> String {
        let access = if write { "write" } else { "read" };
        let page = arena_page(address).map_or(ARENA_PAGES, |page| page);
        let start = ARENA_BASE + page * PAGE_SIZE;
        let why = self.pager.reason().unwrap_or_else(|| "vm_fault returned -1".to_owned());
        format!("the {access} at {address:#x} (page {page} of the arena, from {start:#x}) was refused: {why}")
    }

    fn fork(&mut self, no: ProcessNo, pid: i32, child: i32, conn: Option<OwnedFd>) -> Result<(), HostError> {
        let known = self.processes.find(|process| process.pid == child && process.managed()).is_some();
        let proper = |conn: &OwnedFd| !known && may_be_child(child, pid) && talk::made_by(pid, conn);
        let Some(conn) = conn.filter(proper) else {
            self.expel(no, "it told of a fork, but not of a new child with its own connection");
            return Ok(());
        };
        let shown = self.processes.get(no).map_or([Entry::NONE; ARENA_PAGES], |parent| parent.shown);
        if among_the_last(&conn) {
            talk::say(&conn, self.reply.refused(NO_ROOM));
            return self.refuse_fork(no, NO_ROOM);
        }
        let Ok(mut process) = Process::new(child, pid, State::Arriving, conn) else {
            return self.refuse_fork(no, "the child was gone before the pager knew it");
        };
        process.shown = shown;
        if !self.pager.create(pid, child) {
            let why = self.remark_refusal(pid, "its fork was refused");
            let why = why.unwrap_or_else(|| "vm_create refused".to_owned());
            talk::say(process.conn(), self.reply.refused(&why));
            return self.refuse_fork(no, &why);
        }
        process.state = State::Ready;
        let Some(new) = self.meet(process) else {
            self.pager.switch(child);
            self.pager.destroy();
            return self.refuse_fork(no, "the system has no means to watch a further process");
        };
        self.enqueue(new);
        self.report.processes += 1;
        self.deliver(no, 0)
    }

    fn refuse_fork(&mut self, no: ProcessNo, why: &str) -> Result<(), HostError> {
        let Some(parent) = self.processes.get(no) else { return Ok(()) };
        self.pager.switch(parent.pid);
        self.pager.log_table()?;
        talk::say(parent.conn(), self.reply.refused(why));
        Ok(())
    }

    /// A program may ask until it is refused, or take no notice and crash: the reason helps either way, where the
    /// pager knows one.
    fn remark_refusal(&mut self, pid: i32, what: &str) -> Option<String> {
        let why = self.pager.reason()?;
        if self.tell_refusals {
            self.remark(&format!("process {pid}: {what}: {why}"));
        }
        Some(why)
    }

    fn wait(&mut self, no: ProcessNo, pid: i32, child: Option<i32>) {
        let known = self.processes.has_child(pid, child);
        let Some(process) = self.processes.get_mut(no) else { return };
        if known {
            process.state = State::Waiting(child);
        } else {
            process.state = State::Away;
            talk::say(process.conn(), self.reply.wait_yourself());
        }
    }

    /// A process that does not keep to the protocol is ended: nothing it has mapped may outlive its manners.
    pub(crate) fn expel(&mut self, no: ProcessNo, why: &str) {
        let Some(process) = self.processes.get(no) else { return };
        process.signal(Signal::KILL);
        let what = format!("process {} was ended, since {why}", process.pid);
        self.remark(&what);
        self.hung_up(no);
    }
}

fn has_ended(process: &Process) -> bool {
    matches!(process.state, State::Gone | State::Leaving(_))
}
