//! Failures to order, for tests: the same seed fails the same operations.

use std::fmt;

/// Which operations fail, how often, from which seed. Rates are per thousand operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Faults {
    /// The same seed gives the same failures for the same operations.
    pub seed: u64,
    /// Reads that end in an I/O error.
    pub failed_reads: u16,
    /// Reads that give a page with one bit changed, and say nothing.
    pub flipped_reads: u16,
    /// Writes that end in an I/O error.
    pub failed_writes: u16,
    /// Writes of which only the first half arrives, and that say nothing.
    pub torn_writes: u16,
    /// Writes that do not arrive, and say nothing: the block keeps what it had.
    pub stale_writes: u16,
    /// Microseconds from when an operation is carried out to when that is known; the engine asked for stands aside.
    pub late_us: u32,
}

/// What becomes of a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ReadFate {
    Fine,
    Failed,
    Flipped,
}

/// What becomes of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WriteFate {
    Fine,
    Failed,
    Torn,
    Stale,
}

/// Draws fates.
#[derive(Debug)]
pub(crate) struct Fates {
    faults: Faults,
    dice: Dice,
}

impl Fates {
    pub(crate) fn new(faults: Faults) -> Self {
        Fates { faults, dice: Dice::new(faults.seed) }
    }

    pub(crate) fn read(&mut self) -> ReadFate {
        let Faults { failed_reads, flipped_reads, .. } = self.faults;
        match self.draw([failed_reads, flipped_reads, 0]) {
            Some(0) => ReadFate::Failed,
            Some(_) => ReadFate::Flipped,
            None => ReadFate::Fine,
        }
    }

    pub(crate) fn write(&mut self) -> WriteFate {
        let Faults { failed_writes, torn_writes, stale_writes, .. } = self.faults;
        match self.draw([failed_writes, torn_writes, stale_writes]) {
            Some(0) => WriteFate::Failed,
            Some(1) => WriteFate::Torn,
            Some(_) => WriteFate::Stale,
            None => WriteFate::Fine,
        }
    }

    /// Changes one bit.
    pub(crate) fn flip(&mut self, page: &mut [u8]) {
        let at = self.dice.below(crate::place::wide(page.len()) * 8);
        page[crate::place::narrow(at / 8)] ^= 1 << (at % 8);
    }

    /// Which of three rates strikes.
    fn draw(&mut self, rates: [u16; 3]) -> Option<usize> {
        let mut drawn = self.dice.below(1000);
        for (index, rate) in rates.into_iter().enumerate() {
            match drawn.checked_sub(u64::from(rate)) {
                Some(left) => drawn = left,
                None => return Some(index),
            }
        }
        None
    }
}

/// Numbers from a seed: xorshift64*.
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        // The generator would stay at zero; neighbouring seeds should not begin alike.
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        (high * limit) >> 32
    }
}

impl fmt::Debug for Dice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dice({:#x})", self.0)
    }
}
