//! The calls themselves: pointers from C in, pointers to C out.
#![allow(unsafe_code, reason = "the C interface")]

mod arena;
mod failure;
mod pager;

pub use arena::*;
pub use failure::*;
pub use pager::*;
