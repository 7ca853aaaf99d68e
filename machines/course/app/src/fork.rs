//! Fork: the child is known to the pager, and has its own connection, before either goes on.

use crate::client::{self, Answer};
use crate::sys;
use mager_course_protocol::Request;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, WaitOptions, waitpid};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// Who goes on after a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The child.
    Child,
    /// The parent; the child's process id.
    Parent(i32),
}

/// Why there is no child.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// The pager has no room for the child's pages.
    #[error("the pager refused the fork: {0}")]
    Refused(String),
    /// The system refused.
    #[error("the fork failed: {0}")]
    System(#[from] io::Error),
}

/// Forks; the parent goes on, the child queues at the back. In a process that is not managed: an ordinary fork.
///
/// # Errors
/// When pager or system refuse; then there is no child.
pub fn fork() -> Result<Forked, ForkError> {
    if client::managed_here() {
        return sys::undisturbed(fork_managed);
    }
    match sys::fork()? {
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(pid)),
    }
}

fn fork_managed() -> Result<Forked, ForkError> {
    let flags = SocketFlags::CLOEXEC;
    let (childs, hosts) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).map_err(io::Error::from)?;
    match sys::fork()? {
        0 => {
            drop(hosts);
            be_child(childs)
        }
        pid => {
            drop(childs);
            be_parent(pid, hosts)
        }
    }
}

/// The child waits for its first turn. If there is none, it has never been.
fn be_child(conn: OwnedFd) -> Result<Forked, ForkError> {
    if !sys::replace_socket(&conn) {
        sys::exit_at_once(1);
    }
    drop(conn);
    client::set_identity();
    match client::listen() {
        Answer::Go(_) => Ok(Forked::Child),
        Answer::Refused(_) => sys::exit_at_once(1),
        Answer::WaitYourself => client::unexpected(),
    }
}

fn be_parent(child: i32, conn: OwnedFd) -> Result<Forked, ForkError> {
    let answer = client::ask_with(Request::Fork { child }, conn.as_fd());
    drop(conn);
    match answer {
        Answer::Go(_) => Ok(Forked::Parent(child)),
        Answer::Refused(why) => {
            let _ = waitpid(Pid::from_raw(child), WaitOptions::empty());
            Err(ForkError::Refused(why))
        }
        Answer::WaitYourself => client::unexpected(),
    }
}
