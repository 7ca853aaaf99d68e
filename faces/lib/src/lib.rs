//! Any amount of memory in a fixed number of frames.
//!
//! A [`Pager`] holds pages in frames, and in swap when they leave them. It is a process of its own: started for this
//! program ([`Pager::builder`]), or standing and shared with others ([`Pager::join`], `mager serve`). An [`Arena`] is
//! address space under its control, and a [`Region`] a piece of it that is used like any slice, by any number of
//! threads and in system calls. It never holds more than its frames, whatever the program touches.
//!
//! ```
//! # fn main() -> Result<(), mager::Error> {
//! # if !mager::possible() { return Ok(()); }
//! let pager = mager::Pager::builder().memory(1 << 20).swap(16 << 20).policy("s3-fifo").in_thread().start()?;
//! let arena = pager.arena()?;
//! let mut numbers = arena.region::<u64>(1 << 20)?; // 8 MiB of zeros, in 1 MiB of memory
//! for (place, number) in (0u64..).zip(numbers.iter_mut()) {
//!     *number = place * place;
//! }
//! assert_eq!(numbers[1000], 1_000_000);
//! assert!(pager.statistics()?.page_ins > 0);
//! # Ok(())
//! # }
//! ```
//!
//! # When something fails
//! - What cannot be had is an [`Error`], and nothing has changed. Swap is reserved when a region is made: later there is
//!   always room for its pages.
//! - A page that cannot be brought back (the disk fails, or what it holds is not what was written) is *denied*: the
//!   thread that touches it gets **SIGBUS**, which ends the process unless it has a handler. Never are wrong bytes
//!   seen. The pager says on its standard error which page it was, and [`Figures::denied`] counts it. Making the region
//!   anew cures it.
//! - If the pager process dies, its clients' memory is gone with it: the program says so and ends with status 70, or
//!   stalls where it touches what is not there ([`OnPagerDeath`]). It never reads zeros instead.
//!
//! # Without a pager
//! Where there is no full userfaultfd, starting a pager fails. A program that would rather have its regions than their
//! bound asks for [`Builder::fallback`]: the kernel pages then, as it does every file.
//!
//! # Fork
//! A forked child does not have the memory: touching it there is SIGSEGV, and letting go of it there changes nothing for
//! the parent. After [`Pager::follow_forks`] it has all of it, as it was, and its own to change. A child that executes
//! another program is fine either way.
//!
//! # Devices
//! Memory that devices write to without the kernel's faults (O_DIRECT reads, registered buffers of io_uring) must be
//! pinned meanwhile: [`Region::pin`].

#![deny(unsafe_code)]

mod arena;
mod builder;
mod error;
mod fallback;
mod file;
mod pager;
mod process;
mod raw;
mod region;
mod sys;

pub use arena::Arena;
pub use builder::Builder;
pub use bytemuck::Pod;
pub use error::Error;
pub use file::MappedFile;
pub use mager_linux_client::OnPagerDeath;
pub use mager_linux_wire::figures::{Client, Figures, Service, Stores};
pub use pager::{Pager, possible};
#[doc(hidden)]
pub use raw::RawArena;
pub use region::{Pinned, Region};
