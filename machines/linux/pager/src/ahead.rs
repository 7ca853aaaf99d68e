//! Guesses what a thread will touch next, from where it faulted before.
//!
//! A thread that faults three times at one distance is in a sequence (distance one) or a stride. The window doubles
//! while the guess holds: the next fault comes just behind it. Only free frames are used (that is for the
//! core to see), so that a wrong guess costs an input and no page.

/// A thread's sequences: it may follow several, with accesses here and there in between.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Streams {
    streams: [Stream; STREAMS],
    /// The one that a fault out of all of them takes.
    oldest: usize,
}

/// Sequences followed at a time.
const STREAMS: usize = 4;

impl Streams {
    /// A fault at `page`; what to bring in besides, at most `most` pages. Out of every sequence, the rest of an aligned
    /// block of `around` pages (a power of two; 1 for none).
    pub(crate) fn fault(&mut self, arena: u32, page: u32, most: u32, around: u32) -> Option<Window> {
        if most == 0 {
            return None;
        }
        let follows = |rank: fn(&Stream, u32, u32) -> bool| {
            self.streams.iter().position(|stream| rank(stream, arena, page))
        };
        let known = follows(Stream::goes_on).or_else(|| follows(Stream::is_near));
        let chosen = known.unwrap_or(self.oldest);
        if chosen == self.oldest {
            self.oldest = (self.oldest + 1) % STREAMS;
        }
        let stream = &mut self.streams[chosen];
        stream
            .fault(arena, page, FIRST_WINDOW.max(around).min(most), most)
            .or_else(|| stream.block(page, if around <= most { around } else { 1 }))
    }

    /// What lies around `page`, where the last fault was, comes as far as `last`: what follows that goes on from there.
    pub(crate) fn brought_in(&mut self, arena: u32, page: u32, last: u32) {
        let here = |stream: &&mut Stream| stream.arena == arena && stream.last == page;
        if let Some(stream) = self.streams.iter_mut().find(here)
            && let Some(next) = step(last, 1)
        {
            (stream.last, stream.stride, stream.next) = (last, 1, next);
        }
    }

    /// Whether a sequence goes on with `page`, though it is there or on its way: somebody else has brought
    /// it in.
    pub(crate) fn confirmed(&self, arena: u32, page: u32) -> bool {
        let goes_on = |stream: &Stream| stream.hits >= SURE && stream.next == page;
        self.streams.iter().any(|stream| stream.arena == arena && goes_on(stream))
    }
}

/// One sequence: where the last fault of it was.
#[derive(Clone, Copy, Debug)]
struct Stream {
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
    /// Whether `page` is what the sequence leads to.
    fn goes_on(&self, arena: u32, page: u32) -> bool {
        self.arena == arena && self.hits >= SURE && (page == self.next || self.expected(page))
    }

    /// Whether `page` may make a sequence with the last fault.
    fn is_near(&self, arena: u32, page: u32) -> bool {
        self.arena == arena && page.abs_diff(self.last) <= MAX_STRIDE.unsigned_abs()
    }

    /// `least` pages are the first window, `most` the largest.
    fn fault(&mut self, arena: u32, page: u32, least: u32, most: u32) -> Option<Window> {
        let here = self.arena == arena;
        let sure = here && self.hits >= SURE;
        if sure && page == self.next {
            self.window = (self.window * 2).clamp(least, most);
        } else if sure && self.expected(page) {
            // Not everything that was guessed came in, for want of frames; the guess was right.
            self.window = (self.window / 2).clamp(least, most);
        } else {
            self.look_at(here, page, least);
        }
        (self.arena, self.last) = (arena, page);
        self.next = step(page, self.stride)?;
        if self.hits < SURE || self.window == 0 { None } else { self.open() }
    }

    /// The next window.
    fn open(&mut self) -> Option<Window> {
        let Stream { next: first, stride, window: count, .. } = *self;
        self.next = step(first, stride * i32::try_from(count).ok()?)?;
        Some(Window { first, stride, count })
    }

    /// The rest of a block. A fault behind it goes on from there.
    fn block(&mut self, page: u32, size: u32) -> Option<Window> {
        let last = page | size.checked_sub(1)?;
        let count = last - page;
        if count == 0 {
            return None;
        }
        (self.last, self.stride) = (last, 1);
        self.next = step(last, 1)?;
        Some(Window { first: page + 1, stride: 1, count })
    }

