//! Where pages rest, and how they get there.
//!
//! A [`Store`] is a few blocking, page-sized calls. A [`Backing`] is what a pager with many pages in flight uses: swap
//! space in up to two tiers (compressed memory, then a swap file) and any number of user files behind one object that
//! joins neighbours, checks what it reads and tells when each page is done. Pages travel through staging
//! [`Buffers`], which the kernel reads and writes directly.
//!
//! What the pages mean, which of them come and go, and when, is decided elsewhere.

mod ages;
mod backing;
mod buffers;
mod checksum;
mod checksummed;
mod compressed;
mod engine;
mod error;
mod faults;
mod faulty;
mod memory;
mod pack;
mod place;
mod plain_file;
mod store;
mod swap_file;
mod sys;
mod table;

pub use backing::{
    Backing, Done, EngineKind, Figures, FileNo, Home, Options, Packed, SwapOptions, SwapPlace,
};
pub use buffers::{BufferNo, Buffers};
pub use checksummed::Checksummed;
pub use compressed::Compressed;
pub use error::{OpenError, StoreError};
pub use faults::Faults;
pub use faulty::Faulty;
pub use memory::Memory;
pub use plain_file::PlainFile;
pub use store::{BadChecksum, Store};
pub use swap_file::{Existing, SwapFile};
