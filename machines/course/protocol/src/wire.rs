//! Little-endian fields out of, and into, bytes nobody has checked.

use std::fmt;

/// Bytes that are no message, and what is wrong with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

/// The `u32` at `at`.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Malformed> {
    let field = bytes.get(at..at + 4).and_then(|field| field.try_into().ok());
    field.map(u32::from_le_bytes).ok_or(Malformed("the message is too short"))
}

/// The `u64` at `at`.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Result<u64, Malformed> {
    let field = bytes.get(at..at + 8).and_then(|field| field.try_into().ok());
    field.map(u64::from_le_bytes).ok_or(Malformed("the message is too short"))
}

/// A process id: positive, and small enough for the kernel's type.
pub(crate) fn pid(raw: u32) -> Result<i32, Malformed> {
    match i32::try_from(raw) {
        Ok(pid) if pid > 0 => Ok(pid),
        _ => Err(Malformed("a process id is not positive")),
    }
}
