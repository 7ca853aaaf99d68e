//! The pager process: one loop over everything that can happen.
//!
//! ```text
//! wait -> read all faults -> step each -> answers of inputs and outputs -> read ahead, work ahead -> submit -> wait
//! ```

use crate::arenas::Arena;
use crate::budget::Budget;
use crate::clients::Clients;
use crate::elastic::Pressure;
use crate::expel::Condemned;
use crate::frames::MOST_BUFFERS;
use crate::machine::Machine;
use crate::options::{NotStarted, Options, References, backing_options, config};
use crate::paging::KEPT_FOR_COPIES;
use crate::quotas::Quotas;
use crate::share::Share;
use crate::threads::Threads;
use crate::tickets::flush_ticket;
use mager_driver::{Control, Driver, LogWriter, Paging};
use mager_linux_sys::Fault;
use mager_linux_wire::{Facts, MAX_MESSAGE};
use mager_pager::{ArenaId, FrameNo, What};
use mager_policies::{Any, Observes, Policy};
use mager_stores::{Backing, Buffers};
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::{AsFd, OwnedFd};
use std::io;
use std::time::{Duration, Instant};

/// Frames kept free, for faults to come, at most.
const MOST_FREE: u32 = 256;
/// Staging buffers, in bytes; at least [`LEAST_BUFFERS`].
const STAGING: usize = 4 << 20;
const LEAST_BUFFERS: usize = 3 * KEPT_FOR_COPIES;
/// How long the loop sleeps at most while there is something to look after.
const LOOK_AFTER: Duration = Duration::from_millis(10);

/// How long the pager waits awake for the device at most.
const AWAKE: Duration = Duration::from_micros(100);

/// Faults of one arena that are read in a row before others are asked whether they have something.
const FOLLOWED: usize = 32;

/// Where a thread did not fault again at once, so many times pass before that is looked for again.
const TRY_TO_FOLLOW: u8 = 16;

/// Memory files are looked at so often, while anything happens at all.
const AUDIT: Duration = Duration::from_millis(100);

const LISTENER: u64 = 0;
const BACKING: u64 = 1 << 56;
pub(crate) const CLIENT: u64 = 2 << 56;
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
    pub(crate) threads: Threads,
    pub(crate) epoll: OwnedFd,
    pub(crate) listener: Option<OwnedFd>,
    /// It was handed a client: it is there for that one and those it brings, and ends with the last of them.
    pub(crate) handed: bool,
    pub(crate) share: Share,
    pub(crate) low_water: u32,
    /// Reference bits are looked for before pages leave.
    pub(crate) harvests: bool,
    /// Frames that were found to have been touched.
    pub(crate) touched: Vec<FrameNo>,
    pub(crate) most_ahead: u32,
    started: Instant,
    pub(crate) faults: Vec<Fault>,
    pub(crate) message: Box<[u8]>,
    pub(crate) expelled: u64,
    /// The most frames that were in use at a time.
    pub(crate) peak_frames: u64,
    /// Closed to make room for a connection that is to be turned away when there are no descriptors left.
    pub(crate) reserve: Option<OwnedFd>,
    /// Mapped files there can be.
    pub(crate) most_files: usize,
    pub(crate) condemned: Vec<Condemned>,
    /// When memory files were looked at last.
    audited: Instant,
    /// What happened last was noticed then.
    pub(crate) noticed: Instant,
    /// Times that nobody was followed.
    unfollowed: u8,
    /// Answers of the device were left for later.
    pub(crate) unfinished: bool,
}

fn system(what: &'static str) -> impl FnOnce(io::Error) -> NotStarted {
    move |why| NotStarted::System { what, why }
}

/// A descriptor that can be done without.
pub(crate) fn reserve() -> Option<OwnedFd> {
    Some(std::fs::File::open("/dev/null").ok()?.into())
}

