//! Guesses what else a thread will touch where it has just waited for the device: what lies around it.
//!
//! A read of a few neighbours takes little longer than one of a page, and programs that are no sequence still touch
//! what lies together. Whether this one does shows by how many of the pages guessed were touched: each is brought in
//! unreferenced and not shown, and some waits later it is looked at which are shown after all. The block is then made larger
//! or smaller, down to nothing; after that it is tried now and then.

use crate::ahead::Window;

/// The largest block, in pages.
const LARGEST: u32 = 16;
/// The block a thread begins with, and the one that is tried again.
const FIRST: u32 = 4;
/// So many pages were guessed before it is judged how well.
const JUDGED: u32 = 32;
/// Waits for the device without a guess, until one is tried.
const PAUSE: u32 = 256;
/// Waits after which it is looked at which pages of a block were touched.
const LATER: usize = 16;

/// A block of pages, a bit for each.
#[derive(Clone, Copy, Default, Debug)]
struct Block {
    arena: u32,
    first: u32,
    /// Pages that were brought in on a guess.
    guessed: u32,
    /// Pages whose touch was told.
    touched: u32,
}

/// What is known of one thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around {
    /// The blocks of the last waits, in turn; one without guesses is none.
    recent: [Block; LATER],
    /// The place of the last.
    last: usize,
    /// Pages in a block; 1 for no guesses.
    size: u32,
    guessed: u32,
    touched: u32,
    paused: u32,
}

impl Default for Around {
    fn default() -> Self {
        let recent = [Block::default(); LATER];
        Around { recent, last: 0, size: FIRST, guessed: 0, touched: 0, paused: 0 }
    }
}

impl Around {
    /// The thread waits for `page`, which the device has. What to bring in, at most `most` pages besides: a block with
    /// the page in it. `shown`: which of the pages of an arena from one on, so many, are shown; the lowest bit is the first.
    pub(crate) fn waits(
        &mut self,
        arena: u32,
        page: u32,
        most: u32,
        shown: impl FnOnce(u32, u32, u32) -> u32,
    ) -> Option<Window> {
        self.last = (self.last + 1) % LATER;
        self.look_back(shown);
        let size = if self.size > 1 { self.size } else { self.try_again()? };
        let size = size.min((most + 1).next_power_of_two() / 2).max(1);
        if size == 1 {
            return None;
        }
        let first = page & !(size - 1);
        self.recent[self.last] = Block { arena, first, guessed: 0, touched: 0 };
        Some(Window { first, stride: 1, count: size })
    }

    /// How the block came out whose place is needed again.
    fn look_back(&mut self, shown: impl FnOnce(u32, u32, u32) -> u32) {
        let block = std::mem::take(&mut self.recent[self.last]);
        if block.guessed == 0 {
            return;
        }
        let touched = block.touched | shown(block.arena, block.first, LARGEST);
        self.touched += (touched & block.guessed).count_ones();
        self.guessed += block.guessed.count_ones();
        if self.guessed >= JUDGED || self.size == 1 {
            self.judge();
        }
    }

    fn try_again(&mut self) -> Option<u32> {
        self.paused += 1;
        if self.paused < PAUSE {
            return None;
        }
        self.paused = 0;
        Some(FIRST)
    }

    /// These pages of the block that was asked for last were not in memory, and are being read.
    pub(crate) fn guessed(&mut self, pages: u32) {
        self.recent[self.last].guessed = pages;
    }

    /// A page that is in memory, or comes, was touched, and that was told. Whether it is a guess that has come out right.
    pub(crate) fn touched(&mut self, arena: u32, page: u32) -> bool {
        let bit =
            |block: &Block| 1u32.checked_shl(page.wrapping_sub(block.first)).unwrap_or(0) & block.guessed;
        let guessed = |block: &&mut Block| block.arena == arena && bit(block) & !block.touched != 0;
        let Some(block) = self.recent.iter_mut().find(guessed) else { return false };
        block.touched |= bit(block);
        true
    }

    /// How well guesses came out.
    fn judge(&mut self) {
        if self.touched * 2 >= self.guessed {
            self.size = (self.size * 2).clamp(FIRST, LARGEST);
        } else if self.touched * 4 < self.guessed {
            self.size = (self.size / 2).max(1);
        }
        (self.guessed, self.touched) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits for pages, a block of each guessed whole, of which the first `used` are touched before it is looked at.
    fn run(around: &mut Around, rounds: u32, used: u32) -> Vec<u32> {
        let all = |pages: u32| u32::MAX.checked_shl(pages).map_or(u32::MAX, |above| !above);
        let wait = |round: u32| {
            let window = around.waits(0, 1024 * round, 64, |_, _, _| all(used));
            if let Some(window) = window {
                around.guessed(all(window.count));
            }
            window.map_or(1, |window| window.count)
        };
        (0..rounds).map(wait).collect()
    }

    #[test]
    fn blocks_grow_while_they_are_used() {
        assert_eq!(run(&mut Around::default(), 60, 16).last(), Some(&LARGEST));
    }

    #[test]
    fn blocks_that_nobody_uses_end_and_are_tried_seldom() {
        let sizes = run(&mut Around::default(), 2000, 0);
        let guessed = sizes.iter().skip(100).filter(|&&size| size > 1).count();
        assert!((1900 / 512..=1900 / 128).contains(&guessed), "{guessed}");
    }

    #[test]
    fn one_that_is_used_after_all_brings_them_back() {
        let mut around = Around::default();
        run(&mut around, 200, 0);
        assert_eq!(run(&mut around, 500, 16).last(), Some(&LARGEST));
    }

    #[test]
    fn a_page_is_counted_once_and_only_if_it_was_guessed() {
        let mut around = Around::default();
        let window = Window { first: 8, stride: 1, count: 4 };
        assert_eq!(around.waits(3, 9, 64, |_, _, _| 0), Some(window));
        around.guessed(0b1101);
        let right = [9, 10, 10, 12, 7].map(|page| around.touched(3, page));
        assert_eq!(right, [false, true, false, false, false]);
        assert!(!around.touched(4, 11));
        for _ in 0..LATER {
            around.waits(3, 100, 0, |arena, first, _| {
                assert_eq!((arena, first), (3, 8));
                0b0110
            });
        }
        assert_eq!((around.guessed, around.touched), (3, 1), "page 10 was told, page 9 not guessed");
    }

    #[test]
    fn no_more_than_there_is_room_for() {
        let wait = |most| Around::default().waits(0, 5, most, |_, _, _| 0).map(|window| window.count);
        assert_eq!((wait(0), wait(2)), (None, Some(2)));
    }
}
