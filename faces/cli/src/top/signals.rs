//! Signals that end `mager top`: the loop sees them and gives the terminal back; if it cannot, the process ends all the same.

use crate::failure::{Failure, Finished};
use ratatui::crossterm::terminal::disable_raw_mode;
pub(super) use signal_hook::consts::SIGINT;
use signal_hook::consts::{SIGHUP, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// The loop has so long. It needs more only where it waits for a terminal that does not take what is drawn, or is gone.
const PATIENCE: Duration = Duration::from_secs(1);
/// What shells add to the number of the signal that ended a program.
const BY_SIGNAL: i32 = 128;

static CAME: AtomicI32 = AtomicI32::new(0);

/// Takes signals from now on.
pub(super) fn listen() -> Result<(), Failure> {
    let refused = |why| Failure::Run(format!("signals cannot be taken: {why}"));
    let signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM]).map_err(refused)?;
    std::thread::Builder::new().name("signals".into()).spawn(|| wait(signals)).map_err(refused)?;
    Ok(())
}

fn wait(mut signals: Signals) {
    if let Some(signal) = signals.forever().next() {
        CAME.store(signal, Ordering::Relaxed);
        std::thread::sleep(PATIENCE);
        // Nothing is written: that is perhaps what the loop waits for.
        let _ = disable_raw_mode();
        std::process::exit(BY_SIGNAL + signal);
    }
}

/// The signal that came, if one has.
pub(super) fn came() -> Option<i32> {
    Some(CAME.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
}

/// The exit code that a shell would tell.
pub(super) fn ended_by(signal: i32) -> Finished {
    Finished::With(u8::try_from(BY_SIGNAL + signal).unwrap_or(u8::MAX))
}
