//! What is in the picture, as plain data: taken once, from what every face may see.

use crate::table;
use mager_pager::{ArenaId, Counters, Demand, FrameView, Home, ObjectNo, PageNo, PageView, State, View};
use mager_policies::Policy;
use serde::Serialize;

/// A pager's whole state at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Snapshot {
    /// The policy's name.
    pub policy: String,
    /// Bytes in a page.
    pub page_size: u32,
    /// Virtual pages in each arena.
    pub arena_pages: u32,
    /// Every arena, by slot.
    pub arenas: Vec<ArenaState>,
    /// The core map.
    pub frames: Vec<FrameState>,
    /// The free frames, the next to be used first.
    pub free: Vec<u32>,
    /// The policy's frames, the next candidate (where the hand is) first.
    pub order: Vec<u32>,
    /// Every page, by number.
    pub pages: Vec<PageState>,
    /// The swap store.
    pub swap: SwapState,
    /// What waits for a frame, the head of the queue first.
    pub demands: Vec<String>,
    /// What has happened so far.
    pub figures: Figures,
}

/// One arena.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ArenaState {
    /// Its handle: slot and generation.
    pub arena: String,
    /// Virtual pages that are mapped.
    pub mapped: u32,
    /// Swap blocks it has reserved.
    pub reserved: u32,
    /// Its page table, in the order of addresses; neighbours nobody touched are one row.
    pub rows: Vec<Row>,
}

/// One row of a page table: a virtual page, or a run of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Row {
    /// The first virtual page.
    pub first: u32,
    /// The last virtual page.
    pub last: u32,
    /// What the hardware lets happen: `trap`, `read` or `write`; none: not mapped now.
    pub access: Option<&'static str>,
    /// The frame that is mapped.
    pub frame: Option<u32>,
    /// What is there.
    pub shows: Shows,
}

/// What a virtual page shows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shows {
    /// Private and never written: zeros.
    Untouched,
    /// Blocks of a file, from this one on, never touched here.
    Unread(String),
    /// A page, by its number.
    Page(u32),
}

/// One frame.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FrameState {
    /// Its number.
    pub frame: u32,
    /// The page in it.
    pub page: Option<u32>,
    /// Touched since the hand passed.
    pub referenced: bool,
    /// How often it is pinned.
    pub pins: u16,
}

/// One page.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PageState {
    /// Its number.
    pub page: u32,
    /// `absent`, `wanted`, `paging-in`, `resident` or `writing-back`.
    pub state: &'static str,
    /// The frame that it is in, or on its way to.
    pub frame: Option<u32>,
    /// Contents newer than its home.
    pub dirty: bool,
    /// The block of a file that it is.
    pub file: Option<String>,
    /// The swap block it was assigned.
    pub swap_block: Option<u32>,
    /// Where it is mapped.
    pub sharers: Vec<String>,
    /// A file page that is resident though nobody maps it.
    pub ghost: bool,
    /// How many faults and flushes wait for it.
    pub waiting: usize,
}

/// The swap store.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it; the vocabulary is in ARCHITECTURE.md")]
pub struct SwapState {
    pub blocks: u32,
    pub reserved: u32,
    pub assigned: u32,
}

/// What has happened so far, counted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are those of the pager's counters")]
pub struct Figures {
    pub faults: u64,
    pub zero_fills: u64,
    pub page_ins: u64,
    pub write_backs: u64,
    pub copies: u64,
    pub steals: u64,
    pub evictions: u64,
    pub aheads: u64,
    pub second_chances: u64,
}

