//! What several probes need to know, looked at once: what is wanted, who we are, where we run.

use crate::open::{Attempt, attempt_call, attempt_device};
use rustix::system::uname;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// What the pager is wanted for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory meant for the swap file.
    pub dir: PathBuf,
    /// Bytes of frames wanted.
    pub memory: u64,
    /// Bytes of swap wanted.
    pub swap: u64,
}

pub(crate) struct Ground {
    pub(crate) options: Options,
    pub(crate) system: String,
    /// The two ways to a userfaultfd, tried.
    pub(crate) device: Attempt,
    pub(crate) call: Attempt,
    /// `/proc/self/status`.
    status: String,
    container: bool,
}

/// Numbers of capabilities, from `linux/capability.h`.
pub(crate) const CAP_IPC_LOCK: u32 = 14;
pub(crate) const CAP_SYS_NICE: u32 = 23;

impl Ground {
    pub(crate) fn look(options: &Options) -> Self {
        Ground {
            options: options.clone(),
            system: system(),
            device: attempt_device(),
            call: attempt_call(),
            status: read_to_string("/proc/self/status").unwrap_or_default(),
            container: in_container(),
        }
    }

    /// A line of `/proc/self/status`, without its name.
    pub(crate) fn status(&self, name: &str) -> Option<&str> {
        self.status.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
    }

    /// Has this process the capability?
    pub(crate) fn may(&self, capability: u32) -> bool {
        let effective = self.status("CapEff").and_then(|hex| u64::from_str_radix(hex, 16).ok());
        effective.is_some_and(|bits| bits >> capability & 1 == 1)
    }

    /// Is a filter of system calls on?
    pub(crate) fn filtered(&self) -> bool {
        self.status("Seccomp") == Some("2")
    }

    /// What to set; where a runtime may stand between us and the kernel, what to start it with too.
    pub(crate) fn remedy(&self, plain: impl Into<String>, container: &str) -> String {
        let plain = plain.into();
        if !self.container && !self.filtered() {
            return plain;
        }
        let joint = if plain.is_empty() { "" } else { "; " };
        format!("{plain}{joint}in a container: start it with {container}")
    }
}

fn system() -> String {
    let name = uname();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let word = if cpus == 1 { "CPU" } else { "CPUs" };
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    format!("{} {} on {}, {cpus} {word}", text(name.sysname()), text(name.release()), text(name.machine()))
}

fn in_container() -> bool {
    let marked = ["/.dockerenv", "/run/.containerenv"].iter().any(|path| Path::new(path).exists());
    marked || std::env::var_os("container").is_some()
}
