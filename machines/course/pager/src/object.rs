//! The six calls.

use crate::machine::{Machine, State};
use mager_course_abi::{
    ARENA_BASE, ARENA_PAGES, Flushed, PAGE_SIZE, PageTable, PagerObject, Services, arena_page,
};
use mager_driver::{Control, Driver, Recorder};
use mager_pager::{
    Access, ArenaId, BlockNo, Config, Denied, Event, Fault, ObjectNo, Pte, Site, Ticket, View, VirtPage, What,
};
use mager_policies::{Any, Observes, Policy};
use std::collections::BTreeMap;
use std::fmt;

/// A policy that cannot run here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BadPolicy {
    /// No policy has this name.
    Unknown(String),
    /// It must see every access, or the future; real processes show only their faults.
    NeedsMore(String),
}

impl fmt::Display for BadPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadPolicy::Unknown(name) => write!(f, "\"{name}\": {}", mager_policies::UnknownPolicy),
            BadPolicy::NeedsMore(name) => {
                write!(
                    f,
                    "policy \"{name}\" must see every access, which real processes do not show: it runs in simulation only"
                )
            }
        }
    }
}

impl std::error::Error for BadPolicy {}

type Process = (i32, ArenaId);

/// Mager's core behind the university's API, with something that sees the run.
#[derive(Debug)]
pub struct CoursePager<R> {
    policy: String,
    recorder: Option<R>,
    driver: Option<Driver<Any, R>>,
    state: State,
    processes: BTreeMap<i32, ArenaId>,
    current: Option<Process>,
    reason: Option<String>,
    describe: Option<Describe>,
}

