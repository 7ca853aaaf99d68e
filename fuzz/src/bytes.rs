//! Numbers out of bytes: whatever the bytes, they say something.

/// What is left of the input.
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Bytes(data)
    }

    /// The next byte; `None` when all are used.
    pub fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u8) -> Option<u8> {
        Some(self.byte()? % n)
    }

    pub fn bit(&mut self) -> Option<bool> {
        Some(self.byte()? & 1 == 1)
    }
}
