//! Ctrl-C sets a flag; what is finished is kept.

use std::sync::{
    Once,
    atomic::{AtomicBool, Ordering},
};

static STOP: AtomicBool = AtomicBool::new(false);
static INSTALL: Once = Once::new();

/// The flag that Ctrl-C sets. Where no handler can be installed, Ctrl-C ends the process as ever.
pub(crate) fn flag() -> &'static AtomicBool {
    INSTALL.call_once(|| {
        if let Err(error) = ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed)) {
            eprintln!("Ctrl-C will not keep what is finished: {error}");
        }
    });
    &STOP
}

/// Whether the user wants to stop.
pub(crate) fn stopped() -> bool {
    flag().load(Ordering::Relaxed)
}
