//! Naive caches that keep queues; index 0 is the end that leaves first.

use super::table::Cache;

pub struct Fifo {
    pub n: u32,
    pub q: Vec<u32>,
}

impl Cache for Fifo {
    fn access(&mut self, page: u32, _: bool) -> bool {
        let hit = self.q.contains(&page);
        if !hit {
            self.q.push(page);
            let extra = self.q.len().saturating_sub(self.n as usize);
            self.q.drain(..extra);
        }
        hit
    }
}

pub struct Lru {
    pub n: u32,
    pub q: Vec<u32>,
}

impl Cache for Lru {
    fn access(&mut self, page: u32, _: bool) -> bool {
        let before = self.q.len();
        self.q.retain(|&p| p != page);
        let hit = self.q.len() < before;
        self.q.push(page);
        let extra = self.q.len().saturating_sub(self.n as usize);
        self.q.drain(..extra);
        hit
    }
}

/// In order of last touch, with counts.
pub struct Lfu {
    pub n: u32,
    pub q: Vec<(u32, u32)>,
}

impl Cache for Lfu {
    fn access(&mut self, page: u32, _: bool) -> bool {
        let at = self.q.iter().position(|&(p, _)| p == page);
        let count = at.map_or(0, |at| self.q.remove(at).1);
        if at.is_none() && self.q.len() == self.n as usize {
            let least = self.q.iter().map(|&(_, c)| c).min().unwrap();
            let first = self.q.iter().position(|&(_, c)| c == least).unwrap();
            self.q.remove(first);
        }
        self.q.push((page, count + 1));
        at.is_some()
    }
}

pub struct Opt {
    pub n: u32,
    pub q: Vec<u32>,
    pub future: Vec<u32>,
    pub now: usize,
}

impl Cache for Opt {
    fn foretell(&mut self, trace: &[(u32, bool)]) {
        self.future = trace.iter().map(|&(page, _)| page).collect();
    }
    fn access(&mut self, page: u32, _: bool) -> bool {
        self.now += 1;
        let hit = self.q.contains(&page);
        if !hit && self.q.len() == self.n as usize {
            let ahead = &self.future[self.now..];
            let next = |p: u32| ahead.iter().position(|&f| f == p).unwrap_or(usize::MAX);
            let farthest = (0..self.q.len()).max_by_key(|&i| next(self.q[i])).unwrap();
            self.q.remove(farthest);
        }
        if !hit {
            self.q.push(page);
        }
        hit
    }
}

/// Frames in the order they were filled; a victim's place is taken by the last, as the policy promises.
pub struct Random {
    pub n: u32,
    pub q: Vec<u32>,
    pub seed: u64,
}

impl Cache for Random {
    fn access(&mut self, page: u32, _: bool) -> bool {
        if self.q.contains(&page) {
            return true;
        }
        if self.q.len() == self.n as usize {
            if self.seed == 7 {
                self.seed = 7u64.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
            }
            self.seed ^= self.seed >> 12;
            self.seed ^= self.seed << 25;
            self.seed ^= self.seed >> 27;
            let high = self.seed.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
            let drawn = usize::try_from(high * self.q.len() as u64 / (1 << 32)).unwrap();
            let last = self.q.pop().unwrap();
            if drawn < self.q.len() {
                self.q[drawn] = last;
            }
        }
        self.q.push(page);
        false
    }
}

pub struct TwoQ {
    pub n: u32,
    pub a1in: Vec<u32>,
    pub a1out: Vec<u32>,
    pub am: Vec<u32>,
}

impl Cache for TwoQ {
    fn access(&mut self, page: u32, _: bool) -> bool {
        let n = self.n as usize;
        if self.a1in.contains(&page) {
            return true;
        }
        if let Some(at) = self.am.iter().position(|&p| p == page) {
            self.am.remove(at);
            self.am.push(page);
            return true;
        }
        let remembered = self.a1out.contains(&page);
        self.a1out.retain(|&p| p != page);
        if self.a1in.len() + self.am.len() == n {
            if self.a1in.len() > n / 4 || self.am.is_empty() {
                let out = self.a1in.remove(0);
                self.a1out.push(out);
            } else {
                self.am.remove(0);
            }
        }
        let extra = self.a1out.len().saturating_sub(n / 2);
        self.a1out.drain(..extra);
        if remembered { &mut self.am } else { &mut self.a1in }.push(page);
        false
    }
}

/// Pages with their touches; those of the last `fresh` in the small queue do not count.
pub struct S3Fifo {
    n: usize,
    most: u32,
    enough: u32,
    fresh: usize,
    credit: usize,
    /// So many of the small queue are not fresh any more.
    watched: usize,
    small: Vec<(u32, u32)>,
    main: Vec<(u32, u32)>,
    ghost: Vec<u32>,
}

