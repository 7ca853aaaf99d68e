//! Guesses what a thread will touch next, from where it faulted before.
//!
//! A thread that faults three times at one distance is in a sequence (distance one) or a stride. The window doubles
//! while the guess holds: the next fault comes just behind it. Only free frames are used (that is for the core to see),
//! so that a wrong guess costs an input and no page.

/// Where one thread faulted last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    arena: u32,
    /// The page of the last fault.
    last: u32,
    /// The page that continues the sequence: behind the window.
    next: u32,
    stride: i32,
    hits: u32,
    window: u32,
}

/// The pages to bring in: `first`, `first + stride`, ...
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Window {
    pub(crate) first: u32,
    pub(crate) stride: i32,
    pub(crate) count: u32,
}

/// Strides beyond this many pages are not strides.
const MAX_STRIDE: i32 = 64;
/// Hits in a row before the guess is acted on.
const SURE: u32 = 2;
const FIRST_WINDOW: u32 = 4;

impl Default for Stream {
    fn default() -> Self {
        Stream { arena: u32::MAX, last: 0, next: 0, stride: 0, hits: 0, window: 0 }
    }
}

impl Stream {
    /// A fault at `page`; what to bring in besides, at most `most` pages.
    pub(crate) fn fault(&mut self, arena: u32, page: u32, most: u32) -> Option<Window> {
        let goes_on = self.arena == arena && self.hits >= SURE && page == self.next;
        let distance = i64::from(page) - i64::from(self.last);
        let stride = i32::try_from(distance).ok().filter(|by| *by != 0 && by.abs() <= MAX_STRIDE);
        if goes_on {
            self.window = (self.window * 2).clamp(FIRST_WINDOW, most.max(1));
        } else if self.arena == arena && stride == Some(self.stride) {
            self.hits += 1;
            self.window = FIRST_WINDOW.min(most);
        } else if !(self.arena == arena && page == self.last) {
            (self.hits, self.window) = (0, 0);
            self.stride = stride.filter(|_| self.arena == arena).unwrap_or(0);
        }
        (self.arena, self.last) = (arena, page);
        if self.hits < SURE || self.window == 0 {
            self.next = step(page, self.stride)?;
            return None;
        }
        let first = step(page, self.stride)?;
        self.last = step(page, self.stride * i32::try_from(self.window).ok()?)?;
        self.next = step(self.last, self.stride)?;
        Some(Window { first, stride: self.stride, count: self.window })
    }
}

fn step(page: u32, by: i32) -> Option<u32> {
    page.checked_add_signed(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stream: &mut Stream, pages: &[u32]) -> Vec<Option<(u32, u32)>> {
        pages.iter().map(|&page| stream.fault(0, page, 32).map(|w| (w.first, w.count))).collect()
    }

    #[test]
    fn a_sequence_is_seen_after_three_faults_and_its_window_doubles() {
        let mut stream = Stream::default();
        assert_eq!(run(&mut stream, &[10, 11, 12, 13]), [None, None, None, Some((14, 4))]);
        assert_eq!(run(&mut stream, &[18]), [Some((19, 8))]);
        assert_eq!(run(&mut stream, &[27]), [Some((28, 16))]);
        assert_eq!(run(&mut stream, &[44, 77]), [Some((45, 32)), Some((78, 32))]);
    }

    #[test]
    fn a_stride_is_seen_and_random_faults_are_not() {
        let mut stream = Stream::default();
        assert_eq!(run(&mut stream, &[10, 20, 30, 40]), [None, None, None, Some((50, 4))]);
        let mut stream = Stream::default();
        assert_eq!(run(&mut stream, &[5, 900, 31, 7, 60_000, 12]), [None; 6]);
    }

    #[test]
    fn leaving_a_sequence_ends_it() {
        let mut stream = Stream::default();
        run(&mut stream, &[10, 11, 12, 13]);
        assert_eq!(run(&mut stream, &[500, 501]), [None, None]);
    }

    #[test]
    fn a_sequence_downwards_stops_at_the_first_page() {
        let mut stream = Stream::default();
        assert_eq!(run(&mut stream, &[5, 4, 3, 2]), [None, None, None, None]);
        assert_eq!(stream.fault(0, 1, 32), None);
    }
}
