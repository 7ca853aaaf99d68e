//! What a trapped access leads to.

use crate::client::{self, Answer};
use mager_course_protocol::Request;

/// What the trap handler shall do.
pub(crate) enum Verdict {
    /// Return: the access is tried again.
    Retry,
    /// End the process as SIGSEGV does.
    Die,
}

/// An access to the arena lacked the right.
pub(crate) fn trapped(address: usize, write: bool) -> Verdict {
    if !client::is_first_thread() {
        client::say(&format!(
            "only the first thread of a process that the pager knows may touch the arena; this access to \
             {address:#x} came from another thread, or from a process made behind the library's back"
        ));
        return Verdict::Die;
    }
    match client::ask(Request::Fault { address: address as u64, write }) {
        Answer::Go(_) => Verdict::Retry,
        Answer::Refused(why) => {
            client::say(&why);
            Verdict::Die
        }
        Answer::WaitYourself => client::unexpected(),
    }
}
