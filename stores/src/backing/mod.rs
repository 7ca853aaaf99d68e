//! Everything a pager pages to, as one object: swap space and user files, asynchronously.
//!
//! ```text
//!   write --> same-filled? --> a word in the table              (done at once)
//!         --> room in compressed memory? --> pack               (here, or by other threads where many come at once)
//!         --> else the swap file --> queue --> submit: sort, join, hand to the engine
//!   packed for long, and room short --> the swap file           (`demotion`)
//!   read  --> where the table says; a lone read is read here and now
//!   engine --> finished: checksum, retry, spare block --> Done
//! ```
//! A swap block lies in one place at a time; the table says where, 8 bytes a block, without hashing. Which block a
//! page has, and whether it must be written at all, is the pager's business: a page read back keeps its copy until
//! its block is written again or released.

mod demotion;
mod figures;
mod files;
mod options;
mod packing;
mod queue;
mod room;
mod settle;
mod swap;

pub use figures::{Figures, Packed};
pub use files::FileNo;
pub use options::{EngineKind, Options, SwapOptions, SwapPlace};

use crate::engine::{Engine, Job, OpenFile};
use crate::place::{checked_page_size, wide};
use crate::sys::Toward;
use crate::{BufferNo, Buffers, OpenError, StoreError};
use demotion::Demotion;
use files::Files;
use packing::Packing;
use queue::Queue;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use swap::{Kept, Swap};

/// Where a page's contents live when it is not resident.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Home {
    /// A block of the swap space.
    Swap(u32),
    /// A page-sized block of a user file.
    File(FileNo, u64),
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Home::Swap(block) => write!(f, "swap block {block}"),
            Home::File(file, block) => write!(f, "block {block} of {file}"),
        }
    }
}

/// A job's answer: each read and each write gets exactly one.
#[derive(Debug)]
#[must_use]
pub struct Done {
    /// The tag the job was started with.
    pub tag: u32,
    /// How it went. After a failed read the buffer's bytes are unspecified.
    pub result: Result<(), StoreError>,
}

/// Swap space and user files, with many pages on their way at once.
///
/// Jobs are named by tags, by which nothing else is meant; at most one job at a time for each tag, and for each home.
/// All buffers are of one [`Buffers`] of the same page size. Dropping it waits for the jobs in flight.
#[derive(Debug)]
pub struct Backing {
    page_size: usize,
    swap: Swap,
    files: Files,
    queue: Queue,
    engine: Box<dyn Engine>,
    /// Where other threads pack.
    packing: Option<Packing>,
    /// Where there is compressed memory and a swap file behind it.
    demotion: Option<Demotion>,
    /// What the engine is, for people.
    engine_name: String,
    ready: VecDeque<Done>,
    /// Jobs begun whose answers were not fetched.
    unfinished: usize,
    /// A lone read may be waited for.
    patient: bool,
    figures: Figures,
}

impl Backing {
    /// Opens what the options say.
    ///
    /// # Errors
    /// A size is impossible, the swap file cannot be made, or the engine that was asked for is not to be had.
    pub fn new(options: Options) -> Result<Self, OpenError> {
        let page_size = checked_page_size(options.page_size)?;
        let swap = Swap::new(&options)?;
        let (engine, engine_name) = options::engine(&options)?;
        let packing = match options.packers {
            threads if threads > 0 && options.compressed.is_some() => {
                Some(Packing::new(threads, page_size, options.checksums, engine.wait_fd())?)
            }
            _ => None,
        };
        let demotion = if options.compressed.is_some() && swap.has_file() {
            Some(Demotion::new(page_size).map_err(OpenError::doing("take staging buffers"))?)
        } else {
            None
        };
        Ok(Backing {
            page_size,
            swap,
            files: Files::default(),
            queue: Queue::default(),
            engine,
            packing,
            demotion,
            engine_name,
            ready: VecDeque::new(),
            unfinished: 0,
            patient: true,
            figures: Figures::default(),
        })
    }

