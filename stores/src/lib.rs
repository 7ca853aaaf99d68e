//! Where pages rest, and how they get there.
//!
//! A [`Store`] is a few blocking, page-sized calls. A [`Backing`] is what a pager with many pages in flight uses: swap
//! space in up to two tiers (compressed memory, then a swap file) and any number of user files behind one object that
//! joins neighbours, checks what it reads and tells when each page is done. Pages travel through staging
//! [`Buffers`], which the kernel reads and writes directly.
//!
//! What the pages mean, which of them come and go, and when, is decided elsewhere.

mod backing;
mod buffers;
mod checksum;
mod engine;
mod error;
mod place;
mod store;
mod swap_file;
mod sys;

pub use backing::{Backing, Done, EngineKind, Figures, FileNo, Home, Options, SwapOptions, SwapPlace};
pub use buffers::{BufferNo, Buffers};
pub use error::{OpenError, StoreError};
pub use store::Store;
pub use swap_file::{Existing, SwapFile};
