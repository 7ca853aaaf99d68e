//! After warm-up nothing on the way of a page allocates memory, on any engine.
//!
//! Queues grow to the most that was ever in them. With threads that is a matter of when they run, so that warm-up has no
//! fixed end: the test waits for 200 rounds, of 16,000 pages and more, in which nothing grew.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod sys;

use mager_stores::{Backing, Buffers, EngineKind, Home, Options, SwapOptions, SwapPlace};
use rustix::event::{PollFd, PollFlags, poll};

const WARM_UPS: usize = 20;

struct Life {
    backing: Backing,
    buffers: Buffers,
}

impl Life {
    fn settle(&mut self) {
        self.backing.submit(&mut self.buffers);
        while self.backing.in_flight() > 0 {
            match self.backing.finished() {
                Some(done) => {
                    done.result.unwrap();
                    self.buffers.give(mager_stores::BufferNo(done.tag));
                }
                None => {
                    let fd = self.backing.wait_fd().unwrap();
                    poll(&mut [PollFd::new(&fd, PollFlags::IN)], None).unwrap();
                }
            }
        }
    }

    /// Calls of the allocator in 200 rounds.
    fn calls(&mut self) -> u64 {
        let before = sys::calls();
        (0..200).for_each(|round| self.round(round));
        sys::calls() - before
    }

    /// 40 pages are written and read back; some compress, some are neighbours, some are alone.
    fn round(&mut self, round: u32) {
        let block = |n: u32| Home::Swap((n * (n + 1) / 2 + round * 64) % 1000);
        for n in 0..40 {
            let buffer = self.buffers.take().unwrap();
            let page = self.buffers.bytes_mut(buffer);
            page[..2048].fill(1);
            for (byte, k) in page[2048..].iter_mut().zip(0u32..) {
                *byte = u8::try_from((n * 31 + k * (k | n)) >> 3 & 255).unwrap();
            }
            self.backing.write(buffer.0, block(n), buffer, &mut self.buffers);
        }
        self.settle();
        for n in 0..40 {
            let buffer = self.buffers.take().unwrap();
            self.backing.read(buffer.0, block(n), buffer, &mut self.buffers);
        }
        self.settle();
        let buffer = self.buffers.take().unwrap();
        self.backing.read(buffer.0, block(0), buffer, &mut self.buffers);
        self.settle();
        (0..1000).step_by(3).for_each(|block| self.backing.release(block));
    }
}

#[test]
fn nothing_is_allocated_after_warm_up() {
    for engine in [EngineKind::Inline, EngineKind::Uring, EngineKind::Pool(2)] {
        let swap = SwapOptions { place: SwapPlace::Memory, blocks: 1000 };
        let compressed = Some(200_000);
        let options = Options { swap: Some(swap), compressed, engine, ..Options::new(4096) };
        let backing = Backing::new(options).unwrap();
        let mut life = Life { backing, buffers: Buffers::new(4096, 64).unwrap() };
        let warm = (0..WARM_UPS).any(|_| life.calls() == 0);
        assert!(warm, "{engine:?}: after {WARM_UPS} times 200 rounds still {} calls in 200", life.calls());
        let figures = life.backing.figures();
        assert!(figures.demoted > 0 && figures.joined > 0 && figures.packed_pages > 0, "{figures:?}");
    }
}
