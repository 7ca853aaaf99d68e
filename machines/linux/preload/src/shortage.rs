//! Swap that was asked for and is not there. A program that takes all it can get asks again at once, and each question
//! goes to the pager and back: what was refused a moment ago is refused here.

use crate::start::Managed;
use mager_linux_client::{Error, Pages};
use std::time::{Duration, Instant};

/// So long nobody is asked for as much again: somebody may have given some back.
const MOMENT: Duration = Duration::from_millis(10);

/// How much could not be had, and when.
#[derive(Debug, Default)]
pub(crate) struct Shortage(Option<(u32, Instant)>);

impl Shortage {
    /// Has swap reserved for these pages.
    pub(crate) fn commit(&mut self, managed: &Managed, pages: Pages) -> Result<(), Error> {
        if self.knows(pages.count) {
            return Err(Error::NoRoom { wanted: pages.count });
        }
        let asked = managed.arena.commit(pages);
        if let Err(Error::Refused { errno: libc::ENOMEM, .. }) = asked {
            self.0 = Some((pages.count, Instant::now()));
        }
        asked
    }

    /// Whether so many pages were refused just now.
    fn knows(&self, pages: u32) -> bool {
        self.0.is_some_and(|(refused, when)| pages >= refused && when.elapsed() < MOMENT)
    }

    /// Something was given back.
    pub(crate) fn ends(&mut self) {
        self.0 = None;
    }
}
