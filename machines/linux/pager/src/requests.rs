//! What clients ask for, as control calls of the core. Everything is checked before anything is done.

use crate::arenas::{Arena, Attached};
use crate::budget::AllowanceNo;
use crate::server::Server;
use crate::tickets::{MOST_ARENAS, flush_ticket};
use mager_driver::{Control, Outcome};
use mager_linux_sys::{Pagemap, Userfault};
use mager_linux_wire::{self as wire, Range, Reply, Request};
use mager_pager::{Access, ArenaId, Kind, ObjectNo, Pages, Refused, Site, VirtPage, What};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::io::Errno;
use std::rc::Rc;

/// What a client is told, with the descriptors that go along; `None`: later, when his flush is done.
pub(crate) type Answer = Option<(Reply, Vec<OwnedFd>)>;

/// Why a request was refused.
#[derive(Debug)]
pub(crate) struct No(Errno, String);

impl No {
    pub(crate) fn new(errno: Errno, why: impl Into<String>) -> Self {
        No(errno, why.into())
    }

    pub(crate) fn reply(self) -> Reply {
        Reply::Refused { errno: self.0.raw_os_error(), why: self.1 }
    }
}

impl From<Refused> for No {
    fn from(why: Refused) -> Self {
        let errno = match why {
            Refused::NoSwap { .. } | Refused::ArenaFull | Refused::Full | Refused::NoFrames => Errno::NOMEM,
            Refused::Taken => Errno::EXIST,
            Refused::Pinned => Errno::BUSY,
            Refused::NotResident => Errno::AGAIN,
            _ => Errno::INVAL,
        };
        No(errno, why.to_string())
    }
}

impl From<std::io::Error> for No {
    fn from(why: std::io::Error) -> Self {
        let errno = why.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error);
        No(errno, why.to_string())
    }
}

impl From<Errno> for No {
    fn from(errno: Errno) -> Self {
        No(errno, errno.to_string())
    }
}

pub(crate) fn id(arena: wire::ArenaId) -> ArenaId {
    ArenaId { slot: arena.slot, generation: arena.generation }
}

pub(crate) fn wire_id(arena: ArenaId) -> wire::ArenaId {
    wire::ArenaId { slot: arena.slot, generation: arena.generation }
}

pub(crate) fn pages(range: Range) -> Pages {
    Pages { start: VirtPage(range.page), count: range.count }
}

fn done() -> Result<Answer, No> {
    Ok(Some((Reply::Done, Vec::new())))
}

impl Server {
    pub(crate) fn request(&mut self, client: u64, request: Request, fds: Vec<OwnedFd>) -> Result<Answer, No> {
        if let Request::Observe = request {
            return Ok(Some((Reply::Figures(self.figures_json()), Vec::new())));
        }
        if let Request::Hello { version } = request {
            return self.hello(client, version, fds);
        }
        if !self.clients.get(client).is_some_and(|client| client.greeted) {
            return Err(No::new(Errno::PROTO, "the first message must be a hello"));
        }
        match request {
            Request::Hello { .. } | Request::Observe => unreachable!("answered above"),
            Request::Create => self.create(client),
            Request::Attach { arena, base } => self.attach(client, id(arena), base, fds),
            Request::MapSwap(range) => self.map_swap(client, range),
            Request::MapFile { range, block } => self.map_file(client, range, block, fds),
            Request::Unmap(range) => self.unmap(client, range),
            Request::Discard(range) => self.discard(client, range),
            Request::Flush { arena, page } => self.flush(client, id(arena), page),
            Request::Pin(range) => self.pin(client, range),
            Request::Unpin(range) => self.unpin(client, range),
            Request::Fork { thread } => self.fork(client, thread, fds),
            Request::Inherit(arena) => self.inherit(client, id(arena)),
            Request::Forked => self.forked(client),
            Request::Destroy(arena) => self.destroy_owned(client, id(arena)),
        }
    }

    fn hello(&mut self, client: u64, version: u32, fds: Vec<OwnedFd>) -> Result<Answer, No> {
        if version != wire::VERSION {
            let why = format!("this pager speaks version {}, the client version {version}", wire::VERSION);
            return Err(No::new(Errno::PROTO, why));
        }
        let pid = self.clients.get(client).map_or(0, |client| client.pid);
        let facts = self.facts(self.harvests && Pagemap::open(pid).is_ok());
        let client = self.clients.get_mut(client).ok_or_else(|| No::new(Errno::PROTO, "no such client"))?;
        client.agent = fds.into_iter().next().map(Rc::new);
        client.command = crate::names::command(client.pid);
        client.greeted = true;
        Ok(Some((Reply::Welcome(facts), Vec::new())))
    }

    pub(crate) fn owned(&self, client: u64, arena: ArenaId) -> Result<(), No> {
        let owns = self.clients.get(client).is_some_and(|client| client.owns(arena));
        if owns { Ok(()) } else { Err(No::new(Errno::BADF, format!("arena {arena} is not yours"))) }
    }

