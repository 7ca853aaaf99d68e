//! What a fault costs: none of ours, and bare round trips to a handler in another process.

use super::disk::Blocks;
use crate::args::HandlerJob;
use crate::contents::{PAGE_BYTES, PAGE_WORDS};
use crate::error::{At, Failure};
use crate::run::{Guard, ourselves};
use crate::sys::Page;
use mager_linux_doctor::Mapping;
use mager_linux_sys::{Failed, FaultKind, Userfault};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::hint::black_box;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

/// Pages touched when the handler is near, and when it is far and each takes longer.
const MANY: usize = 32 * 1024;
const FEW: usize = 8 * 1024;

/// Keeps the calling thread, and those it starts, on one CPU.
pub(crate) fn pin(cpu: usize) -> Result<(), Failure> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).of("taking a CPU")
}

/// The first two CPUs that we may use; the same twice if there is one.
pub(super) fn cpus() -> Result<(usize, usize), Failure> {
    let set = sched_getaffinity(None).of("asking for CPUs")?;
    let mut cpus = (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu));
    let first = cpus.next().unwrap_or(0);
    Ok((first, cpus.next().unwrap_or(first)))
}

/// Reads a word of each page: microseconds a page.
fn touch(mapping: &Mapping) -> f64 {
    let start = Instant::now();
    for page in mapping.words().chunks(PAGE_WORDS) {
        black_box(page[0].load(Relaxed));
    }
    start.elapsed().as_secs_f64() * 1e6 / (mapping.bytes() / PAGE_BYTES) as f64
}

pub(super) fn anonymous() -> Result<f64, Failure> {
    let mapping = Mapping::private(MANY * PAGE_BYTES).of("mapping memory")?;
    mapping.advise(rustix::mm::Advice::LinuxNoHugepage).of("asking for small pages")?;
    let start = Instant::now();
    mapping.words().chunks(PAGE_WORDS).for_each(|page| page[0].store(1, Relaxed));
    Ok(start.elapsed().as_secs_f64() * 1e6 / MANY as f64)
}

pub(super) fn cached() -> Result<f64, Failure> {
    let mapping = filled(&object(MANY)?, MANY)?;
    Ok(touch(&mapping))
}

fn object(pages: usize) -> Result<OwnedFd, Failure> {
    let object = memfd_create("mager-bench", MemfdFlags::CLOEXEC).of("making a memory object")?;
    ftruncate(&object, (pages * PAGE_BYTES) as u64).of("making a memory object")?;
    Ok(object)
}

fn filled(object: &OwnedFd, pages: usize) -> Result<Mapping, Failure> {
    let page = [1; PAGE_BYTES];
    for at in 0..pages {
        rustix::io::pwrite(object, &page, (at * PAGE_BYTES) as u64).of("filling a memory object")?;
    }
    Mapping::shared(object, pages * PAGE_BYTES).of("mapping a memory object")
}

pub(super) fn missing(same: bool) -> Result<f64, Failure> {
    let pages = if same { MANY } else { FEW };
    let mapping = Mapping::shared(&object(pages)?, pages * PAGE_BYTES).of("mapping a memory object")?;
    round_trips(&mapping, placed(same)?, None)
}

/// Each page is read from the file first. On the CPU where that is quicker: the disk's interrupts come to one.
pub(super) fn read_and_missing(file: &Path) -> Result<f64, Failure> {
    let on = |cpu| {
        let mapping = Mapping::shared(&object(FEW)?, FEW * PAGE_BYTES).of("mapping a memory object")?;
        round_trips(&mapping, (cpu, cpu), Some(file))
    };
    let (one, other) = cpus()?;
    Ok(on(one)?.min(on(other)?))
}

pub(super) fn minor(same: bool) -> Result<f64, Failure> {
    let pages = if same { MANY } else { FEW };
    let mapping = filled(&object(pages)?, pages)?;
    round_trips(&mapping, placed(same)?, None)
}

/// The CPUs of who faults and who answers.
fn placed(same: bool) -> Result<(usize, usize), Failure> {
    match cpus()? {
        (near, _) if same => Ok((near, near)),
        (near, far) if near == far => Err(Failure::Unavailable("there is no other CPU".into())),
        cpus => Ok(cpus),
    }
}

/// Touches all of the mapping on CPU `near`, each page through a handler on `far`, which reads it from the file first if there
/// is one.
fn round_trips(mapping: &Mapping, (near, far): (usize, usize), file: Option<&Path>) -> Result<f64, Failure> {
    let userfault = Userfault::open().of("opening a userfaultfd")?;
    userfault.block().of("having the userfaultfd wait")?;
    userfault.register(mapping.address(0), mapping.bytes() as u64, true).of("registering memory")?;
    let handed = userfault.duplicate().of("handing the userfaultfd on")?;
    let mut command = ourselves("handler")?;
    command.args(["--cpu", &far.to_string()]).stdin(handed);
    if let Some(file) = file {
        command.arg("--file").arg(file);
    }
    let _handler = Guard(command.spawn().of("starting the handler")?);
    pin(near)?;
    // The handler answers as soon as it is there; the first page waits for that, outside the clock.
    black_box(mapping.words()[0].load(Relaxed));
    Ok(touch(mapping))
}

/// The handler's process: answers what comes from the userfaultfd on its standard input until it is killed.
pub(crate) fn handle(job: &HandlerJob) -> Result<(), Failure> {
    crate::sys::end_with_parent().of("asking to be ended with the parent")?;
    pin(job.cpu)?;
    let fd = io::stdin().as_fd().try_clone_to_owned().of("taking the userfaultfd")?;
    let (userfault, mut page) = (Userfault::received(fd), Page([1; PAGE_BYTES]));
    let mut blocks = job.file.as_deref().map(Blocks::of).transpose()?;
    loop {
        let Some(fault) = userfault.wait().of("reading faults")? else { continue };
        if let Some(blocks) = &mut blocks {
            blocks.read(&mut page)?;
        }
        match fault.kind {
            FaultKind::Minor => userfault.show(fault.address, PAGE_BYTES as u64, false),
            FaultKind::Missing | FaultKind::Protected => userfault.copy(fault.address, &page.0, false),
        }
        .map_err(unanswered)?;
    }
}

fn unanswered(why: Failed) -> Failure {
    Failure::Unavailable(format!("a fault could not be answered: {why:?}"))
}
