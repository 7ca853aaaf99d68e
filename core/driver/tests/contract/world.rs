//! The machine, a pager over it, and applications that load and store single bytes.

use crate::machine::{Machine, PAGE, words};
use mager_driver::{Control, Driver, Outcome};
use mager_pager::{
    Access, ArenaId, BlockNo, Config, Denied, Event, Fault, FrameNo, Home, ObjectNo, PageView, Pages,
    Refused, Shown, Site, State, Ticket, VirtPage, What,
};
use mager_policies::Clock;

pub const ARENA_PAGES: u32 = 8;
pub const FILE: ObjectNo = ObjectNo(5);

pub struct World {
    driver: Driver<Clock, ()>,
    pub machine: Machine,
    next: u64,
}

/// Page `page` of `arena`.
pub fn at(arena: ArenaId, page: u32) -> Site {
    Site { arena, page: VirtPage(page) }
}

pub fn block(number: u32) -> Home {
    Home::Object(FILE, BlockNo(number))
}

impl World {
    /// A world of `frames` frames, the zero page among them, and a file of 16 blocks whose bytes are `100 + block`.
    pub fn new(frames: u32, swap_blocks: u32) -> Self {
        let page_size = u32::try_from(PAGE).unwrap();
        let config = Config { page_size, arena_pages: ARENA_PAGES, ..Config::course(frames, swap_blocks) };
        let driver = Driver::new(config, Clock::new(frames), ()).unwrap();
        let mut machine = Machine::new(frames);
        (0u8..16).for_each(|n| {
            machine.disk.insert(block(n.into()), [100 + n; PAGE]);
        });
        World { driver, machine, next: 0 }
    }

    pub fn control(&mut self, call: Control) -> Outcome {
        let outcome = self.driver.control(call, &mut self.machine);
        self.check();
        outcome
    }

    pub fn create(&mut self) -> ArenaId {
        let arena = self.driver.create(&mut self.machine).unwrap();
        self.check();
        arena
    }

    pub fn fork(&mut self, parent: ArenaId) -> ArenaId {
        self.try_fork(parent).unwrap()
    }

    pub fn try_fork(&mut self, parent: ArenaId) -> Result<ArenaId, Refused> {
        let child = self.driver.fork(parent, &mut self.machine);
        self.check();
        child
    }

    pub fn map_swap(&mut self, arena: ArenaId) -> Result<VirtPage, Refused> {
        let page = self.driver.map_swap(arena, &mut self.machine);
        self.check();
        page
    }

    pub fn map_file(&mut self, arena: ArenaId, block: u32) -> Result<VirtPage, Refused> {
        let page = self.driver.map_object(arena, FILE, BlockNo(block), &mut self.machine);
        self.check();
        page
    }

    /// An arena with `pages` swap pages.
    pub fn with_swap(&mut self, pages: u32) -> ArenaId {
        let arena = self.create();
        (0..pages).for_each(|page| assert_eq!(self.map_swap(arena), Ok(VirtPage(page))));
        arena
    }

    /// An arena that maps the given blocks of the file.
    pub fn with_file(&mut self, blocks: &[u32]) -> ArenaId {
        let arena = self.create();
        for (&block, page) in blocks.iter().zip(0..) {
            assert_eq!(self.map_file(arena, block), Ok(VirtPage(page)));
        }
        arena
    }

    pub fn unmap(&mut self, site: Site) {
        assert_eq!(self.control(Control::Unmap(site.arena, Pages::one(site.page))), Outcome::Done);
    }

    pub fn destroy(&mut self, arena: ArenaId) {
        assert_eq!(self.control(Control::Destroy(arena)), Outcome::Done);
        assert!(self.machine.mapped.keys().all(|site| site.arena != arena), "a dead arena is still mapped");
    }

    pub fn flush(&mut self) {
        self.next += 1;
        self.control(Control::Flush(What::All, Ticket(self.next)));
    }

    /// Loads the first byte of a page, faulting as often as it takes.
    pub fn load(&mut self, site: Site) -> Result<u8, Denied> {
        let frame = self.reach(site, Access::Read)?;
        Ok(self.machine.frames[frame.index()][0])
    }

    /// Fills a page, as a program that stores to all of it; one fault at most, rule 22 says.
    pub fn store(&mut self, site: Site, byte: u8) -> Result<(), Denied> {
        let frame = self.reach(site, Access::Write)?;
        self.machine.frames[frame.index()] = [byte; PAGE];
        Ok(())
    }

    fn reach(&mut self, site: Site, access: Access) -> Result<FrameNo, Denied> {
        if let Some(frame) = self.allows(site, access) {
            return Ok(frame);
        }
        self.fault(site, access)?;
        Ok(self.allows(site, access).expect("one fault is enough on a machine without competition"))
    }

