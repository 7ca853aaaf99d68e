//! Control calls as values, so that they can be recorded and replayed like events.

use mager_pager::{
    Access, ArenaId, BlockNo, Effects, FrameNo, ObjectNo, Pager, Pages, Refused, Site, Ticket, VirtPage, What,
};
use mager_policies::Policy;

/// One control call of [`Pager`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// [`Pager::create`].
    Create,
    /// [`Pager::fork`].
    Fork(ArenaId),
    /// [`Pager::map_swap`].
    MapSwap(ArenaId),
    /// [`Pager::map_swap_at`].
    MapSwapAt(ArenaId, Pages),
    /// [`Pager::map_object`].
    MapObject(ArenaId, ObjectNo, BlockNo),
    /// [`Pager::map_object_at`].
    MapObjectAt(ArenaId, Pages, ObjectNo, BlockNo),
    /// [`Pager::unmap`].
    Unmap(ArenaId, Pages),
    /// [`Pager::discard`].
    Discard(ArenaId, Pages),
    /// [`Pager::destroy`].
    Destroy(ArenaId),
    /// [`Pager::pin`].
    Pin(Site, Access),
    /// [`Pager::unpin`].
    Unpin(Site),
    /// [`Pager::withhold`].
    Withhold(u32),
    /// [`Pager::restore`].
    Restore(u32),
    /// [`Pager::disown`].
    Disown(Site),
    /// [`Pager::flush`].
    Flush(What, Ticket),
}

/// What a control call returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was done.
    Done,
    /// A new arena.
    Arena(ArenaId),
    /// The page that was mapped.
    Page(VirtPage),
    /// The frame that was pinned.
    Frame(FrameNo),
    /// So many frames were withheld, or restored.
    Frames(u32),
    /// It was refused; nothing has changed.
    Refused(Refused),
}

fn outcome<T>(result: Result<T, Refused>, value: impl FnOnce(T) -> Outcome) -> Outcome {
    result.map_or_else(Outcome::Refused, value)
}

/// Makes one control call.
pub fn apply<P: Policy>(pager: &mut Pager<P>, call: Control, out: &mut Effects) -> Outcome {
    let done = |()| Outcome::Done;
    match call {
        Control::Create => outcome(pager.create(), Outcome::Arena),
        Control::Fork(parent) => outcome(pager.fork(parent, out), Outcome::Arena),
        Control::MapSwap(arena) => outcome(pager.map_swap(arena, out), Outcome::Page),
        Control::MapSwapAt(arena, pages) => outcome(pager.map_swap_at(arena, pages), done),
        Control::MapObject(arena, object, block) => {
            outcome(pager.map_object(arena, object, block, out), Outcome::Page)
        }
        Control::MapObjectAt(arena, pages, object, block) => {
            outcome(pager.map_object_at(arena, pages, object, block), done)
        }
        Control::Unmap(arena, pages) => outcome(pager.unmap(arena, pages, out), done),
        Control::Discard(arena, pages) => outcome(pager.discard(arena, pages, out), done),
        Control::Destroy(arena) => outcome(pager.destroy(arena, out), done),
        Control::Pin(at, access) => outcome(pager.pin(at, access), Outcome::Frame),
        Control::Unpin(at) => outcome(pager.unpin(at, out), done),
        Control::Withhold(count) => Outcome::Frames(pager.withhold(count)),
        Control::Restore(count) => Outcome::Frames(pager.restore(count, out)),
        Control::Disown(at) => outcome(pager.disown(at, out), done),
        Control::Flush(what, who) => {
            pager.flush(what, who, out);
            Outcome::Done
        }
    }
}
