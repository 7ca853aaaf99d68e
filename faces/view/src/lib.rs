//! Pictures of a pager's state, made to be read.
//!
//! A [`Snapshot`] is taken from a [`View`](mager_pager::View) and owns all it shows; it prints itself as text for
//! people (`Display`) and serialises for programs. Who asks, and where the picture goes, stays outside.
//!
//! ```
//! use mager_pager::{Config, Pager};
//! use mager_policies::Clock;
//! use mager_view::Snapshot;
//!
//! let pager = Pager::new(Config::course(4, 16), Clock::new(4)).unwrap();
//! let picture = Snapshot::of(&pager.view(), "clock", |object| Some(format!("file {object}")));
//! assert!(picture.to_string().contains("swap: 16 blocks, 0 reserved, 0 assigned"));
//! ```
#![forbid(unsafe_code)]

mod names;
mod snapshot;
mod story;
mod table;
mod text;

pub use names::Names;
pub use snapshot::{ArenaState, Figures, FrameState, PageState, Row, Shows, Snapshot, SwapState};
pub use story::{Kind, Story, Tally};