    fn allows(&self, site: Site, access: Access) -> Option<FrameNo> {
        self.machine.mapped.get(&site).filter(|(_, now)| *now >= access).map(|(frame, _)| *frame)
    }

    /// A fault, whether or not the page table would let the access happen.
    pub fn fault(&mut self, at: Site, access: Access) -> Result<(), Denied> {
        self.next += 1;
        let who = Ticket(self.next);
        let mut next = Some(Event::Fault(Fault { at, access, who }));
        while let Some(event) = next {
            self.driver.step(event, &mut self.machine);
            self.check();
            next = mager_driver::Paging::finished(&mut self.machine);
        }
        self.machine.resumed.remove(&who).expect("a fault is answered before the machine goes on")
    }

    /// Everything done while `act` ran, in words.
    pub fn did<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> Vec<String> {
        let before = self.machine.log.len();
        act(self);
        self.machine.log[before..].iter().map(words).collect()
    }

    /// What was read and written while `act` ran.
    pub fn io<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> Vec<String> {
        let mut did = self.did(act);
        did.retain(|words| words.starts_with("read") || words.starts_with("write"));
        did
    }

    pub fn rights(&self, site: Site) -> &'static str {
        match self.machine.mapped.get(&site) {
            Some((_, Access::Write)) => "rw",
            Some((_, Access::Read)) => "r",
            Some((_, Access::Trap)) | None => "-",
        }
    }

    pub fn view(&self) -> mager_pager::View<'_, Clock> {
        self.driver.view()
    }

    /// The page at `site`, which is one.
    pub fn page(&self, site: Site) -> PageView {
        let Some(Shown::Page(number)) = self.view().pte(site).map(|pte| pte.shown) else {
            panic!("{site} shows no page");
        };
        self.view().page(number).unwrap()
    }

    pub fn frame_of(&self, site: Site) -> Option<FrameNo> {
        match self.page(site).state {
            State::Resident { frame, .. } => Some(frame),
            State::Absent => None,
            busy => panic!("{site} is {busy:?} on a synchronous machine"),
        }
    }

    /// The clock from the hand on, by frame number.
    pub fn clock(&self) -> Vec<u32> {
        self.view().order().iter().map(|frame| frame.0).collect()
    }

    pub fn referenced(&self, site: Site) -> bool {
        let frame = self.frame_of(site).unwrap();
        self.view().frames()[frame.index()].referenced
    }

    pub fn dirty(&self, site: Site) -> bool {
        matches!(self.page(site).state, State::Resident { dirty: true, .. })
    }

    pub fn free_swap(&self) -> u32 {
        self.view().config().swap_blocks - self.view().counts().swap_reserved
    }

    /// Lets the hand pass over everything once, so that nothing is referenced: by filling untouched pages.
    pub fn sweep(&mut self) {
        let frames = self.view().config().frames;
        let arena = self.with_swap(1);
        assert!(self.view().counts().free_frames == 0, "a sweep needs full memory ({frames} frames)");
        self.store(at(arena, 0), 1).unwrap();
        self.destroy(arena);
    }

    /// Objects whose last page went since this was asked before.
    pub fn forgotten(&mut self) -> Vec<ObjectNo> {
        self.driver.pager().forgotten()
    }

    /// Everything there is to see, but for what has happened so far.
    pub fn snapshot(&self) -> String {
        let view = self.view();
        let arenas: Vec<_> = view.arenas().iter().map(|&id| (id, view.regions(id), view.ptes(id))).collect();
        let pages: Vec<_> = view.pages().iter().map(|&page| view.page(page)).collect();
        let frames = (view.frames(), view.free_frames(), view.order());
        format!("{arenas:?} {pages:?} {frames:?} {:?}", view.counts())
    }

    /// The core's own invariants, and rule 19 from the outside: what the machine lets happen is a function of the
    /// page's state, the same for every sharer.
    fn check(&mut self) {
        self.driver.pager().check();
        for arena in self.view().arenas() {
            for (page, pte) in self.view().ptes(arena) {
                let site = Site { arena, page };
                let expected = match pte.shown {
                    Shown::Page(number) => self.rule_19(&self.view().page(number).unwrap()),
                    Shown::Untouched => "r",
                    Shown::Unread => "-",
                };
                assert_eq!(self.rights(site), expected, "rule 19 at {site}");
            }
        }
    }

    fn rule_19(&self, page: &PageView) -> &'static str {
        let (frame, dirty) = match page.state {
            State::Resident { frame, dirty } => (frame, dirty),
            State::WritingBack { frame, .. } => (frame, false),
            _ => return "-",
        };
        let file = matches!(page.home, Some(Home::Object(..)));
        match (self.view().frames()[frame.index()].referenced, dirty && (file || page.sharers.len() == 1)) {
            (false, _) => "-",
            (true, false) => "r",
            (true, true) => "rw",
        }
    }
}
