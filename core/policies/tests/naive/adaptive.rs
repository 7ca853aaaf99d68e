//! Naive caches that remember what they evicted; index 0 is the end that leaves first.

use super::table::Cache;

fn take<T>(q: &mut Vec<T>, is: impl FnMut(&T) -> bool) -> Option<T> {
    q.iter().position(is).map(|at| q.remove(at))
}

#[derive(Default)]
pub struct Arc {
    pub n: u32,
    pub p: f64,
    pub t1: Vec<u32>,
    pub t2: Vec<u32>,
    pub b1: Vec<u32>,
    pub b2: Vec<u32>,
}

impl Arc {
    fn replace(&mut self, in_b2: bool) {
        let t1 = self.t1.len() as f64;
        if !self.t1.is_empty() && (t1 > self.p || (in_b2 && t1 == self.p)) {
            self.b1.push(self.t1.remove(0));
        } else {
            self.b2.push(self.t2.remove(0));
        }
    }
}

/// The four cases of the paper's figure 4, in its words.
impl Cache for Arc {
    fn access(&mut self, x: u32, _: bool) -> bool {
        let c = self.n as usize;
        let full = self.t1.len() + self.t2.len() == c;
        if take(&mut self.t1, |&p| p == x).is_some() || take(&mut self.t2, |&p| p == x).is_some() {
            self.t2.push(x);
            return true;
        }
        let (b1, b2) = (self.b1.len() as f64, self.b2.len() as f64);
        if self.b1.contains(&x) {
            self.p = (self.p + (b2 / b1).max(1.0)).min(c as f64);
            self.replace(false);
            self.b1.retain(|&p| p != x);
            self.t2.push(x);
            return false;
        }
        if self.b2.contains(&x) {
            self.p = (self.p - (b1 / b2).max(1.0)).max(0.0);
            self.replace(true);
            self.b2.retain(|&p| p != x);
            self.t2.push(x);
            return false;
        }
        let l1 = self.t1.len() + self.b1.len();
        let all = l1 + self.t2.len() + self.b2.len();
        if l1 == c {
            if self.t1.len() < c {
                self.b1.remove(0);
                self.replace(false);
            } else {
                self.t1.remove(0);
            }
        } else if all >= c {
            if all == 2 * c {
                self.b2.remove(0);
            }
            if full {
                self.replace(false);
            }
        }
        self.t1.push(x);
        false
    }
}

/// Clocks hold a page and its reference bit.
#[derive(Default)]
pub struct Car {
    pub n: u32,
    pub p: f64,
    pub t1: Vec<(u32, bool)>,
    pub t2: Vec<(u32, bool)>,
    pub b1: Vec<u32>,
    pub b2: Vec<u32>,
}

impl Car {
    fn replace(&mut self) {
        loop {
            let recent = self.t1.len() as f64 >= self.p.max(1.0);
            let (page, touched) = if recent { self.t1.remove(0) } else { self.t2.remove(0) };
            match (touched, recent) {
                (true, _) => self.t2.push((page, false)),
                (false, true) => return self.b1.push(page),
                (false, false) => return self.b2.push(page),
            }
        }
    }
}

impl Cache for Car {
    fn access(&mut self, x: u32, _: bool) -> bool {
        let c = self.n as usize;
        if let Some(held) = self.t1.iter_mut().chain(&mut self.t2).find(|held| held.0 == x) {
            held.1 = true;
            return true;
        }
        let fresh = !self.b1.contains(&x) && !self.b2.contains(&x);
        if self.t1.len() + self.t2.len() == c {
            self.replace();
            let l1 = self.t1.len() + self.b1.len();
            if fresh && l1 == c {
                self.b1.remove(0);
            } else if fresh && l1 + self.t2.len() + self.b2.len() == 2 * c {
                self.b2.remove(0);
            }
        }
        let (b1, b2) = (self.b1.len() as f64, self.b2.len() as f64);
        if fresh {
            self.t1.push((x, false));
        } else if take(&mut self.b1, |&p| p == x).is_some() {
            self.p = (self.p + (b2 / b1).max(1.0)).min(c as f64);
            self.t2.push((x, false));
        } else {
            self.p = (self.p - (b1 / b2).max(1.0)).max(0.0);
            self.b2.retain(|&p| p != x);
            self.t2.push((x, false));
        }
        false
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Lir,
    Hir,
    Gone,
}

/// Stack (last is the top) with states, the queue of resident HIR pages, and who left in which order.
pub struct Lirs {
    most_lirs: usize,
    n: usize,
    stack: Vec<(u32, State)>,
    hirs: Vec<u32>,
    left: Vec<u32>,
}

impl Lirs {
    pub fn new(n: u32) -> Self {
        let n = n as usize;
        Lirs { most_lirs: n - (n / 100).max(1), n, stack: vec![], hirs: vec![], left: vec![] }
    }

    fn lirs(&self) -> usize {
        self.stack.iter().filter(|held| held.1 == State::Lir).count()
    }

    fn prune(&mut self) {
        while self.stack.first().is_some_and(|held| held.1 != State::Lir) {
            let (page, _) = self.stack.remove(0);
            self.left.retain(|&p| p != page);
        }
    }

