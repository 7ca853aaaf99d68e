//! Event logs as files: read line after line however long they are, written while the run goes on.

use crate::failure::Failure;
use crate::output::Output;
use mager_driver::{Line, LogReader, MAX_LOG_LINE};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// An event log that is being read.
pub struct EventLog {
    path: PathBuf,
    input: Box<dyn BufRead>,
    reader: LogReader,
    buffer: Vec<u8>,
}

impl std::fmt::Debug for EventLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventLog").field("path", &self.path).field("reader", &self.reader).finish()
    }
}

impl EventLog {
    /// Opens a log; `-` is the standard input.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let input: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(BufReader::new(io::stdin()))
        } else {
            Box::new(BufReader::new(File::open(path).map_err(|error| Failure::file(path, error))?))
        };
        Ok(EventLog { path: path.to_owned(), input, reader: LogReader::new(), buffer: Vec::new() })
    }

    /// Which file it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the line read last.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.reader.number()
    }

    /// Whether the line that ends a log was read.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.reader.ended()
    }

    /// The next line; none after the last. A last line without its line end was cut off in the middle and does
    /// not count, unless it is the one that ends the log.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, Failure> {
        self.buffer.clear();
        let limit = MAX_LOG_LINE as u64 + 2;
        let mut input = self.input.by_ref().take(limit);
        input.read_until(b'\n', &mut self.buffer).map_err(|error| Failure::file(&self.path, error))?;
        let whole = self.buffer.ends_with(b"\n") || self.buffer.len() > MAX_LOG_LINE;
        if !whole && !self.ends_log() {
            return Ok(None);
        }
        match self.reader.line(&self.buffer) {
            Ok(line) => Ok(Some(line)),
            Err(bad) => Err(Failure::file(&self.path, bad)),
        }
    }

    fn ends_log(&self) -> bool {
        let mut ahead = self.reader.clone();
        ahead.number() == 0 && !self.buffer.is_empty()
            || matches!(ahead.line(&self.buffer), Ok(Line::End(steps)) if steps == self.reader.steps())
    }
}

/// A file that an event log can be written to. A failure is kept, and told by [`EventSink::close`].
#[derive(Debug)]
pub struct EventSink {
    path: PathBuf,
    file: BufWriter<File>,
    failed: Option<io::Error>,
}

impl EventSink {
    /// Makes the file, or empties the one that is there.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let output = Output::open(path, "the event log")?;
        output.begin()?;
        Ok(EventSink::new(path, output.handle()?))
    }

    /// Writes to `file`, which is called `path`.
    pub fn new(path: &Path, file: File) -> Self {
        EventSink { path: path.to_owned(), file: BufWriter::new(file), failed: None }
    }

    /// Everything is written, or this says why not.
    pub fn close(mut self) -> Result<(), Failure> {
        let failed = self.failed.take().or_else(|| self.file.flush().err());
        let told = |error| format!("{}: the event log cannot be written: {error}", self.path.display());
        failed.map_or(Ok(()), |error| Err(Failure::Run(told(error))))
    }
}

impl std::fmt::Write for EventSink {
    /// Never fails, so that the log goes on counting; what went wrong is kept.
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if self.failed.is_none() {
            self.failed = self.file.write_all(text.as_bytes()).err();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn a_full_disk_is_told_when_the_log_is_closed() {
        let mut sink = EventSink::create(Path::new("/dev/full")).unwrap();
        write!(sink, "mager-events 3").unwrap();
        let said = sink.close().unwrap_err().to_string();
        assert!(said.starts_with("/dev/full: "), "{said}");
    }
}
