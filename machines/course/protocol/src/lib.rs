//! What a course application and its host say to each other.
//!
//! Owns the messages, their bytes, and the path of the socket at which the two meet. Sending, receiving and what
//! follows from a message stay outside. Both sides take any bytes whatever: a message is either well formed, in
//! every field, or it is a [`Malformed`].
//!
//! The socket keeps message boundaries (`SOCK_SEQPACKET`); one message is one datagram. An application speaks only
//! while it runs, and then waits for its [`Reply`]: that is how one process runs at a time.

pub mod meet;
mod reply;
mod request;
mod wire;

pub use reply::{Change, Changes, MAX_REPLY, MAX_TEXT, Reply, ReplyBuffer};
pub use request::{REQUEST_LEN, Request};
pub use wire::Malformed;

/// Said in every `Hello`; a host and an application of different versions part at once.
pub const VERSION: u32 = 1;
