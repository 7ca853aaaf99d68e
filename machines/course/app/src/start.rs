//! How a process becomes a managed one.

use crate::client::{self, Answer};
use crate::{arena, sys};
use mager_course_protocol::meet::{SOCKET_VARIABLE, socket_of_application};
use mager_course_protocol::{MAX_REPLY, Reply, Request, VERSION};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::net::sockopt::socket_peercred;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType, connect, recvmsg, send, socket_with,
};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The status of a program that has no pager, or has lost it (`EX_UNAVAILABLE`).
pub const STATUS_NO_PAGER: i32 = 69;

/// Why a process could not become a managed one.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nobody answers where the pager of this directory would.
    #[error("no pager is running for this directory; start one here with `mager course pager`, or run the program with `mager course run` (looked for {})", .0.display())]
    NoPager(PathBuf),
    /// What answers is another user's.
    #[error("the pager at {} is another user's", .0.display())]
    Stranger(PathBuf),
    /// The arena's addresses are taken.
    #[error("the arena's addresses from 0x600000000 are taken in this process: {0}")]
    Arena(io::Error),
    /// The pager did not take the process.
    #[error("the pager does not take this process: {0}")]
    Refused(String),
    /// The pager said something it should not have.
    #[error("the pager talks nonsense: {0}")]
    Nonsense(String),
    /// The system refused.
    #[error("{what} failed: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
}

/// Makes this process a managed one, and waits for its turn. Does nothing if it is one.
///
/// # Errors
/// When there is no pager, or it does not take the process.
pub fn start() -> Result<(), StartError> {
    if client::started() {
        return Ok(());
    }
    let path = socket_of_application().map_err(|source| system("looking for the pager", source))?;
    sys::reserve_arena().map_err(StartError::Arena)?;
    let socket = high(find(&path)?);
    let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    let hello = Request::Hello { version: VERSION, parent }.encode();
    send(&socket, &hello, SendFlags::NOSIGNAL).map_err(|_| StartError::NoPager(path.clone()))?;
    let memory = welcome(&socket)?;
    sys::keep(socket, high(memory));
    sys::catch_traps().map_err(|source| system("catching traps", source))?;
    client::set_identity();
    sys::set_environment(SOCKET_VARIABLE, &path);
    match client::listen() {
        Answer::Go(_) => Ok(()),
        Answer::Refused(why) => Err(StartError::Refused(why)),
        Answer::WaitYourself => client::unexpected(),
    }
}

/// As [`start`]; if that fails, says why on standard error and ends the process.
pub fn start_or_exit() {
    if let Err(error) = start() {
        client::end(&error.to_string());
    }
}

fn system(what: &'static str, source: io::Error) -> StartError {
    StartError::System { what, source }
}

fn find(path: &Path) -> Result<OwnedFd, StartError> {
    let nobody = || StartError::NoPager(path.to_owned());
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(|error| system("a socket", error.into()))?;
    let address = SocketAddrUnix::new(path).map_err(|_| nobody())?;
    loop {
        match connect(&socket, &address) {
            Ok(()) => break,
            Err(Errno::INTR) => {}
            Err(_) => return Err(nobody()),
        }
    }
    let peer = socket_peercred(&socket).map_err(|error| system("asking who the pager is", error.into()))?;
    match peer.uid == rustix::process::getuid() {
        true => Ok(socket),
        false => Err(StartError::Stranger(path.to_owned())),
    }
}

/// Takes in what the host says first: physical memory, and where to run.
fn welcome(socket: &OwnedFd) -> Result<OwnedFd, StartError> {
    let mut bytes = [0; MAX_REPLY];
    let (got, memory) = receive(socket, &mut bytes).map_err(|source| system("hearing the pager", source))?;
    match Reply::decode(&bytes[..got]) {
        Ok(Reply::Welcome { frames, cpu }) => {
            arena::set_frames(frames);
            cpu.into_iter().for_each(stay_on);
            memory.ok_or_else(|| StartError::Nonsense("a welcome without physical memory".to_owned()))
        }
        Ok(Reply::Refused(why) | Reply::Ended(why)) => Err(StartError::Refused(why.to_owned())),
        Ok(_) => Err(StartError::Nonsense("a welcome was expected first".to_owned())),
        Err(malformed) if got > 0 => Err(StartError::Nonsense(malformed.to_string())),
        Err(_) => Err(StartError::Refused("it ended before it let the process in".to_owned())),
    }
}

fn receive(socket: &OwnedFd, bytes: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let got = loop {
        match recvmsg(socket, &mut [IoSliceMut::new(bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            result => break result?.bytes,
        }
    };
    let descriptor = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    Ok((got, descriptor))
}

/// Out of the way of programs that take the low numbers for granted.
fn high(descriptor: OwnedFd) -> OwnedFd {
    fcntl_dupfd_cloexec(&descriptor, 200).unwrap_or(descriptor)
}

/// Best effort: a program that may not run there runs where it may.
fn stay_on(cpu: u32) {
    let mut here = CpuSet::new();
    here.set(cpu as usize);
    let _ = sched_setaffinity(None, &here);
}
