//! Sending to and receiving from one application, never blocking: an application that does not listen has only
//! itself to blame.

use mager_course_protocol::{REQUEST_LEN, Request};
use rustix::io::Errno;
use rustix::net::sockopt::{socket_peercred, socket_type};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketType, recv, recvmsg, send, sendmsg,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What came from an application.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A message, and the descriptor that came along.
    Request(Request, Option<OwnedFd>),
    /// Nothing, for now.
    Nothing,
    /// Its end of the connection is closed.
    HangUp,
    /// Bytes that are no message; what is wrong with them.
    Nonsense(String),
}

/// The next message, if there is one.
pub(crate) fn hear(conn: BorrowedFd<'_>) -> Heard {
    let mut bytes = [0; REQUEST_LEN + 1];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let got = match recvmsg(conn, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, flags) {
        Ok(got) if got.bytes > 0 => got.bytes,
        Err(Errno::AGAIN | Errno::INTR) => return Heard::Nothing,
        Ok(_) | Err(_) => return Heard::HangUp,
    };
    let descriptor = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    match Request::decode(&bytes[..got]) {
        Ok(request) => Heard::Request(request, descriptor),
        Err(malformed) => Heard::Nonsense(malformed.to_string()),
    }
}

/// Has the other end been closed, with nothing left to read?
pub(crate) fn hung_up(conn: BorrowedFd<'_>) -> bool {
    let mut byte = [0_u8; 1];
    matches!(
        recv(conn, &mut byte[..], RecvFlags::DONTWAIT | RecvFlags::PEEK),
        Ok((_, 0)) | Err(Errno::CONNRESET)
    )
}

/// Is this one of two ends of a connection that `pid` has made, such as it makes for its child?
pub(crate) fn made_by(pid: i32, conn: &OwnedFd) -> bool {
    let maker = socket_peercred(conn).map(|peer| peer.pid.as_raw_nonzero().get());
    socket_type(conn) == Ok(SocketType::SEQPACKET) && maker == Ok(pid)
}

/// Sends a reply. An application that is gone is found out by its hang-up, so the result does not matter.
pub(crate) fn say(conn: impl AsFd, reply: &[u8]) {
    let _ = send(conn, reply, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
}

/// Sends a reply with a descriptor.
pub(crate) fn say_with(conn: BorrowedFd<'_>, reply: &[u8], descriptor: BorrowedFd<'_>) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor];
    let fits = ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    assert!(fits, "the space is made for one descriptor");
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    let _ = sendmsg(conn, &[IoSlice::new(reply)], &mut ancillary, flags);
}
