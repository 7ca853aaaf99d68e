//! This process's side of the connection: one message out, one answer in.

use crate::{arena, start::STATUS_NO_PAGER, sys};
use mager_course_protocol::{MAX_REPLY, Reply, Request};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recv, send, sendmsg};
use std::fmt::Write;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

static STARTED: AtomicBool = AtomicBool::new(false);
/// The process the host knows this one as; its first thread has the same number.
static PID: AtomicI32 = AtomicI32::new(0);

/// What the host answered, changes already made.
pub(crate) enum Answer {
    /// Go on, with this value.
    Go(usize),
    /// Refused; why.
    Refused(String),
    /// Wait for the child without the host.
    WaitYourself,
}

/// Has this process been let in?
pub(crate) fn started() -> bool {
    STARTED.load(Ordering::Relaxed)
}

/// This process is what the host takes it for.
pub(crate) fn set_identity() {
    PID.store(rustix::process::getpid().as_raw_nonzero().get(), Ordering::Relaxed);
    STARTED.store(true, Ordering::Relaxed);
}

/// Is the caller the first thread of the process the host knows?
pub(crate) fn is_first_thread() -> bool {
    rustix::thread::gettid().as_raw_nonzero().get() == PID.load(Ordering::Relaxed)
}

/// Is the caller one that the host would answer?
pub(crate) fn managed_here() -> bool {
    started() && is_first_thread()
}

/// Asks the host, and waits for the turn to go on.
pub(crate) fn ask(request: Request) -> Answer {
    match send(sys::socket(), &request.encode(), SendFlags::NOSIGNAL) {
        Ok(_) => listen(),
        Err(_) => pager_gone(),
    }
}

/// As [`ask`], with a descriptor that goes along.
pub(crate) fn ask_with(request: Request, descriptor: BorrowedFd<'_>) -> Answer {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor];
    let fits = ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    assert!(fits, "the space is made for one descriptor");
    let bytes = request.encode();
    match sendmsg(sys::socket(), &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL) {
        Ok(_) => listen(),
        Err(_) => pager_gone(),
    }
}

/// Waits for the host's answer and makes the changes it brings.
pub(crate) fn listen() -> Answer {
    let mut bytes = [0; MAX_REPLY];
    let got = loop {
        match recv(sys::socket(), &mut bytes[..], RecvFlags::empty()) {
            Ok((0, _)) => pager_gone(),
            Ok((got, _)) => break got,
            Err(Errno::INTR) => {}
            Err(_) => pager_gone(),
        }
    };
    match Reply::decode(&bytes[..got]) {
        Ok(Reply::Resume { value, changes }) => {
            changes.iter().for_each(arena::change);
            Answer::Go(usize::try_from(value).unwrap_or(0))
        }
        Ok(Reply::Refused(why)) => Answer::Refused(why.to_owned()),
        Ok(Reply::WaitYourself) => Answer::WaitYourself,
        Ok(Reply::Ended(why)) => end(&format!("this program ends, since {why}")),
        Ok(Reply::Welcome { .. }) => end("the pager welcomed a program it knows already"),
        Err(malformed) => end(&format!("the pager talks nonsense: {malformed}")),
    }
}

/// The pager has gone without a word, or the program has closed the connection.
pub(crate) fn pager_gone() -> ! {
    end("the pager has gone, or this program closed its connection; it cannot go on without")
}

/// An answer that no host gives to this question.
pub(crate) fn unexpected() -> ! {
    end("the pager gave an answer to another question")
}

/// Says why, and ends the process at once.
pub(crate) fn end(why: &str) -> ! {
    say(why);
    sys::exit_at_once(STATUS_NO_PAGER)
}

/// One line on standard error, in one piece.
pub(crate) fn say(what: &str) {
    let mut line = String::new();
    let pid = rustix::process::getpid();
    let _ = writeln!(line, "mager: process {}: {what}", pid.as_raw_nonzero());
    let _ = rustix::io::write(sys::standard_error(), line.as_bytes());
}
