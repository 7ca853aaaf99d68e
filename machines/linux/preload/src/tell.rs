//! What the library says, on standard error; and the end, where it cannot go on.

use crate::sys;
use mager_linux_client::PAGER_DIED;

/// One line, without the locks of the standard library.
pub(crate) fn say(line: &str) {
    sys::write_error(&format!("mager: {line}\n"));
}

/// The program cannot have the memory it was promised.
pub(crate) fn give_up(line: &str) -> ! {
    say(line);
    mager_linux_sys::exit_now(PAGER_DIED)
}
