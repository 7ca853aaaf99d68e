//! A set of grains: a bit each.

use std::ops::Range;

#[derive(Debug)]
pub(crate) struct Grains {
    bits: Vec<u64>,
    end: usize,
    count: usize,
}

impl Grains {
    /// None of the grains up to `end`.
    pub(crate) fn new(end: usize) -> Self {
        Grains { bits: vec![0; end.div_ceil(64)], end, count: 0 }
    }

    /// How many it has.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Behind the last grain that it could have.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    fn has(&self, grain: usize) -> bool {
        self.bits[grain / 64] >> (grain % 64) & 1 == 1
    }

    pub(crate) fn add(&mut self, grains: Range<usize>) {
        for grain in grains {
            self.count += usize::from(!self.has(grain));
            self.bits[grain / 64] |= 1 << (grain % 64);
        }
    }

    pub(crate) fn remove(&mut self, grains: Range<usize>) {
        for grain in grains {
            self.count -= usize::from(self.has(grain));
            self.bits[grain / 64] &= !(1 << (grain % 64));
        }
    }

    /// The first in a row of these that it has.
    pub(crate) fn run(&self, within: Range<usize>) -> Option<Range<usize>> {
        self.row(within, true)
    }

    /// The first in a row of these that it has not.
    pub(crate) fn missing(&self, within: Range<usize>) -> Option<Range<usize>> {
        self.row(within, false)
    }

    fn row(&self, within: Range<usize>, has: bool) -> Option<Range<usize>> {
        let start = self.next(within.clone(), has);
        (start < within.end).then(|| start..self.next(start..within.end, !has))
    }

    /// The first of these that it has (or has not); behind them if there is none.
    fn next(&self, within: Range<usize>, has: bool) -> usize {
        let mut at = within.start;
        while at < within.end && self.has(at) != has {
            let whole = if has { 0 } else { u64::MAX };
            at += if at.is_multiple_of(64) && self.bits[at / 64] == whole { 64 } else { 1 };
        }
        at.min(within.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_across_words() {
        let mut grains = Grains::new(300);
        grains.add(10..200);
        grains.remove(70..130);
        assert_eq!((grains.count(), grains.end()), (130, 300));
        assert_eq!(
            [grains.run(0..300), grains.run(70..300), grains.run(200..300)],
            [Some(10..70), Some(130..200), None]
        );
        assert_eq!(
            [grains.missing(10..300), grains.missing(150..300), grains.missing(10..70)],
            [Some(70..130), Some(200..300), None]
        );
        assert_eq!(grains.run(20..40), Some(20..40));
    }

    #[test]
    fn what_is_there_already_is_counted_once() {
        let mut grains = Grains::new(64);
        grains.add(0..10);
        grains.add(5..64);
        grains.remove(60..64);
        grains.remove(62..64);
        assert_eq!(grains.count(), 60);
    }
}
