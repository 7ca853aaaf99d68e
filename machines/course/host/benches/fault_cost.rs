//! What a fault costs end to end: trap, round trip to the pager, mapping changed, access tried again.
//!
//! Processes touch random pages and time every access; the host notes what it did for each fault. The two lists are
//! joined by order. Beside each kind stands its floor: a bare SIGSEGV + socket round trip + mmap on the same CPU in
//! the same run, plus the time spent inside the services (zeroing, copying, reading, writing) for that very fault.

use mager_course_abi::{Flushed, IoFailed, PAGE_SIZE, PageTable, PagerObject, Services, arena_page};
use mager_course_app::{Forked, Page};
use mager_course_host::{Host, Options, Swap};
use mager_course_pager::CoursePager;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Where an application process writes its times.
const TIMES: &str = "MAGER_BENCH_TIMES";
const PROCESSES: usize = 5;
const PAGES: usize = 240;
/// Pages touched between two yields, and such turns.
const BURST: usize = 200;
const TURNS: usize = 60;

/// What the host did for a fault.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Work {
    zeros: u8,
    copies: u8,
    reads: u8,
    writes: u8,
}

impl Work {
    fn name(self) -> &'static str {
        match (self.zeros, self.copies, self.reads, self.writes) {
            (0, 0, 0, 0) => "re-reference (rights only)",
            (1, 0, 0, 0) => "zero-fill",
            (1, 0, 0, 1) => "zero-fill, victim written",
            (0, 1, 0, 0) => "copy on write",
            (0, 1, 0, 1) => "copy on write, victim written",
            (0, 0, 1, 0) => "page-in, frame free or victim clean",
            (0, 0, 1, 1) => "page-in, victim written",
            _ => "other (several transfers)",
        }
    }
}

struct Fault {
    page: usize,
    work: Work,
    services_ns: u64,
}

type Faults = Arc<Mutex<HashMap<i32, VecDeque<Fault>>>>;

/// A pager that notes what each fault asked of the host.
struct Noting {
    inner: Box<dyn PagerObject>,
    current: i32,
    faults: Faults,
}

/// Services that note what is asked of them, and how long it takes.
struct Timed<'a> {
    inner: &'a mut dyn Services,
    work: Work,
    ns: u64,
}

impl Timed<'_> {
    fn time<R>(&mut self, body: impl FnOnce(&mut dyn Services) -> R) -> R {
        let start = Instant::now();
        let result = body(self.inner);
        self.ns += nanoseconds(start);
        result
    }
}

impl Services for Timed<'_> {
    fn zero(&mut self, frame: u32) {
        self.work.zeros += 1;
        self.time(|services| services.zero(frame));
    }
    fn copy(&mut self, from: u32, to: u32) {
        self.work.copies += 1;
        self.time(|services| services.copy(from, to));
    }
    fn byte(&self, frame: u32, offset: u32) -> u8 {
        self.inner.byte(frame, offset)
    }
    fn file_read(&mut self, name: Option<&[u8]>, block: u32, frame: u32) -> Result<(), IoFailed> {
        self.work.reads += 1;
        self.time(|services| services.file_read(name, block, frame))
    }
    fn file_write(&mut self, name: Option<&[u8]>, block: u32, frame: u32) -> Result<(), IoFailed> {
        self.work.writes += 1;
        self.time(|services| services.file_write(name, block, frame))
    }
}

impl PagerObject for Noting {
    fn init(&mut self, services: &mut dyn Services, memory_pages: u32, swap_blocks: u32) {
        self.inner.init(services, memory_pages, swap_blocks);
    }
    fn create(&mut self, services: &mut dyn Services, parent: i32, child: i32) -> i32 {
        self.inner.create(services, parent, child)
    }
    fn switch(&mut self, services: &mut dyn Services, pid: i32) {
        self.current = pid;
        self.inner.switch(services, pid);
    }
    fn fault(&mut self, services: &mut dyn Services, address: usize, write: bool) -> i32 {
        let mut timed = Timed { inner: services, work: Work::default(), ns: 0 };
        let result = self.inner.fault(&mut timed, address, write);
        let page = arena_page(address).expect("faults lie in the arena");
        let fault = Fault { page, work: timed.work, services_ns: timed.ns };
        self.faults.lock().expect("no panic so far").entry(self.current).or_default().push_back(fault);
        result
    }
    fn destroy(&mut self, services: &mut dyn Services) {
        self.inner.destroy(services);
    }
    fn map(&mut self, services: &mut dyn Services, filename: usize, block: u32) -> usize {
        self.inner.map(services, filename, block)
    }
    fn page_table(&self) -> Option<&PageTable> {
        self.inner.page_table()
    }
    fn flush(&mut self, services: &mut dyn Services) -> Flushed {
        self.inner.flush(services)
    }
}

fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Times of accesses, one a line: page and nanoseconds.
struct Times(String);

impl Times {
    fn touch(&mut self, page: Page, number: usize, write: bool) {
        let start = Instant::now();
        let byte = page.read_or_write(write);
        let ns = nanoseconds(start);
        assert!(usize::from(byte) <= 255);
        let _ = writeln!(self.0, "{number} {ns}");
    }

    fn save(&self, dir: &Path) {
        let name = dir.join(std::process::id().to_string());
        std::fs::write(name, &self.0).expect("times can be written");
    }
}

trait Touch {
    fn read_or_write(self, write: bool) -> u8;
}

impl Touch for Page {
    fn read_or_write(self, write: bool) -> u8 {
        if write {
            self.write(77, 1);
            1
        } else {
            self.read(77)
        }
    }
}

