//! What the library says, on standard error; and the end, where it cannot go on.

use crate::sys;
use mager_linux_client::PAGER_DIED;

/// One line, without the locks of the standard library.
pub(crate) fn say(line: &str) {
    sys::write_error(&format!("mager: {line}\n"));
}

/// As [`say`], where the run was asked to be verbose.
pub(crate) fn say_if_asked(line: &str) {
    if std::env::var_os("MAGER_RUN_VERBOSE").is_some_and(|word| word == "1") {
        say(line);
    }
}

/// The program cannot have the memory it was promised.
pub(crate) fn give_up(line: &str) -> ! {
    say(line);
    mager_linux_sys::exit_now(PAGER_DIED)
}
