//! One measuring run at a time: swap and its settings are one for the whole machine.

use crate::error::Error;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

/// Keeps other measuring runs off the machine as long as the value lives.
#[derive(Debug)]
pub struct Alone(#[expect(dead_code, reason = "it is held, not used")] UnixListener);

/// Takes the machine.
///
/// # Errors
///
/// If another run has it.
pub fn alone() -> Result<Alone, Error> {
    let bound =
        SocketAddr::from_abstract_name("mager-linux-benches").and_then(|name| UnixListener::bind_addr(&name));
    bound
        .map(Alone)
        .map_err(|why| Error::Unavailable(format!("another run is under way on this machine: {why}")))
}
