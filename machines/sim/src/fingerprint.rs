//! One number for a whole world: equal for worlds that can only go on in the same way.
//!
//! Page and swap-block numbers are renamed in the order in which they are met, and words by their rank, so that
//! worlds which differ in names alone are one. Exact for policies whose whole state is the order of their frames.

use crate::cpu::Cpu;
use crate::disk::Block;
use crate::op::Name;
use crate::random::scramble;
use crate::setup::NAMES;
use crate::world::World;
use mager_pager::{Demand, FrameNo, Home, PageNo, Shown, Site, State, Ticket, VirtPage, Waiter};

/// Collects words into 128 bits.
struct Sum {
    low: u64,
    high: u64,
    pages: Vec<PageNo>,
    blocks: Vec<Home>,
    /// Every word anywhere, in order, so that a word's place is its rank.
    words: Vec<u64>,
}

fn place<T: PartialEq + Copy>(known: &mut Vec<T>, value: T) -> u64 {
    let index = known.iter().position(|other| *other == value);
    index.unwrap_or_else(|| {
        known.push(value);
        known.len() - 1
    }) as u64
}

impl Sum {
    fn add(&mut self, word: u64) {
        self.low = scramble(self.low.rotate_left(7) ^ word);
        self.high = scramble(self.high.rotate_left(29) ^ word.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    }

    fn all(&mut self, words: impl IntoIterator<Item = u64>) {
        words.into_iter().for_each(|word| self.add(word));
        self.add(u64::MAX);
    }

    fn page(&mut self, page: PageNo) {
        let page = place(&mut self.pages, page);
        self.add(page);
    }

    fn home(&mut self, home: Option<Home>) {
        let home = home.map_or(0, |home| 1 + place(&mut self.blocks, home));
        self.add(home);
    }

    fn rank(&mut self, word: u64) {
        let rank = self.words.partition_point(|other| *other < word);
        self.add(rank as u64);
    }
}

impl World {
    /// The number. Words must be found again in every place where one can be.
    #[must_use]
    pub fn fingerprint(&self) -> u128 {
        let mut words: Vec<u64> = self.every_word().collect();
        words.sort_unstable();
        words.dedup();
        let mut sum = Sum { low: 0, high: 1, pages: Vec::new(), blocks: Vec::new(), words };
        self.sum_cpus(&mut sum);
        self.sum_tables(&mut sum);
        self.sum_frames(&mut sum);
        self.sum_pages(&mut sum);
        self.sum_waiting(&mut sum);
        self.sum_machine(&mut sum);
        self.every_word().for_each(|word| sum.rank(word));
        u128::from(sum.high) << 64 | u128::from(sum.low)
    }

    /// Words in frames in use, on the disk, in the oracle, and in what flushes wait for; in a fixed order.
    fn every_word(&self) -> impl Iterator<Item = u64> {
        let in_use = self.driver.view().frames().iter().map(|frame| frame.page.is_some()).collect();
        let flushed = self.flushing.iter().flat_map(|flush| flush.then.iter().flatten().flatten().copied());
        self.side.machine.words(in_use).chain(self.side.oracle.words()).chain(flushed)
    }

    fn ticket_number(&self, who: Ticket) -> u64 {
        let cpu = |cpu: &Cpu| matches!(cpu, Cpu::Waiting(_, ticket) if *ticket == who);
        let flush = self.flushing.iter().position(|flush| flush.who == who);
        let number = self.side.cpus.iter().position(cpu).or_else(|| flush.map(|flush| 64 + flush));
        number.unwrap_or(255) as u64
    }

    fn sum_cpus(&self, sum: &mut Sum) {
        for cpu in &self.side.cpus {
            match cpu {
                Cpu::Idle => sum.add(0),
                Cpu::Waiting(pending, _) | Cpu::Ready(pending) => {
                    let now = self.side.mapping(pending.name, pending.at) == pending.mapping;
                    let failed = self.side.machine.disk.failures > pending.failures_then;
                    sum.all([
                        1 + u64::from(matches!(cpu, Cpu::Ready(_))),
                        u64::from(pending.name.0),
                        u64::from(self.arena(pending.name) == Some(pending.at.arena)),
                        u64::from(pending.at.page.0),
                        pending.access as u64,
                        u64::from(pending.word),
                        u64::from(now) << 1 | u64::from(failed),
                    ]);
                }
            }
        }
    }

