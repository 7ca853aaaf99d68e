//! Waiting for a child lets the others run, until it has ended.

use crate::client::{self, Answer};
use crate::sys;
use mager_course_protocol::Request;
use rustix::process::{Pid, WaitOptions, WaitStatus, waitpid};
use std::io;

/// How a child ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// The child.
    pub pid: i32,
    /// Its exit status or signal.
    pub status: WaitStatus,
}

/// Waits for `child`, or for any, to end.
///
/// # Errors
/// When there is no such child.
pub fn wait(child: Option<i32>) -> io::Result<Ended> {
    let which = child.and_then(Pid::from_raw);
    let ended = |found: (Pid, WaitStatus)| Ended { pid: found.0.as_raw_nonzero().get(), status: found.1 };
    let look = || match waitpid(which, WaitOptions::NOHANG) {
        Ok(found) => found.map(|found| Ok(ended(found))),
        Err(error) => Some(Err(error.into())),
    };
    let block = || match waitpid(which, WaitOptions::empty()) {
        Ok(Some(found)) => Ok(ended(found)),
        Ok(None) => Err(io::ErrorKind::WouldBlock.into()),
        Err(error) => Err(error.into()),
    };
    let_others_run(child, look, block)
}

/// For a wait of any kind: `look` whether a child has ended (which may find an error as well); while not, let the
/// others run. For a child the pager does not know, `block` waits. In a process that is not managed, `block` is all.
pub fn let_others_run<R>(
    child: Option<i32>,
    mut look: impl FnMut() -> Option<R>,
    block: impl FnOnce() -> R,
) -> R {
    if !client::managed_here() {
        return block();
    }
    let mut block = Some(block);
    loop {
        if let Some(found) = look() {
            return found;
        }
        // Signals are held back throughout: no handler may run while another process has its turn.
        if let Some(found) = sys::undisturbed(|| wait_for_turn(child, &mut block)) {
            return found;
        }
    }
}

/// What was found without the host, or `None` when the host knows that there may be something to find.
fn wait_for_turn<R>(child: Option<i32>, block: &mut Option<impl FnOnce() -> R>) -> Option<R> {
    match client::ask(Request::Wait { child }) {
        Answer::Go(_) => None,
        Answer::Refused(_) => client::unexpected(),
        Answer::WaitYourself => {
            let found = block.take().map(|block| block());
            match client::ask(Request::Ready) {
                Answer::Go(_) => found,
                Answer::Refused(_) | Answer::WaitYourself => client::unexpected(),
            }
        }
    }
}
