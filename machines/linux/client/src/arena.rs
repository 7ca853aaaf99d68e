//! Arenas: address space whose pages the pager holds.

use crate::body::Body;
use crate::connection::{Connection, Turn, unexpected};
use crate::error::{Error, system};
use crate::room::Room;
use mager_linux_sys::{Userfault, Window};
use mager_linux_wire::{ArenaId, Range, Reply, Request};
use rustix::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A run of pages in an arena.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pages {
    /// The first.
    pub page: u32,
    /// How many.
    pub count: u32,
}

/// An arena. Dropped, its memory is gone.
#[derive(Debug)]
pub struct Arena {
    connection: Arc<Connection>,
    body: Arc<Body>,
    /// Behind the connection's gate.
    room: Mutex<Room>,
    page_size: u64,
    /// Files were mapped in it at some time.
    had_files: AtomicBool,
}

impl Arena {
    /// A new, empty arena.
    pub fn new(connection: &Arc<Connection>) -> Result<Self, Error> {
        let mut turn = connection.turn()?;
        let (reply, fds) = turn.ask(&Request::Create, &[])?;
        let Reply::Arena { arena, .. } = reply else { return Err(unexpected(&reply)) };
        let memory = fds.into_iter().next().ok_or_else(|| Error::Protocol("no memory came along".into()))?;
        Self::attach(connection, &mut turn, arena, memory)
    }

    /// Maps an arena the pager has made, and has its faults go to the pager.
    fn attach(
        connection: &Arc<Connection>,
        turn: &mut Turn<'_>,
        id: ArenaId,
        memory: OwnedFd,
    ) -> Result<Self, Error> {
        let facts = connection.facts();
        let page_size = u64::from(facts.page_size);
        let len = page_size * u64::from(facts.arena_pages);
        let window = Window::reserve(len, page_size, 0).map_err(system("room for an arena"))?;
        window.map(0, len, &memory, 0, true).map_err(system("mapping an arena"))?;
        let uffd = Userfault::open().map_err(system("userfaultfd"))?;
        uffd.register(window.base(), len, facts.minor)
            .map_err(system("registering an arena with userfaultfd"))?;
        let body = Arc::new(Body::new(id, window, uffd, memory));
        turn.request(&Request::Attach { arena: id, base: body.window.base() }, &[body.uffd.as_fd()])?;
        connection.agent.knows(&body);
        let room = Mutex::new(Room::new(facts.arena_pages));
        let had_files = AtomicBool::new(false);
        Ok(Arena { connection: Arc::clone(connection), body, room, page_size, had_files })
    }

    /// Bytes in a page.
    #[must_use]
    pub fn page_size(&self) -> u64 {
        self.page_size
    }

    /// Where a page is.
    #[must_use]
    pub fn pointer(&self, page: u32) -> *mut u8 {
        self.body.window.pointer(u64::from(page) * self.page_size)
    }

    /// Private memory, zeros at first. Swap is reserved for all of it.
    pub fn map(&self, count: u32) -> Result<Pages, Error> {
        let mut turn = self.connection.turn()?;
        let pages = self.take(count)?;
        let mapped = turn.request(&Request::MapSwap(self.range(pages)), &[]);
        self.keep(pages, mapped.map(drop))
    }

    /// `count` pages of a file from page `block` on, shared with everyone who maps them. The file is open for reading and
    /// writing; what is written here is in it after [`Arena::flush`], or some time after the mapping is gone.
    pub fn map_file(&self, file: &File, block: u32, count: u32) -> Result<Pages, Error> {
        let mut turn = self.connection.turn()?;
        if self.body.is_sealed() {
            return Err(not_permitted("mapping a file in a sealed arena"));
        }
        let pages = self.take(count)?;
        self.had_files.store(true, Ordering::Relaxed);
        let request = Request::MapFile { range: self.range(pages), block };
        let memory = turn
            .request(&request, &[file.as_fd()])
            .and_then(|memory| memory.ok_or_else(|| Error::Protocol("no memory came along".into())));
        let memory = memory.inspect_err(|_| self.room().give(pages.page, pages.count))?;
        if let Err(why) = self.show(pages, &memory, u64::from(block) * self.page_size, true) {
            // As unmapping does; where not even that works the addresses are not used again.
            let _ = self.leave(&mut turn, pages);
            return Err(why);
        }
        Ok(pages)
    }

    /// The pages are not used any more.
    pub fn unmap(&self, pages: Pages) -> Result<(), Error> {
        self.leave(&mut self.connection.turn()?, pages)
    }

