//! What a pager of one's own is started with.

use crate::error::Error;
use crate::fallback::Fallback;
use crate::pager::Pager;
use crate::process;
use mager_linux_client::OnPagerDeath;
use mager_linux_pager::Sizes;
use std::path::PathBuf;

/// A pager that is going to be started. It serves this program and ends with it.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    pub(crate) sizes: Sizes,
    pub(crate) policy: String,
    pub(crate) on_death: OnPagerDeath,
    pub(crate) program: Option<PathBuf>,
    in_thread: bool,
    fallback: bool,
}

impl Default for Builder {
    /// 64 MiB of frames; 1 GiB of swap in `/var/tmp`; s3-fifo.
    fn default() -> Self {
        let sizes = Sizes { memory: 64 << 20, swap: Some(1 << 30), ..Sizes::default() };
        let policy = mager_linux_pager::DEFAULT_POLICY.to_owned();
        Builder {
            sizes,
            policy,
            on_death: OnPagerDeath::End,
            program: None,
            in_thread: false,
            fallback: false,
        }
    }
}

impl Builder {
    /// Bytes of memory for frames: what the program holds at any moment is this and [`Builder::compressed`], at most. 64 MiB if it is not said.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.sizes.memory = bytes;
        self
    }

    /// Bytes of swap, reserved on disk at once: as much private memory there can be. 1 GiB if it is not said.
    pub fn swap(mut self, bytes: u64) -> Self {
        self.sizes.swap = Some(bytes);
        self
    }

    /// Where the swap file is made, without a name. `/var/tmp` if it is not said.
    pub fn swap_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.sizes.swap_dir = Some(dir.into());
        self
    }

    /// Bytes beside [`Builder::memory`] that compressed pages may take in front of the swap file; what they do not need is
    /// frames, too.
    pub fn compressed(mut self, bytes: u64) -> Self {
        self.sizes.compressed = bytes;
        self
    }

    /// The replacement policy, as in `clock`, `sieve` or `s3-fifo:fill-main=1`; any that lives on reference bits.
    pub fn policy(mut self, spec: impl Into<String>) -> Self {
        self.policy = spec.into();
        self
    }

    /// Bytes in a page: 4096, 16384 or 65536. 4096 if it is not said.
    pub fn page_size(mut self, bytes: u64) -> Self {
        self.sizes.page_size = bytes;
        self
    }

    /// Bytes of addresses in each arena. 64 GiB if it is not said.
    pub fn arena_size(mut self, bytes: u64) -> Self {
        self.sizes.arena = bytes;
        self
    }

    /// What becomes of this program if the pager process dies. It ends, if it is not said.
    pub fn on_pager_death(mut self, what: OnPagerDeath) -> Self {
        self.on_death = what;
        self
    }

    /// The program `mager`. If it is not said: `$MAGER`, else beside this program, else in `$PATH`.
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program = Some(path.into());
        self
    }

    /// The pager is a thread of this process; no program is needed. It is faster than the program's own threads only as
    /// long as it has a CPU to itself, and if the process ends by a signal nobody is there to write files home.
    pub fn in_thread(mut self) -> Self {
        self.in_thread = true;
        self
    }

    /// Where there is no full userfaultfd, the kernel pages instead, and nothing keeps [`Builder::memory`]: arenas are files
    /// without a name in the swap directory, mapped for sharing. It is said on the standard error, by
    /// [`Pager::is_fallback`] and in the statistics. Without this a pager that cannot serve is an error.
    pub fn fallback(mut self, yes: bool) -> Self {
        self.fallback = yes;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// Sizes that do not go together, no room for swap, no `mager`, no userfaultfd (`mager doctor` says why).
    pub fn start(&self) -> Result<Pager, Error> {
        if self.fallback
            && let Err(why) = mager_linux_sys::Userfault::open()
        {
            let pager = self.without_pager()?;
            eprintln!(
                "mager: there is no full userfaultfd here ({why}; `mager doctor` says more): the kernel pages, and \
                 the {} bytes of memory asked for are no bound",
                self.sizes.memory
            );
            return Ok(pager);
        }
        let (socket, host) = if self.in_thread { process::thread(self)? } else { process::program(self)? };
        Pager::over(socket, host, self.on_death)
    }

    fn without_pager(&self) -> Result<Pager, Error> {
        let options = self.sizes.options().map_err(|why| Error::NotStarted(why.to_string()))?;
        let dir = match options.swap {
            mager_linux_pager::SwapPlace::Unnamed(ref dir) => dir.clone(),
            _ => std::env::temp_dir(),
        };
        Ok(Pager::fallback(Fallback::new(&options, dir)))
    }
}