    fn push_lir(&mut self, x: u32) {
        self.stack.push((x, State::Lir));
        if self.lirs() > self.most_lirs {
            let (bottom, _) = self.stack.remove(0);
            self.hirs.push(bottom);
        }
        self.prune();
    }

    fn push_hir(&mut self, x: u32) {
        self.stack.push((x, State::Hir));
        self.hirs.push(x);
        self.prune();
        while self.stack.len() > 2 * self.n && !self.left.is_empty() {
            let oldest = self.left.remove(0);
            self.stack.retain(|held| held.0 != oldest);
        }
    }

    fn evict(&mut self) {
        let out = self.hirs.remove(0);
        if let Some(held) = self.stack.iter_mut().find(|held| held.0 == out) {
            held.1 = State::Gone;
            self.left.push(out);
        }
    }
}

impl Cache for Lirs {
    fn access(&mut self, x: u32, _: bool) -> bool {
        let full = self.lirs() + self.hirs.len() == self.n;
        let queued = take(&mut self.hirs, |&p| p == x).is_some();
        let stacked = take(&mut self.stack, |held| held.0 == x).map(|held| held.1);
        match stacked {
            Some(State::Lir) => {
                self.stack.push((x, State::Lir));
                self.prune();
            }
            Some(State::Hir) => self.push_lir(x),
            Some(State::Gone) => {
                self.left.retain(|&p| p != x);
                if full {
                    self.evict();
                }
                self.push_lir(x);
            }
            None if queued => self.push_hir(x),
            None => {
                if full {
                    self.evict();
                }
                if self.lirs() < self.most_lirs { self.push_lir(x) } else { self.push_hir(x) }
            }
        }
        queued || matches!(stacked, Some(State::Lir))
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Heat {
    Hot,
    Test,
    Ghost,
}

/// The circle from the hot hand on, the resident cold pages, reference bits, and who left in which order.
#[derive(Default)]
pub struct ClockPro {
    n: u32,
    target: usize,
    filling: bool,
    circle: Vec<(u32, Heat)>,
    cold: Vec<u32>,
    touched: Vec<u32>,
    left: Vec<u32>,
}

impl ClockPro {
    pub fn new(n: u32) -> Self {
        ClockPro { n, target: 1, filling: true, ..Default::default() }
    }

    fn hots(&self) -> usize {
        self.circle.iter().filter(|held| held.1 == Heat::Hot).count()
    }

    fn take_touch(&mut self, page: u32) -> bool {
        take(&mut self.touched, |&p| p == page).is_some()
    }

    fn test_failed(&mut self) {
        self.target = (self.target - 1).max(1);
    }

    fn hot_hand(&mut self) {
        if self.circle.is_empty() {
            return;
        }
        let (page, heat) = self.circle.remove(0);
        match heat {
            Heat::Hot if self.take_touch(page) => self.circle.push((page, heat)),
            Heat::Hot => self.cold.push(page),
            Heat::Test | Heat::Ghost => {
                self.left.retain(|&p| p != page);
                self.test_failed();
            }
        }
    }

    fn balance(&mut self) {
        while self.hots() > (self.n as usize).saturating_sub(self.target) {
            self.hot_hand();
        }
    }

    fn evict(&mut self) {
        self.filling = false;
        self.balance();
        loop {
            if self.cold.is_empty() {
                self.hot_hand();
                continue;
            }
            let page = self.cold.remove(0);
            let test = self.circle.iter().position(|held| held.0 == page);
            match (self.take_touch(page), test) {
                (true, Some(at)) => {
                    self.target = (self.target + 1).min(self.n as usize);
                    self.circle.remove(at);
                    self.circle.push((page, Heat::Hot));
                    self.balance();
                }
                (true, None) => {
                    self.circle.push((page, Heat::Test));
                    self.cold.push(page);
                }
                (false, Some(at)) => {
                    self.circle[at].1 = Heat::Ghost;
                    return self.left.push(page);
                }
                (false, None) => return,
            }
        }
    }
}

impl Cache for ClockPro {
    fn access(&mut self, x: u32, _: bool) -> bool {
        let held = self.circle.iter().any(|held| held.0 == x && held.1 != Heat::Ghost);
        if held || self.cold.contains(&x) {
            self.touched.retain(|&p| p != x);
            self.touched.push(x);
            return true;
        }
        if self.hots() + self.cold.len() == self.n as usize {
            self.evict();
        }
        let ghost = take(&mut self.circle, |held| held.0 == x).is_some();
        if ghost {
            self.left.retain(|&p| p != x);
            self.target = (self.target + 1).min(self.n as usize);
        }
        while self.left.len() > self.n as usize {
            let oldest = self.left.remove(0);
            self.circle.retain(|held| held.0 != oldest);
            self.test_failed();
        }
        let room = self.hots() < (self.n as usize).saturating_sub(self.target);
        if ghost || (self.filling && room) {
            self.circle.push((x, Heat::Hot));
        } else {
            self.circle.push((x, Heat::Test));
            self.cold.push(x);
        }
        false
    }
}
