//! Guesses what else a thread will touch where it has just waited for the device: what lies around it.
//!
//! A read of a few neighbours takes little longer than one of a page, and programs that are no sequence still touch
//! what lies together. Whether this one does shows by how many of the pages guessed were touched: each is brought in
//! unreferenced and not shown, so that its first touch is told. The block is then made larger or smaller, down to
//! nothing; after that it is tried now and then. While nearly all are touched, telling costs more than it is worth: then
//! the pages of three blocks of four are shown at once.

use crate::ahead::Window;

/// The largest block, in pages.
const LARGEST: u32 = 16;
/// The block a thread begins with, and the one that is tried again.
const FIRST: u32 = 4;
/// So many pages are guessed before it is judged how well.
const JUDGED: u32 = 32;
/// Waits for the device without a guess, until one is tried.
const PAUSE: u32 = 256;
/// Of so many blocks whose pages are sure to be touched one is watched.
const WATCHED: u32 = 4;
/// Blocks remembered.
const RECENT: usize = 16;

/// A block of pages that was guessed; a bit is set where a page was touched, or was not guessed.
#[derive(Clone, Copy, Debug)]
struct Block {
    arena: u32,
    first: u32,
    touched: u32,
}

const NO_BLOCK: Block = Block { arena: u32::MAX, first: u32::MAX, touched: u32::MAX };

/// A block to bring in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Guess {
    pub(crate) window: Window,
    /// Touches of its pages are to be told.
    pub(crate) watched: bool,
}

/// What is known of one thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around {
    recent: [Block; RECENT],
    oldest: usize,
    /// Pages in a block; 1 for no guesses.
    size: u32,
    guessed: u32,
    touched: u32,
    paused: u32,
    /// Nearly all guesses come out right.
    sure: bool,
    /// Blocks since one was watched.
    unwatched: u32,
}

impl Default for Around {
    fn default() -> Self {
        let (recent, size) = ([NO_BLOCK; RECENT], FIRST);
        Around { recent, oldest: 0, size, guessed: 0, touched: 0, paused: 0, sure: false, unwatched: 0 }
    }
}

impl Around {
    /// The thread waits for `page`, which the device has. What to bring in, at most `most` pages besides: a block with
    /// the page in it.
    pub(crate) fn waits(&mut self, arena: u32, page: u32, most: u32) -> Option<Guess> {
        if self.guessed >= JUDGED {
            self.judge();
        }
        let size = if self.size > 1 { self.size } else { self.try_again()? };
        let size = size.min((most + 1).next_power_of_two() / 2).max(1);
        if size == 1 {
            return None;
        }
        let first = page & !(size - 1);
        let window = Window { first, stride: 1, count: size, mark: None };
        self.unwatched += 1;
        if self.sure && self.unwatched < WATCHED {
            return Some(Guess { window, watched: false });
        }
        self.unwatched = 0;
        let others = u32::MAX.checked_shl(size).unwrap_or(0);
        self.recent[self.oldest] = Block { arena, first, touched: others | 1 << (page - first) };
        self.oldest = (self.oldest + 1) % RECENT;
        Some(Guess { window, watched: true })
    }

    fn try_again(&mut self) -> Option<u32> {
        self.paused += 1;
        if self.paused < PAUSE {
            return None;
        }
        (self.paused, self.guessed, self.touched) = (0, 0, 0);
        Some(FIRST)
    }

    /// So many pages of a block that is watched were not in memory, and are being read.
    pub(crate) fn guessed(&mut self, pages: u32) {
        self.guessed += pages;
    }

    /// A page that is in memory was touched, and that was seen. Whether it was a guess that has come out right.
    pub(crate) fn touched(&mut self, arena: u32, page: u32) -> bool {
        let within = |block: &&mut Block| block.arena == arena && page.wrapping_sub(block.first) < LARGEST;
        let Some(block) = self.recent.iter_mut().find(within) else { return false };
        let bit = 1 << (page - block.first);
        let first = block.touched & bit == 0;
        self.touched += u32::from(first);
        block.touched |= bit;
        if self.size == 1 && self.touched * 2 > FIRST - 1 {
            self.judge();
        }
        first
    }

    /// How well guesses came out.
    fn judge(&mut self) {
        self.sure = self.touched * 4 >= self.guessed * 3;
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

    /// Waits for pages, a block of each guessed whole; then touches `used` of the others in it.
    fn run(around: &mut Around, rounds: u32, used: usize) -> Vec<u32> {
        let mut sizes = Vec::new();
        for round in 0..rounds {
            let page = 1000 * round;
            let guess = around.waits(0, page, 64);
            let size = guess.map_or(1, |guess| guess.window.count);
            if guess.is_none_or(|guess| !guess.watched) {
                sizes.push(size);
                continue;
            }
            around.guessed(size - 1);
            (1..size).take(used).for_each(|by| _ = around.touched(0, page - page % size + by));
            sizes.push(size);
        }
        sizes
    }

    #[test]
    fn blocks_grow_while_they_are_used() {
        assert_eq!(run(&mut Around::default(), 40, 16).last(), Some(&LARGEST));
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
        assert_eq!(run(&mut around, 200, 16).last(), Some(&LARGEST));
    }

    #[test]
    fn a_page_is_counted_once_and_only_if_it_was_guessed() {
        let mut around = Around::default();
        let window = Window { first: 8, stride: 1, count: 4, mark: None };
        assert_eq!(around.waits(3, 9, 64), Some(Guess { window, watched: true }));
        let right = [9, 10, 10, 12, 7].map(|page| around.touched(3, page));
        assert_eq!(right, [false, true, false, false, false]);
        assert!(!around.touched(4, 11) && around.touched == 1);
    }

    #[test]
    fn one_block_of_four_is_watched_while_all_are_used() {
        let watched = |used| {
            let mut around = Around::default();
            run(&mut around, 100, used);
            (0..40)
                .filter(|at| around.waits(0, 500_000 + at * 100, 64).is_some_and(|guess| guess.watched))
                .count()
        };
        assert_eq!((watched(16), watched(2)), (10, 40));
    }

    #[test]
    fn no_more_than_there_is_room_for() {
        assert_eq!(Around::default().waits(0, 5, 0), None);
        assert_eq!(Around::default().waits(0, 5, 2).map(|guess| guess.window.count), Some(2));
    }
}
