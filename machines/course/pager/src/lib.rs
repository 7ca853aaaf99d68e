//! Mager's core as a pager of the university's API.
//!
//! [`CoursePager`] turns the six `vm_*` calls into control calls and faults of the core, and the core's effects
//! into page-table entries and services of the host. It owns the processes' page tables and the files' names;
//! every decision is the core's. All I/O is done on the spot, so that each call is handled to completion.
#![forbid(unsafe_code)]

mod machine;
mod names;
mod object;

pub use object::{BadPolicy, CoursePager, Describe};
