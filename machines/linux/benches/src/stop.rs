//! Ctrl-C and the like set a flag; whoever waits looks at it, and everything is taken down in order.

use crate::error::Failure;
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// From now on SIGINT, SIGTERM and SIGHUP only set the flag.
pub(crate) fn catch() -> Result<(), Failure> {
    ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed))
        .map_err(|why| Failure::Unavailable(format!("signals cannot be caught, so nothing is begun: {why}")))
}

/// Fails if the user wants to stop.
pub(crate) fn check() -> Result<(), Failure> {
    if STOP.load(Ordering::Relaxed) { Err(Failure::Stopped) } else { Ok(()) }
}
