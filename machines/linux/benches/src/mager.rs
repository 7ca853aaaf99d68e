//! Mager's own kinds of memory: a pager process of one's own, and an arena that it holds.

use crate::args::{ChildJob, PagerJob};
use crate::error::{At, Failure};
use crate::kind::Kind;
use crate::memory::Memory;
use crate::run::{Guard, ourselves};
use crate::{stage, sys};
use mager_linux_client::{Arena, Connection, OnPagerDeath, Pages};
use mager_linux_pager::{EngineKind, Existing, Limits, Options, References, Server, SwapPlace};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::thread::sleep;
use std::time::{Duration, Instant};

const PAGE_BYTES: u32 = 4096;
const PAGES_IN_MIB: u32 = (1 << 20) / PAGE_BYTES;
/// As long as a pager may take to begin to listen; it preallocates its swap before.
const PATIENCE: Duration = Duration::from_secs(60);

/// An arena in the measured process. It goes before its pager does.
pub(crate) struct Managed {
    pub(crate) arena: Arena,
    pub(crate) pages: Pages,
    socket: PathBuf,
    pager: Guard,
}

impl Managed {
    /// Starts a pager and maps all that is to be touched.
    pub(crate) fn new(job: &ChildJob) -> Result<Self, Failure> {
        let socket = job.file.clone().ok_or_else(|| Failure::Unavailable("no socket was given".into()))?;
        let compressed = (job.kind == Kind::MagerCompressed).then_some(job.compressed);
        Managed::by(&PagerJob { compressed, ..PagerJob::new(&socket, job.allowed, job.touched) })
    }

    /// With a pager such as this.
    pub(crate) fn by(job: &PagerJob) -> Result<Self, Failure> {
        let pager = start(job)?;
        let connection = connect(&job.socket)?;
        let arena = Arena::new(&connection).map_err(told)?;
        let pages = arena.map(job.touched * PAGES_IN_MIB).map_err(told)?;
        Ok(Managed { arena, pages, socket: job.socket.clone(), pager })
    }

    /// The pages from this one on are zeros again, and their frames free.
    pub(crate) fn discard_from(&self, page: u32) -> Result<(), Failure> {
        let pages = Pages { page: self.pages.page + page, count: self.pages.count - page };
        self.arena.discard(pages).map_err(told)
    }

    /// The pager's process.
    pub(crate) fn pager(&self) -> u32 {
        self.pager.0.id()
    }

    /// A figure of the pager's.
    pub(crate) fn figure(&self, name: &str) -> u64 {
        let text = Connection::observe(&self.socket).unwrap_or_default();
        let figures: Value = serde_json::from_str(&text).unwrap_or_default();
        figures[name].as_u64().unwrap_or(0)
    }
}

impl Memory for Managed {
    fn words(&self) -> &[AtomicU64] {
        sys::words(&self.arena, self.pages)
    }

    /// What could not be paged out stayed in memory and cost nothing: such a run measures something else.
    fn flaw(&self) -> Option<String> {
        let denied = self.figure("denied");
        (denied > 0).then(|| format!("the pager denied {denied} accesses; is --compressed too small?"))
    }

    fn page_ins(&self) -> u64 {
        self.figure("page_ins")
    }

    fn faults(&self) -> u64 {
        self.figure("faults")
    }
}

pub(crate) fn told(why: mager_linux_client::Error) -> Failure {
    Failure::Unavailable(format!("the pager: {why}"))
}

fn start(job: &PagerJob) -> Result<Guard, Failure> {
    let mut command = ourselves("pager")?;
    command.arg("--socket").arg(&job.socket).args(["--policy", &job.policy]);
    command.args(["--allowed", &job.allowed.to_string(), "--touched", &job.touched.to_string()]);
    job.compressed.iter().for_each(|mib| _ = command.args(["--compressed", &mib.to_string()]));
    job.swap_file.iter().for_each(|path| _ = command.arg("--swap-file").arg(path));
    job.cpu.iter().for_each(|cpu| _ = command.args(["--cpu", &cpu.to_string()]));
    command.args(job.no_pull.then_some("--no-pull"));
    command.args(job.no_read_ahead.then_some("--no-read-ahead"));
    Ok(Guard(command.spawn().of("starting the pager")?))
}

fn connect(socket: &Path) -> Result<std::sync::Arc<Connection>, Failure> {
    let begun = Instant::now();
    loop {
        match Connection::to(socket, OnPagerDeath::End) {
            Err(_) if begun.elapsed() < PATIENCE => sleep(Duration::from_millis(5)),
            other => return other.map_err(told),
        }
    }
}

/// The pager's process: serves until it is killed.
pub(crate) fn pager(job: &PagerJob) -> Result<(), Failure> {
    sys::end_with_parent().of("asking to be ended with the parent")?;
    job.cpu.map_or(Ok(()), crate::floors::pin)?;
    let mut server = Server::new(options(job)).map_err(|why| Failure::Unavailable(why.to_string()))?;
    server.run(None).of("serving")
}

fn options(job: &PagerJob) -> Options {
    let dir = job.socket.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    let compressed = job.compressed.map(|mib| mib as usize * (1 << 20));
    Options {
        page_size: PAGE_BYTES,
        frames: job.allowed * PAGES_IN_MIB,
        arena_pages: job.touched * PAGES_IN_MIB,
        swap: match (compressed, &job.swap_file) {
            (Some(_), _) => SwapPlace::Nowhere,
            (None, Some(path)) => SwapPlace::Path(path.clone(), Existing::Refuse),
            (None, None) => SwapPlace::Unnamed(dir),
        },
        swap_blocks: stage::swap_mib(job.touched) * PAGES_IN_MIB,
        compressed: compressed.unwrap_or(0),
        // As zram has it, so that both have the same sizes.
        elastic: false,
        engine: EngineKind::Auto,
        policy: job.policy.clone(),
        references: References::Agent,
        socket: Some(job.socket.clone()),
        pull: !job.no_pull && job.cpu.is_none(),
        read_ahead: if job.no_read_ahead { 0 } else { mager_linux_pager::DEFAULT_READ_AHEAD },
        events: None,
        faults: None,
        limits: Limits::default(),
    }
}