    fn sum_tables(&self, sum: &mut Sum) {
        let view = self.driver.view();
        for name in (0..NAMES).map(Name) {
            let Some(arena) = self.arena(name) else {
                sum.add(0);
                continue;
            };
            sum.add(1);
            for page in (0..self.setup.arena_pages).map(VirtPage) {
                let at = Site { arena, page };
                let pte = view.pte(at);
                sum.add(pte.map_or(0, |pte| 1 + pte.access.map_or(0, |access| 1 + access as u64)));
                match pte.map(|pte| pte.shown) {
                    Some(Shown::Page(page)) => sum.page(page),
                    Some(Shown::Untouched) => sum.add(1001),
                    Some(Shown::Unread) => sum.add(1002),
                    None => {}
                }
                sum.add(self.side.machine.mapping(at).map_or(9, |mapping| u64::from(mapping.lost)));
            }
            let pins = self.side.oracle.space(name).map(|space| space.pins.as_slice()).unwrap_or_default();
            sum.all(pins.iter().map(|pin| u64::from(pin.page.0) << 8 | u64::from(pin.count)));
        }
    }

    fn sum_frames(&self, sum: &mut Sum) {
        let view = self.driver.view();
        for frame in view.frames() {
            sum.add(u64::from(frame.referenced) << 8 | u64::from(frame.pins));
            if let Some(page) = frame.page {
                sum.page(page);
            }
        }
        let numbers = |frames: Vec<FrameNo>| frames.into_iter().map(|frame| u64::from(frame.0));
        sum.add(u64::from(view.counts().withheld_frames));
        sum.all(numbers(view.free_frames()));
        sum.all(numbers(view.order()));
    }

    fn sum_pages(&self, sum: &mut Sum) {
        let view = self.driver.view();
        // Pages that only the core names (dead ones in flight) come last, in the order of their numbers.
        for page in view.pages() {
            place(&mut sum.pages, page);
        }
        for page in sum.pages.clone() {
            let Some(page) = view.page(page) else { continue };
            sum.add(match page.state {
                State::Free | State::Absent => 0,
                State::Wanted => 1,
                State::PagingIn(frame) => 2 | u64::from(frame.0) << 8,
                State::Resident { frame, dirty } => 3 | u64::from(dirty) << 4 | u64::from(frame.0) << 8,
                State::WritingBack { frame, promised } => {
                    4 | u64::from(promised) << 4 | u64::from(frame.0) << 8
                }
            });
            sum.home(page.home);
            sum.all(page.sharers.iter().map(|at| self.site_number(*at)));
            for waiter in page.waiting {
                match waiter {
                    Waiter::Fault(fault) => sum.add(self.ticket_number(fault.who)),
                    Waiter::Flush(slot) => sum.add(128 + u64::from(slot)),
                }
            }
        }
    }

    fn site_number(&self, at: Site) -> u64 {
        let name = self.arenas().position(|arena| arena == Some(at.arena)).unwrap_or(99);
        (name as u64) << 32 | u64::from(at.page.0)
    }

    fn sum_waiting(&self, sum: &mut Sum) {
        let view = self.driver.view();
        // Pages that nobody names hold on to a reservation or not, which nothing else tells.
        sum.add(u64::from(view.counts().swap_reserved));
        for demand in view.demands() {
            match demand {
                Demand::Fill(fault) => sum.all([1, self.ticket_number(fault.who)]),
                Demand::PageIn(page) => {
                    sum.add(2);
                    sum.page(page);
                }
                Demand::Copy { fault, source } => {
                    sum.all([3, self.ticket_number(fault.who)]);
                    sum.page(source);
                }
            }
        }
        for flush in &self.flushing {
            let failed = self.side.machine.disk.failures > flush.failures_then;
            sum.all([flush.what.map_or(0, |file| 1 + u64::from(file.0)), u64::from(failed)]);
        }
    }

    fn sum_machine(&self, sum: &mut Sum) {
        let flights = self.side.machine.disk.flights();
        sum.all(flights.map(|(direction, frame)| u64::from(frame.0) << 1 | direction as u64));
        sum.all(self.side.machine.touched().map(u64::from));
        for (home, block) in self.side.machine.disk.blocks() {
            // Swap blocks have names of their own; which one holds what is seen through the pages.
            if let Home::Object(..) = home {
                sum.add(match block {
                    Block::Fresh => 0,
                    Block::Holds(_) => 1,
                    Block::Bad { lied } => 2 + u64::from(lied),
                });
            }
        }
        let homes = sum.blocks.clone();
        for home in homes {
            let block = self.side.machine.disk.block(home);
            sum.add(match block {
                Some(Block::Bad { lied }) => 2 + u64::from(lied),
                Some(Block::Holds(_)) => 1,
                Some(Block::Fresh) | None => 0,
            });
            if let Some(Block::Holds(contents)) = block {
                contents.into_iter().for_each(|word| sum.rank(word));
            }
        }
    }
}
