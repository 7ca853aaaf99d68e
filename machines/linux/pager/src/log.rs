//! The event log of a live run.

use crate::options::{NotStarted, Options};
use crate::server::Sink;
use mager_driver::{Header, LogWriter};
use mager_pager::Config;
use std::io::{self, Write};

/// The log that the options ask for.
pub(crate) fn open(options: &Options, config: &Config) -> Result<Option<LogWriter<Sink>>, NotStarted> {
    let Some(path) = &options.events else { return Ok(None) };
    let file =
        std::fs::File::create(path).map_err(|why| NotStarted::System { what: "the event log", why })?;
    let header = Header { config: *config, policy: options.policy.clone(), seed: 0 };
    Ok(Some(LogWriter::new(Sink(io::BufWriter::new(file)), &header)))
}

/// Writes out what is left of it.
pub(crate) fn close(log: &mut Option<LogWriter<Sink>>) -> io::Result<()> {
    match log.take() {
        Some(log) => {
            log.finish().map_err(|_| io::Error::other("the event log could not be written"))?.0.flush()
        }
        None => Ok(()),
    }
}
