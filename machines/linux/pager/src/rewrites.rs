//! Guesses which pages that are read from swap will be written to.
//!
//! The first store to a clean page is a fault, which costs its thread far more than the store: and programs mostly store to
//! what they stored to before. So a page that left memory to be written home is shown for writing when it is read again,
//! and counts as dirty from then on. If nothing is stored to it, it has been written home in vain.
//!
//! ```text
//! written home           the block is marked
//! read, no mark          shown for reading
//! read, mark             shown for writing; one of eight, and all while that does not pay, are probes:
//! probe                  shown for reading, the mark goes: does a store come before it leaves?
//! ```
//! It pays while two probes of three are stored to.

/// One marked page of so many is a probe.
const PROBED: u32 = 8;
/// Outcomes are counted over the last so many probes, about.
const LATELY: u32 = 128;

/// What is done with a page that is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Expected {
    Nothing,
    /// Nothing, and what comes is of interest.
    Probe,
    Write,
}

/// A bit for each swap block that was written, and how probes came out.
#[derive(Debug)]
pub(crate) struct Rewrites {
    marks: Box<[u64]>,
    probes: u32,
    came_true: u32,
    turn: u32,
}

impl Rewrites {
    /// For so many blocks.
    pub(crate) fn new(blocks: u32) -> Self {
        let marks = vec![0; (blocks as usize).div_ceil(64)].into_boxed_slice();
        Rewrites { marks, probes: 0, came_true: 0, turn: 0 }
    }

    /// The block is being written.
    pub(crate) fn written(&mut self, block: u32) {
        if let Some(word) = self.marks.get_mut(block as usize / 64) {
            *word |= 1 << (block % 64);
        }
    }

    /// The block is being read.
    pub(crate) fn read(&mut self, block: u32) -> Expected {
        let (word, bit) = (block as usize / 64, block % 64);
        let Some(word) = self.marks.get_mut(word).filter(|word| **word >> bit & 1 == 1) else {
            return Expected::Nothing;
        };
        *word &= !(1 << bit);
        self.turn = self.turn.wrapping_add(1);
        let pays = self.came_true * 3 >= self.probes * 2;
        if pays && !self.turn.is_multiple_of(PROBED) { Expected::Write } else { Expected::Probe }
    }

    /// Whether the page of a probe was stored to.
    pub(crate) fn came_out(&mut self, stored: bool) {
        self.probes += 1;
        self.came_true += u32::from(stored);
        if self.probes >= LATELY {
            (self.probes, self.came_true) = (self.probes / 2, self.came_true / 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads 100 blocks that were written before; probes come out as `stored` says. How many were expected to be written.
    fn round(rewrites: &mut Rewrites, stored: bool) -> usize {
        let blocks = 0..100;
        blocks.clone().for_each(|block| rewrites.written(block));
        let expected: Vec<_> = blocks.map(|block| rewrites.read(block)).collect();
        let probes = expected.iter().filter(|&&expected| expected == Expected::Probe).count();
        (0..probes).for_each(|_| rewrites.came_out(stored));
        expected.iter().filter(|&&expected| expected == Expected::Write).count()
    }

    #[test]
    fn what_was_never_written_or_was_read_since_is_not_expected() {
        let mut rewrites = Rewrites::new(100);
        assert_eq!(rewrites.read(7), Expected::Nothing);
        rewrites.written(7);
        assert_eq!((rewrites.read(7), rewrites.read(7)), (Expected::Write, Expected::Nothing));
        assert_eq!(rewrites.read(1_000_000), Expected::Nothing);
    }

    #[test]
    fn one_of_eight_is_a_probe_while_it_pays_and_all_while_it_does_not() {
        let mut rewrites = Rewrites::new(100);
        assert!((0..5).all(|_| (87..=88).contains(&round(&mut rewrites, true))));
        (0..6).for_each(|_| _ = round(&mut rewrites, false));
        assert_eq!(round(&mut rewrites, false), 0);
        (0..3).for_each(|_| _ = round(&mut rewrites, true));
        assert!(round(&mut rewrites, true) >= 87);
    }
}