/// Turns the core's state into text, knowing what objects are called.
pub type Describe = fn(&View<'_, Any>, &str, &dyn Fn(ObjectNo) -> Option<String>) -> String;

impl<R: Recorder> CoursePager<R> {
    /// A pager that will replace pages by the policy of this name. [`PagerObject::init`] brings it to life.
    pub fn new(policy: &str, recorder: R) -> Result<Self, BadPolicy> {
        let probe = Any::new(policy, 1).map_err(|_| BadPolicy::Unknown(policy.to_owned()))?;
        if probe.needs() > Observes::ReferenceBits {
            return Err(BadPolicy::NeedsMore(policy.to_owned()));
        }
        Ok(CoursePager {
            policy: policy.to_owned(),
            recorder: Some(recorder),
            driver: None,
            state: State::default(),
            processes: BTreeMap::new(),
            current: None,
            reason: None,
            describe: None,
        })
    }

    /// Has the state described by `describe` when the host asks for it.
    #[must_use]
    pub fn described_by(mut self, describe: Describe) -> Self {
        self.describe = Some(describe);
        self
    }

    /// The core's state, once there is one.
    pub fn view(&self) -> Option<View<'_, Any>> {
        self.driver.as_ref().map(Driver::view)
    }

    /// What sees the run, once there is one.
    pub fn recorder(&mut self) -> Option<&mut R> {
        self.driver.as_mut().map(|driver| &mut driver.recorder)
    }

    fn parts<'a>(&'a mut self, services: &'a mut dyn Services) -> (&'a mut Driver<Any, R>, Machine<'a>) {
        let driver = self.driver.as_mut().expect("host: vm_init comes before every other call");
        (driver, Machine { state: &mut self.state, services })
    }

    /// Drops the names of files of which no page is left, now that a call is over.
    fn forget_names(&mut self) {
        let Some(driver) = &mut self.driver else { return };
        for object in driver.pager().forgotten() {
            self.state.names.forget(object);
        }
    }

    fn current_arena(&self) -> ArenaId {
        self.current.expect("host: vm_switch comes before a call of the current process").1
    }

    fn site(&self, page: usize) -> Site {
        let page = VirtPage(u32::try_from(page).expect("an arena has 256 pages"));
        Site { arena: self.current_arena(), page }
    }

    fn pte(&self, at: Site) -> Option<Pte> {
        self.view()?.pte(at)
    }

    fn access(&mut self, services: &mut dyn Services, at: Site, access: Access) -> Result<(), Denied> {
        let who = Ticket(self.current.map_or(0, |(pid, _)| u64::from(pid.unsigned_abs())));
        self.state.failed = None;
        let (driver, mut machine) = self.parts(services);
        driver.deliver(Event::Fault(Fault { at, access, who }), &mut machine);
        let outcome =
            self.state.outcome.take().expect("course machine: every fault is handled to completion");
        self.reason = outcome.err().map(|why| self.explain(why));
        outcome
    }

    fn explain(&self, why: Denied) -> String {
        match (why, &self.state.failed) {
            (Denied::Io, Some(failed)) => failed.clone(),
            (Denied::BadAddress, _) => String::from("nothing is mapped there"),
            (Denied::Io | Denied::NoMemory, _) => why.to_string(),
        }
    }

    /// The string at `address` of the current arena, read as the process itself would read it: a page without
    /// rights is faulted in. `None` if it cannot be read to its end.
    fn read_name(&mut self, services: &mut dyn Services, mut address: usize) -> Option<Vec<u8>> {
        let mut name = Vec::new();
        loop {
            let Some(page) = arena_page(address) else {
                self.reason = Some(format!("the file name runs off the arena at {address:#x}"));
                return None;
            };
            let at = self.site(page);
            let frame = self.readable(services, at, address)?;
            for address in address..ARENA_BASE + (page + 1) * PAGE_SIZE {
                let offset = u32::try_from(address % PAGE_SIZE).expect("an offset in a page");
                match services.byte(frame, offset) {
                    0 => return Some(name),
                    byte => name.push(byte),
                }
            }
            address = ARENA_BASE + (page + 1) * PAGE_SIZE;
        }
    }

    /// The frame that shows `at` for reading, after a read fault if need be.
    fn readable(&mut self, services: &mut dyn Services, at: Site, address: usize) -> Option<u32> {
        for _ in 0..2 {
            match self.pte(at) {
                None => {
                    self.reason = Some(format!("the file name runs into an unmapped page at {address:#x}"));
                    return None;
                }
                Some(Pte { access: Some(Access::Read | Access::Write), frame: Some(frame), .. }) => {
                    return Some(frame.0);
                }
                Some(_) => self.access(services, at, Access::Read).ok()?,
            }
        }
        unreachable!("course machine: a page is readable after its read fault succeeded")
    }

    fn map_file(&mut self, services: &mut dyn Services, name: &[u8], block: u32) -> Option<VirtPage> {
        let arena = self.current_arena();
        let (object, new) = self.state.names.intern(name);
        let (driver, mut machine) = self.parts(services);
        if new {
            driver.recorder.note(format_args!("object {object} = \"{}\"", name.escape_ascii()));
        }
        match driver.map_object(arena, object, BlockNo(block), &mut machine) {
            Ok(page) => Some(page),
            Err(why) => {
                self.refused_file(object, new);
                self.reason = Some(why.to_string());
                None
            }
        }
    }

    fn refused_file(&mut self, object: ObjectNo, new: bool) {
        if new {
            self.state.names.forget(object);
        }
    }

    fn map_page(&mut self, services: &mut dyn Services, filename: usize, block: u32) -> Option<VirtPage> {
        let arena = self.current_arena();
        if self.view()?.is_full(arena) {
            self.reason = Some(format!("the arena is full: all {ARENA_PAGES} pages are mapped"));
            return None;
        }
        if filename != 0 {
            let name = self.read_name(services, filename)?;
            return self.map_file(services, &name, block);
        }
        let (driver, mut machine) = self.parts(services);
        driver.map_swap(arena, &mut machine).map_err(|why| self.reason = Some(why.to_string())).ok()
    }
}

impl<R: Recorder> PagerObject for CoursePager<R> {
    fn init(&mut self, services: &mut dyn Services, memory_pages: u32, swap_blocks: u32) {
        let config = Config::course(memory_pages, swap_blocks);
        let policy = Any::new(&self.policy, memory_pages).expect("policy: its name was checked before");
        let recorder = self.recorder.take().expect("host: vm_init is called once");
        services.zero(0);
        let driver = Driver::new(config, policy, recorder);
        self.driver =
            Some(driver.unwrap_or_else(|why| panic!("vm_init({memory_pages}, {swap_blocks}): {why}")));
    }

