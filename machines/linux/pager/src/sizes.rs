//! Sizes as people give them, in bytes, and whether they go together.

use crate::options::{DEFAULT_POLICY, DEFAULT_READ_AHEAD, Limits, Options, References};
use mager_stores::{EngineKind, Existing, SwapPlace};
use std::path::PathBuf;

/// Fewer frames than this leave no room to read ahead, work ahead and pin.
const LEAST_FRAMES: u64 = 64;
/// What the core can number: pages, hence blocks of swap, and frames.
const MOST_PAGES: u64 = (3 << 28) - FILE_PAGES;
/// At least so many numbers are left for pages of files.
const FILE_PAGES: u64 = 1 << 20;
const MOST_FRAMES: u64 = 1 << 29;
const MOST_ARENA_PAGES: u64 = 1 << 31;
/// Swap for each byte of memory, where its size is not given.
const SWAP_FOR_MEMORY: u64 = 4;
/// The directory of swap, where none is given: by custom on a disk, and not emptied when the system starts.
const SWAP_DIR: &str = "/var/tmp";

/// How big everything is, and where swap lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sizes {
    /// Bytes of memory for frames.
    pub memory: u64,
    /// Bytes beside it that compressed pages may take, and that are frames as long as they do not; 0 for none.
    pub compressed: u64,
    /// Bytes of swap; where a place is given and this is not, four times the memory.
    pub swap: Option<u64>,
    /// A swap file with a name.
    pub swap_file: Option<PathBuf>,
    /// A directory for a swap file without a name.
    pub swap_dir: Option<PathBuf>,
    /// What the swap file held before does not matter.
    pub overwrite: bool,
    /// Bytes in a page.
    pub page_size: u64,
    /// Bytes of addresses in each arena.
    pub arena: u64,
    /// Bytes of memory that the private pages of one client may hold; all of it where this is not given.
    pub client_memory: Option<u64>,
    /// Bytes of swap that one client may reserve; all of it where this is not given.
    pub client_swap: Option<u64>,
}

impl Default for Sizes {
    /// No memory yet, no swap; 4 KiB pages, 64 GiB of addresses.
    fn default() -> Self {
        let (swap, swap_file, swap_dir) = (None, None, None);
        Sizes {
            memory: 0,
            compressed: 0,
            swap,
            swap_file,
            swap_dir,
            overwrite: false,
            page_size: 4096,
            arena: 64 << 30,
            client_memory: None,
            client_swap: None,
        }
    }
}