    fn leave(&self, turn: &mut Turn<'_>, pages: Pages) -> Result<(), Error> {
        // First, as it may be refused: what is protected has to stay so then.
        turn.request(&Request::Unmap(self.range(pages)), &[])?;
        // Where a file was, the arena's own memory is shown again.
        if self.had_files.load(Ordering::Relaxed) {
            let minor = self.connection.facts().minor;
            self.show(pages, &self.body.memory, u64::from(pages.page) * self.page_size, minor)?;
        }
        self.room().give(pages.page, pages.count);
        Ok(())
    }

    /// From now on no part of the process can unmap, replace or protect the arena's addresses (mseal, since Linux 6.10), and
    /// no file can be mapped in it. They stay in use until the process ends, also when the arena is dropped: then whoever
    /// touches them waits for ever. Refused where files have been mapped. A child that follows forks has it sealed, too.
    pub fn seal(&self) -> Result<(), Error> {
        let _turn = self.connection.turn()?;
        if self.had_files.load(Ordering::Relaxed) {
            return Err(not_permitted("sealing an arena that files have been mapped in"));
        }
        self.body.seal().map_err(system("sealing an arena"))
    }

    /// All of its addresses: the first, and how many.
    #[must_use]
    pub fn addresses(&self) -> (u64, u64) {
        (self.body.window.base(), self.body.window.len())
    }

    /// As [`Arena::map`], in the place that the caller has chosen. Who uses this keeps count of what is free himself, and
    /// uses neither `map` nor `unmap`.
    pub fn commit(&self, pages: Pages) -> Result<(), Error> {
        self.request(&Request::MapSwap(self.range(pages)))
    }

    /// What [`Arena::commit`] has mapped, or a part of it, is not used any more. Its addresses stay the arena's.
    pub fn withdraw(&self, pages: Pages) -> Result<(), Error> {
        self.request(&Request::Unmap(self.range(pages)))
    }

    /// The descriptors it lives by. Whoever closes one of them loses the arena.
    #[must_use]
    pub fn descriptors(&self) -> [RawFd; 2] {
        [self.body.uffd.as_fd().as_raw_fd(), self.body.memory.as_raw_fd()]
    }

    /// Private pages read as zeros again; frames and swap are given back.
    pub fn discard(&self, pages: Pages) -> Result<(), Error> {
        self.request(&Request::Discard(self.range(pages)))
    }

    /// Writes dirty pages of the file mapped at `page` home, and waits for it.
    pub fn flush(&self, page: u32) -> Result<(), Error> {
        let mut turn = self.connection.turn()?;
        turn.request(&Request::Flush { arena: self.body.id(), page }, &[]).map(drop)
    }

    /// The pages stay in memory where they are. They must have been touched just before; `false`: one was evicted in
    /// between, and touching them again is worth it.
    pub fn pin(&self, pages: Pages) -> Result<bool, Error> {
        match self.request(&Request::Pin(self.range(pages))) {
            Ok(()) => Ok(true),
            Err(Error::Refused { errno, .. }) if errno == rustix::io::Errno::AGAIN.raw_os_error() => {
                Ok(false)
            }
            Err(why) => Err(why),
        }
    }

    /// They may be evicted again.
    pub fn unpin(&self, pages: Pages) -> Result<(), Error> {
        self.request(&Request::Unpin(self.range(pages)))
    }

    fn request(&self, request: &Request) -> Result<(), Error> {
        self.connection.turn()?.request(request, &[]).map(drop)
    }

    fn range(&self, pages: Pages) -> Range {
        Range { arena: self.body.id(), page: pages.page, count: pages.count }
    }

    fn room(&self) -> std::sync::MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, count: u32) -> Result<Pages, Error> {
        let page = self.room().take(count).ok_or(Error::NoRoom { wanted: count })?;
        Ok(Pages { page, count })
    }

    fn keep(&self, pages: Pages, mapped: Result<(), Error>) -> Result<Pages, Error> {
        if mapped.is_err() {
            self.room().give(pages.page, pages.count);
        }
        mapped.map(|()| pages)
    }

    fn show(&self, pages: Pages, memory: &OwnedFd, at: u64, minor: bool) -> Result<(), Error> {
        let (offset, len) = (u64::from(pages.page) * self.page_size, u64::from(pages.count) * self.page_size);
        self.body.window.map(offset, len, memory, at, true).map_err(system("mapping a part of an arena"))?;
        self.body
            .uffd
            .register(self.body.window.base() + offset, len, minor)
            .map_err(system("registering a part of an arena"))
    }
}

fn not_permitted(what: &'static str) -> Error {
    system(what)(rustix::io::Errno::PERM.into())
}

impl Drop for Arena {
    fn drop(&mut self) {
        if self.body.is_sealed() {
            // Its addresses stay, and would be zeros if the last descriptor of the userfaultfd were closed.
            std::mem::forget(Arc::clone(&self.body));
        }
        if let Ok(mut turn) = self.connection.turn() {
            self.body.give_up();
            let _ = turn.request(&Request::Destroy(self.body.id()), &[]);
        }
    }
}