    /// Adds a user file, opened for what will be asked of it. With `direct` it bypasses the page cache where its file
    /// system can; that is a property of the open file, and of every duplicate of its descriptor.
    pub fn add_file(&mut self, file: std::fs::File, direct: bool) -> FileNo {
        self.files.add(file, direct, self.page_size)
    }

    /// Forgets a file; jobs that were begun are finished. Its number means nothing from here on.
    pub fn remove_file(&mut self, file: FileNo) {
        self.files.remove(file);
    }

    /// Begins to read the page at `home` into a buffer. What is in memory is there at once, and so is its answer.
    ///
    /// A block never written reads as zeros; so does what of a block lies behind a file's end. A block wholly behind it
    /// is an error: where a file has shrunk, zeros would be made up.
    pub fn read(&mut self, tag: u32, home: Home, into: BufferNo, buffers: &mut Buffers) {
        self.begin(into, buffers);
        self.figures.reads += 1;
        let answer = match home {
            Home::Swap(block) => match self.swap.read(block, buffers.bytes_mut(into)) {
                Ok(Some((file, offset))) => {
                    self.enqueue(tag, home, file, offset, self.page_size, buffers.lend(into, Toward::Memory));
                    return;
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            },
            Home::File(file, block) => match self.files.place(file, block, self.page_size) {
                Ok((file, offset)) => {
                    self.enqueue(tag, home, file, offset, self.page_size, buffers.lend(into, Toward::Memory));
                    return;
                }
                Err(error) => Err(error),
            },
        };
        self.tell(tag, answer);
    }

    /// Begins to write a buffer to `home`; it cannot be changed until the answer. What fits into compressed memory is
    /// written at once, and so is its answer; where other threads pack, at `submit` or when they are done.
    ///
    /// A file never grows: of the block that it ends in only that part is written.
    pub fn write(&mut self, tag: u32, home: Home, from: BufferNo, buffers: &mut Buffers) {
        self.begin(from, buffers);
        self.figures.writes += 1;
        let answer = match home {
            Home::Swap(block) => match self.write_swap(block, buffers.bytes(from)) {
                Ok(Kept::InMemory) => Ok(()),
                Ok(Kept::ToPack) => return self.pack_later(tag, block, from, buffers),
                Ok(Kept::Spilled(file, offset)) => {
                    self.enqueue(tag, home, file, offset, self.page_size, buffers.lend(from, Toward::Store));
                    return;
                }
                Err(error) => Err(error),
            },
            Home::File(file, block) => match self.files.room(file, block, self.page_size) {
                Ok((file, offset, length)) => {
                    self.enqueue(tag, home, file, offset, length, buffers.lend(from, Toward::Store));
                    return;
                }
                Err(error) => Err(error),
            },
        };
        self.tell(tag, answer);
    }

    fn write_swap(&mut self, block: u32, page: &[u8]) -> Result<Kept, StoreError> {
        match self.swap.write(block, page)? {
            Kept::ToPack if !self.can_pack_later() => self.swap.keep(block, page, None),
            kept => Ok(kept),
        }
    }

    /// Whether `submit` may wait for a single read, as it does at first: not where others may want something meanwhile.
    pub fn wait_for_lone_reads(&mut self, wait: bool) {
        self.patient = wait;
    }

    /// Whether a swap block takes room in compressed memory.
    #[must_use]
    pub fn is_packed(&self, block: u32) -> bool {
        self.swap.is_packed(block)
    }

    /// Whether a swap block is read without waiting for a device.
    #[must_use]
    pub fn is_in_memory(&self, block: u32) -> bool {
        self.swap.is_in_memory(block)
    }

    /// The contents of a swap block are not needed any more; it reads as zeros. It must not be in flight.
    pub fn release(&mut self, block: u32) {
        self.swap.release(block);
    }

    /// Whether neither [`Backing::submit`] nor [`Backing::finished`] would do anything.
    #[must_use]
    #[inline]
    pub fn rests(&self) -> bool {
        let demotes = self.swap.is_short() && self.demotion.as_ref().is_some_and(|it| !it.pauses());
        self.unfinished == 0 && self.queue.is_empty() && !self.swap.gives_back() && !demotes
    }

    /// Hands everything queued to the kernel, neighbours joined. A single read with nothing else in flight is carried
    /// out before this returns: waiting for it costs more than doing it. See [`Backing::wait_for_lone_reads`].
    pub fn submit(&mut self, _buffers: &mut Buffers) {
        self.swap.give_back();
        self.submit_packing();
        self.demote();
        if self.patient
            && self.engine.at_once()
            && let Some(job) = self.lone_read()
        {
            self.figures.lone_reads += 1;
            let run = self.queue.run_of(job);
            let ended = self.engine.now(run);
            self.settle(ended);
            return;
        }
        self.start_queued();
    }

    /// An answer, if there is one. Never waits for a device. Only after it has said `None`, and queued jobs were
    /// submitted, does waiting for [`Backing::wait_fd`] make sense.
    pub fn finished(&mut self) -> Option<Done> {
        if self.ready.is_empty() {
            self.fetch_packed();
        }
        loop {
            if let Some(done) = self.ready.pop_front() {
                self.unfinished -= 1;
                return Some(done);
            }
            let ended = self.engine.finished()?;
            self.queue.in_engine -= ended.run.jobs.len();
            self.settle(ended);
        }
    }

    /// Readable when [`Backing::finished`] may have something new. `None` if nothing ever takes longer than `submit`.
    #[must_use]
    pub fn wait_fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.packing {
            Some(packing) => Some(packing.wait_fd()),
            None => self.engine.wait_fd(),
        }
    }

