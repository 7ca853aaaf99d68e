//! What a host can be told before it starts.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Where a host writes: its log, its messages.
pub type Sink = Box<dyn Write + Send>;

/// Where swap blocks are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Swap {
    /// A file without a name in the system's temporary directory: gone with the host, however that ends.
    #[default]
    Temporary,
    /// The host's own memory.
    Memory,
    /// A file to be created, and removed at the end.
    File(PathBuf),
}

/// How the log names processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogPids {
    /// As the system does.
    #[default]
    Raw,
    /// By first appearance, from 1: equal runs give equal logs.
    Ordinal,
}

/// How a host shall be. `Options::default()` is what the command line starts from.
pub struct Options {
    /// Physical pages, the zero page included; at least 2.
    pub frames: u32,
    /// Swap blocks; 0 means that no process can have swap pages.
    pub swap_blocks: u32,
    /// Where swap blocks are kept.
    pub swap: Swap,
    /// The working directory: file names are relative to it, applications in it find this host.
    pub dir: PathBuf,
    /// Where the log goes, one line a call; `None`: nowhere.
    pub log: Option<Sink>,
    /// How the log names processes.
    pub log_pids: LogPids,
    /// Where remarks for the user go (an application expelled, the state on SIGUSR1).
    pub messages: Sink,
    /// Remark on each map and fork that the pager refuses, where it says why.
    pub tell_refusals: bool,
    /// Fill physical memory with junk first, so that a pager that forgets to zero a page is found out.
    /// Done up to 4096 pages.
    pub junk: bool,
    /// End the pager when one call takes longer than this; `None`: never. Time in a debugger does not count.
    pub time_limit: Option<Duration>,
    /// Name the call when the pager crashes in it. Installs handlers for SIGSEGV and its kin.
    pub watch_crashes: bool,
    /// Obey SIGINT, SIGTERM (end all, flush) and SIGUSR1 (describe).
    pub signals: bool,
    /// Let pager and applications take turns on one CPU. They never run at the same time, and waking another CPU
    /// costs several times a fault. Programs that an application starts by exec inherit its CPU.
    pub one_cpu: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            frames: 4,
            swap_blocks: 1024,
            swap: Swap::Temporary,
            dir: PathBuf::from("."),
            log: None,
            log_pids: LogPids::Raw,
            messages: Box::new(std::io::stderr()),
            tell_refusals: true,
            junk: false,
            time_limit: None,
            watch_crashes: false,
            signals: true,
            one_cpu: true,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("frames", &self.frames)
            .field("swap_blocks", &self.swap_blocks)
            .field("swap", &self.swap)
            .field("dir", &self.dir)
            .field("log", &self.log.is_some())
            .field("log_pids", &self.log_pids)
            .field("tell_refusals", &self.tell_refusals)
            .field("junk", &self.junk)
            .field("time_limit", &self.time_limit)
            .field("watch_crashes", &self.watch_crashes)
            .field("signals", &self.signals)
            .field("one_cpu", &self.one_cpu)
            .finish_non_exhaustive()
    }
}
