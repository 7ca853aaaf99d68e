//! The pager process: one loop over everything that can happen.
//!
//! ```text
//! wait -> read all faults -> step each -> answers of inputs and outputs -> read ahead, work ahead -> submit -> wait
//! ```

use crate::arenas::Arena;
use crate::clients::{Client, Clients};
use crate::hardware::{fault_ticket, flusher};
use crate::machine::Machine;
use crate::options::{NotStarted, Options, References};
use crate::paging::KEPT_FOR_COPIES;
use crate::requests::No;
use crate::threads::Threads;
use mager_driver::{Control, Driver, LogWriter, Outcome, Paging};
use mager_linux_sys::{Fault, affinity, online_cpus, peer, receive, send, set_affinity};
use mager_linux_wire::{Facts, MAX_MESSAGE, Reply, decode, encode};
use mager_pager::{Access, ArenaId, Config, Event, ObjectNo, Pages, Sharing, Site, VirtPage, What};
use mager_policies::{Any, Observes, Policy};
use mager_stores::{Backing, Buffers, SwapOptions};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::{AsFd, OwnedFd};
use std::io;
use std::time::{Duration, Instant};

/// Staging buffers, in bytes; at least [`LEAST_BUFFERS`].
const STAGING: usize = 4 << 20;
const LEAST_BUFFERS: usize = 3 * KEPT_FOR_COPIES;
/// How long the loop sleeps at most while there is something to look after.
const LOOK_AFTER: Duration = Duration::from_millis(10);

const LISTENER: u64 = 0;
const BACKING: u64 = 1 << 56;
const CLIENT: u64 = 2 << 56;
const ARENA: u64 = 3 << 56;
const STOP: u64 = 4 << 56;
const NUMBER: u64 = (1 << 56) - 1;

type Log = LogWriter<Sink>;

/// Text into a file.
#[derive(Debug)]
pub(crate) struct Sink(pub(crate) io::BufWriter<std::fs::File>);

impl std::fmt::Write for Sink {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        io::Write::write_all(&mut self.0, text.as_bytes()).map_err(|_| std::fmt::Error)
    }
}

/// A pager that serves clients.
#[derive(Debug)]
pub struct Server {
    pub(crate) driver: Driver<Any, Option<Log>>,
    pub(crate) machine: Machine,
    pub(crate) clients: Clients,
    pub(crate) options: Options,
    threads: Threads,
    epoll: OwnedFd,
    listener: Option<OwnedFd>,
    low_water: u32,
    most_ahead: u32,
    started: Instant,
    faults: Vec<Fault>,
    message: Box<[u8]>,
    /// Flushes that nobody waits for.
    own_flushes: u64,
}

fn system(what: &'static str) -> impl FnOnce(io::Error) -> NotStarted {
    move |why| NotStarted::System { what, why }
}

impl Server {
    /// Opens swap, listens where the options say; serves when [`Server::run`] is called.
    pub fn new(options: Options) -> Result<Self, NotStarted> {
        let policy = Any::from_spec(&options.policy, options.frames)
            .map_err(|why| NotStarted::Policy(why.to_string()))?;
        if policy.needs() >= Observes::EveryAccess {
            return Err(NotStarted::Blind(options.policy));
        }
        let low_water = (options.frames / 16).min(64);
        let config = config(&options, low_water);
        let log = crate::log::open(&options, &config)?;
        let driver = Driver::new(config, policy, log)?;
        let buffers = (STAGING / options.page_size as usize).max(LEAST_BUFFERS);
        let buffers = Buffers::new(options.page_size as usize, buffers).map_err(system("staging buffers"))?;
        let backing = Backing::new(backing_options(&options))?;
        let epoll =
            epoll::create(epoll::CreateFlags::CLOEXEC).map_err(io::Error::from).map_err(system("epoll"))?;
        let listener = match &options.socket {
            Some(path) => Some(mager_linux_sys::listen(path).map_err(system("the socket"))?),
            None => None,
        };
        let server = Server {
            driver,
            machine: Machine::new(options.page_size, options.frames, buffers, backing),
            clients: Clients::default(),
            threads: Threads::new(if options.pull { home_cpu() } else { None }),
            epoll,
            listener,
            low_water,
            most_ahead: options.read_ahead.min(low_water / 2),
            started: Instant::now(),
            faults: Vec::with_capacity(64),
            message: vec![0; MAX_MESSAGE].into_boxed_slice(),
            own_flushes: 0,
            options,
        };
        server.watch_own().map_err(system("epoll"))?;
        Ok(server)
    }