impl S3Fifo {
    pub fn new(n: u32, most: u32, enough: u32, fresh: u32) -> Self {
        let (n, fresh) = (n as usize, fresh as usize);
        S3Fifo { n, most, enough, fresh, credit: 0, watched: 0, small: vec![], main: vec![], ghost: vec![] }
    }

    /// The first `watched` of the small queue are watched; those that were not before begin with no touch.
    fn watch(&mut self, watched: usize) {
        if self.fresh > 0 {
            (self.watched..watched).for_each(|at| self.small[at].1 = 0);
        }
        self.watched = self.watched.max(watched);
    }

    fn evict(&mut self) {
        self.credit = (self.credit + 1).min((self.n - self.n / 10) / 4 + 1);
        let most = if self.fresh > 0 { self.watched + 8 } else { self.n };
        self.watch(self.small.len().saturating_sub(self.fresh).min(most));
        while self.main.len() <= self.n - self.n / 10 && !self.small.is_empty() {
            self.watch(1);
            while self.watched > 0 {
                let (page, touches) = self.small.remove(0);
                self.watched -= 1;
                if touches < self.enough {
                    return self.ghost.push(page);
                }
                self.main.push((page, if self.fresh > 0 { touches } else { 0 }));
            }
        }
        loop {
            let (page, touches) = self.main.remove(0);
            if touches == 0 || self.fresh > 0 && self.credit == 0 {
                return;
            }
            self.credit = self.credit.saturating_sub(1);
            self.main.push((page, touches - 1));
        }
    }
}

impl Cache for S3Fifo {
    fn access(&mut self, page: u32, _: bool) -> bool {
        let mut all = self.small.iter_mut().chain(&mut self.main);
        if let Some(held) = all.find(|held| held.0 == page) {
            held.1 = self.most.min(held.1 + 1);
            return true;
        }
        let remembered = self.ghost.contains(&page);
        self.ghost.retain(|&p| p != page);
        if self.small.len() + self.main.len() == self.n {
            self.evict();
        }
        let extra = self.ghost.len().saturating_sub(self.n * 9 / 10);
        self.ghost.drain(..extra);
        if remembered { &mut self.main } else { &mut self.small }.push((page, 0));
        false
    }
}

pub struct WTinyLfu {
    n: usize,
    window: Vec<u32>,
    probation: Vec<u32>,
    protected: Vec<u32>,
    counts: std::collections::HashMap<u32, u32>,
    touches: usize,
}

impl WTinyLfu {
    pub fn new(n: u32) -> Self {
        let (window, probation, protected) = (vec![], vec![], vec![]);
        WTinyLfu { n: n as usize, window, probation, protected, counts: Default::default(), touches: 0 }
    }

    fn count(&mut self, page: u32) {
        let count = self.counts.entry(page).or_default();
        *count = 15.min(*count + 1);
        self.touches += 1;
        if self.touches.is_multiple_of(10 * self.n) {
            self.counts.values_mut().for_each(|count| *count /= 2);
        }
    }

    fn evict(&mut self, most_window: usize) {
        let count = |page: u32| self.counts.get(&page).copied().unwrap_or(0);
        let main = if self.probation.is_empty() { &mut self.protected } else { &mut self.probation };
        if self.window.len() < most_window {
            main.remove(0);
        } else if !main.is_empty() && count(self.window[0]) > count(main[0]) {
            main.remove(0);
            let winner = self.window.remove(0);
            self.probation.push(winner);
        } else {
            self.window.remove(0);
        }
    }

    fn touch(&mut self, page: u32, most_protected: usize) {
        for queue in [&mut self.window, &mut self.protected] {
            if let Some(at) = queue.iter().position(|&p| p == page) {
                queue.remove(at);
                return queue.push(page);
            }
        }
        self.probation.retain(|&p| p != page);
        self.protected.push(page);
        if self.protected.len() > most_protected {
            let out = self.protected.remove(0);
            self.probation.push(out);
        }
    }
}

impl Cache for WTinyLfu {
    fn access(&mut self, page: u32, _: bool) -> bool {
        let most_window = (self.n / 100).max(1);
        let most_protected = (self.n - most_window) * 8 / 10;
        let all = [&self.window, &self.probation, &self.protected];
        let hit = all.iter().any(|queue| queue.contains(&page));
        if hit {
            self.count(page);
            self.touch(page, most_protected);
            return true;
        }
        if all.iter().map(|queue| queue.len()).sum::<usize>() == self.n {
            self.evict(most_window);
        }
        self.count(page);
        self.window.push(page);
        if self.window.len() > most_window {
            let out = self.window.remove(0);
            self.probation.push(out);
        }
        false
    }
}