    /// Jobs begun whose answers were not fetched.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.unfinished
    }

    /// What was done so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.swap.figures(self.figures)
    }

    /// What compressed memory is; `None` where there is none.
    #[must_use]
    pub fn packed(&self) -> Option<Packed> {
        self.swap.packed()
    }

    /// Of the budget of compressed memory at most so many bytes may be used from now on; at the start it is all of it.
    /// What is in use stays, so that it can be more: what comes back is what may be used now. The memory of what is
    /// neither used nor granted goes back to the system before this returns; what finds no room goes to the swap file.
    pub fn grant_packed(&mut self, bytes: u64) -> u64 {
        self.swap.grant_packed(bytes)
    }

    /// At most so many bytes of compressed memory should be used from now on; at the start it is all of it. What is beyond
    /// goes to the swap file, the oldest first and a few pages at a time, as `submit` is called; where there is no swap
    /// file it stays.
    pub fn aim_packed(&mut self, bytes: u64) {
        self.swap.aim_packed(bytes);
    }

    /// One line for people: the engine, and why it is not a better one; where swap blocks lie.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{}; {}", self.engine_name, self.swap.describe())
    }

    /// Makes what was written to a file, or with `None` to the swap file, survive a loss of power. Blocks.
    ///
    /// # Errors
    /// What the system says; there is no such file.
    pub fn sync(&mut self, file: Option<FileNo>) -> io::Result<()> {
        match file {
            Some(file) => self.files.sync(file),
            None => self.swap.sync(),
        }
    }

    fn begin(&mut self, buffer: BufferNo, buffers: &Buffers) {
        assert!(buffers.taken(buffer), "buffers: {} is used and was not taken", buffer.0);
        assert!(buffers.page_size() == self.page_size, "backing: the buffers' pages have another size");
        self.unfinished += 1;
    }

    fn enqueue(
        &mut self,
        tag: u32,
        home: Home,
        file: Arc<OpenFile>,
        offset: u64,
        length: usize,
        span: crate::sys::Lent,
    ) {
        self.figures.bytes_moved += wide(length);
        let job = Job { tag: Some(tag), home, file, offset, length, tries: 0, span };
        self.queue.jobs.push(job);
    }
}

impl Drop for Backing {
    fn drop(&mut self) {
        // The engines wait for what they have; what is only queued was never begun.
        self.queue.jobs.clear();
    }
}