    /// Whether the arena is the client's, and the range in it.
    pub(crate) fn owned_range(&self, client: u64, range: Range) -> Result<(), No> {
        self.owned(client, id(range.arena))?;
        let end = range.page.checked_add(range.count);
        if range.count > 0 && end.is_some_and(|end| end <= self.options.arena_pages) {
            return Ok(());
        }
        Err(Refused::BadRange.into())
    }

    fn map_swap(&mut self, client: u64, range: Range) -> Result<Answer, No> {
        self.owned_range(client, range)?;
        self.may_map(id(range.arena))?;
        self.may_reserve(client, range.count)?;
        self.control(Control::MapSwapAt(id(range.arena), pages(range)))?;
        self.machine.cure(id(range.arena), pages(range));
        done()
    }

    /// Mappings take memory of the pager's, and some are walked through one by one.
    pub(crate) fn may_map(&self, arena: ArenaId) -> Result<(), No> {
        let most = self.options.limits.mappings;
        if self.driver.view().region_count(arena) < most {
            return Ok(());
        }
        Err(No::new(Errno::NOMEM, format!("an arena can have {most} mappings")))
    }

    /// What is unmapped in the middle of a mapping leaves two.
    fn may_unmap(&self, arena: ArenaId, range: Pages) -> Result<(), No> {
        let (start, end) = (range.start.0.saturating_sub(1), range.start.0.saturating_add(range.count));
        let around = Pages { start: VirtPage(start), count: end.saturating_add(1) - start };
        let [(part, _)] = self.driver.view().regions_within(arena, around)[..] else { return Ok(()) };
        let splits = range.start.0 > 0 && part == around;
        if splits { self.may_map(arena) } else { Ok(()) }
    }

    pub(crate) fn may_reserve(&self, client: u64, count: u32) -> Result<(), No> {
        let most = u64::from(self.options.limits.swap);
        let family = self.clients.get(client).map_or(0, |client| client.family);
        let arenas = self.clients.in_family(family).flat_map(|client| &client.arenas);
        let reserved: u64 = arenas.map(|&arena| u64::from(self.driver.view().reserved_by(arena))).sum();
        if reserved + u64::from(count) <= most {
            return Ok(());
        }
        let why = format!("{count} pages more than the {reserved} it has: a client can reserve {most}");
        Err(No::new(Errno::NOMEM, why))
    }

    fn create(&mut self, client: u64) -> Result<Answer, No> {
        let (arena, memory) = self.new_arena(client, |server| match server.control(Control::Create)? {
            Outcome::Arena(arena) => Ok(arena),
            _ => unreachable!("control: it makes an arena"),
        })?;
        Ok(Some((Reply::Arena { arena: wire_id(arena), files: Vec::new() }, vec![memory])))
    }

    /// An arena made by `make`, with its memory file; the client is its owner.
    pub(crate) fn new_arena(
        &mut self,
        client: u64,
        make: impl FnOnce(&mut Self) -> Result<ArenaId, No>,
    ) -> Result<(ArenaId, OwnedFd), No> {
        let owner = self.clients.get(client).ok_or(Errno::PROTO)?;
        let most = self.options.limits.arenas;
        if owner.arenas.len() >= most {
            return Err(No::new(Errno::NFILE, format!("a client can have {most} arenas")));
        }
        if self.driver.view().counts().arenas >= MOST_ARENAS {
            return Err(No::new(Errno::NFILE, format!("a pager can have {MOST_ARENAS} arenas")));
        }
        let (agent, family) = (owner.agent.clone(), owner.family);
        let size = u64::from(self.options.arena_pages) * u64::from(self.options.page_size);
        let allowance = self.allowance(client)?;
        let memory = self.machine.budget.file(allowance, "mager-arena", size)?;
        let descriptor = memory.as_fd().try_clone_to_owned()?;
        let arena = make(self)?;
        self.machine.arenas.insert(Arena::new(arena, (memory, allowance), agent, family));
        if let Some(owner) = self.clients.get_mut(client) {
            owner.arenas.push(arena);
        }
        Ok((arena, descriptor))
    }

    /// What the client's arenas may hold.
    fn allowance(&mut self, client: u64) -> Result<AllowanceNo, No> {
        if let Some(allowance) = self.clients.get(client).and_then(|client| client.allowance) {
            return Ok(allowance);
        }
        let allowance = self.machine.budget.open(self.options.limits.frames)?;
        if let Some(owner) = self.clients.get_mut(client) {
            owner.allowance = Some(allowance);
        }
        Ok(allowance)
    }

