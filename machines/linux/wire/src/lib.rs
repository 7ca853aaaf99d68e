//! The messages between a client of the Linux machine and its pager, and between the pager and a client's agent.
//!
//! One message is one packet of a Unix socket (SOCK_SEQPACKET), encoded by postcard. A client's requests are answered in order,
//! one at a time. Addresses never cross except an arena's base: everything else is page numbers.
//!
//! | request | descriptors with it | answer | with the answer |
//! |---|---|---|---|
//! | [`Request::Hello`] | the agent's socket | [`Reply::Welcome`] | |
//! | [`Request::Create`] | | [`Reply::Arena`] | the arena's memory file |
//! | [`Request::Attach`] | a userfaultfd | [`Reply::Done`] | |
//! | [`Request::MapFile`] | the file | [`Reply::Done`] | the memory file of the file's pages |
//! | [`Request::Fork`] | the child's agent's socket | [`Reply::Done`] | the child's connection, a pipe that ends with it |
//! | [`Request::Inherit`] | | [`Reply::Arena`] | its memory file, the memory files of its mapped files |
//! | [`Request::Forked`] | | none | |
//! | others | | [`Reply::Done`] or as said there | |
#![forbid(unsafe_code)]

pub mod figures;

use arrayvec::ArrayVec;
use serde::{Deserialize, Serialize};

/// Spoken by this library; both ends must speak the same.
pub const VERSION: u32 = 4;
/// No message is longer.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// An arena, as the pager names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ArenaId {
    /// Its slot.
    pub slot: u32,
    /// How often the slot was used before.
    pub generation: u32,
}

/// A run of pages of an arena.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Range {
    /// The arena.
    pub arena: ArenaId,
    /// The first page.
    pub page: u32,
    /// How many.
    pub count: u32,
}

/// What a client asks of the pager.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Request {
    /// The first message of a client.
    Hello {
        /// [`VERSION`].
        version: u32,
    },
    /// A new, empty arena.
    Create,
    /// The arena is mapped, and its faults come through this userfaultfd.
    Attach {
        /// Which.
        arena: ArenaId,
        /// The address of its first byte.
        base: u64,
    },
    /// Private memory, zeros at first. Reserves swap for every page.
    MapSwap(Range),
    /// A file's pages, from `block` on, shared with everyone who maps them.
    MapFile {
        /// Where.
        range: Range,
        /// The first page-sized block of the file.
        block: u32,
    },
    /// The range is not used any more.
    Unmap(Range),
    /// Private memory reads as zeros again.
    Discard(Range),
    /// Write dirty pages of the file that is mapped at this page; answered when all of them are in the file.
    Flush {
        /// Which arena.
        arena: ArenaId,
        /// Any page of the mapping.
        page: u32,
    },
    /// The pages must stay in memory where they are: devices are going to write to them. They must have been written to
    /// (private memory) or touched (files) just before.
    Pin(Range),
    /// They may be evicted again.
    Unpin(Range),
    /// A connection for a child that is about to be forked. It has been greeted already; whoever is left without its
    /// other end, by exec or by death, loses what belongs to it. Nothing ever comes through the pipe: its other end is
    /// closed with the pager or the connection.
    Fork {
        /// The thread that is going to fork, as the kernel numbers it.
        thread: i32,
    },
    /// Over a child's connection, before the fork: a copy of this arena of the parent, as it is now. Stores to the
    /// parent's arena wait from here to [`Request::Forked`], but for those of the thread that forks: the child is to find
    /// the arena as it was when it was forked.
    Inherit(ArenaId),
    /// The fork has happened, or has failed: stores go on. Not answered.
    Forked,
    /// The arena is not used any more.
    Destroy(ArenaId),
    /// What the pager has to tell, as JSON. Needs no [`Request::Hello`].
    Observe,
}

/// What the pager answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// To [`Request::Hello`].
    Welcome(Facts),
    /// A new arena.
    Arena {
        /// Which.
        arena: ArenaId,
        /// To [`Request::Inherit`]: the file mappings the child has to make, each with a memory file that comes along.
        files: Vec<FileMapping>,
    },
    /// It was done.
    Done,
    /// It was not, and nothing has changed.
    Refused {
        /// What a C program would find in `errno`.
        errno: i32,
        /// Why, for people.
        why: String,
    },
    /// To [`Request::Observe`].
    Figures(String),
}

/// One file mapping of an arena.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileMapping {
    /// The first page.
    pub page: u32,
    /// How many.
    pub count: u32,
    /// The block of the file that the first page shows.
    pub block: u32,
}

/// The fixed facts of a pager.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Bytes in a page.
    pub page_size: u32,
    /// Pages in an arena.
    pub arena_pages: u32,
    /// Frames that all arenas share.
    pub frames: u32,
    /// Swap blocks in all.
    pub swap_blocks: u32,
    /// Arenas are registered for minor faults as well: touches of pages in memory are told by these. (Mapped files always are.)
    pub minor: bool,
}

/// Runs of one order, at most.
pub const MOST_RUNS: usize = 64;

/// Runs of pages: (first page, how many). They are in the order itself, so that an agent reads it without allocating: its
/// memory could be the pager's, and the pager gone.
pub type Runs = ArrayVec<(u32, u32), MOST_RUNS>;

/// What the pager asks of a client's agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Order {
    /// Drop the page-table entries of these runs of an arena, and keep the pages: (first page, how many).
    Zap {
        /// Which arena.
        arena: ArenaId,
        /// The runs.
        runs: Runs,
        /// The CPU that the pager and the threads it serves are on: elsewhere the agent would interrupt it for each
        /// entry. `None`: wherever the agent is.
        near: Option<u16>,
    },
}

/// A message that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("not a message of this protocol: {0}")]
pub struct Malformed(#[from] postcard::Error);

/// A message as bytes.
pub fn encode(message: &impl Serialize) -> Result<Vec<u8>, Malformed> {
    Ok(postcard::to_stdvec(message)?)
}

/// A message out of bytes; nothing may follow it.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Malformed> {
    let (message, rest) = postcard::take_from_bytes(bytes)?;
    if rest.is_empty() { Ok(message) } else { Err(Malformed(postcard::Error::DeserializeBadEncoding)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was() {
        let order = Order::Zap {
            arena: ArenaId { slot: 3, generation: 9 },
            runs: [(1, 2), (70_000, 1)].into_iter().collect(),
            near: Some(1),
        };
        let bytes = encode(&order).expect("it encodes");
        assert_eq!(decode::<Order>(&bytes).expect("it decodes"), order);
    }

    #[test]
    fn bytes_left_over_and_bytes_missing_are_refused() {
        let mut bytes = encode(&Request::Hello { version: VERSION }).expect("it encodes");
        bytes.push(0);
        assert!(decode::<Request>(&bytes).is_err());
        assert!(decode::<Request>(&bytes[..1]).is_err());
        assert!(decode::<Request>(&[250, 1, 1]).is_err());
    }
}
