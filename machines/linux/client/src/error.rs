//! What can go wrong between a client and its pager.

use std::io;

/// Why something could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The pager refused; nothing has changed.
    #[error("the pager refused: {why}")]
    Refused {
        /// As `errno` would have it.
        errno: i32,
        /// Why.
        why: String,
    },
    /// No pager could be reached, or it is gone.
    #[error("no pager at the other end: {0}")]
    Lost(io::Error),
    /// Another user's pager listens there. Whoever has a pager has the memory of its clients.
    #[error("the pager there belongs to user {0}, not to you; only its owner can use it")]
    Stranger(u32),
    /// The process was forked from the one whose arenas these are, and has not got them.
    #[error("the arenas stayed with the process that forked this one")]
    NotFollowed,
    /// The pager answered something that makes no sense.
    #[error("the pager speaks another language: {0}")]
    Protocol(String),
    /// The kernel refused something that an arena needs.
    #[error("{what}: {why}")]
    System {
        /// What was asked.
        what: &'static str,
        /// What it said.
        why: io::Error,
    },
    /// No run of so many pages is free in the arena.
    #[error("no {wanted} neighbouring pages of the arena are free")]
    NoRoom {
        /// How many pages were wanted.
        wanted: u32,
    },
}

impl Error {
    /// The nearest error number.
    #[must_use]
    pub fn errno(&self) -> i32 {
        match self {
            Error::Refused { errno, .. } => *errno,
            Error::Lost(why) | Error::System { why, .. } => why.raw_os_error().unwrap_or(5),
            Error::Stranger(_) => rustix::io::Errno::ACCESS.raw_os_error(),
            Error::NotFollowed => rustix::io::Errno::SRCH.raw_os_error(),
            Error::Protocol(_) => 71,
            Error::NoRoom { .. } => 12,
        }
    }
}

pub(crate) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |why| Error::System { what, why }
}
