//! Real faults: a thread touches pages of a memory object, and a userfaultfd of our own answers them.

use crate::ground::Ground;
use crate::open::known;
use crate::probe::{Answer, missing};
use crate::sys::{self, Mapping};
use crate::userfault::{
    Event, UFFD_FEATURE_MINOR_SHMEM, UFFD_FEATURE_MISSING_SHMEM, UFFD_FEATURE_PAGEFAULT_FLAG_WP,
    UFFD_FEATURE_POISON, UFFD_FEATURE_THREAD_ID, UFFD_FEATURE_WP_HUGETLBFS_SHMEM, UFFDIO_REGISTER_MODE_MINOR,
    UFFDIO_REGISTER_MODE_MISSING, UFFDIO_REGISTER_MODE_WP, Userfault,
};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use std::fs::File;
use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a fault may take to arrive, or an answered one to go on.
const PATIENCE_MS: u32 = 1000;
const OLD_KERNEL: &str = "a later kernel (5.19 has write protection of shared memory, 6.6 poisoned pages)";

/// A mapping under a userfaultfd, and somebody who touches it.
struct Trial {
    /// Goes first: faults that nobody answered end with it, and so does the thread that waits.
    userfault: Option<Userfault>,
    mapping: Arc<Mapping>,
    page: usize,
    toucher: Option<JoinHandle<()>>,
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.userfault = None;
        if let Some(toucher) = self.toucher.take() {
            let _ = toucher.join();
        }
    }
}

/// What touching came to.
type Touched = mpsc::Receiver<io::Result<u8>>;

impl Trial {
    /// Over two pages of a new memory object, in `mode`.
    fn new(features: u32, mode: u32) -> io::Result<Self> {
        let page = rustix::param::page_size();
        let object = memfd_create("mager-doctor", MemfdFlags::CLOEXEC)?;
        ftruncate(&object, 2 * page as u64)?;
        let mapping = Arc::new(Mapping::shared(&object, 2 * page)?);
        let userfault = Userfault::open(features)?;
        userfault.register(&mapping, mode)?;
        Ok(Trial { userfault: Some(userfault), mapping, page, toucher: None })
    }

    /// Lets a thread touch the memory.
    fn touch(&mut self, how: impl FnOnce(&Mapping) -> io::Result<u8> + Send + 'static) -> Touched {
        let (tell, told) = mpsc::channel();
        let mapping = Arc::clone(&self.mapping);
        self.toucher = Some(thread::spawn(move || {
            let _ = tell.send(how(&mapping));
        }));
        told
    }

    fn userfault(&self) -> io::Result<&Userfault> {
        self.userfault.as_ref().ok_or_else(|| io::Error::other("the trial is over"))
    }

    /// The fault that must come.
    fn fault(&self) -> io::Result<Event> {
        self.userfault()?.wait(PATIENCE_MS)?.ok_or_else(|| io::Error::other("no fault arrived"))
    }

    fn fill(&self, event: Event, protect: bool) -> io::Result<()> {
        self.userfault()?.copy(event.page, &vec![FILL; self.page], protect)
    }
}

const FILL: u8 = 0xA5;

fn went_on(touched: &Touched) -> io::Result<u8> {
    let patience = Duration::from_millis(u64::from(PATIENCE_MS));
    touched.recv_timeout(patience).map_err(|_| io::Error::other("the answered fault did not go on"))?
}

fn read(mapping: &Mapping) -> io::Result<u8> {
    Ok(mapping.byte(0).load(Relaxed))
}

/// Runs a trial if there is a userfaultfd with all `features`.
fn with(ground: &Ground, features: u32, trial: fn(u32) -> io::Result<String>) -> Answer {
    let known = known(ground)?;
    let lacks = u64::from(features) & !known;
    if lacks != 0 {
        return missing(format!("the kernel does not offer it (feature bits {lacks:#x})"), OLD_KERNEL);
    }
    trial(features).or_else(|why| missing(why, OLD_KERNEL))
}

