//! Ctrl-C: the first ends the hunt with what it has come to, the second ends everything at once.

use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// The status of a program that Ctrl-C ended, as shells tell it.
pub(crate) const STATUS: u8 = 130;

/// Takes Ctrl-C from now on. Where that is not possible it ends the process as ever.
pub(crate) fn listen() {
    let taken = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(STATUS));
        }
    });
    if let Err(error) = taken {
        eprintln!("Ctrl-C will not show what is finished: {error}");
    }
}

/// Does the user want to stop?
pub(crate) fn stopped() -> bool {
    STOP.load(Ordering::Relaxed)
}