/// The application: processes with pages of their own, some shared by fork, touched in bursts.
fn application(dir: &Path) {
    mager_course_app::start_or_exit();
    let mut times = Times(String::with_capacity(1 << 20));
    let mut pages: Vec<Page> =
        (0..PAGES / 8).map(|_| mager_course_app::map_swap().expect("swap has room")).collect();
    for (number, &page) in pages.iter().enumerate() {
        times.touch(page, number, true);
    }
    for _ in 1..PROCESSES {
        if mager_course_app::fork().expect("swap has room") == Forked::Child {
            times.0.clear();
            break;
        }
    }
    pages.extend((pages.len()..PAGES).map(|_| mager_course_app::map_swap().expect("swap has room")));
    let mut seed = u64::from(std::process::id());
    for turn in 0..TURNS {
        for _ in 0..BURST {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = usize::try_from(seed >> 33).expect("31 bits fit") % PAGES;
            let write = turn < TURNS / 3 || seed >> 60 == 0;
            times.touch(pages[number], number, write);
        }
        mager_course_app::yield_now();
    }
    times.save(dir);
}

/// Every fault's time and its services' share, by kind.
type Kinds = BTreeMap<Work, Vec<(u64, u64)>>;

fn measure(frames: u32) -> Kinds {
    let dir = tempfile::tempdir().expect("a directory");
    let faults = Faults::default();
    let inner = CoursePager::new("clock", ()).expect("clock is a policy");
    let noting = Noting { inner: Box::new(inner), current: 0, faults: faults.clone() };
    let options = Options {
        frames,
        swap_blocks: 4096,
        swap: Swap::Memory,
        dir: dir.path().to_owned(),
        ..Options::default()
    };
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.env(TIMES, dir.path());
    let report = Host::new(options, Box::new(noting)).and_then(|host| host.run_with(command)).expect("a run");
    assert!(report.exit.is_some_and(|exit| exit.success()), "the application failed");
    let mut kinds = Kinds::new();
    for (pid, faults) in faults.lock().expect("no panic so far").iter_mut() {
        let times =
            std::fs::read_to_string(dir.path().join(pid.to_string())).expect("the process wrote its times");
        join(&times, faults, &mut kinds);
    }
    kinds
}

/// Each fault belongs to the next access to its page; accesses between them had none.
fn join(times: &str, faults: &mut VecDeque<Fault>, kinds: &mut Kinds) {
    for line in times.lines() {
        let (page, ns) = line.split_once(' ').expect("two numbers a line");
        let (page, ns): (usize, u64) = (page.parse().expect("a page"), ns.parse().expect("a time"));
        // Faster than any signal: no fault.
        if ns > 1500 && faults.front().is_some_and(|fault| fault.page == page) {
            let fault = faults.pop_front().expect("there is one");
            kinds.entry(fault.work).or_default().push((ns, fault.services_ns));
        }
    }
    assert!(faults.is_empty(), "{} faults were not accounted for", faults.len());
}

fn median(values: impl Iterator<Item = u64>) -> f64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    let middle = values.get(values.len() / 2).copied().unwrap_or(0);
    u32::try_from(middle).map_or(f64::INFINITY, |ns| f64::from(ns) / 1000.0)
}

fn print(frames: u32, bare_us: f64, kinds: &Kinds) -> f64 {
    println!("\n{frames} frames                          faults  median us   floor us   ratio");
    let mut rights_only = f64::INFINITY;
    for (work, times) in kinds.iter().filter(|(_, times)| times.len() >= 20) {
        let us = median(times.iter().map(|(ns, _)| *ns));
        let floor = bare_us + median(times.iter().map(|(_, services)| *services));
        if *work == Work::default() {
            rights_only = us;
        }
        println!("{:<38}{:>8}{us:>11.1}{floor:>11.1}{:>8.2}", work.name(), times.len(), us / floor);
    }
    rights_only
}

/// The bare round trip on this CPU, in microseconds.
fn bare(program: &Path, cpu: usize) -> f64 {
    let ran = Command::new(program).arg(cpu.to_string()).output().expect("the bare program runs");
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    text.trim().parse::<f64>().expect("the bare program prints a number") / 1000.0
}

fn compile_bare(dir: &Path) -> std::path::PathBuf {
    let program = dir.join("bare");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/bare.cpp");
    let compiler = std::env::var_os("CXX").unwrap_or("c++".into());
    let mut command = Command::new(compiler);
    let status = command.args(["-O2", "-std=c++17"]).arg(source).arg("-o").arg(&program).status();
    assert!(status.is_ok_and(|status| status.success()), "the bare program needs a C++ compiler");
    program
}

fn main() {
    if let Some(dir) = std::env::var_os(TIMES) {
        return application(Path::new(&dir));
    }
    let dir = tempfile::tempdir().expect("a directory");
    let program = compile_bare(dir.path());
    let cpu = rustix::thread::sched_getcpu();
    let bare_us = median((0..5).map(|_| bare(&program, cpu) * 1000.0).map(|ns| ns.round()).map(to_ns));
    println!("bare SIGSEGV + round trip + mmap of one frame ({PAGE_SIZE} bytes): {bare_us:.1} us");
    let few = print(4, bare_us, &measure(4));
    let many = print(1024, bare_us, &measure(1024));
    let verdict = |holds: bool| if holds { "holds" } else { "MISSED" };
    println!("\nre-reference at most 1.5 times bare: {}", verdict(few.max(many) <= 1.5 * bare_us));
    println!(
        "re-reference equal at 4 and 1024 frames within 20%: {}",
        verdict((few / many - 1.0).abs() <= 0.2)
    );
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rounded, small, positive time"
)]
fn to_ns(ns: f64) -> u64 {
    ns as u64
}
