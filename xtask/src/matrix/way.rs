//! The ways in which a program is run, and the command line of each.

use super::programs::Size;
use std::ffi::OsString;
use std::path::Path;

/// How a program's memory is bounded.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Not at all.
    Unlimited,
    /// By a control group, over the kernel's swap in a file.
    Cgroup,
    /// By `mager run` over a swap file.
    Mager,
    /// The same, with part of the memory for compressed pages.
    Compressed,
}

/// In the order of a row.
pub const WAYS: [Way; 4] = [Way::Unlimited, Way::Cgroup, Way::Mager, Way::Compressed];

impl Way {
    pub fn name(self) -> &'static str {
        match self {
            Way::Unlimited => "unlimited",
            Way::Cgroup => "cgroup",
            Way::Mager => "mager",
            Way::Compressed => "compressed",
        }
    }

    pub fn is_mager(self) -> bool {
        matches!(self, Way::Mager | Way::Compressed)
    }

    /// MiB of frames and of compressed memory: together what the program is allowed.
    pub fn memory(self, size: Size, share: u32) -> (u32, u32) {
        let compressed = if self == Way::Compressed { size.budget * share / 100 } else { 0 };
        (size.budget - compressed, compressed)
    }

    /// What stands before the program on its command line; `swap` is an option that says where swap is.
    pub fn before(self, mager: &Path, size: Size, share: u32, swap: [OsString; 2]) -> Vec<OsString> {
        if !self.is_mager() {
            return Vec::new();
        }
        let (memory, compressed) = self.memory(size, share);
        let mut words: Vec<OsString> = vec![mager.into(), "run".into()];
        words.extend(["--memory".into(), format!("{memory}M").into()]);
        words.extend(["--swap".into(), format!("{}M", size.swap).into()]);
        words.extend(swap);
        if compressed > 0 {
            words.extend(["--compressed".into(), format!("{compressed}M").into()]);
        }
        words.push("--".into());
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_pages_live_in_the_same_total() {
        let size = Size { data: 1, budget: 64, swap: 512 };
        assert_eq!(Way::Mager.memory(size, 25), (64, 0));
        assert_eq!(Way::Compressed.memory(size, 25), (48, 16));
        let line = Way::Compressed.before(Path::new("/m"), size, 25, ["--swap-dir".into(), "/d".into()]);
        let line: Vec<_> = line.iter().map(|word| word.to_string_lossy()).collect();
        assert_eq!(line.join(" "), "/m run --memory 48M --swap 512M --swap-dir /d --compressed 16M --");
    }
}