/// Sizes that do not go together, and what to give instead.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself")]
pub enum BadSizes {
    #[error("pages of {0} bytes: give 4K, 16K or 64K")]
    PageSize(u64),
    #[error("{memory} bytes of memory hold {frames} frames of {page_size} bytes: give {least} or more")]
    Memory { memory: u64, frames: u64, page_size: u64, least: u64 },
    #[error(
        "there is nowhere to keep pages that leave memory: give a swap size, a swap file or a swap directory"
    )]
    NoSwap,
    #[error("compressed memory alone cannot keep pages that do not compress: give a swap size, too")]
    CompressedAlone,
    #[error("a swap file and a swap directory were given: give one of them")]
    TwoPlaces,
    #[error("{swap} bytes of swap are less than one page of {page_size} bytes: give more")]
    Swap { swap: u64, page_size: u64 },
    #[error("{bytes} bytes of {what} are less than the {least} that a client needs: give more")]
    Client { what: &'static str, bytes: u64, least: u64 },
    #[error("arenas of {arena} bytes: give at least one page, and at most {most}")]
    Arena { arena: u64, most: u64 },
    #[error("{what} of {bytes} bytes is more than can be numbered: give at most {most}")]
    TooMuch { what: &'static str, bytes: u64, most: u64 },
}

impl Sizes {
    /// A pager's options with these sizes: the default policy, references by the agent, no socket, pulling and reading ahead.
    pub fn options(&self) -> Result<Options, BadSizes> {
        let page_size = match self.page_size {
            4096 | 16384 | 65536 => self.page_size,
            other => return Err(BadSizes::PageSize(other)),
        };
        let most = MOST_PAGES * page_size;
        let too_much = |what, bytes| BadSizes::TooMuch { what, bytes, most };
        let compressed = self.compressed;
        Ok(Options {
            page_size: u32::try_from(page_size).unwrap_or(0),
            frames: self.frames()?,
            arena_pages: self.arena_pages()?,
            swap: self.place()?,
            swap_blocks: self.swap_blocks()?,
            compressed: usize::try_from(compressed).map_err(|_| too_much("compressed memory", compressed))?,
            elastic: true,
            engine: EngineKind::Auto,
            policy: DEFAULT_POLICY.into(),
            references: References::Agent,
            socket: None,
            pull: true,
            read_ahead: DEFAULT_READ_AHEAD,
            events: None,
            faults: None,
            limits: self.limits()?,
        })
    }

    fn frames(&self) -> Result<u32, BadSizes> {
        let Sizes { memory, page_size, .. } = *self;
        let frames = memory / page_size;
        if frames < LEAST_FRAMES {
            return Err(BadSizes::Memory { memory, frames, page_size, least: LEAST_FRAMES * page_size });
        }
        self.numbered("memory", memory.saturating_add(self.compressed), MOST_FRAMES)?;
        self.numbered("memory", memory, MOST_FRAMES)
    }

    fn numbered(&self, what: &'static str, bytes: u64, most_pages: u64) -> Result<u32, BadSizes> {
        let most = most_pages * self.page_size;
        let refused = BadSizes::TooMuch { what, bytes, most };
        let pages = bytes / self.page_size;
        if pages > most_pages { Err(refused) } else { u32::try_from(pages).map_err(|_| refused) }
    }

    fn arena_pages(&self) -> Result<u32, BadSizes> {
        let (pages, most) = (self.arena / self.page_size, MOST_ARENA_PAGES * self.page_size);
        let refused = BadSizes::Arena { arena: self.arena, most };
        if pages == 0 || pages > MOST_ARENA_PAGES {
            return Err(refused);
        }
        u32::try_from(pages).map_err(|_| refused)
    }

    fn place(&self) -> Result<SwapPlace, BadSizes> {
        match (&self.swap_file, &self.swap_dir, self.swap) {
            (Some(_), Some(_), _) => Err(BadSizes::TwoPlaces),
            (Some(file), None, _) if self.overwrite => Ok(SwapPlace::Path(file.clone(), Existing::Overwrite)),
            (Some(file), None, _) => Ok(SwapPlace::Path(file.clone(), Existing::Refuse)),
            (None, Some(dir), _) => Ok(SwapPlace::Unnamed(dir.clone())),
            (None, None, Some(_)) => Ok(SwapPlace::Unnamed(SWAP_DIR.into())),
            (None, None, None) if self.compressed > 0 => Err(BadSizes::CompressedAlone),
            (None, None, None) => Err(BadSizes::NoSwap),
        }
    }

    fn limits(&self) -> Result<Limits, BadSizes> {
        let frames = self.for_client("memory for a client", self.client_memory, LEAST_FRAMES)?;
        let swap = self.for_client("swap for a client", self.client_swap, 1)?;
        Ok(Limits { frames, swap, ..Limits::default() })
    }

    fn for_client(&self, what: &'static str, bytes: Option<u64>, least: u64) -> Result<u32, BadSizes> {
        let (Some(bytes), least) = (bytes, least * self.page_size) else { return Ok(u32::MAX) };
        if bytes < least {
            Err(BadSizes::Client { what, bytes, least })
        } else {
            self.numbered(what, bytes, MOST_PAGES)
        }
    }

    fn swap_blocks(&self) -> Result<u32, BadSizes> {
        let swap = self.swap.unwrap_or_else(|| self.memory.saturating_mul(SWAP_FOR_MEMORY));
        match self.numbered("swap", swap, MOST_PAGES)? {
            0 => Err(BadSizes::Swap { swap, page_size: self.page_size }),
            blocks => Ok(blocks),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes() -> Sizes {
        Sizes { memory: 64 << 20, swap: Some(128 << 20), ..Sizes::default() }
    }

    fn refused(sizes: &Sizes) -> String {
        sizes.options().expect_err("it is refused").to_string()
    }

    #[test]
    fn bytes_become_frames_blocks_and_pages() {
        let options = sizes().options().expect("they go together");
        assert_eq!((options.frames, options.swap_blocks, options.arena_pages), (1 << 14, 1 << 15, 1 << 24));
        assert_eq!(options.swap, SwapPlace::Unnamed(SWAP_DIR.into()));
        assert_eq!((options.limits.swap, options.limits.frames), (u32::MAX, u32::MAX));
        let bounded = Sizes { client_swap: Some(1 << 20), client_memory: Some(2 << 20), ..sizes() };
        let bounded = bounded.options().expect("they go together");
        assert_eq!((bounded.limits.swap, bounded.limits.frames), (256, 512));
        let file = Sizes { swap: None, swap_file: Some("/s".into()), ..sizes() };
        let options = file.options().expect("they go together");
        assert_eq!(
            (options.swap, options.swap_blocks),
            (SwapPlace::Path("/s".into(), Existing::Refuse), 1 << 16)
        );
    }

    #[test]
    fn what_does_not_go_together_is_told_with_what_to_give() {
        for (wrong, said) in [
            (Sizes { page_size: 8192, ..sizes() }, "give 4K, 16K or 64K"),
            (Sizes { memory: 63 << 12, ..sizes() }, "hold 63 frames of 4096 bytes: give 262144 or more"),
            (Sizes { swap: None, ..sizes() }, "give a swap size, a swap file or a swap directory"),
            (Sizes { swap: None, compressed: 1 << 20, ..sizes() }, "give a swap size, too"),
            (Sizes { swap: Some(4095), ..sizes() }, "less than one page"),
            (Sizes { swap: Some(1 << 63), ..sizes() }, "swap of 9223372036854775808 bytes is more"),
            (Sizes { memory: 1 << 62, ..sizes() }, "memory of 4611686018427387904 bytes is more"),
            (Sizes { arena: 1, ..sizes() }, "at least one page"),
            (Sizes { client_memory: Some(262_143), ..sizes() }, "less than the 262144 that a client needs"),
            (Sizes { client_swap: Some(4095), ..sizes() }, "less than the 4096 that a client needs"),
            (
                Sizes { client_swap: Some(1 << 62), ..sizes() },
                "swap for a client of 4611686018427387904 bytes",
            ),
            (
                Sizes { swap_file: Some("a".into()), swap_dir: Some("b".into()), ..sizes() },
                "give one of them",
            ),
        ] {
            let why = refused(&wrong);
            assert!(why.contains(said), "{why}");
        }
    }
}
