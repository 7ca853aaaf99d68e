//! `libmager_app.a`: the application library for C and C++.
//!
//! Owns the names: the calls of `vm_app.h`, the C library's names that must let the pager take part (`fork`, the
//! `wait` family), and the string and memory functions whose order of accesses the course fixes. What they do is
//! the application crate's. Nothing else may depend on this crate: its names would hide the C library's.
#![no_builtins]

mod processes;
mod strings;
mod vm;
