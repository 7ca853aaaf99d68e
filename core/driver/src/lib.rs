//! Joins the core to a machine.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;
