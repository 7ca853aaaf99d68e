//! `libmager_host.a`: a `main` for anybody's pager object of the university's API.
//!
//! Owns the symbols of the link ABI on the host's side and the command line of a pager program. The object's six
//! calls become a [`PagerObject`](mager_course_abi::PagerObject); everything else is the host crate's. Nothing else
//! may depend on this crate: it has a `main`.

mod arguments;
mod object;
mod program;
