//! `mager doctor`: what of the Linux machine works here, and for what does not, what would make it work.
//!
//! Each probe tries the very calls that the machine will make, and cleans up after them; none concludes from a version
//! number. Owns the probes, what is lost without each thing, and the way to get it. Printing is a face's business.
//!
//! | file | owns |
//! |---|---|
//! | `report` | what is said: findings, and the verdict |
//! | `probe` | what a probe is, and the table of all of them |
//! | `ground` | what several probes need to know: options, rights, container |
//! | `open` | getting a userfaultfd |
//! | `trial` | real faults of every kind, answered by a userfaultfd of our own |
//! | `memory` | memory objects, sealing of address space |
//! | `storage` | the directory for swap, direct I/O, io_uring |
//! | `limits` | limits of the process, the system, the control groups |
//! | `process` | other processes' CPUs, seccomp |
//! | `userfault`, `sys` | the calls: userfaultfd without and with unsafe code |

mod ground;
mod limits;
mod memory;
mod open;
mod probe;
mod process;
mod report;
mod storage;
mod sys;
mod trial;
mod userfault;

pub use ground::Options;
pub use limits::{MemoryGroup, memory_groups};
pub use report::{Finding, Need, Report, State};
pub use sys::Mapping;

/// Tries everything, in about a tenth of a second; leaves nothing behind.
#[must_use]
pub fn examine(options: &Options) -> Report {
    let ground = ground::Ground::look(options);
    Report { system: ground.system.clone(), findings: probe::ALL.iter().map(|p| p.run(&ground)).collect() }
}
