//! A host: one pager object, one directory, and the processes that come to it.
//!
//! Owns starting and the event loop. Page tables change only while no process runs: ends and arrivals are noted when
//! they happen and told to the pager at the next scheduling point (see `schedule`), so what the pager takes away is
//! gone before its owner runs again.

use crate::close::Child;
use crate::disk::Disk;
use crate::error::HostError;
use crate::log::Log;
use crate::meeting::Meeting;
use crate::memory::Memory;
use crate::options::{Options, Sink};
use crate::orders::{Order, Orders};
use crate::pager::Pager;
use crate::process::{Process, ProcessNo, Processes, State};
use crate::report::Report;
use crate::services::Machine;
use crate::talk::{self, Heard};
use crate::watch::{Guard, Watch};
use mager_course_abi::PagerObject;
use mager_course_protocol::ReplyBuffer;
use mager_course_protocol::meet::SOCKET_VARIABLE;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a process that hung up without dying may take to come back as another program.
const GRACE: Duration = Duration::from_millis(300);

/// Larger memories are left as they are: filling them would use them up.
const JUNK_LIMIT: u32 = 4096;

/// What an event is about; processes take two numbers each from `FIRST_PROCESS` on.
pub(crate) const LISTENER: u64 = 0;
const SIGNALS: u64 = 1;
const CHILD: u64 = 2;
const FIRST_PROCESS: u64 = 4;

/// A host, ready to run.
pub struct Host {
    pub(crate) pager: Pager,
    pub(crate) processes: Processes,
    pub(crate) queue: VecDeque<ProcessNo>,
    pub(crate) running: Option<ProcessNo>,
    pub(crate) reply: ReplyBuffer,
    pub(crate) report: Report,
    pub(crate) cpu: Option<u32>,
    pub(crate) child: Option<Child>,
    pub(crate) stop: bool,
    /// Nobody is taken in until then.
    pub(crate) closed_until: Option<Instant>,
    pub(crate) tell_refusals: bool,
    pub(crate) meeting: Meeting,
    swap_file: Option<PathBuf>,
    swap_blocks: u32,
    pub(crate) events: OwnedFd,
    messages: Sink,
    watch: Watch,
    watching: Option<Guard>,
    orders: Option<Orders>,
    limit: Option<Duration>,
    watch_crashes: bool,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("running", &self.running)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

impl Host {
    /// Takes the directory, makes memory and swap, and listens for applications; nothing runs yet.
    ///
    /// # Errors
    /// A [`HostError`] says what could not be had.
    pub fn new(options: Options, object: Box<dyn PagerObject>) -> Result<Host, HostError> {
        let Options { frames, swap_blocks, .. } = options;
        // First, so that no signal can leave a socket behind.
        let orders = options.signals.then(Orders::listen).transpose();
        let orders = orders.map_err(HostError::system("taking signals"))?;
        let meeting = Meeting::open(&options.dir)?;
        let memory = new_memory(frames, options.junk)?;
        let dir = meeting.dir().map_err(HostError::system("a second handle on the directory"))?;
        let disk = Disk::new(dir, &options.swap, swap_blocks)?;
        let swap_file = disk.swap_file().map(Path::to_owned);
        let log = Arc::new(Mutex::new(Log::new(options.log, options.log_pids)));
        let files = [meeting.path().to_owned()].into_iter().chain(swap_file.clone()).collect();
        let watch = Watch::new(log.clone(), files);
        let machine = Machine::new(memory, disk, log.clone());
        let host = Host {
            pager: Pager::new(object, machine, log, watch.clone()),
            processes: Processes::default(),
            queue: VecDeque::new(),
            running: None,
            reply: ReplyBuffer::default(),
            report: Report::default(),
            cpu: options.one_cpu.then(this_cpu).flatten(),
            child: None,
            stop: false,
            closed_until: None,
            tell_refusals: options.tell_refusals,
            meeting,
            swap_file,
            swap_blocks,
            events: epoll::create(epoll::CreateFlags::CLOEXEC).map_err(HostError::system("epoll"))?,
            messages: options.messages,
            watch,
            watching: None,
            orders,
            limit: options.time_limit,
            watch_crashes: options.watch_crashes,
        };
        host.listen().map_err(HostError::system("listening for events"))?;
        Ok(host)
    }

