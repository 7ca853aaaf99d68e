//! What a machine can do, told to the core once: configuration, not a fork of the code.

use crate::state::MAX_FRAMES;
use core::fmt;

/// Where reference bits come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum References {
    /// The machine's hardware sets them and the driver reports them by [`Event::Touched`](crate::Event::Touched).
    Hardware,
    /// As with `Hardware`, but a bit stays set until the machine is told to take it away:
    /// [`Effect::Clear`](crate::Effect::Clear).
    Sticky,
    /// The core emulates them: an unreferenced frame is mapped `Trap`, so that the next touch faults.
    Trap,
    /// There are none: every page counts as unreferenced once it is in.
    None,
}

impl References {
    /// All of them.
    pub const ALL: [References; 4] =
        [References::Hardware, References::Trap, References::None, References::Sticky];
}

/// How private pages are shared after a fork.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sharing {
    /// Two sites can map one frame; untouched pages show the zero page, frame 0.
    Frame,
    /// A private page's frame lives at one site, so that a second site gets its own copy on first reference, and
    /// an untouched page that is read costs a frame. File pages are still shared by frame.
    Place,
}

/// The fixed facts of a pager.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Bytes in a page: a power of two.
    pub page_size: u32,
    /// Virtual pages in each arena.
    pub arena_pages: u32,
    /// Address of each arena's first byte; a multiple of `page_size`. The core only reports it.
    pub arena_base: u64,
    /// Frames of physical memory; under [`Sharing::Frame`] frame 0 among them is the zero page, and the machine
    /// provides it filled with zeros.
    pub frames: u32,
    /// Blocks of the swap store.
    pub swap_blocks: u32,
    /// Where reference bits come from.
    pub references: References,
    /// How private pages are shared.
    pub sharing: Sharing,
    /// How many frames [`Event::Tick`](crate::Event::Tick) tries to keep free by working ahead; 0 for never.
    pub low_water: u32,
}

/// A configuration that cannot work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadConfig {
    /// `page_size` is not a power of two.
    PageSize,
    /// `arena_pages` is zero, or more than the page tables can hold.
    ArenaPages,
    /// `arena_base` is not a multiple of the page size, or the arena would run off the address space.
    ArenaBase,
    /// Fewer frames than are needed to make progress, or more than a page's state can name.
    Frames,
    /// More swap blocks than there are page numbers.
    SwapBlocks,
    /// `low_water` leaves no frame in use.
    LowWater,
}

impl fmt::Display for BadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadConfig::PageSize => "page size must be a power of two",
            BadConfig::ArenaPages => "arena size must be 1 to 2^31 pages",
            BadConfig::ArenaBase => {
                "arena base must be a multiple of the page size, with room for the arena above"
            }
            BadConfig::Frames => "at least one frame beside the zero page is needed, at most 2^29",
            BadConfig::SwapBlocks => "at most 3 * 2^28 swap blocks can be managed",
            BadConfig::LowWater => "the low-water mark must be less than the usable frames",
        })
    }
}

impl core::error::Error for BadConfig {}

/// The most pages a pager can number, private and file pages together.
pub(crate) const MAX_PAGES: u32 = 3 << 28;

impl Config {
    /// The university's pager: 64 KiB pages, arenas of 256 pages at 0x600000000, traps for reference bits.
    #[must_use]
    pub const fn course(frames: u32, swap_blocks: u32) -> Self {
        Config {
            page_size: 65536,
            arena_pages: 256,
            arena_base: 0x6_0000_0000,
            frames,
            swap_blocks,
            references: References::Trap,
            sharing: Sharing::Frame,
            low_water: 0,
        }
    }

    /// Frames that hold pages: all but the zero page.
    #[must_use]
    pub const fn usable_frames(&self) -> u32 {
        self.frames.saturating_sub(self.first_frame())
    }

    /// The lowest frame that holds pages.
    pub(crate) const fn first_frame(&self) -> u32 {
        match self.sharing {
            Sharing::Frame => 1,
            Sharing::Place => 0,
        }
    }

    /// Checks every field against the others.
    pub fn checked(self) -> Result<Self, BadConfig> {
        if !self.page_size.is_power_of_two() {
            return Err(BadConfig::PageSize);
        }
        if self.arena_pages == 0 || self.arena_pages > 1 << 31 {
            return Err(BadConfig::ArenaPages);
        }
        let bytes = u64::from(self.arena_pages) * u64::from(self.page_size);
        if !self.arena_base.is_multiple_of(u64::from(self.page_size))
            || self.arena_base.checked_add(bytes).is_none()
        {
            return Err(BadConfig::ArenaBase);
        }
        if self.usable_frames() == 0 || self.frames > MAX_FRAMES {
            return Err(BadConfig::Frames);
        }
        if self.swap_blocks > MAX_PAGES {
            return Err(BadConfig::SwapBlocks);
        }
        if self.low_water >= self.usable_frames() {
            return Err(BadConfig::LowWater);
        }
        Ok(self)
    }
}
