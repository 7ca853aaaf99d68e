//! Naive caches that live on reference bits; index 0 is where the hand stands.

use super::table::Cache;

#[derive(Clone, Copy)]
pub struct Page {
    page: u32,
    touched: bool,
    dirty: bool,
    /// A counter, a history, a stamp or a generation.
    value: u64,
    /// When it got its value: breaks ties.
    since: u64,
}

fn page(page: u32, dirty: bool, value: u64) -> Page {
    Page { page, touched: false, dirty, value, since: 0 }
}

/// Marks a hit.
fn touch(q: &mut [Page], page: u32, write: bool) -> bool {
    let found = q.iter_mut().find(|p| p.page == page);
    found.is_some_and(|p| {
        p.touched = true;
        p.dirty |= write;
        true
    })
}

/// Clock, and with `max` above zero GCLOCK.
pub struct Clock {
    pub n: u32,
    pub max: u64,
    pub q: Vec<Page>,
}

impl Cache for Clock {
    fn access(&mut self, at: u32, write: bool) -> bool {
        if touch(&mut self.q, at, write) {
            return true;
        }
        while self.q.len() == self.n as usize {
            let mut head = self.q.remove(0);
            let spared = head.touched || head.value > 0;
            head.value =
                if head.touched { self.max.min(head.value + 1) } else { head.value.saturating_sub(1) };
            head.touched = false;
            if spared {
                self.q.push(head);
            }
        }
        self.q.push(page(at, write, 0));
        false
    }
}

pub struct Sieve {
    pub n: u32,
    pub q: Vec<Page>,
    pub hand: usize,
}

impl Cache for Sieve {
    fn access(&mut self, at: u32, write: bool) -> bool {
        if touch(&mut self.q, at, write) {
            return true;
        }
        if self.q.len() == self.n as usize {
            let n = self.q.len();
            while self.q[self.hand % n].touched {
                self.q[self.hand % n].touched = false;
                self.hand = self.hand % n + 1;
            }
            self.hand %= n;
            self.q.remove(self.hand);
            if self.hand == n - 1 {
                self.hand = 0;
            }
        }
        self.q.push(page(at, write, 0));
        false
    }
}

/// One list; each page has a class as of the last look, and when it came into it.
pub struct Nru {
    pub n: u32,
    pub q: Vec<Page>,
    pub since: u32,
}

fn class(p: &Page) -> u64 {
    u64::from(p.touched) * 2 + u64::from(p.dirty)
}

impl Nru {
    /// Pages in the order of victims: by class, then by when they came into it.
    fn sort(&mut self) {
        self.q.sort_by_key(|p| p.value);
    }

    fn reclass(&mut self, i: usize) {
        let mut p = self.q.remove(i);
        p.value = class(&p);
        self.q.push(p);
        self.sort();
    }
}

impl Cache for Nru {
    fn access(&mut self, at: u32, write: bool) -> bool {
        if touch(&mut self.q, at, write) {
            return true;
        }
        if self.q.len() == self.n as usize {
            if self.since >= (self.n / 4).max(1) {
                self.since = 0;
                for p in &mut self.q {
                    p.value = class(p);
                    p.touched = false;
                }
                self.sort();
            }
            while class(&self.q[0]) > self.q[0].value {
                self.reclass(0);
            }
            self.q.remove(0);
        }
        self.since += 1;
        self.q.push(page(at, write, 3));
        self.sort();
        false
    }
}

pub struct Aging {
    pub n: u32,
    pub q: Vec<Page>,
    pub since: u32,
    pub time: u64,
}

impl Cache for Aging {
    fn access(&mut self, at: u32, write: bool) -> bool {
        if touch(&mut self.q, at, write) {
            return true;
        }
        if self.q.len() == self.n as usize {
            if self.since >= (self.n / 4).max(1) {
                self.since = 0;
                for p in &mut self.q {
                    p.value = p.value / 2 + if p.touched { 64 } else { 0 };
                    p.touched = false;
                }
            }
            self.q.sort_by_key(|p| p.value);
            self.q.remove(0);
        }
        self.since += 1;
        self.time += 1;
        self.q.push(page(at, write, 64));
        self.q.sort_by_key(|p| p.value);
        false
    }
}

