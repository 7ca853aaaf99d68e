//! Reference traces: which pages a program touched, in order.
//!
//! Owns the formats (read as streams, compressed or not), the writers, and the generators of synthetic traces. What
//! is done with the accesses is not its business: it hands them out in batches of page numbers.
#![forbid(unsafe_code)]

mod batch;
mod error;
mod formats;
mod generate;
mod lines;
mod numbers;
mod reader;
mod write;

pub use batch::{Batch, Pages};
pub use error::TraceError;
pub use formats::Format;
pub use generate::{Load, Random, generate};
pub use lines::{Expected, Line, Lines};
pub use reader::{Options, Parse, Reader};
pub use write::{Output, Writer};