/// Staging buffers, and extra ones so that each frame can have one.
fn buffers(page_size: usize, frames: usize) -> io::Result<Buffers> {
    let (count, most) = ((STAGING / page_size).max(LEAST_BUFFERS), usize::from(MOST_BUFFERS));
    assert!(count <= most, "server: more staging buffers than a frame can name");
    Buffers::with_extra(page_size, count, frames.min(most - count))
}

impl Server {
    /// Opens swap, listens where the options say; serves when [`Server::run`] is called.
    pub fn new(options: Options) -> Result<Self, NotStarted> {
        let frames = options.all_frames();
        let policy =
            Any::from_spec(&options.policy, frames).map_err(|why| NotStarted::Policy(why.to_string()))?;
        if policy.needs() >= Observes::EveryAccess {
            return Err(NotStarted::Blind(options.policy));
        }
        let low_water = (options.frames / 16).min(MOST_FREE);
        let harvests = options.references == References::Agent && policy.upcoming(0, &mut |_| true);
        let config = config(&options, low_water);
        let log = crate::log::open(&options, &config)?;
        let driver = Driver::new(config, policy, log)?;
        let buffers = buffers(options.page_size as usize, options.all_frames() as usize)
            .map_err(system("staging buffers"))?;
        let backing = Backing::new(backing_options(&options))?;
        let budget = Budget::new(options.page_size, frames, options.limits.memory)
            .map_err(system("a file system for memory files"))?;
        let epoll =
            epoll::create(epoll::CreateFlags::CLOEXEC).map_err(io::Error::from).map_err(system("epoll"))?;
        let listener = match &options.socket {
            Some(path) => Some(mager_linux_sys::listen_anew(path).map_err(system("the socket"))?),
            None => None,
        };
        let mut server = Server {
            driver,
            machine: Machine::new(
                (options.page_size, options.arena_pages, frames, options.swap_blocks),
                buffers,
                backing,
                (budget, Quotas::new(options.limits.frames)),
            ),
            clients: Clients::default(),
            threads: Threads::new(if options.pull { crate::home::settle(&options.swap) } else { None }),
            epoll,
            listener,
            handed: false,
            share: Share::new(u64::from(options.elastic_frames())),
            low_water,
            harvests,
            touched: Vec::new(),
            most_ahead: options.read_ahead.min(low_water / 4),
            started: Instant::now(),
            faults: Vec::with_capacity(64),
            message: vec![0; MAX_MESSAGE].into_boxed_slice(),
            expelled: 0,
            peak_frames: 0,
            reserve: reserve(),
            most_files: usize::try_from(mager_linux_sys::raise_descriptor_limit() / 8).unwrap_or(usize::MAX),
            condemned: Vec::new(),
            audited: Instant::now(),
            noticed: Instant::now(),
            unfollowed: 0,
            unfinished: false,
            options,
        };
        server.begin_elastic();
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

    pub(crate) fn watch(&self, fd: &impl AsFd, data: u64) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, EventData::new_u64(data), EventFlags::IN)?)
    }

    pub(crate) fn watch_arena(&self, arena: ArenaId, uffd: &impl AsFd) -> io::Result<()> {
        self.watch(uffd, ARENA | u64::from(arena.slot))
    }

    /// `seen`: touches of pages in memory need not be told.
    pub(crate) fn facts(&self, seen: bool) -> Facts {
        let Options { page_size, arena_pages, swap_blocks, .. } = self.options;
        Facts { page_size, arena_pages, frames: self.options.all_frames(), swap_blocks, minor: !seen }
    }

    /// Serves until `stop` is readable; or, if it was handed a client or has no socket to listen on, until the last
    /// client is gone.
    pub fn run(&mut self, stop: Option<&OwnedFd>) -> io::Result<()> {
        if let Some(stop) = stop {
            self.watch(stop, STOP)?;
        }
        let mut ready = Vec::with_capacity(64);
        loop {
            self.follow(&ready);
            let awake = self.stays_awake();
            ready.clear();
            let timeout = if awake { Some(Timespec::default()) } else { self.timeout() };
            let spare = rustix::buffer::spare_capacity(&mut ready);
            match epoll::wait(&self.epoll, spare, timeout.as_ref()) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(why) => return Err(why.into()),
            }
            if ready.is_empty() && !awake {
                self.noticed = Instant::now();
                self.idle();
            }
            for event in &ready {
                let data = event.data.u64();
                if data & !NUMBER == STOP {
                    return self.stop();
                }
                self.happened(data, event.flags);
            }
            self.finish();
            if (self.handed || self.listener.is_none()) && self.clients.count() == 0 {
                return self.stop();
            }
        }
    }

    /// What is left to do after everything that happened.
    fn finish(&mut self) {
        self.after();
        while self.relieve() {
            self.after();
        }
        self.look_around();
    }

    /// A thread on our own CPU, let go on, may run before we do, and has faulted again when we come back: as long as it
    /// does, and nothing else happened, its faults are read without being told of. Where it did not, that is tried again
    /// now and then.
    fn follow(&mut self, happened: &[epoll::Event]) {
        let [only] = happened else { return };
        let data = only.data.u64();
        self.unfollowed = self.unfollowed.wrapping_add(1);
        if data & !NUMBER != ARENA || !self.unfollowed.is_multiple_of(TRY_TO_FOLLOW) {
            return;
        }
        for _ in 0..FOLLOWED {
            if !self.faulted(data & NUMBER, EventFlags::empty()) {
                return;
            }
            // The next time, too.
            self.unfollowed = TRY_TO_FOLLOW - 1;
            self.finish();
        }
    }

    /// Whether there is more to do at once, or soon: a crowd waits for the device, which is quicker than sleeping and waking
    /// is.
    fn stays_awake(&self) -> bool {
        let crowd = self.threads.any_apart() && self.machine.backing.in_flight() > 0;
        self.unfinished || crowd && self.threads.crowded.elapsed() < AWAKE
    }

    /// How long to sleep: for ever, unless there is something to look after.
    fn timeout(&self) -> Option<Timespec> {
        let busy = self.machine.backing.in_flight() > 0 && self.machine.backing.wait_fd().is_none();
        let wait = if busy { Duration::ZERO } else { LOOK_AFTER };
        let restless = busy
            || !self.machine.frozen.is_empty()
            || !self.condemned.is_empty()
            || self.machine.quotas.as_ref().is_some_and(Quotas::keep_waiting)
            || self.threads.any_seated()
            || self.machine.arenas.iter().any(Arena::has_zaps);
        restless.then(|| Timespec::try_from(wait).unwrap_or_default())
    }

    fn happened(&mut self, data: u64, flags: EventFlags) {
        if data & !NUMBER != ARENA {
            self.noticed = Instant::now();
        }
        match data & !NUMBER {
            LISTENER => self.accept(),
            CLIENT => self.talk(data & NUMBER),
            ARENA => _ = self.faulted(data & NUMBER, flags),
            _ => {}
        }
    }

    /// Now and then, however busy the pager is.
    fn look_around(&mut self) {
        if self.noticed - self.audited >= AUDIT {
            self.audit();
            self.drop_forgotten();
            self.threads.quiet(Instant::now());
            self.share_out();
            self.balance(Pressure::Low);
            self.audited = self.noticed;
        }
    }

    /// Nothing has happened for a while.
    fn idle(&mut self) {
        self.threads.quiet(Instant::now());
        self.machine.near = self.threads.near();
        let near = self.machine.near;
        self.machine
            .arenas
            .iter_mut()
            .filter(|arena| arena.has_zaps())
            .for_each(|arena| arena.send_zaps(near));
        self.drop_forgotten();
    }

    /// Files that nobody has anything of are closed.
    fn drop_forgotten(&mut self) {
        for object in self.driver.pager().forgotten() {
            self.drop_object(object);
        }
    }

    /// Files are written home; threads run where they like again.
    fn stop(&mut self) -> io::Result<()> {
        let _ = self.control(Control::Flush(What::All, flush_ticket(0)));
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
        self.threads.pulls()
    }
}
