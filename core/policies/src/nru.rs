//! NRU: not recently used, clean before dirty.
//!
//! Source: the class scheme of the DEC VMS and Unix pagers, as told by A. Tanenbaum, "Modern Operating Systems".
//! Frames are of four classes: 0 untouched and clean, 1 untouched and dirty, 2 touched and clean, 3 touched and
//! dirty. A *look*, after every `period` admissions (a quarter of the frames) and after a tick, sorts all frames
//! into their classes and takes the references away. Victims come from the lowest class, in turn; a frame whose
//! class has risen since the look moves up when its turn comes. Newcomers wait in class 3 for the next look.
//!
//! Observes reference bits. A look costs O(frames), shared by the faults between two looks: O(1) amortised; 9 bytes
//! a frame. Shines where writes are dear; coarse: two classes of recency are all it knows.

use crate::{
    FrameNo, Frames, Gone, Observes, PageNo, Policy,
    looks::Looks,
    options::{BadSpec, Configured, Options, part},
    queues::Queues,
};

/// Four classes.
#[derive(Clone, Debug)]
pub struct Nru {
    classes: Queues<4>,
    looks: Looks,
}

impl Nru {
    /// Over frames `0..frames`, looking after every quarter of them was admitted.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        Nru::looking_every(frames, part(frames, 0.25))
    }

    /// Over frames `0..frames`, looking after every `period` admissions.
    #[must_use]
    pub fn looking_every(frames: u32, period: u32) -> Self {
        Nru { classes: Queues::new(frames, 0), looks: Looks::every(period) }
    }

    fn class(frame: u32, frames: &impl Frames) -> usize {
        let frame = FrameNo(frame);
        2 * usize::from(frames.referenced(frame)) + usize::from(frames.dirty(frame))
    }

    /// Sorts every frame into its class and takes its reference away.
    fn look(&mut self, frames: &mut impl Frames) {
        let lens = [0, 1, 2, 3].map(|class| self.classes.len(class));
        for (class, len) in lens.into_iter().enumerate() {
            for _ in 0..len {
                let node = self.classes.head(class).expect("as many as were counted");
                self.classes.move_to(Nru::class(node, frames), node);
                frames.unreference(FrameNo(node));
            }
        }
    }

    /// The first evictable frame of `class` whose class has not risen since the look.
    fn victim_of(&mut self, class: usize, frames: &impl Frames) -> Option<u32> {
        while let Some(node) = self.classes.evictable(class, frames) {
            let now = Nru::class(node, frames);
            if now <= class {
                return Some(node);
            }
            self.classes.move_to(now, node);
        }
        None
    }
}

impl Configured for Nru {
    fn configured(frames: u32, options: &mut Options<'_>) -> Result<Self, BadSpec> {
        Ok(Nru::looking_every(frames, options.share("period", 0.25, frames)?))
    }
}

impl Policy for Nru {
    fn needs(&self) -> Observes {
        Observes::ReferenceBits
    }

    fn admit(&mut self, frame: FrameNo, _page: PageNo) {
        self.classes.push(3, frame.0);
        self.looks.admitted();
    }

    fn remove(&mut self, frame: FrameNo, _why: Gone) {
        self.classes.unlink(frame.0);
    }

    fn resize(&mut self, frames: u32) {
        self.looks.resize(frames, self.classes.frames());
    }

    fn tick(&mut self) {
        self.looks.tick();
    }

    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        if self.looks.take() {
            self.look(frames);
        }
        let found = (0..4).find_map(|class| self.victim_of(class, frames))?;
        self.classes.pass(found);
        Some(FrameNo(found))
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        (0..4).for_each(|class| self.classes.visit(class, visit));
    }
}
