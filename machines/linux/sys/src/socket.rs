//! Sockets between pager and client: whole messages, with descriptors, and who is at the other end.
//!
//! Source: unix(7): SOCK_SEQPACKET, SCM_RIGHTS, SO_PEERCRED; fcntl(2): F_DUPFD_CLOEXEC.

use crate::descriptors::lift;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::path::Path;

/// The most descriptors in one message.
pub const MAX_FDS: usize = 64;

/// A message that came.
#[derive(Debug)]
pub struct Received {
    /// Its length in bytes; 0 when the other end is closed.
    pub len: usize,
    /// The descriptors that came with it.
    pub fds: Vec<OwnedFd>,
    /// The message was longer than the buffer.
    pub cut: bool,
    /// The process that sent it, on a socket that [`tells_sender`].
    pub sender: Option<i32>,
}

fn socket() -> io::Result<OwnedFd> {
    Ok(rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// A listening socket at `path`, which only its owner can connect to.
pub fn listen(path: &Path) -> io::Result<OwnedFd> {
    let socket = socket()?;
    // The mode is set before anyone can connect: listening comes after it.
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    rustix::fs::chmod(path, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)?;
    rustix::net::listen(&socket, 128)?;
    Ok(socket)
}

/// As [`listen`]; a socket that is left there, and that nobody listens to, is removed first. `AddrInUse`: somebody does.
pub fn listen_anew(path: &Path) -> io::Result<OwnedFd> {
    match listen(path) {
        Err(why) if why.kind() == io::ErrorKind::AddrInUse && abandoned(path) => {
            std::fs::remove_file(path)?;
            listen(path)
        }
        other => other,
    }
}

fn abandoned(path: &Path) -> bool {
    let socket = std::fs::symlink_metadata(path)
        .is_ok_and(|found| std::os::unix::fs::FileTypeExt::is_socket(&found.file_type()));
    socket && connect(path).is_err_and(|why| why.kind() == io::ErrorKind::ConnectionRefused)
}

/// Another descriptor of an open file or socket that this process was started with, by its number.
pub fn inherited(number: i32) -> io::Result<OwnedFd> {
    // SAFETY: duplicating takes a number and leaves what it names as it is; a number that names nothing is an error.
    let fd = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given us this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Connects to the socket at `path`.
pub fn connect(path: &Path) -> io::Result<OwnedFd> {
    let socket = socket()?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(lift(socket))
}

/// Two connected sockets.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC;
    let (one, other) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    Ok((lift(one), lift(other)))
}

/// The process and user at the other end, as they were when it connected, or began to listen. The process is 0 where its
/// number means nothing to this one: that of a container, say.
pub fn peer(socket: &impl AsFd) -> io::Result<(i32, u32)> {
    let mut cred = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut len = libc::socklen_t::try_from(size_of::<libc::ucred>()).unwrap_or(0);
    let (fd, level, option) = (socket.as_fd().as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED);
    // SAFETY: the kernel writes `len` bytes at most, which is what `cred` has, and any bytes are such numbers.
    let got = unsafe { libc::getsockopt(fd, level, option, (&raw mut cred).cast(), &raw mut len) };
    if got < 0 { Err(io::Error::last_os_error()) } else { Ok((cred.pid, cred.uid)) }
}

/// Has each message received here tell who sent it: several processes may have the other end.
pub fn tells_sender(socket: &impl AsFd) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_passcred(socket, true)?)
}

/// Sends one message. `wait`: until there is room for it; else `WouldBlock`.
pub fn send(socket: &impl AsFd, message: &[u8], fds: &[BorrowedFd<'_>], wait: bool) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let flags = SendFlags::NOSIGNAL | if wait { SendFlags::empty() } else { SendFlags::DONTWAIT };
    rustix::io::retry_on_intr(|| {
        rustix::net::sendmsg(socket, &[IoSlice::new(message)], &mut control, flags)
    })?;
    Ok(())
}

/// Whether anything that was sent has not been received yet at the other end.
pub fn unread(socket: &impl AsFd) -> io::Result<bool> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the request writes one int (unix(7), SIOCOUTQ).
    let asked = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if asked < 0 { Err(io::Error::last_os_error()) } else { Ok(bytes > 0) }
}

/// Receives one message. `wait`: until one comes; else `WouldBlock`.
pub fn receive(socket: &impl AsFd, buffer: &mut [u8], wait: bool) -> io::Result<Received> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS), ScmCredentials(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | if wait { RecvFlags::empty() } else { RecvFlags::DONTWAIT };
    let got = rustix::io::retry_on_intr(|| {
        rustix::net::recvmsg(socket, &mut [IoSliceMut::new(buffer)], &mut control, flags)
    })?;
    let (mut fds, mut sender) = (Vec::new(), None);
    for message in control.drain() {
        match message {
            RecvAncillaryMessage::ScmRights(received) => fds.extend(received.map(lift)),
            RecvAncillaryMessage::ScmCredentials(of) => sender = Some(of.pid.as_raw_nonzero().get()),
            _ => {}
        }
    }
    let cut = got.flags.contains(rustix::net::ReturnFlags::TRUNC);
    Ok(Received { len: got.bytes, fds, cut, sender })
}