pub(crate) fn missing_fault(ground: &Ground) -> Answer {
    with(ground, UFFD_FEATURE_MISSING_SHMEM, |features| {
        let mut trial = Trial::new(features, UFFDIO_REGISTER_MODE_MISSING)?;
        filled(&mut trial, false)?;
        Ok("a missing page was filled by COPY".into())
    })
}

/// A first read, answered by COPY.
fn filled(trial: &mut Trial, protect: bool) -> io::Result<Event> {
    let touched = trial.touch(read);
    let event = trial.fault()?;
    trial.fill(event, protect)?;
    match went_on(&touched)? {
        FILL => Ok(event),
        other => Err(io::Error::other(format!("the reader saw {other:#x} instead of {FILL:#x}"))),
    }
}

pub(crate) fn kernel_mode(ground: &Ground) -> Answer {
    with(ground, UFFD_FEATURE_MISSING_SHMEM, |features| {
        let mut trial = Trial::new(features, UFFDIO_REGISTER_MODE_MISSING)?;
        let touched = trial.touch(|mapping| {
            let from = File::open("/proc/self/status")?;
            sys::read_into(&from, mapping, 0)?;
            read(mapping)
        });
        let event = trial.fault()?;
        trial.fill(event, false)?;
        match went_on(&touched)? {
            b'N' => Ok("a system call waited for its page".into()),
            other => Err(io::Error::other(format!("the system call left {other:#x}"))),
        }
    })
}

pub(crate) fn minor_fault(ground: &Ground) -> Answer {
    with(ground, UFFD_FEATURE_MINOR_SHMEM | UFFD_FEATURE_MISSING_SHMEM, |features| {
        let mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR;
        let mut trial = Trial::new(features, mode)?;
        filled(&mut trial, false)?;
        trial.mapping.zap()?;
        let touched = trial.touch(read);
        let event = trial.fault()?;
        if !event.minor() {
            return Err(io::Error::other("the page in memory came as missing"));
        }
        trial.userfault()?.resume(event.page, trial.page as u64)?;
        went_on(&touched)?;
        Ok("a page in memory was mapped again by CONTINUE".into())
    })
}

pub(crate) fn write_protection(ground: &Ground) -> Answer {
    let features =
        UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM | UFFD_FEATURE_MISSING_SHMEM;
    with(ground, features, |features| {
        let mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP;
        let mut trial = Trial::new(features, mode)?;
        filled(&mut trial, true)?;
        let touched = trial.touch(|mapping| {
            mapping.byte(0).store(1, Relaxed);
            read(mapping)
        });
        let event = trial.fault()?;
        if !event.protected() {
            return Err(io::Error::other("the write came as another kind of fault"));
        }
        trial.userfault()?.protect(event.page, trial.page as u64, false)?;
        went_on(&touched)?;
        Ok("a write to a protected page waited".into())
    })
}

pub(crate) fn thread_ids(ground: &Ground) -> Answer {
    with(ground, UFFD_FEATURE_THREAD_ID | UFFD_FEATURE_MISSING_SHMEM, |features| {
        let mut trial = Trial::new(features, UFFDIO_REGISTER_MODE_MISSING)?;
        match filled(&mut trial, false)?.thread {
            0 => Err(io::Error::other("the fault came without the thread's id")),
            _ => Ok("faults say which thread waits".into()),
        }
    })
}

pub(crate) fn poison(ground: &Ground) -> Answer {
    with(ground, UFFD_FEATURE_POISON | UFFD_FEATURE_MISSING_SHMEM, |features| {
        let trial = Trial::new(features, UFFDIO_REGISTER_MODE_MISSING)?;
        trial.userfault()?.poison(trial.mapping.address(0), trial.page as u64)?;
        Ok("a missing page was poisoned".into())
    })
}
