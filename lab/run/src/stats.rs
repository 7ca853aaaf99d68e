//! What a trace is like: its footprint, how far apart reuses lie, how the working set moves.

use crate::{Access, Distances, StackDistances};

/// One stretch of the trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Window {
    /// Different pages touched in it.
    pub pages: u32,
    /// Of these, pages never touched before.
    pub fresh: u32,
}

/// Statistics of a trace.
#[derive(Clone, Debug)]
pub struct Stats {
    /// Accesses that write.
    pub writes: u64,
    /// Different pages.
    pub pages: u32,
    /// Different pages ever written.
    pub written: u32,
    /// How often each LRU stack distance occurred.
    pub distances: Distances,
    /// Accesses in each window.
    pub window: u64,
    /// The working set over time.
    pub windows: Vec<Window>,
}

/// About how many windows a trace is cut into.
const WINDOWS: usize = 256;
const NEVER: u64 = u64::MAX;

/// The pass under way.
#[derive(Clone, Debug)]
pub struct Observer {
    stack: StackDistances,
    last: Vec<u64>,
    written: Vec<bool>,
    accesses: u64,
    writes: u64,
    window: u64,
    windows: Vec<Window>,
}

impl Observer {
    /// Before the first access; `expected` accesses, if known, decide how long a window is.
    #[must_use]
    pub fn new(expected: u64) -> Self {
        Observer {
            stack: StackDistances::new(),
            last: Vec::new(),
            written: Vec::new(),
            accesses: 0,
            writes: 0,
            window: (expected / WINDOWS as u64).max(1),
            windows: Vec::new(),
        }
    }

    /// Takes the accesses.
    pub fn run(&mut self, accesses: &[Access]) {
        self.stack.run(accesses);
        for &access in accesses {
            self.one(access);
            self.accesses += 1;
        }
    }

    fn one(&mut self, access: Access) {
        let page = access.page() as usize;
        if page >= self.last.len() {
            self.last.resize((page + 1).next_power_of_two(), NEVER);
            self.written.resize(self.last.len(), false);
        }
        let now = self.accesses / self.window;
        if self.accesses.is_multiple_of(self.window) {
            self.windows.push(Window::default());
        }
        let before = std::mem::replace(&mut self.last[page], now);
        if before != now {
            let window = self.windows.last_mut().expect("pushed with the first access of a window");
            window.pages += 1;
            window.fresh += u32::from(before == NEVER);
        }
        self.writes += u64::from(access.write());
        self.written[page] |= access.write();
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Stats {
        let count = |is: &dyn Fn(usize) -> bool| {
            u32::try_from((0..self.last.len()).filter(|&page| is(page)).count()).expect("pages are u32")
        };
        Stats {
            writes: self.writes,
            pages: count(&|page| self.last[page] != NEVER),
            written: count(&|page| self.written[page]),
            distances: self.stack.finish(),
            window: self.window,
            windows: self.windows,
        }
    }
}
