//! Mager's core: an external pager as a state machine.
//!
//! Events and control calls go in, effects come out; the same calls give the same effects, always. The core does
//! no I/O, has no clock, no threads, no unsafe code and no dependencies beside the policies; a *machine* carries
//! the effects out.
//!
//! ```
//! use mager_pager::{Access, Config, Effect, Event, Fault, Pager, Site, Ticket};
//! use mager_policies::Clock;
//!
//! let mut pager = Pager::new(Config::course(4, 16), Clock::new(4)).unwrap();
//! let mut out = Vec::new();
//! let arena = pager.create().unwrap();
//! let page = pager.map_swap(arena, &mut out).unwrap(); // shows the zero page
//! out.clear();
//!
//! let at = Site { arena, page };
//! pager.step(Event::Fault(Fault { at, access: Access::Write, who: Ticket(7) }), &mut out);
//! assert!(matches!(out[..], [Effect::Zero { .. }, Effect::Map { .. }, Effect::Resume { outcome: Ok(()), .. }]));
//! ```
//!
//! | file | owns |
//! |---|---|
//! | `pager` | the one way in for events, and the policy |
//! | `fault`, `ahead`, `pump`, `grant`, `answer` | what happens on a fault or ahead of it, where frames change hands and what becomes of them, when I/O is answered |
//! | `control`, `fork`, `pin`, `withhold`, `flush`, `discard`, `disown` | the calls that check everything first |
//! | `memory`, `page`, `state`, `entry`, `arena`, `region`, `frame`, `swap`, `object`, `wait` | the tables |
//! | `check`, `view` | every invariant; what faces may see |
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::wildcard_enum_match_arm)]

extern crate alloc;

mod ahead;
mod answer;
mod arena;
mod check;
mod chunked;
mod config;
mod control;
mod discard;
mod disown;
mod entry;
mod event;
mod evict;
mod fault;
mod flush;
mod fork;
mod frame;
mod grant;
mod ids;
mod memory;
mod object;
mod page;
mod pager;
mod pin;
mod pump;
mod region;
mod sharers;
mod state;
mod swap;
mod view;
mod wait;
mod withhold;

pub use config::{BadConfig, Config, References, Sharing};
use entry::EntryNo;
pub use event::{Access, Denied, Effect, Effects, Event, Fault, Home, IoFailed, IoResult, Refused};
pub use flush::What;
pub use ids::{ArenaId, BlockNo, ObjectNo, Pages, Site, SwapBlock, Ticket, VirtPage};
pub use mager_policies::{FrameNo, PageNo};
pub use pager::Pager;
pub use region::Kind;
pub use state::State;
pub use view::{Counters, Counts, FrameView, PageView, Pte, Shown, View};
pub use wait::{Demand, Waiter};
