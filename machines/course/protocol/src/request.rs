//! What an application says.

use crate::wire::{Malformed, pid, u32_at, u64_at};
use mager_course_abi::arena_page;

/// Bytes in every request.
pub const REQUEST_LEN: usize = 24;

/// A message of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A new program: who its parent is. Answered by `Welcome`, then by `Resume` when it may run, or by `Refused`.
    Hello {
        /// The protocol it speaks.
        version: u32,
        /// Its parent, managed or not; 0 when that lives in another PID namespace.
        parent: i32,
    },
    /// An access to the arena trapped.
    Fault {
        /// The exact byte, inside the arena.
        address: u64,
        /// A write?
        write: bool,
    },
    /// `vm_map`.
    Map {
        /// Where the file's name is, 0 for swap; any address, since the pager judges it.
        filename: u64,
        /// The block of the file.
        block: u32,
    },
    /// `vm_yield`.
    Yield,
    /// The sender has forked. One end of the child's own connection comes along.
    Fork {
        /// The new process.
        child: i32,
    },
    /// The sender waits for a child to end.
    Wait {
        /// Which; `None` is any.
        child: Option<i32>,
    },
    /// The sender was told to wait by itself, has done so, and wants to run again.
    Ready,
}

impl Request {
    /// The message as bytes.
    #[must_use]
    pub fn encode(self) -> [u8; REQUEST_LEN] {
        let (kind, small, large): (u32, u32, u64) = match self {
            Request::Hello { version, parent } => (1, version, u64::from(parent.unsigned_abs())),
            Request::Fault { address, write } => (2, u32::from(write), address),
            Request::Map { filename, block } => (3, block, filename),
            Request::Yield => (4, 0, 0),
            Request::Fork { child } => (5, child.unsigned_abs(), 0),
            Request::Wait { child } => (6, child.map_or(0, i32::unsigned_abs), 0),
            Request::Ready => (7, 0, 0),
        };
        let mut bytes = [0; REQUEST_LEN];
        bytes[..4].copy_from_slice(&kind.to_le_bytes());
        bytes[4..8].copy_from_slice(&small.to_le_bytes());
        bytes[8..16].copy_from_slice(&large.to_le_bytes());
        bytes
    }

    /// The message these bytes are.
    ///
    /// # Errors
    /// [`Malformed`] when they are none.
    pub fn decode(bytes: &[u8]) -> Result<Request, Malformed> {
        if bytes.len() != REQUEST_LEN || bytes[16..].iter().any(|&byte| byte != 0) {
            return Err(Malformed("a request is 24 bytes, the last 8 of them zero"));
        }
        let (small, large) = (u32_at(bytes, 4)?, u64_at(bytes, 8)?);
        match u32_at(bytes, 0)? {
            1 => Ok(Request::Hello { version: small, parent: parent(large)? }),
            2 => fault(small, large),
            3 => Ok(Request::Map { filename: large, block: small }),
            4 => bare(Request::Yield, small, large),
            5 if large == 0 => Ok(Request::Fork { child: pid(small)? }),
            6 if small == 0 && large == 0 => Ok(Request::Wait { child: None }),
            6 if large == 0 => Ok(Request::Wait { child: Some(pid(small)?) }),
            7 => bare(Request::Ready, small, large),
            _ => Err(Malformed("no request has this kind and these fields")),
        }
    }
}

fn parent(large: u64) -> Result<i32, Malformed> {
    i32::try_from(large).map_err(|_| Malformed("a process id is out of range"))
}

fn fault(write: u32, address: u64) -> Result<Request, Malformed> {
    let inside = usize::try_from(address).ok().and_then(arena_page).is_some();
    match write {
        _ if !inside => Err(Malformed("a fault lies outside the arena")),
        0 => Ok(Request::Fault { address, write: false }),
        1 => Ok(Request::Fault { address, write: true }),
        _ => Err(Malformed("a fault is neither a read nor a write")),
    }
}

fn bare(request: Request, small: u32, large: u64) -> Result<Request, Malformed> {
    if small == 0 && large == 0 { Ok(request) } else { Err(Malformed("fields that must be zero are not")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Request; 9] = [
        Request::Hello { version: 1, parent: 77 },
        Request::Hello { version: 9, parent: 0 },
        Request::Fault { address: 0x6_0001_0007, write: true },
        Request::Map { filename: u64::MAX, block: u32::MAX },
        Request::Yield,
        Request::Fork { child: 5 },
        Request::Wait { child: None },
        Request::Wait { child: Some(i32::MAX) },
        Request::Ready,
    ];

    #[test]
    fn what_is_encoded_is_decoded() {
        for request in ALL {
            assert_eq!(Request::decode(&request.encode()), Ok(request));
        }
    }

    #[test]
    fn a_fault_outside_the_arena_is_malformed() {
        let bytes = Request::Fault { address: 0x6_0100_0000, write: false }.encode();
        assert_eq!(Request::decode(&bytes), Err(Malformed("a fault lies outside the arena")));
    }

    #[test]
    fn any_bytes_are_judged_without_panic_and_a_request_has_one_encoding() {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..if cfg!(miri) { 500_u32 } else { 200_000 } {
            let mut bytes = ALL[round as usize % ALL.len()].encode();
            for _ in 0..round % 3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                bytes[usize::try_from(seed >> 59).unwrap() % REQUEST_LEN] ^= seed.to_le_bytes()[4] & 0x83;
            }
            let cut = if round % 7 == 0 { usize::try_from(seed >> 60).unwrap() } else { REQUEST_LEN };
            if let Ok(request) = Request::decode(&bytes[..cut]) {
                assert_eq!(request.encode(), bytes);
            }
        }
    }
}
