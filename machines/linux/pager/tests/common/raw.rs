//! A client that does as it likes: requests by hand, with whatever descriptors.

use mager_linux_sys::{MemoryFile, Received, Userfault, Window, connect, receive, send};
use mager_linux_wire::{ArenaId, MAX_MESSAGE, Range, Reply, Request, VERSION, decode, encode};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

#[derive(Debug)]
pub struct Raw {
    pub socket: OwnedFd,
}

/// What the pager says.
pub type Said = Option<(Reply, Vec<OwnedFd>)>;

impl Raw {
    pub fn connect(path: &Path) -> Self {
        Raw { socket: connect(path).expect("a connection") }
    }

    /// One that said hello.
    pub fn greeted(path: &Path) -> Self {
        let raw = Raw::connect(path);
        let (_, theirs) = mager_linux_sys::pair().expect("a pair of sockets");
        let hello = raw.ask(&Request::Hello { version: VERSION }, &[theirs.as_fd()]);
        assert!(matches!(hello, Some((Reply::Welcome(_), _))), "{hello:?}");
        raw
    }

    /// `None`: the pager has hung up.
    pub fn ask(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> Said {
        self.say(&encode(request).expect("it encodes"), fds)
    }

    pub fn say(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Said {
        send(&self.socket, bytes, fds, true).ok()?;
        self.listen()
    }

    pub fn listen(&self) -> Said {
        let mut buffer = vec![0; MAX_MESSAGE];
        let Received { len, fds, .. } = receive(&self.socket, &mut buffer, true).ok()?;
        (len > 0).then(|| (decode(&buffer[..len]).expect("an answer"), fds))
    }

    /// The error number of a refusal.
    pub fn refused(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> i32 {
        match self.ask(request, fds) {
            Some((Reply::Refused { errno, .. }, _)) => errno,
            other => panic!("{request:?} was answered by {other:?}"),
        }
    }

    pub fn done(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> Vec<OwnedFd> {
        match self.ask(request, fds) {
            Some((Reply::Done, fds)) => fds,
            other => panic!("{request:?} was answered by {other:?}"),
        }
    }

    pub fn create(&self) -> (ArenaId, OwnedFd) {
        match self.ask(&Request::Create, &[]) {
            Some((Reply::Arena { arena, .. }, mut fds)) => (arena, fds.remove(0)),
            other => panic!("an arena was answered by {other:?}"),
        }
    }

    /// Whether the pager hangs up, whatever it says before.
    pub fn ends(&self) -> bool {
        let wait = std::time::Duration::from_secs(10);
        rustix::net::sockopt::set_socket_timeout(
            &self.socket,
            rustix::net::sockopt::Timeout::Recv,
            Some(wait),
        )
        .expect("a timeout");
        let mut buffer = vec![0; MAX_MESSAGE];
        loop {
            match receive(&self.socket, &mut buffer, true) {
                Ok(got) if got.len > 0 => {}
                Ok(_) => return true,
                Err(why) => return why.kind() == std::io::ErrorKind::ConnectionReset,
            }
        }
    }
}

/// An arena made by hand: everything a misbehaving client needs.
#[derive(Debug)]
pub struct Handmade {
    pub raw: Raw,
    pub id: ArenaId,
    pub memory: OwnedFd,
    pub window: Window,
    pub uffd: Userfault,
}

impl Handmade {
    /// Mapped, registered, attached, with `mapped` private pages.
    pub fn new(path: &Path, pages: u32, mapped: u32) -> Self {
        let raw = Raw::greeted(path);
        let (id, memory) = raw.create();
        let len = u64::from(pages) * 4096;
        let window = Window::reserve(len, 4096, 0).expect("room");
        window.map(0, len, &memory, 0, true).expect("a mapping");
        let uffd = Userfault::open().expect("userfaultfd");
        uffd.register(window.base(), len, true).expect("registered");
        raw.done(&Request::Attach { arena: id, base: window.base() }, &[uffd.as_fd()]);
        raw.done(&Request::MapSwap(Range { arena: id, page: 0, count: mapped }), &[]);
        Handmade { raw, id, memory, window, uffd }
    }

    pub fn range(&self, page: u32, count: u32) -> Range {
        Range { arena: self.id, page, count }
    }
}

/// A file in memory that is nobody's.
pub fn memfd(size: u64) -> MemoryFile {
    MemoryFile::sealed("mager-test", size).expect("a file")
}