    /// Whether `page` is in the last window.
    fn expected(&self, page: u32) -> bool {
        let (from, to) = (self.last.min(self.next), self.last.max(self.next));
        (from..=to).contains(&page)
            && page != self.last
            && page.abs_diff(self.last).is_multiple_of(self.stride.unsigned_abs())
    }

    /// No window is open, or it was a wrong guess.
    fn look_at(&mut self, here: bool, page: u32, least: u32) {
        let distance = i64::from(page) - i64::from(self.last);
        let stride = i32::try_from(distance).ok().filter(|by| here && *by != 0 && by.abs() <= MAX_STRIDE);
        if stride == Some(self.stride) {
            self.hits += 1;
            self.window = least;
        } else if !here || page != self.last {
            (self.hits, self.window) = (0, 0);
            self.stride = stride.unwrap_or(0);
        }
    }
}

fn step(page: u32, by: i32) -> Option<u32> {
    page.checked_add_signed(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stream: &mut Streams, pages: &[u32]) -> Vec<Option<(u32, u32)>> {
        pages.iter().map(|&page| stream.fault(0, page, 32, 1).map(|w| (w.first, w.count))).collect()
    }

    #[test]
    fn a_sequence_is_seen_after_three_faults_and_its_window_doubles() {
        let mut stream = Streams::default();
        assert_eq!(run(&mut stream, &[10, 11, 12, 13]), [None, None, None, Some((14, 4))]);
        assert_eq!(run(&mut stream, &[18]), [Some((19, 8))]);
        assert_eq!(run(&mut stream, &[27]), [Some((28, 16))]);
        assert_eq!(run(&mut stream, &[44, 77]), [Some((45, 32)), Some((78, 32))]);
    }

    #[test]
    fn what_is_brought_in_around_a_page_is_passed_over() {
        let mut stream = Streams::default();
        assert_eq!(run(&mut stream, &[19]), [None]);
        stream.brought_in(0, 19, 31);
        assert_eq!(run(&mut stream, &[32, 33]), [None, Some((34, 4))]);
    }

    #[test]
    fn a_stride_is_seen_and_random_faults_are_not() {
        let mut stream = Streams::default();
        assert_eq!(run(&mut stream, &[10, 20, 30, 40]), [None, None, None, Some((50, 4))]);
        let mut stream = Streams::default();
        assert_eq!(run(&mut stream, &[5, 900, 31, 7, 60_000, 12]), [None; 6]);
    }

    #[test]
    fn a_window_that_came_in_half_does_not_end_the_sequence() {
        let mut stream = Streams::default();
        run(&mut stream, &[10, 11, 12, 13, 18]);
        assert_eq!(run(&mut stream, &[22, 27]), [Some((23, 4)), Some((28, 8))]);
    }

    #[test]
    fn a_sequence_goes_on_between_accesses_here_and_there() {
        let mut stream = Streams::default();
        run(&mut stream, &[10, 5_000, 11, 9_000, 12, 700_000]);
        assert_eq!(run(&mut stream, &[13, 40_000, 18]), [Some((14, 4)), None, Some((19, 8))]);
    }

    #[test]
    fn leaving_a_sequence_ends_it() {
        let mut stream = Streams::default();
        run(&mut stream, &[10, 11, 12, 13]);
        assert_eq!(run(&mut stream, &[500, 501]), [None, None]);
    }

    #[test]
    fn where_frames_abound_blocks_come_whole_and_make_a_sequence() {
        let mut stream = Streams::default();
        let mut counts = |page| stream.fault(0, page, 32, 16).map(|window| (window.first, window.count));
        assert_eq!([counts(100), counts(7_000)], [Some((101, 11)), Some((7_001, 7))]);
        assert_eq!(
            [counts(112), counts(128), counts(400)],
            [Some((113, 15)), Some((129, 16)), Some((401, 15))]
        );
    }

    #[test]
    fn a_sequence_downwards_stops_at_the_first_page() {
        let mut stream = Streams::default();
        assert_eq!(run(&mut stream, &[5, 4, 3, 2]), [None, None, None, None]);
        assert_eq!(stream.fault(0, 1, 32, 1), None);
    }
}
