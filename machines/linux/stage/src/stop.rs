//! Ctrl-C and the like set a flag; whoever waits looks at it, and everything is taken down in order.

use crate::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// From now on SIGINT, SIGTERM and SIGHUP only set the flag.
///
/// # Errors
///
/// If they cannot be caught.
pub fn catch() -> Result<(), Error> {
    ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed))
        .map_err(|why| Error::Unavailable(format!("signals cannot be caught, so nothing is begun: {why}")))
}

/// Fails if the user wants to stop.
///
/// # Errors
///
/// [`Error::Stopped`].
pub fn check() -> Result<(), Error> {
    if STOP.load(Ordering::Relaxed) { Err(Error::Stopped) } else { Ok(()) }
}