    fn attach(&mut self, client: u64, arena: ArenaId, base: u64, fds: Vec<OwnedFd>) -> Result<Answer, No> {
        self.owned(client, arena)?;
        let uffd = fds.into_iter().next().ok_or_else(|| No::new(Errno::BADF, "no userfaultfd came along"))?;
        if !is_userfault(&uffd) {
            return Err(No::new(Errno::BADF, "the descriptor is not a userfaultfd"));
        }
        if !base.is_multiple_of(u64::from(self.options.page_size)) {
            return Err(No::new(Errno::INVAL, "an arena's base must be a multiple of the page size"));
        }
        let uffd = Userfault::received(uffd);
        if !uffd.is_as_opened_here() {
            return Err(No::new(Errno::INVAL, "the userfaultfd was opened with features of its own"));
        }
        let size = u64::from(self.options.arena_pages) * u64::from(self.options.page_size);
        base.checked_add(size).ok_or_else(|| No::new(Errno::INVAL, "the arena ends behind all addresses"))?;
        if self.machine.arenas.get(arena).is_none_or(|record| record.attached.is_some()) {
            return Err(No::new(Errno::BUSY, "the arena is attached already"));
        }
        self.watch_arena(arena, &uffd)?;
        let pid = self.clients.get(client).map_or(0, |client| client.pid);
        let pagemap = if self.harvests { Pagemap::open(pid).ok() } else { None };
        let record = self.machine.arenas.get_mut(arena).ok_or(Errno::BADF)?;
        record.attached = Some(Attached { uffd, base, pagemap });
        self.machine.guard_all(arena);
        done()
    }

    fn unmap(&mut self, client: u64, range: Range) -> Result<Answer, No> {
        self.owned_range(client, range)?;
        let (arena, range) = (id(range.arena), pages(range));
        self.may_unmap(arena, range)?;
        let objects = self.objects_in(arena, range);
        self.control(Control::Unmap(arena, range))?;
        // Where a file is still shown, its memory is none of ours to copy to: the client maps its own there anew.
        if objects.is_empty() {
            self.machine.cure(arena, range);
        } else {
            self.machine.forget_denied(arena, range);
        }
        self.flush_unused(&objects);
        done()
    }

    fn discard(&mut self, client: u64, range: Range) -> Result<Answer, No> {
        self.owned_range(client, range)?;
        self.control(Control::Discard(id(range.arena), pages(range)))?;
        self.machine.cure(id(range.arena), pages(range));
        done()
    }

    pub(crate) fn objects_in(&self, arena: ArenaId, range: Pages) -> Vec<ObjectNo> {
        let regions = self.driver.view().regions_within(arena, range).into_iter();
        let mut objects: Vec<ObjectNo> = regions
            .filter_map(|(_, kind)| match kind {
                Kind::Object(object, _) => Some(object),
                Kind::Swap => None,
            })
            .collect();
        objects.sort_unstable();
        objects.dedup();
        objects
    }

    fn flush(&mut self, client: u64, arena: ArenaId, page: u32) -> Result<Answer, No> {
        self.owned(client, arena)?;
        let region = self.driver.view().region(Site { arena, page: VirtPage(page) });
        let Some(Kind::Object(object, _)) = region else {
            return Err(No::new(Errno::INVAL, "no file is mapped there"));
        };
        if let Some(client) = self.clients.get_mut(client) {
            client.flushing = Some(object);
        }
        self.control(Control::Flush(What::Object(object), flush_ticket(client)))?;
        Ok(None)
    }

    fn pin(&mut self, client: u64, range: Range) -> Result<Answer, No> {
        let arena = id(range.arena);
        self.owned_range(client, range)?;
        self.may_pin(arena, range.count)?;
        for page in pages(range).iter() {
            let at = Site { arena, page };
            let file = matches!(self.driver.view().region(at), Some(Kind::Object(..)));
            let access = if file { Access::Read } else { Access::Write };
            if let Err(why) = self.control(Control::Pin(at, access)) {
                let pinned = Range { count: page.0 - range.page, ..range };
                pages(pinned)
                    .iter()
                    .for_each(|page| drop(self.control(Control::Unpin(Site { arena, page }))));
                return Err(why);
            }
        }
        self.pinned(arena, range.count);
        done()
    }

    fn unpin(&mut self, client: u64, range: Range) -> Result<Answer, No> {
        let arena = id(range.arena);
        self.owned_range(client, range)?;
        for page in pages(range).iter() {
            self.control(Control::Unpin(Site { arena, page }))?;
            self.unpinned(arena, 1);
        }
        done()
    }

    fn destroy_owned(&mut self, client: u64, arena: ArenaId) -> Result<Answer, No> {
        self.owned(client, arena)?;
        if let Some(owner) = self.clients.get_mut(client) {
            owner.arenas.retain(|&owned| owned != arena);
            owner.past += self.machine.arenas.get(arena).map(|arena| arena.counted).unwrap_or_default();
        }
        drop(self.destroy(arena));
        done()
    }
}

/// Whether a descriptor is a userfaultfd: reading any other could block or mean anything.
fn is_userfault(fd: &OwnedFd) -> bool {
    let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
    std::fs::read_link(link).is_ok_and(|name| name.to_string_lossy() == "anon_inode:[userfaultfd]")
}
