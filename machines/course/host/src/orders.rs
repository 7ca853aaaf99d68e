//! Signals that are orders to the host, as events in its loop.

use crate::sys::Handlers;
use rustix::pipe::{PipeFlags, pipe_with};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// SIGINT, SIGTERM: end everything, losing nothing.
    Stop,
    /// SIGUSR1: print the pager's state.
    Describe,
}

/// Signals taken from now on, as bytes in a pipe; dropped, they do again what they did before.
pub(crate) struct Orders {
    _handlers: Handlers,
    pipe: OwnedFd,
    _writer: OwnedFd,
}

impl Orders {
    pub(crate) fn listen() -> io::Result<Orders> {
        let (pipe, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let handlers = Handlers::report(&[libc::SIGINT, libc::SIGTERM, libc::SIGUSR1], &writer)?;
        Ok(Orders { _handlers: handlers, pipe, _writer: writer })
    }

    /// Readable when there are orders.
    pub(crate) fn source(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }

    /// The orders that came since the last asking.
    pub(crate) fn take(&self) -> Vec<Order> {
        let mut signals = [0; 16];
        let got = rustix::io::read(&self.pipe, &mut signals).unwrap_or(0);
        let order =
            |&signal: &u8| if i32::from(signal) == libc::SIGUSR1 { Order::Describe } else { Order::Stop };
        signals[..got].iter().map(order).collect()
    }
}
