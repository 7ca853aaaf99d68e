//! A pager in a process of its own: the other side of `mager serve --fd 0 --ready-fd 1`.
//!
//! Owns how such a process is started and how it says that it serves. Which program it is, and for whom, is a face's
//! business.

use crate::Sizes;
use rustix::fd::OwnedFd;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};

/// Why there is no pager.
#[derive(Debug, thiserror::Error)]
pub enum NotServing {
    /// The program could not be run.
    #[error("{0}")]
    Program(io::Error),
    /// The pager said why not.
    #[error("{0}")]
    Refused(String),
    /// It said nothing.
    #[error("it ended with {0}")]
    Ended(ExitStatus),
    /// The system refused something.
    #[error("{0}")]
    System(#[from] io::Error),
}

/// Runs `command`, which is `mager serve` or behaves like it, and waits until it serves; the connection that it was
/// handed, and the process. It is in a process group of its own: Ctrl-C is for the program, and the pager ends after it.
pub fn start(mut command: Command) -> Result<(OwnedFd, Child), NotServing> {
    let (ours, theirs) = mager_linux_sys::pair()?;
    command.args(["--fd", "0", "--ready-fd", "1"]).process_group(0);
    command.stdin(Stdio::from(theirs)).stdout(Stdio::piped());
    let child = command.spawn().map_err(NotServing::Program)?;
    // The command still holds the other end.
    drop(command);
    ready(child).map(|child| (ours, child))
}

fn ready(mut child: Child) -> Result<Child, NotServing> {
    let mut told = String::new();
    if let Some(out) = child.stdout.take() {
        // The first line is all that is ever told there.
        BufReader::new(out).read_line(&mut told)?;
    }
    if told.trim() == "ready" {
        return Ok(child);
    }
    let status = child.wait()?;
    Err(match told.trim().strip_prefix("failed: ") {
        Some(why) => NotServing::Refused(why.to_owned()),
        None => NotServing::Ended(status),
    })
}

impl Sizes {
    /// The options of `mager serve` that say this.
    #[must_use]
    pub fn words(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        let mut say = |name: &str, value: OsString| words.extend([name.into(), value]);
        say("--memory", self.memory.to_string().into());
        say("--compressed", self.compressed.to_string().into());
        say("--page-size", self.page_size.to_string().into());
        say("--arena", self.arena.to_string().into());
        if let Some(swap) = self.swap {
            say("--swap", swap.to_string().into());
        }
        if let Some(file) = &self.swap_file {
            say("--swap-file", file.into());
        }
        if let Some(dir) = &self.swap_dir {
            say("--swap-dir", dir.into());
        }
        if self.overwrite {
            words.push("--overwrite".into());
        }
        words
    }
}
