//! Events and control calls straight into the core, handles and numbers as they come.
//!
//! The one promise kept is the driver's: an I/O is answered if and only if it is in flight.

use crate::bytes::Bytes;
use mager_driver::{Control, Outcome, apply};
use mager_pager::{
    Access, ArenaId, BlockNo, Config, Effect, Effects, Event, Fault, FrameNo, IoFailed, ObjectNo, Pager,
    Pages, References, Sharing, Site, Ticket, VirtPage, What,
};
use mager_policies::Any;

#[derive(Default)]
struct Outside {
    arenas: Vec<ArenaId>,
    reading: Vec<FrameNo>,
    writing: Vec<FrameNo>,
    tickets: u64,
    waiting: Vec<Ticket>,
}

/// One run: a pager from the first bytes, then a call or an event for every few more; at the end all I/O is answered
/// and everybody must have been resumed.
pub fn core_events(data: &[u8]) {
    let _ = run(&mut Bytes::new(data));
}

fn config(bytes: &mut Bytes) -> Option<Config> {
    let references = References::ALL[usize::from(bytes.below(4)?)];
    let sharing = if bytes.bit()? { Sharing::Frame } else { Sharing::Place };
    let frames = 2 + u32::from(bytes.below(6)?);
    let arena_pages = [3, 20, 520, 1 << 20][usize::from(bytes.below(4)?)];
    let (swap_blocks, low_water) = (u32::from(bytes.below(40)?), u32::from(bytes.below(2)?));
    let low_water = if frames > 3 { low_water } else { 0 };
    Some(Config {
        page_size: 4096,
        arena_pages,
        arena_base: 0,
        frames,
        swap_blocks,
        references,
        sharing,
        low_water,
    })
}

fn run(bytes: &mut Bytes) -> Option<()> {
    let config = config(bytes)?;
    let policies: Vec<_> = mager_sim::policies().collect();
    let policy = policies[usize::from(bytes.byte()?) % policies.len()];
    let policy = Any::new(policy, config.frames).expect("the name is one of the known ones");
    let mut pager = Pager::new(config, policy).expect("the configuration is a possible one");
    let mut outside = Outside::default();
    let mut out = Effects::new();
    while outside.once(&mut pager, bytes, &mut out).is_some() {
        outside.carry_out(&mut out);
        pager.check();
    }
    outside.carry_out(&mut out);
    while let Some(answer) = outside.answer(0, true) {
        pager.step(answer, &mut out);
        outside.carry_out(&mut out);
    }
    pager.check();
    assert!(outside.waiting.is_empty(), "with all I/O answered somebody still waits: {:?}", outside.waiting);
    None
}

impl Outside {
    fn once(&mut self, pager: &mut Pager<Any>, bytes: &mut Bytes, out: &mut Effects) -> Option<()> {
        match bytes.below(16)? {
            0..6 => {
                let (at, access) = (self.site(bytes)?, access(bytes)?);
                pager.step(Event::Fault(Fault { at, access, who: self.ticket() }), out);
            }
            6..9 => {
                let (nth, well) = (bytes.byte()?, bytes.byte()? % 4 > 0);
                if let Some(answer) = self.answer(usize::from(nth), well) {
                    pager.step(answer, out);
                }
            }
            9 => {
                let (frame, access) = (FrameNo(u32::from(bytes.below(12)?)), access(bytes)?);
                pager.step(Event::Touched { frame, access }, out);
            }
            10 => pager.step(Event::Tick, out),
            11 => {
                let (at, access) = (self.site(bytes)?, access(bytes)?);
                pager.step(Event::Ahead { at, access }, out);
            }
            _ => {
                let call = self.call(bytes)?;
                if let Outcome::Arena(arena) = apply(pager, call, out) {
                    self.arenas.push(arena);
                }
            }
        }
        Some(())
    }

    fn call(&mut self, bytes: &mut Bytes) -> Option<Control> {
        let arena = self.arena(bytes)?;
        let object = ObjectNo(u32::from(bytes.below(3)?));
        let block = BlockNo([0, 1, 2, 31, 32, u32::MAX][usize::from(bytes.below(6)?)]);
        Some(match bytes.below(16)? {
            0 => Control::Create,
            1 => Control::Fork(arena),
            2 | 3 => Control::MapSwap(arena),
            4 => Control::MapObject(arena, object, block),
            5 => Control::MapSwapAt(arena, pages(bytes)?),
            6 => Control::MapObjectAt(arena, pages(bytes)?, object, block),
            7 => Control::Unmap(arena, pages(bytes)?),
            8 => Control::Destroy(arena),
            9 => Control::Pin(self.site(bytes)?, access(bytes)?),
            10 => Control::Unpin(self.site(bytes)?),
            11 => Control::Discard(arena, pages(bytes)?),
            12 => Control::Withhold(u32::from(bytes.below(12)?)),
            13 => Control::Restore(u32::from(bytes.below(12)?)),
            14 => Control::Disown(self.site(bytes)?),
            _ if bytes.bit()? => Control::Flush(What::All, self.ticket()),
            _ => Control::Flush(What::Object(object), self.ticket()),
        })
    }

    fn answer(&mut self, nth: usize, well: bool) -> Option<Event> {
        let result = if well { Ok(()) } else { Err(IoFailed) };
        let all = self.reading.len() + self.writing.len();
        let nth = nth.checked_rem(all)?;
        Some(match nth.checked_sub(self.reading.len()) {
            None => Event::Read { frame: self.reading.remove(nth), result },
            Some(nth) => Event::Written { frame: self.writing.remove(nth), result },
        })
    }

    fn carry_out(&mut self, out: &mut Effects) {
        for effect in out.drain(..) {
            match effect {
                Effect::Read { frame, .. } => self.reading.push(frame),
                Effect::Write { frame, .. } => self.writing.push(frame),
                Effect::Resume { who, .. } => {
                    let index = self.waiting.iter().position(|waiting| *waiting == who);
                    self.waiting.remove(index.expect("resumed once, and only who waits"));
                }
                Effect::Map { .. }
                | Effect::Clear { .. }
                | Effect::Unmap { .. }
                | Effect::Zero { .. }
                | Effect::Copy { .. }
                | Effect::Empty { .. }
                | Effect::Release { .. } => {}
            }
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        self.waiting.push(Ticket(self.tickets));
        Ticket(self.tickets)
    }

    /// Mostly one that lived once, sometimes any.
    fn arena(&self, bytes: &mut Bytes) -> Option<ArenaId> {
        let number = usize::from(bytes.byte()?);
        let any = ArenaId { slot: u32::from(bytes.below(5)?), generation: 0 };
        Some(self.arenas.get(number % (self.arenas.len() + 1)).copied().unwrap_or(any))
    }

    fn site(&self, bytes: &mut Bytes) -> Option<Site> {
        Some(Site { arena: self.arena(bytes)?, page: page(bytes)? })
    }
}

fn page(bytes: &mut Bytes) -> Option<VirtPage> {
    let pages = [0, 1, 2, 3, 4, 19, 511, 512, 513, (1 << 20) - 1, u32::MAX];
    Some(VirtPage(pages[usize::from(bytes.byte()?) % pages.len()]))
}

fn pages(bytes: &mut Bytes) -> Option<Pages> {
    let counts = [0, 1, 2, 3, 8, 600, u32::MAX];
    Some(Pages { start: page(bytes)?, count: counts[usize::from(bytes.byte()?) % counts.len()] })
}

fn access(bytes: &mut Bytes) -> Option<Access> {
    Some([Access::Trap, Access::Read, Access::Write][usize::from(bytes.below(3)?)])
}