    /// Where physical memory begins in this process: what `vm_physmem` names.
    #[must_use]
    pub fn physical_memory(&self) -> usize {
        self.pager.machine.memory.base()
    }

    /// The watch, for a pager object that notices a breach of the contract inside a call.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// The socket at which applications find this host.
    #[must_use]
    pub fn socket(&self) -> &Path {
        self.meeting.path()
    }

    /// Serves applications until SIGINT or SIGTERM.
    ///
    /// # Errors
    /// When the pager breaks the contract, or the system refuses something the host cannot do without.
    pub fn run(self) -> Result<Report, HostError> {
        self.start(None)
    }

    /// Starts `application` and serves it and its children, until it and the last managed process have ended.
    ///
    /// # Errors
    /// As [`Host::run`], and when the application cannot be started.
    pub fn run_with(self, application: Command) -> Result<Report, HostError> {
        self.start(Some(application))
    }

    fn start(mut self, application: Option<Command>) -> Result<Report, HostError> {
        self.watching = self
            .watch
            .start(self.limit, self.watch_crashes)
            .map_err(HostError::system("starting the watch"))?;
        self.pager.init(self.swap_blocks);
        if let Some(mut command) = application {
            command.env(SOCKET_VARIABLE, self.meeting.path());
            let child = Child::start(command)?;
            self.add(child.life(), CHILD).map_err(HostError::system("watching the application"))?;
            self.child = Some(child);
        }
        let former = self.cpu.and_then(stay_on);
        let served = self.serve();
        let report = self.close(served);
        if let Some(former) = former {
            let _ = sched_setaffinity(None, &former);
        }
        report
    }

    fn listen(&self) -> io::Result<()> {
        self.add(self.meeting.listener(), LISTENER)?;
        if let Some(orders) = &self.orders {
            self.add(orders.source(), SIGNALS)?;
        }
        Ok(())
    }

    pub(crate) fn add(&self, source: BorrowedFd<'_>, about: u64) -> rustix::io::Result<()> {
        epoll::add(&self.events, source, epoll::EventData::new_u64(about), epoll::EventFlags::IN)
    }

    fn serve(&mut self) -> Result<(), HostError> {
        let mut events = Vec::with_capacity(16);
        while !self.stop && !self.finished() {
            if self.running.is_none() && self.patience().is_none() {
                self.schedule()?;
                self.write_log();
                if self.finished() {
                    break;
                }
            }
            events.clear();
            let waits = self.patience().into_iter().chain(self.open_again());
            let timeout = waits.min().and_then(|left| Timespec::try_from(left).ok());
            match epoll::wait(&self.events, spare_capacity(&mut events), timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(HostError::system("epoll")(error)),
            }
            for event in &events {
                self.happened(event.data.u64())?;
            }
        }
        Ok(())
    }

    /// The application and the last managed process have ended.
    fn finished(&self) -> bool {
        let ended = self.child.as_ref().is_some_and(Child::has_ended);
        ended && self.processes.find(|process| process.state != State::New).is_none()
    }

    /// How long to wait for processes that hung up: they die, or come back, or take too long.
    fn patience(&self) -> Option<Duration> {
        let left = |process: &Process| match process.state {
            State::Leaving(since) => Some(GRACE.saturating_sub(since.elapsed())),
            _ => None,
        };
        self.processes.iter().filter_map(|(_, process)| left(process)).max().filter(|left| !left.is_zero())
    }

    fn happened(&mut self, about: u64) -> Result<(), HostError> {
        match about {
            LISTENER => self.somebody_came(),
            SIGNALS => self.obey(),
            CHILD => self.child_ended(),
            process => {
                let no = ProcessNo((process - FIRST_PROCESS) / 2);
                match process % 2 {
                    0 => self.hear(no)?,
                    _ => self.died(no),
                }
            }
        }
        Ok(())
    }

