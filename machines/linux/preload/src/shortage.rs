//! Swap that was asked for and is not there. A program that takes all it can get asks again at once, and each question
//! goes to the pager and back: what was refused a moment ago is refused here.

use crate::sys;
use mager_linux_client::{Arena, Error, PAGER_DIED, Pages};
use std::time::{Duration, Instant};

/// So long nobody is asked for as much again: somebody may have given some back.
const MOMENT: Duration = Duration::from_millis(10);

/// So long the agent is given to end the process: it knows what else must be done before.
const AGENTS: Duration = Duration::from_secs(1);

/// The pager is gone. To refuse memory now would have the program end in its own way, as one that has too little.
/// Nothing is allocated here, and no text looked up: other threads wait for the zones, with locks of the C library's.
fn end() -> ! {
    std::thread::sleep(AGENTS);
    sys::write_error("mager: the pager has died, and this program's memory with it: the program ends\n");
    mager_linux_sys::exit_now(PAGER_DIED)
}

/// How much could not be had, and when.
#[derive(Debug, Default)]
pub(crate) struct Shortage(Option<(u32, Instant)>);

impl Shortage {
    /// Has swap reserved for these pages.
    pub(crate) fn commit(&mut self, arena: &Arena, pages: Pages) -> Result<(), Error> {
        if self.knows(pages.count) {
            return Err(Error::NoRoom { wanted: pages.count });
        }
        let asked = arena.commit(pages);
        if let Err(Error::Lost(_)) = asked {
            end();
        }
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
