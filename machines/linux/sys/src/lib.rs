//! What the Linux machine asks of the kernel, each call once and with a safe face.
//!
//! The only crate of the machine with unsafe code. It decides nothing: which page goes where is for the pager,
//! which range is an arena is for the client.

mod aside;
mod descriptors;
mod fork;
mod mapping;
mod memory;
mod pagemap;
mod placement;
mod process;
mod signals;
mod socket;
mod stack;
mod uffd;

pub use aside::on_another_stack;
pub use descriptors::{die_with_writer, keep_descriptors_above, outlive_writer};
pub use fork::{AtFork, Judge, at_fork, handed_on, on_bad_touch, replace};
pub use mapping::Window;
pub use memory::{MemoryFile, MemoryFs};
pub use pagemap::{LOOKED_AT, Pagemap};
pub use placement::{CpuMask, affinity, online_cpus, only_cpu, set_affinity};
pub use process::{ignore, kill, process, raise_descriptor_limit, reap};
pub use signals::{SignalMask, set_blocked, without_signals};
pub use socket::{
    MAX_FDS, Received, connect, inherited, listen, listen_anew, pair, peer, receive, send, tells_sender,
    unread,
};
pub use stack::SignalStack;
pub use uffd::{Failed, Fault, FaultKind, Userfault};

/// Ends the process at once. Nothing of it runs any more: handlers of exit could touch memory that is gone.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: _exit takes a number and does not return.
    unsafe { libc::_exit(status) }
}