    fn watch_own(&self) -> io::Result<()> {
        if let Some(listener) = &self.listener {
            self.watch(listener, LISTENER)?;
        }
        match self.machine.backing.wait_fd() {
            Some(fd) => self.watch(&fd, BACKING),
            None => Ok(()),
        }
    }

    fn watch(&self, fd: &impl AsFd, data: u64) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, EventData::new_u64(data), EventFlags::IN)?)
    }

    pub(crate) fn watch_arena(&self, arena: ArenaId, uffd: &OwnedFd) -> io::Result<()> {
        self.watch(uffd, ARENA | u64::from(arena.slot))
    }

    /// Whether a descriptor is a userfaultfd: reading any other could block or mean anything.
    pub(crate) fn is_userfault(&self, fd: &OwnedFd) -> bool {
        use rustix::fd::AsRawFd;
        let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
        std::fs::read_link(link).is_ok_and(|name| name.to_string_lossy() == "anon_inode:[userfaultfd]")
    }

    pub(crate) fn facts(&self) -> Facts {
        let Options { page_size, frames, arena_pages, swap_blocks, .. } = self.options;
        Facts { page_size, arena_pages, frames, swap_blocks }
    }

    /// A client whose socket is here already.
    pub fn adopt(&mut self, socket: OwnedFd) -> io::Result<()> {
        let (pid, _) = peer(&socket)?;
        self.connected(socket, pid).map(drop).map_err(|_| io::ErrorKind::Other.into())
    }

    pub(crate) fn connected(&mut self, socket: OwnedFd, pid: i32) -> Result<u64, No> {
        let client = Client { socket, pid, greeted: false, agent: None, arenas: Vec::new() };
        let number = self.clients.add(client);
        let socket = self.clients.get(number).map(|client| client.socket.try_clone()).transpose()?;
        if let Some(client) = self.clients.get(number) {
            epoll::add(&self.epoll, &client.socket, EventData::new_u64(CLIENT | number), EventFlags::IN)?;
        }
        drop(socket);
        Ok(number)
    }

    /// Serves until `stop` is readable, or, without a socket to listen on, until the last client is gone.
    pub fn run(&mut self, stop: Option<&OwnedFd>) -> io::Result<()> {
        if let Some(stop) = stop {
            self.watch(stop, STOP)?;
        }
        let mut ready = Vec::with_capacity(64);
        loop {
            ready.clear();
            let timeout = self.timeout();
            let spare = rustix::buffer::spare_capacity(&mut ready);
            match epoll::wait(&self.epoll, spare, timeout.as_ref()) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(why) => return Err(why.into()),
            }
            if ready.is_empty() {
                self.idle();
            }
            for event in &ready {
                let data = event.data.u64();
                if data & !NUMBER == STOP {
                    return self.stop();
                }
                self.happened(data, event.flags);
            }
            self.after();
            if self.listener.is_none() && self.clients.iter().next().is_none() {
                return self.stop();
            }
        }
    }

    /// How long to sleep: for ever, unless there is something to look after.
    fn timeout(&self) -> Option<rustix::event::Timespec> {
        let busy = self.machine.backing.in_flight() > 0 && self.machine.backing.wait_fd().is_none();
        let wait = if busy { Duration::ZERO } else { LOOK_AFTER };
        let restless = busy || self.threads.any_pulled() || self.machine.arenas.iter().any(Arena::has_zaps);
        restless.then(|| rustix::event::Timespec::try_from(wait).unwrap_or_default())
    }

    fn happened(&mut self, data: u64, flags: EventFlags) {
        match data & !NUMBER {
            LISTENER => self.accept(),
            CLIENT => self.talk(data & NUMBER),
            ARENA => self.faulted(data & NUMBER, flags),
            _ => {}
        }
    }

    fn accept(&mut self) {
        let Some(listener) = &self.listener else { return };
        let Ok(socket) = rustix::net::accept_with(listener, rustix::net::SocketFlags::CLOEXEC) else {
            return;
        };
        // A peer that is gone again already, or whom there is no room for, is not served.
        let _ = self.adopt(socket);
    }

    fn talk(&mut self, number: u64) {
        let Some(client) = self.clients.get(number) else { return };
        let mut message = std::mem::take(&mut self.message);
        let received = receive(&client.socket, &mut message, false);
        let go_on = match received {
            Err(why) => why.kind() == io::ErrorKind::WouldBlock,
            Ok(got) if got.len == 0 || got.cut => false,
            Ok(got) => match decode(&message[..got.len]) {
                Ok(request) => {
                    let answer = self.request(number, request, got.fds);
                    self.reply(number, answer)
                }
                Err(_) => false,
            },
        };
        self.message = message;
        if !go_on {
            self.gone(number);
        }
    }

    /// Whether the client took its answer.
    fn reply(&mut self, number: u64, answer: Result<crate::requests::Answer, No>) -> bool {
        let (reply, fds) = match answer {
            Ok(None) => return true,
            Ok(Some(answer)) => answer,
            Err(no) => (no.reply(), Vec::new()),
        };
        let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
        let Some(client) = self.clients.get(number) else { return true };
        encode(&reply).is_ok_and(|bytes| send(&client.socket, &bytes, &fds, false).is_ok())
    }

    /// A client's connection has ended: everything it had is given back.
    pub(crate) fn gone(&mut self, number: u64) {
        if let Some(client) = self.clients.remove(number) {
            client.arenas.iter().for_each(|&arena| self.destroy(arena));
        }
    }

    pub(crate) fn destroy(&mut self, arena: ArenaId) {
        if let Some(record) = self.machine.arenas.get_mut(arena) {
            record.dying = true;
            // Closing is not enough: the client has a duplicate, and would go on being waited for.
            if let Some(attached) = &record.attached {
                let _ = epoll::delete(&self.epoll, &attached.uffd);
            }
        }
        let whole = Pages { start: VirtPage(0), count: self.options.arena_pages };
        let objects = self.objects_in(arena, whole);
        let _ = self.control(Control::Destroy(arena));
        self.machine.arenas.remove(arena);
        self.flush_unused(&objects);
    }

    /// Dirty pages of files that were unmapped go home without waiting to be victims.
    pub(crate) fn flush_unused(&mut self, objects: &[ObjectNo]) {
        for &object in objects {
            self.own_flushes += 1;
            let _ = self.control(Control::Flush(What::Object(object), crate::hardware::flush_ticket(0)));
        }
    }

    pub(crate) fn control(&mut self, call: Control) -> Result<Outcome, No> {
        let outcome = self.driver.control(call, &mut self.machine);
        self.machine.settle();
        match outcome {
            Outcome::Refused(why) => Err(why.into()),
            done => Ok(done),
        }
    }

    pub(crate) fn step(&mut self, event: Event) {
        self.machine.woken = None;
        self.driver.step(event, &mut self.machine);
        self.machine.settle();
    }

    fn faulted(&mut self, slot: u64, flags: EventFlags) {
        let slot = usize::try_from(slot).unwrap_or(usize::MAX);
        let Some(arena) = self.machine.arenas.in_slot(slot) else { return };
        let mut faults = std::mem::take(&mut self.faults);
        faults.clear();
        let read = match self.machine.arenas.get(arena).and_then(|record| record.attached.as_ref()) {
            Some(attached) => attached.uffd.read(&mut faults).map(|_| attached.base),
            None => return,
        };
        match read {
            Ok(base) => {
                let now = Instant::now();
                faults.iter().for_each(|fault| self.fault(arena, base, fault, now));
            }
            Err(_) => self.deaf(arena),
        }
        self.faults = faults;
        if flags.contains(EventFlags::HUP) || flags.contains(EventFlags::ERR) {
            self.deaf(arena);
        }
    }

    /// An arena's userfaultfd says nothing any more: its process is ending.
    fn deaf(&mut self, arena: ArenaId) {
        if let Some(attached) = self.machine.arenas.get(arena).and_then(|record| record.attached.as_ref()) {
            let _ = epoll::delete(&self.epoll, &attached.uffd);
        }
    }

    fn fault(&mut self, arena: ArenaId, base: u64, fault: &Fault, now: Instant) {
        let page = fault.address.wrapping_sub(base) / u64::from(self.options.page_size);
        let Ok(page) = u32::try_from(page) else { return };
        let at = Site { arena, page: VirtPage(page) };
        let access = if fault.write { Access::Write } else { Access::Read };
        let (thread, stream) = self.threads.fault(fault.thread, now);
        let ahead = match fault.kind {
            mager_linux_sys::FaultKind::Missing => stream.fault(arena.slot, page, self.most_ahead),
            mager_linux_sys::FaultKind::Minor | mager_linux_sys::FaultKind::Protected => None,
        };
        self.step(Event::Fault(mager_pager::Fault { at, access, who: fault_ticket(at, thread) }));
        if let Some(window) = ahead {
            self.read_ahead(arena, window, access);
        }
    }

    fn read_ahead(&mut self, arena: ArenaId, window: crate::ahead::Window, access: Access) {
        if self.free_frames() <= window.count as usize {
            self.work_ahead();
        }
        let mut page = window.first;
        for _ in 0..window.count {
            self.step(Event::Ahead { at: Site { arena, page: VirtPage(page) }, access });
            let Some(next) = page.checked_add_signed(window.stride) else { return };
            page = next;
        }
    }

    fn free_frames(&self) -> usize {
        self.driver.view().counts().free_frames
    }

    /// Frees frames ahead of need, many at once, so that faults seldom wait for a write.
    fn work_ahead(&mut self) {
        if self.low_water > 0 {
            self.step(Event::Tick);
        }
    }

    /// Everything that is finished goes into the core, until nothing is; then the kernel gets its work.
    fn after(&mut self) {
        loop {
            self.machine.submit();
            let mut any = false;
            while let Some(event) = self.machine.finished() {
                self.step(event);
                any = true;
            }
            if !any && !self.machine.can_submit() {
                break;
            }
        }
        if self.free_frames() < self.low_water as usize / 2 {
            self.work_ahead();
            self.machine.submit();
        }
        self.answer_flushes();
        let mut resumed = std::mem::take(&mut self.machine.resumed);
        if !resumed.is_empty() {
            self.threads.resumed(&mut resumed, Instant::now());
        }
        self.machine.resumed = resumed;
    }

    fn answer_flushes(&mut self) {
        for (who, outcome) in std::mem::take(&mut self.machine.answers) {
            let Some(number) = flusher(who).filter(|&number| number != 0) else { continue };
            let answer = match outcome {
                Ok(()) => Ok(Some((Reply::Done, Vec::new()))),
                Err(why) => {
                    Err(No::new(rustix::io::Errno::IO, format!("the file could not be written: {why}")))
                }
            };
            if !self.reply(number, answer) {
                self.gone(number);
            }
        }
    }

    /// Nothing has happened for a while.
    fn idle(&mut self) {
        self.threads.quiet(Instant::now());
        self.machine.arenas.iter_mut().for_each(Arena::send_zaps);
        for object in self.driver.pager().forgotten() {
            self.drop_object(object);
        }
    }

    /// Files are written home; threads run where they like again.
    fn stop(&mut self) -> io::Result<()> {
        let _ = self.control(Control::Flush(What::All, crate::hardware::flush_ticket(0)));
        while self.driver.view().counts().in_flight > 0 {
            self.machine.submit();
            while let Some(event) = self.machine.finished() {
                self.step(event);
            }
            self.machine.pause();
        }
        self.threads.let_all_go();
        if let Some(path) = &self.options.socket {
            let _ = std::fs::remove_file(path);
        }
        crate::log::close(&mut self.driver.recorder)
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn pulls(&self) -> u64 {
        self.threads.pulls
    }
}

fn config(options: &Options, low_water: u32) -> Config {
    Config {
        page_size: options.page_size,
        arena_pages: options.arena_pages,
        arena_base: 0,
        frames: options.frames,
        swap_blocks: options.swap_blocks,
        references: match options.references {
            References::Agent => mager_pager::References::Trap,
            References::Off => mager_pager::References::None,
        },
        sharing: Sharing::Place,
        low_water,
    }
}

fn backing_options(options: &Options) -> mager_stores::Options {
    mager_stores::Options {
        page_size: options.page_size as usize,
        swap: Some(SwapOptions { place: options.swap.clone(), blocks: options.swap_blocks }),
        compressed: (options.compressed > 0).then_some(options.compressed),
        engine: options.engine,
        checksums: true,
    }
}

/// The last CPU of the pager's mask, to which it is pinned from here on.
fn home_cpu() -> Option<mager_linux_sys::CpuMask> {
    let mask = affinity(0).ok()?;
    let mut home = mager_linux_sys::CpuMask::new();
    home.set(online_cpus(&mask).last()?);
    set_affinity(0, &home).ok()?;
    Some(home)
}
