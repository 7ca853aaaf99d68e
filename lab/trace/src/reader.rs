//! A trace as a stream of batches, whatever its format and compression.

use crate::{Batch, Format, Pages, TraceError, formats};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Bytes read at a time: large enough to make reading cheap, small enough to stay in the nearer caches.
const CHUNK: usize = 256 * 1024;

/// How a trace is to be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The format; none: told from the contents.
    pub format: Option<Format>,
    /// How addresses become pages.
    pub pages: Pages,
    /// Count bad lines and go on.
    pub skip_bad: bool,
    /// Leave instruction fetches out.
    pub data_only: bool,
}

/// Turns bytes into accesses.
pub trait Parse {
    /// Reads whole records from the start of `bytes`, adds their accesses to `out`, and says how many bytes those
    /// were. At the `end` of the trace everything must be used.
    fn parse(&mut self, bytes: &[u8], end: bool, path: &Path, out: &mut Batch) -> Result<usize, TraceError>;

    /// How many bad records were left out.
    fn bad(&self) -> u64;
}

/// An open trace.
pub struct Reader {
    path: PathBuf,
    source: Box<dyn Read + Send>,
    parser: Box<dyn Parse + Send>,
    format: Format,
    buffer: Vec<u8>,
    filled: usize,
    ended: bool,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("path", &self.path)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens the trace at `path`; `-` is standard input.
    pub fn open(path: &Path, options: &Options) -> Result<Self, TraceError> {
        let open = |source| TraceError::Open { path: path.to_owned(), source };
        let raw: Box<dyn Read + Send> = if path.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            let file = File::open(path).map_err(open)?;
            if file.metadata().map_err(open)?.is_dir() {
                return Err(open(io::Error::other("it is a directory")));
            }
            Box::new(file)
        };
        Reader::from_source(raw, path, options)
    }

    /// A trace read from `source`; `path` is what messages call it, and its name helps to tell the format.
    pub fn from_source(
        source: Box<dyn Read + Send>,
        path: &Path,
        options: &Options,
    ) -> Result<Self, TraceError> {
        let read = |source| TraceError::Read { path: path.to_owned(), source };
        let mut source = decompressed(source).map_err(read)?;
        let mut buffer = vec![0; CHUNK];
        let filled = read_full(&mut source, &mut buffer).map_err(read)?;
        let start = &buffer[..filled];
        if formats::is_fault_log(start) {
            return Err(TraceError::FaultLog { path: path.to_owned() });
        }
        let format = options.format.or_else(|| Format::detect(path, start));
        let format = format.ok_or_else(|| TraceError::UnknownFormat { path: path.to_owned() })?;
        let parser = format.parser(start, options);
        Ok(Reader { path: path.to_owned(), source, parser, format, buffer, filled, ended: false })
    }

    /// The format that is being read.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// How many bad records were left out so far.
    #[must_use]
    pub fn bad(&self) -> u64 {
        self.parser.bad()
    }

    /// Replaces `batch` by the next accesses; false at the end of the trace.
    pub fn next_batch(&mut self, batch: &mut Batch) -> Result<bool, TraceError> {
        batch.clear();
        while batch.is_empty() && !self.ended {
            self.ended = self.filled < self.buffer.len();
            let bytes = &self.buffer[..self.filled];
            let used = self.parser.parse(bytes, self.ended, &self.path, batch)?;
            self.refill(used)?;
        }
        Ok(!batch.is_empty())
    }

    /// Drops the bytes used and reads others behind the rest; a record longer than the buffer makes it grow.
    fn refill(&mut self, used: usize) -> Result<(), TraceError> {
        let rest = self.filled - used;
        if used == 0 && !self.ended {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        self.buffer.copy_within(used..self.filled, 0);
        if !self.ended {
            let read = read_full(&mut self.source, &mut self.buffer[rest..]);
            let read = read.map_err(|source| TraceError::Read { path: self.path.clone(), source })?;
            self.filled = rest + read;
        }
        Ok(())
    }
}

/// Reads until `buffer` is full or the source ends.
fn read_full(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Looks at the first bytes and undoes gzip or zstd.
fn decompressed(mut source: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut magic = [0; 4];
    let read = read_full(&mut source, &mut magic)?;
    let whole = io::Cursor::new(magic[..read].to_vec()).chain(source);
    Ok(match &magic[..read] {
        [0x1f, 0x8b, ..] => {
            Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::with_capacity(CHUNK, whole)))
        }
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::Decoder::new(whole)?),
        _ => Box::new(whole),
    })
}