impl Snapshot {
    /// A picture of what `view` shows. `policy` is the policy's name, `names` knows what objects are called, in
    /// printable characters.
    pub fn of<P: Policy>(
        view: &View<'_, P>,
        policy: &str,
        names: impl Fn(ObjectNo) -> Option<String>,
    ) -> Self {
        let counts = view.counts();
        Snapshot {
            policy: policy.to_owned(),
            page_size: view.config().page_size,
            arena_pages: view.config().arena_pages,
            arenas: view.arenas().into_iter().map(|arena| ArenaState::of(view, arena, &names)).collect(),
            frames: (0..).zip(view.frames()).map(|(frame, shown)| FrameState::of(frame, shown)).collect(),
            free: view.free_frames().into_iter().map(|frame| frame.0).collect(),
            order: view.order().into_iter().map(|frame| frame.0).collect(),
            pages: all_pages(view, &names),
            swap: SwapState {
                blocks: view.config().swap_blocks,
                reserved: counts.swap_reserved,
                assigned: counts.swap_assigned,
            },
            demands: view.demands().into_iter().map(demand).collect(),
            figures: Figures::of(view.counters()),
        }
    }

    /// The page with this number.
    #[must_use]
    pub fn page(&self, number: u32) -> Option<&PageState> {
        self.pages.binary_search_by_key(&number, |page| page.page).ok().map(|at| &self.pages[at])
    }
}

fn all_pages<P: Policy>(view: &View<'_, P>, names: &impl Fn(ObjectNo) -> Option<String>) -> Vec<PageState> {
    let page = |number| view.page(number).map(|page| PageState::of(number, &page, names));
    view.pages().into_iter().filter_map(page).collect()
}

impl ArenaState {
    fn of<P: Policy>(
        view: &View<'_, P>,
        arena: ArenaId,
        names: &impl Fn(ObjectNo) -> Option<String>,
    ) -> Self {
        ArenaState {
            arena: arena.to_string(),
            mapped: view.regions(arena).iter().map(|(pages, _)| pages.count).sum(),
            reserved: view.reserved_by(arena),
            rows: table::rows(view, arena, names),
        }
    }
}

impl FrameState {
    fn of(frame: u32, shown: FrameView) -> Self {
        let FrameView { page, referenced, pins } = shown;
        FrameState { frame, page: page.map(|page| page.0), referenced, pins }
    }
}

impl PageState {
    /// One page, described.
    pub fn of(number: PageNo, page: &PageView, names: &impl Fn(ObjectNo) -> Option<String>) -> Self {
        let (state, frame, dirty) = match page.state {
            State::Free | State::Absent => ("absent", None, false),
            State::Wanted => ("wanted", None, false),
            State::PagingIn(frame) => ("paging-in", Some(frame.0), false),
            State::Resident { frame, dirty } => ("resident", Some(frame.0), dirty),
            State::WritingBack { frame, .. } => ("writing-back", Some(frame.0), true),
        };
        let file = match page.home {
            Some(Home::Object(object, block)) => Some(table::block_name(object, block.0, names)),
            Some(Home::Swap(_)) | None => None,
        };
        let swap_block = match page.home {
            Some(Home::Swap(block)) => Some(block.0),
            Some(Home::Object(..)) | None => None,
        };
        PageState {
            page: number.0,
            state,
            frame,
            dirty,
            ghost: file.is_some() && page.sharers.is_empty(),
            file,
            swap_block,
            sharers: page.sharers.iter().map(ToString::to_string).collect(),
            waiting: page.waiting.len(),
        }
    }
}

impl Figures {
    fn of(counters: Counters) -> Self {
        let Counters {
            faults,
            zero_fills,
            page_ins,
            write_backs,
            copies,
            steals,
            evictions,
            aheads,
            second_chances,
        } = counters;
        Figures {
            faults,
            zero_fills,
            page_ins,
            write_backs,
            copies,
            steals,
            evictions,
            aheads,
            second_chances,
        }
    }
}

fn demand(demand: Demand) -> String {
    match demand {
        Demand::Fill(fault) => format!("zeros for {}", fault.at),
        Demand::PageIn(page) => format!("page {page} to be read in"),
        Demand::Copy { fault, source } => format!("a copy of page {source} for {}", fault.at),
    }
}