/// The value is the stamp; tau in 1/n of an admission.
pub struct WsClock {
    n: u64,
    q: Vec<Page>,
    now: u64,
    tau: u64,
}

impl WsClock {
    pub fn new(n: u32) -> Self {
        let n = u64::from(n);
        WsClock { n, q: vec![], now: 0, tau: n * n }
    }

    fn victim(&mut self) -> u32 {
        let (mut oldest, mut old_dirty): (Option<Page>, Vec<u32>) = (None, vec![]);
        for step in 1..=2 * self.n {
            let mut p = self.q.remove(0);
            if p.touched {
                (p.touched, p.value) = (false, self.now);
                self.q.push(p);
            } else {
                self.q.push(p);
                oldest = Some(oldest.filter(|o| o.value <= p.value).unwrap_or(p));
                if (self.now - p.value) * self.n >= self.tau {
                    if p.dirty {
                        old_dirty.push(p.page);
                    }
                    if !p.dirty || old_dirty.len() == 17 {
                        self.tau = (self.n * self.n).min(self.tau + self.tau / self.n + 1);
                        return if p.dirty { old_dirty[0] } else { p.page };
                    }
                }
            }
            if step >= self.n && oldest.is_some() && step.is_multiple_of(self.n) {
                break;
            }
        }
        self.tau /= 2;
        old_dirty.first().copied().unwrap_or_else(|| oldest.unwrap().page)
    }
}

impl Cache for WsClock {
    fn access(&mut self, at: u32, write: bool) -> bool {
        if touch(&mut self.q, at, write) {
            return true;
        }
        if self.q.len() as u64 == self.n {
            let victim = self.victim();
            self.q.retain(|p| p.page != victim);
        }
        self.now += 1;
        self.q.push(page(at, write, self.now));
        false
    }
}

/// The value is the generation; `since` orders pages within one.
pub struct Mglru {
    n: usize,
    q: Vec<Page>,
    youngest: u64,
    oldest: u64,
    admitted: usize,
    time: u64,
}

impl Mglru {
    pub fn new(n: u32) -> Self {
        Mglru { n: n as usize, q: vec![], youngest: 1, oldest: 0, admitted: 0, time: 0 }
    }

    fn age(&mut self) {
        self.admitted = 0;
        self.youngest = self.youngest.max((self.youngest + 1).min(self.oldest + 3));
        for p in &mut self.q {
            self.time += 1;
            if p.touched {
                (p.touched, p.value) = (false, self.youngest);
            }
            p.since = self.time;
        }
        self.sort();
    }

    fn sort(&mut self) {
        self.q.sort_by_key(|p| (p.value, p.since));
    }

    fn evict(&mut self) {
        loop {
            let lowest = self.q[0].value;
            while self.oldest < lowest && self.oldest + 1 < self.youngest {
                self.oldest += 1;
            }
            if self.oldest < lowest {
                self.oldest += 1;
                self.youngest += 1;
                continue;
            }
            if !self.q[0].touched {
                self.q.remove(0);
                return;
            }
            self.time += 1;
            let (youngest, time) = (self.youngest, self.time);
            let head = &mut self.q[0];
            (head.touched, head.value, head.since) = (false, youngest, time);
            self.sort();
        }
    }
}

impl Cache for Mglru {
    fn access(&mut self, at: u32, write: bool) -> bool {
        if touch(&mut self.q, at, write) {
            return true;
        }
        if self.q.len() == self.n {
            if self.admitted >= (self.n / 4).max(1) {
                self.age();
            }
            self.evict();
        }
        self.time += 1;
        self.admitted += 1;
        self.q.push(Page { since: self.time, ..page(at, write, self.youngest) });
        self.sort();
        false
    }
}
