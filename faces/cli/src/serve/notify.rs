//! Tells a service manager that the pager serves, and that it is about to end: sd_notify(3), by hand.
//!
//! Nobody is told who did not ask by `$NOTIFY_SOCKET`; that nobody listens there is no reason not to serve.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Whoever is to be told, if anybody is.
#[derive(Debug)]
pub(super) struct Notify(Option<(UnixDatagram, SocketAddr)>);

impl Notify {
    /// Takes the address out of the environment's word: a path, or an abstract name behind an `@`.
    pub(super) fn from_environment() -> Self {
        let named = std::env::var_os("NOTIFY_SOCKET");
        Notify(named.and_then(|name| Some((UnixDatagram::unbound().ok()?, address(&name).ok()?))))
    }

    /// Nobody: the pager is a part of a program, which tells for itself.
    pub(super) fn nobody() -> Self {
        Notify(None)
    }

    pub(super) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=writing files home");
    }

    fn tell(&self, message: &str) {
        if let Some((socket, to)) = &self.0 {
            let _ = socket.send_to_addr(message.as_bytes(), to);
        }
    }
}

fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes().strip_prefix(b"@") {
        Some(hidden) => SocketAddr::from_abstract_name(hidden),
        None => SocketAddr::from_pathname(name),
    }
}
