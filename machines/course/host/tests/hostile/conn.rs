//! A connection that may say anything: whole requests, any bytes, any descriptors along with them.

use mager_course_protocol::{MAX_REPLY, Reply, Request, VERSION};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, Shutdown, SocketAddrUnix,
    SocketFlags, SocketType, connect, recv, sendmsg, shutdown, socketpair,
};
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

/// What the host said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Welcome,
    Resume(u64),
    Refused(String),
    Ended,
    WaitYourself,
    /// The connection is closed.
    Gone,
    /// Nothing came in time.
    Nothing,
}

/// One end of a connection.
pub struct Conn(pub OwnedFd);

/// Two ends of a new connection, as for a fork.
pub fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
}

impl Conn {
    /// Connected to the host that the environment names.
    pub fn open() -> Conn {
        let path = PathBuf::from(std::env::var_os("MAGER_COURSE_SOCKET").unwrap());
        let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
        connect(&socket, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        Conn(socket)
    }

    /// Connected, let in and running.
    pub fn running() -> Conn {
        let conn = Conn::open();
        let parent = rustix::process::getppid().unwrap().as_raw_nonzero().get();
        conn.say(Request::Hello { version: VERSION, parent });
        assert_eq!(conn.hear(), Said::Welcome);
        assert_eq!(conn.hear(), Said::Resume(0));
        conn
    }

    /// Says a request; false if nobody listens any more.
    pub fn say(&self, request: Request) -> bool {
        self.say_bytes(&request.encode(), &[])
    }

    pub fn say_bytes(&self, bytes: &[u8], along: &[BorrowedFd<'_>]) -> bool {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !along.is_empty() {
            assert!(ancillary.push(SendAncillaryMessage::ScmRights(along)));
        }
        sendmsg(&self.0, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL).is_ok()
    }

    /// Says a request and hears the answer.
    pub fn ask(&self, request: Request) -> Said {
        assert!(self.say(request), "nobody listens to {request:?}");
        self.hear()
    }

    /// The next word of the host, waited for as long as honest applications may take their turns.
    pub fn hear(&self) -> Said {
        self.hear_within(20_000)
    }

    pub fn hear_within(&self, ms: i64) -> Said {
        let within = Timespec { tv_sec: ms / 1000, tv_nsec: ms % 1000 * 1_000_000 };
        let mut polled = [PollFd::new(&self.0, PollFlags::IN)];
        if !matches!(poll(&mut polled, Some(&within)), Ok(1..)) {
            return Said::Nothing;
        }
        let mut bytes = [0; MAX_REPLY];
        // Descriptors that come along are dropped.
        match recv(&self.0, &mut bytes[..], rustix::net::RecvFlags::empty()) {
            Ok((got @ 1.., _)) => said(&bytes[..got]),
            _ => Said::Gone,
        }
    }

    pub fn shut(&self, how: Shutdown) {
        let _ = shutdown(&self.0, how);
    }
}

impl AsFd for Conn {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn said(bytes: &[u8]) -> Said {
    match Reply::decode(bytes).unwrap() {
        Reply::Welcome { .. } => Said::Welcome,
        Reply::Resume { value, .. } => Said::Resume(value),
        Reply::Refused(why) => Said::Refused(why.to_owned()),
        Reply::Ended(_) => Said::Ended,
        Reply::WaitYourself => Said::WaitYourself,
    }
}
