//! Traces written: libCacheSim's records, or plain text; compressed by the file's name.

use crate::TraceError;
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// What a trace is written as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// libCacheSim's oracleGeneral; the next access is known only to who gives it.
    OracleGeneral,
    /// One page number a line, with ` w` after it if the access writes.
    Plain,
}

impl Output {
    /// By the name of the file: text if it ends in `.txt` (before `.gz` or `.zst`), records otherwise.
    #[must_use]
    pub fn by_name(path: &Path) -> Self {
        let name = path.to_string_lossy();
        let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
        if name.ends_with(".txt") || name == "-" { Output::Plain } else { Output::OracleGeneral }
    }
}

/// A file of bytes that may be compressed on the way.
enum Sink {
    Plain(Box<dyn Write>),
    Gzip(flate2::write::GzEncoder<File>),
    Zstd(zstd::Encoder<'static, File>),
}

impl Sink {
    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Sink::Plain(file) => file,
            Sink::Gzip(file) => file,
            Sink::Zstd(file) => file,
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Sink::Plain(mut file) => file.flush(),
            Sink::Gzip(file) => file.finish().map(drop),
            Sink::Zstd(file) => file.finish().map(drop),
        }
    }
}

/// Writes a trace, access by access.
pub struct Writer {
    path: PathBuf,
    sink: Sink,
    format: Output,
    buffer: Vec<u8>,
    time: u32,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("path", &self.path)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

const BUFFER: usize = 1 << 18;

impl Writer {
    /// Creates the file at `path` (`-` is standard output), compressed if its name ends in `.gz` or `.zst`.
    pub fn create(path: &Path, format: Output) -> Result<Self, TraceError> {
        let error = |source| TraceError::Open { path: path.to_owned(), source };
        let sink = match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.as_os_str() == "-" => Sink::Plain(Box::new(BufWriter::new(io::stdout()))),
            Some("gz") => {
                let file = File::create(path).map_err(error)?;
                Sink::Gzip(flate2::write::GzEncoder::new(file, flate2::Compression::default()))
            }
            Some("zst") => {
                let file = File::create(path).map_err(error)?;
                Sink::Zstd(zstd::Encoder::new(file, 3).map_err(error)?)
            }
            _ => Sink::Plain(Box::new(File::create(path).map_err(error)?)),
        };
        Ok(Writer { path: path.to_owned(), sink, format, buffer: Vec::with_capacity(BUFFER + 64), time: 0 })
    }

    /// Adds one access; `next` is the number of the next access to the same page, counted from 0.
    pub fn push(&mut self, page: u64, write: bool, next: Option<u64>) -> Result<(), TraceError> {
        match self.format {
            Output::OracleGeneral => {
                self.buffer.extend_from_slice(&self.time.to_le_bytes());
                self.buffer.extend_from_slice(&page.to_le_bytes());
                self.buffer.extend_from_slice(&1u32.to_le_bytes());
                self.buffer.extend_from_slice(&next.unwrap_or(u64::MAX).to_le_bytes());
                self.time = self.time.wrapping_add(1);
            }
            Output::Plain => {
                let written = writeln!(self.buffer, "{page}{}", if write { " w" } else { "" });
                written.map_err(|source| TraceError::Write { path: self.path.clone(), source })?;
            }
        }
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), TraceError> {
        let written = self.sink.writer().write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(|source| TraceError::Write { path: self.path.clone(), source })
    }

    /// Writes what is left and completes the file.
    pub fn finish(mut self) -> Result<(), TraceError> {
        self.flush()?;
        let path = self.path;
        self.sink.finish().map_err(|source| TraceError::Write { path, source })
    }
}