    /// Takes a process in and listens to it. Without the means to do so it is not taken in.
    pub(crate) fn meet(&mut self, process: Process) -> Option<ProcessNo> {
        let no = self.processes.add(process);
        let about = FIRST_PROCESS + no.0 * 2;
        let process = self.processes.get(no)?;
        let listening = self.add(process.conn(), about).and_then(|()| self.add(process.life(), about + 1));
        match listening {
            Ok(()) => Some(no),
            Err(_) => {
                self.processes.remove(no);
                None
            }
        }
    }

    fn hear(&mut self, no: ProcessNo) -> Result<(), HostError> {
        let Some(process) = self.processes.get(no) else { return Ok(()) };
        match talk::hear(process.conn()) {
            Heard::Request(request, descriptor) => self.asked(no, request, descriptor)?,
            Heard::Nothing => {}
            Heard::HangUp => self.hung_up(no),
            Heard::Nonsense(what) => self.expel(no, &what),
        }
        self.write_log();
        Ok(())
    }

    /// The other end of the connection was closed.
    pub(crate) fn hung_up(&mut self, no: ProcessNo) {
        let Some(process) = self.processes.get(no) else { return };
        if !process.managed() {
            self.processes.remove(no);
        } else if process.lives() {
            self.end_if_it_stays(no);
            let Some(process) = self.processes.get(no) else { return };
            let _ = epoll::delete(&self.events, process.conn());
            self.set_aside(no, State::Leaving(Instant::now()));
        }
    }

    fn died(&mut self, no: ProcessNo) {
        let Some(process) = self.processes.get(no) else { return };
        if process.managed() {
            let _ = epoll::delete(&self.events, process.conn());
            let _ = epoll::delete(&self.events, process.life());
            self.set_aside(no, State::Gone);
        } else {
            self.processes.remove(no);
        }
    }

    /// The process will not run again.
    pub(crate) fn set_aside(&mut self, no: ProcessNo, state: State) {
        if let Some(process) = self.processes.get_mut(no) {
            process.state = state;
        }
        self.queue.retain(|&queued| queued != no);
        self.running = self.running.filter(|&running| running != no);
    }

    fn obey(&mut self) {
        for order in self.orders.iter().flat_map(Orders::take).collect::<Vec<Order>>() {
            match order {
                Order::Stop => self.stop = true,
                Order::Describe => {
                    let state = self.pager.describe();
                    self.remark(
                        state.as_deref().unwrap_or("this pager does not describe its state").trim_end(),
                    );
                }
            }
        }
    }

    fn child_ended(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = epoll::delete(&self.events, child.life());
            child.reap();
        }
    }

    pub(crate) fn write_log(&mut self) {
        if let Some(complaint) = self.pager.flush_log() {
            self.report.log_lost = true;
            self.remark(&complaint);
        }
    }

    /// Something the user should know.
    pub(crate) fn remark(&mut self, what: &str) {
        let _ = writeln!(self.messages, "mager: {what}");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(swap) = &self.swap_file {
            let _ = std::fs::remove_file(swap);
        }
    }
}

fn new_memory(frames: u32, junk: bool) -> Result<Memory, HostError> {
    if !(2..=1 << 29).contains(&frames) {
        return Err(HostError::Frames(frames));
    }
    let mut memory = Memory::new(frames).map_err(|source| HostError::Memory { frames, source })?;
    if junk && frames <= JUNK_LIMIT {
        memory.fill_with_junk();
    }
    Ok(memory)
}

fn this_cpu() -> Option<u32> {
    u32::try_from(sched_getcpu()).ok()
}

/// Keeps this thread on `cpu`; the former set, to be given back.
fn stay_on(cpu: u32) -> Option<CpuSet> {
    let former = sched_getaffinity(None).ok()?;
    let mut here = CpuSet::new();
    here.set(cpu as usize);
    sched_setaffinity(None, &here).ok().map(|()| former)
}
