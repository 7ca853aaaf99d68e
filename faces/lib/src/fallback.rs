//! Memory that the kernel pages: what a program can have where there is no full userfaultfd, if it asks for that.
//!
//! An arena is a sparse file without a name, mapped for sharing; a mapped file is mapped as it is. Swap is the disk that
//! the file lies on, reserved when a region is made. What is in memory is as the kernel likes: there are no frames, no
//! policy and no budget.

use mager_linux_client::{Error, Pages, Room};
use mager_linux_pager::Options;
use mager_linux_sys::Window;
use mager_linux_wire::figures::Figures;
use rustix::fs::{FallocateFlags, Mode, OFlags};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What its arenas have in common.
#[derive(Debug)]
pub(crate) struct Fallback {
    dir: PathBuf,
    pub(crate) page_size: u32,
    arena_pages: u32,
    swap_blocks: u32,
    taken: Mutex<Taken>,
    started: Instant,
}

/// What there is of it now.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    arenas: u32,
    reserved: u32,
}

impl Fallback {
    /// With the sizes that a pager would have, its arenas' files in `dir`.
    pub(crate) fn new(options: &Options, dir: PathBuf) -> Arc<Self> {
        let Options { page_size, arena_pages, swap_blocks, .. } = *options;
        Arc::new(Fallback {
            dir,
            page_size,
            arena_pages,
            swap_blocks,
            taken: Mutex::default(),
            started: Instant::now(),
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve(&self, count: u32) -> Result<(), Error> {
        let mut taken = self.taken();
        let free = self.swap_blocks - taken.reserved;
        if count > free {
            return Err(refused("reserving swap", rustix::io::Errno::NOMEM));
        }
        taken.reserved += count;
        Ok(())
    }

    /// What can be told: the kernel does not say what it holds, and when it reads and writes.
    pub(crate) fn figures(&self) -> Figures {
        let Taken { arenas, reserved } = *self.taken();
        Figures {
            uptime_seconds: self.started.elapsed().as_secs_f64(),
            page_size: self.page_size,
            policy: "the kernel's".into(),
            bound_by: "fallback".into(),
            arenas,
            swap_blocks: self.swap_blocks,
            swap_reserved: reserved,
            ..Figures::default()
        }
    }
}

/// An arena that the kernel pages. Dropped, its memory is gone.
#[derive(Debug)]
pub struct FallbackArena {
    common: Arc<Fallback>,
    /// A forked child has nothing there, and what lies there then is not ours to unmap.
    window: Option<Window>,
    file: File,
    state: Mutex<State>,
    owner: u32,
}

#[derive(Debug)]
struct State {
    room: Room,
    /// Mapped files, by first page.
    files: BTreeMap<u32, (u32, File)>,
}

impl FallbackArena {
    pub(crate) fn new(common: &Arc<Fallback>) -> Result<Self, Error> {
        let (page_size, pages) = (u64::from(common.page_size), common.arena_pages);
        let len = page_size * u64::from(pages);
        let window = Window::reserve(len, page_size, 0).map_err(system("room for an arena"))?;
        let file = unnamed(&common.dir, len).map_err(system("a file for an arena"))?;
        common.taken().arenas += 1;
        let state = Mutex::new(State { room: Room::new(pages), files: BTreeMap::new() });
        let (common, window, owner) = (Arc::clone(common), Some(window), std::process::id());
        Ok(FallbackArena { common, window, file, state, owner })
    }

    pub(crate) fn page_size(&self) -> u64 {
        self.common.page_size.into()
    }

    pub(crate) fn pointer(&self, page: u32) -> *mut u8 {
        self.window().pointer(u64::from(page) * self.page_size())
    }

    pub(crate) fn map(&self, count: u32) -> Result<Pages, Error> {
        let pages = self.take(count)?;
        let mapped = self.common.reserve(count).and_then(|()| {
            let shown = self.allocate(pages).and_then(|()| self.show(pages, &self.file, self.bytes(pages).0));
            shown.inspect_err(|_| self.give_up(pages))
        });
        self.keep(pages, mapped)
    }

    pub(crate) fn map_file(&self, file: &File, block: u32, count: u32) -> Result<Pages, Error> {
        let (at, len) = (u64::from(block) * self.page_size(), u64::from(count) * self.page_size());
        let there =
            file.metadata().map_err(system("looking at a file"))?.len().next_multiple_of(self.page_size());
        if at.checked_add(len).is_none_or(|end| end > there) {
            return Err(refused("mapping a file beyond its end", rustix::io::Errno::INVAL));
        }
        let own = file.try_clone().map_err(system("keeping a file"))?;
        let pages = self.take(count)?;
        let mapped = self.show(pages, file, at);
        if mapped.is_ok() {
            self.state().files.insert(pages.page, (count, own));
        }
        self.keep(pages, mapped)
    }

    /// Pages as [`FallbackArena::map`] and [`FallbackArena::map_file`] gave them.
    pub(crate) fn unmap(&self, pages: Pages) -> Result<(), Error> {
        self.is_ours()?;
        let (offset, len) = self.bytes(pages);
        self.window().hide(offset, len).map_err(system("unmapping a part of an arena"))?;
        if self.state().files.remove(&pages.page).is_none() {
            self.give_up(pages);
        }
        self.state().room.give(pages.page, pages.count);
        Ok(())
    }

    /// Regions are mapped and hidden at any time.
    pub(crate) fn seal(&self) -> Result<(), Error> {
        Err(refused("sealing an arena without a pager", rustix::io::Errno::OPNOTSUPP))
    }

    pub(crate) fn discard(&self, pages: Pages) -> Result<(), Error> {
        self.is_ours()?;
        let file = |(&first, (count, _)): (&u32, &(u32, File))| first + count > pages.page;
        if self.state().files.range(..pages.page + pages.count).next_back().is_some_and(file) {
            return Err(refused("discarding pages of a file", rustix::io::Errno::INVAL));
        }
        self.punch(pages).map_err(system("discarding pages"))?;
        self.allocate(pages)
    }

    pub(crate) fn flush(&self, page: u32) -> Result<(), Error> {
        let state = self.state();
        let found =
            state.files.range(..=page).next_back().filter(|(first, (count, _))| page - **first < *count);
        let Some((_, (_, file))) = found else {
            return Err(refused("flushing where no file is mapped", rustix::io::Errno::INVAL));
        };
        let file = file.try_clone();
        drop(state);
        file.and_then(|file| file.sync_data()).map_err(system("writing a file home"))
    }

    fn window(&self) -> &Window {
        self.window.as_ref().expect("fallback: an arena has its window until it is dropped")
    }

    fn is_ours(&self) -> Result<(), Error> {
        if std::process::id() == self.owner { Ok(()) } else { Err(Error::NotFollowed) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bytes(&self, pages: Pages) -> (u64, u64) {
        (u64::from(pages.page) * self.page_size(), u64::from(pages.count) * self.page_size())
    }

    fn take(&self, count: u32) -> Result<Pages, Error> {
        self.is_ours()?;
        let page = self.state().room.take(count).ok_or(Error::NoRoom { wanted: count })?;
        Ok(Pages { page, count })
    }

    fn keep(&self, pages: Pages, mapped: Result<(), Error>) -> Result<Pages, Error> {
        if mapped.is_err() {
            self.state().room.give(pages.page, pages.count);
        }
        mapped.map(|()| pages)
    }

    fn show(&self, pages: Pages, file: &File, at: u64) -> Result<(), Error> {
        let (offset, len) = self.bytes(pages);
        self.window().map(offset, len, file, at, true).map_err(system("mapping a part of an arena"))
    }

    /// Reserves the disk, so that no store to the pages finds it full.
    fn allocate(&self, pages: Pages) -> Result<(), Error> {
        let (offset, len) = self.bytes(pages);
        let allocated = rustix::fs::fallocate(&self.file, FallocateFlags::empty(), offset, len);
        allocated.map_err(|why| refused("reserving disk", why))
    }

    fn punch(&self, pages: Pages) -> io::Result<()> {
        let (offset, len) = self.bytes(pages);
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        Ok(rustix::fs::fallocate(&self.file, flags, offset, len)?)
    }

    /// Private pages give back what was reserved for them.
    fn give_up(&self, pages: Pages) {
        let _ = self.punch(pages);
        self.common.taken().reserved -= pages.count;
    }
}

impl Drop for FallbackArena {
    fn drop(&mut self) {
        if self.is_ours().is_ok() {
            self.common.taken().arenas -= 1;
        } else {
            std::mem::forget(self.window.take());
        }
    }
}

fn unnamed(dir: &std::path::Path, len: u64) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(dir, flags, Mode::RUSR | Mode::WUSR)?);
    file.set_len(len)?;
    Ok(file)
}

fn system(what: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |why| Error::System { what, why }
}

fn refused(what: &'static str, why: rustix::io::Errno) -> Error {
    system(what)(why.into())
}
