//! What a probe is, and all of them in the order they are told.

use crate::ground::Ground;
use crate::report::Need::{self, Better, Needed};
use crate::report::{Finding, State};
use crate::{limits, memory, open, process, storage, trial};

/// Why a probe found nothing.
#[derive(Debug)]
pub(crate) enum Lack {
    /// It does not work; this would give it.
    Missing { why: String, remedy: String },
    /// It waits for something else that is missing.
    Untried(&'static str),
}

/// What was seen, or why there is nothing.
pub(crate) type Answer = Result<String, Lack>;

/// A thing that is missing, why, and what would give it.
pub(crate) fn missing<T>(why: impl ToString, remedy: impl Into<String>) -> Result<T, Lack> {
    Err(Lack::Missing { why: why.to_string(), remedy: remedy.into() })
}

/// One thing to try.
pub(crate) struct Probe {
    name: &'static str,
    need: Need,
    loses: &'static str,
    ask: fn(&Ground) -> Answer,
}

impl Probe {
    pub(crate) fn run(&self, ground: &Ground) -> Finding {
        let (state, detail, remedy) = match (self.ask)(ground) {
            Ok(detail) => (State::Works, detail, None),
            Err(Lack::Missing { why, remedy }) => (State::Missing, why, Some(remedy)),
            Err(Lack::Untried(why)) => (State::Untried, why.to_owned(), None),
        };
        let loses = (state != State::Works).then_some(self.loses);
        Finding { name: self.name, need: self.need, state, detail, loses, remedy }
    }
}

const fn probe(name: &'static str, need: Need, ask: fn(&Ground) -> Answer, loses: &'static str) -> Probe {
    Probe { name, need, loses, ask }
}

const NO_ARENAS: &str = "there are no arenas; only the fallback on a shared mapping, its memory not bounded";
const OTHER_WAY: &str = "nothing, as long as the other way to a userfaultfd works";

/// Everything that is tried.
pub(crate) const ALL: &[Probe] = &[
    probe("userfaultfd", Needed, open::either, NO_ARENAS),
    probe("userfaultfd device", Better, open::device, OTHER_WAY),
    probe("userfaultfd call", Better, open::call, OTHER_WAY),
    probe("userfaultfd features", Better, open::features, "nothing by itself: what is needed is told below"),
    probe("faults on shared memory", Needed, trial::missing_fault, NO_ARENAS),
    probe(
        "kernel-mode faults",
        Needed,
        trial::kernel_mode,
        "system calls on managed memory fail with EFAULT",
    ),
    probe(
        "minor faults",
        Needed,
        trial::minor_fault,
        "no page can be given a second chance or be shared by two clients",
    ),
    probe(
        "write protection",
        Needed,
        trial::write_protection,
        "a write to a page on its way out would be lost",
    ),
    probe(
        "thread ids",
        Better,
        trial::thread_ids,
        "faulting threads are not pulled to the pager's CPU: a fault costs 5 to 20 times as much on several CPUs",
    ),
    probe(
        "poisoned pages",
        Better,
        trial::poison,
        "a page whose contents were lost cannot be marked: its client is ended instead",
    ),
    probe("memory objects", Needed, memory::memfd, "there is nothing to keep frames in"),
    probe(
        "private tmpfs",
        Better,
        memory::private_tmpfs,
        "a client that means harm can fill its memory object beyond its frames until the next audit",
    ),
    probe(
        "sealed mappings",
        Better,
        memory::mseal,
        "a client that unmaps its arena by mistake is not told so, and its pages are gone",
    ),
    probe("swap directory", Needed, storage::directory, "there is no place for a swap file"),
    probe(
        "preallocated swap",
        Better,
        storage::preallocation,
        "a full disk is noticed when a page is written out, not when it is mapped",
    ),
    probe(
        "direct I/O",
        Better,
        storage::direct,
        "the kernel caches swap a second time, in memory that the budget does not count",
    ),
    probe(
        "io_uring",
        Better,
        storage::io_uring,
        "a pool of threads does the I/O: more CPU for each page when many are in flight",
    ),
    probe(
        "CPUs of other processes",
        Better,
        process::affinity,
        "faulting threads are not pulled to the pager's CPU: a fault costs 5 to 20 times as much on several CPUs",
    ),
    probe(
        "others' page tables",
        Better,
        process::page_tables,
        "touches of pages in memory are told by faults, each several times as dear as looking",
    ),
    probe(
        "memory allowed",
        Needed,
        limits::memory,
        "the frames asked for do not fit: the kernel ends the pager",
    ),
    probe(
        "locked memory",
        Better,
        limits::locked,
        "the pager's own tables cannot be kept from being paged out",
    ),
    probe("open files", Better, limits::files, "fewer clients at a time: each takes about eight descriptors"),
    probe("mappings", Better, limits::mappings, "arenas in many small pieces end in ENOMEM"),
    probe(
        "seccomp",
        Better,
        process::seccomp,
        "what is told above as refused, and would be allowed without it",
    ),
];
