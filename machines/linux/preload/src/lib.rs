//! The library that `mager run` loads into programs: their heap and their large anonymous mappings come from an arena.
//!
//! ```text
//!   malloc, free, ...        mmap, munmap, mremap, madvise, ...        fork, exec, ...
//!        |                                |                                 |
//!     mimalloc --- mprotect, madvise -----+                                 |
//!        |                                |                                 |
//!   heap zone (grains)             mapping zone (runs)          both sides keep what is theirs
//!        +----------- one arena ----------+
//! ```
//! It connects to the pager inside the first allocation: constructors of other libraries may run before any of its own.
//! What it needs for itself comes from the C library's own allocator, never from the memory it manages. Where there is
//! no pager to connect to (`MAGER_RUN_SOCKET` is not set) everything goes to the C library as if it were not here.
//!
//! Sources: the manual pages of the functions it stands before; ld.so(8) (LD_PRELOAD); malloc(3) (replacing malloc).

mod abi;
mod address;
mod children;
mod descriptors;
mod environment;
mod fixed;
mod grains;
mod guards;
mod heap;
mod mappings;
mod masks;
mod shortage;
mod start;
mod sys;
mod tell;