    fn create(&mut self, services: &mut dyn Services, parent: i32, child: i32) -> i32 {
        self.reason = None;
        let from = self.processes.get(&parent).copied();
        let (driver, mut machine) = self.parts(services);
        let made = match from {
            Some(arena) => driver.fork(arena, &mut machine),
            None => driver.create(&mut machine),
        };
        match made {
            Ok(arena) => {
                driver.recorder.note(format_args!("arena {arena} = process {child}"));
                self.state.table(arena);
                self.processes.insert(child, arena);
                0
            }
            Err(why) => {
                self.reason = Some(why.to_string());
                -1
            }
        }
    }

    fn switch(&mut self, _services: &mut dyn Services, pid: i32) {
        self.current = self.processes.get(&pid).map(|&arena| (pid, arena));
    }

    fn fault(&mut self, services: &mut dyn Services, address: usize, write: bool) -> i32 {
        self.reason = None;
        let Some(page) = arena_page(address) else {
            self.reason = Some(String::from("it is outside the arena"));
            return -1;
        };
        let access = if write { Access::Write } else { Access::Read };
        let outcome = self.access(services, self.site(page), access);
        self.forget_names();
        if outcome.is_ok() { 0 } else { -1 }
    }

    fn destroy(&mut self, services: &mut dyn Services) {
        let Some((pid, arena)) = self.current.take() else { return };
        self.processes.remove(&pid);
        let (driver, mut machine) = self.parts(services);
        driver
            .destroy(arena, &mut machine)
            .expect("course machine: a process's arena lives as long as it does");
        self.forget_names();
    }

    fn map(&mut self, services: &mut dyn Services, filename: usize, block: u32) -> usize {
        self.reason = None;
        let page = self.map_page(services, filename, block);
        self.forget_names();
        page.map_or(0, |page| ARENA_BASE + page.index() * PAGE_SIZE)
    }

    fn page_table(&self) -> Option<&PageTable> {
        self.state.tables.get(self.current?.1.slot as usize).map(|table| &**table)
    }

    fn reason(&self) -> Option<String> {
        self.reason.clone()
    }

    fn flush(&mut self, services: &mut dyn Services) -> Flushed {
        let before = self.view().map_or(0, |view| view.counters().write_backs);
        let mut counting = Counting { services, failures: Vec::new() };
        let (driver, mut machine) = self.parts(&mut counting);
        driver.control(Control::Flush(What::All, Ticket(0)), &mut machine);
        self.state.outcome = None;
        self.forget_names();
        let tried = self.view().map_or(0, |view| view.counters().write_backs) - before;
        Flushed { written: tried - counting.failures.len() as u64, failures: counting.failures }
    }

    fn describe(&self) -> Option<String> {
        let name = |object| Some(self.state.names.name(object).escape_ascii().to_string());
        Some(self.describe?(&self.view()?, &self.policy, &name))
    }

    fn summary(&self) -> Option<String> {
        let counters = self.view()?.counters();
        Some(format!(
            "{} faults, {} zero-fills, {} page-ins, {} write-backs, {} copies, {} evictions, {} second chances",
            counters.faults,
            counters.zero_fills,
            counters.page_ins,
            counters.write_backs,
            counters.copies + counters.steals,
            counters.evictions,
            counters.second_chances
        ))
    }
}

/// The host's services, with every failed write kept in words.
struct Counting<'a> {
    services: &'a mut dyn Services,
    failures: Vec<String>,
}

impl Services for Counting<'_> {
    fn zero(&mut self, frame: u32) {
        self.services.zero(frame);
    }
    fn copy(&mut self, from: u32, to: u32) {
        self.services.copy(from, to);
    }
    fn byte(&self, frame: u32, offset: u32) -> u8 {
        self.services.byte(frame, offset)
    }
    fn file_read(
        &mut self,
        name: Option<&[u8]>,
        block: u32,
        frame: u32,
    ) -> Result<(), mager_course_abi::IoFailed> {
        self.services.file_read(name, block, frame)
    }
    fn file_write(
        &mut self,
        name: Option<&[u8]>,
        block: u32,
        frame: u32,
    ) -> Result<(), mager_course_abi::IoFailed> {
        let done = self.services.file_write(name, block, frame);
        if done.is_err() {
            let file = name.unwrap_or(b"<swap>").escape_ascii();
            let why = self.services.failure();
            self.failures
                .push(why.unwrap_or_else(|| format!("could not write block {block} of file \"{file}\"")));
        }
        done
    }
    fn failure(&self) -> Option<String> {
        self.services.failure()
    }
}
