//! The programs of the matrix: what each is about, what it needs, how large it is. What it does stands in
//! `xtask/matrix/NAME.sh`, which is called to `prepare` once and to `run` each time.

use super::Scale;
use std::path::Path;
use std::process::{Command, Stdio};

/// A program that anybody could have.
#[derive(Debug)]
pub struct Program {
    pub name: &'static str,
    /// What its row shows.
    pub shows: &'static str,
    /// Debian's names.
    pub packages: &'static [&'static str],
    /// Commands; `python3:numpy` is a module.
    pub needs: &'static [&'static str],
    /// Its input is text.
    pub text: bool,
    pub small: Size,
    pub full: Size,
}

/// How large, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// About what: text, or what the program makes of itself.
    pub data: u32,
    /// Memory allowed.
    pub budget: u32,
    /// Swap, of the kernel or of Mager: all that the program can ask for.
    pub swap: u32,
}

pub const fn size(data: u32, budget: u32, swap: u32) -> Size {
    Size { data, budget, swap }
}

impl Program {
    pub fn size(&self, scale: Scale) -> Size {
        match scale {
            Scale::Small => self.small,
            Scale::Full => self.full,
        }
    }

    /// The packages to install, if something is missing here.
    pub fn missing(&self) -> Option<String> {
        let missing = self.needs.iter().any(|need| !there(need));
        missing.then(|| self.packages.join(" "))
    }
}

/// Where programs are looked for, here and in runs: those of the distribution.
pub const PATH: &str = "/usr/bin:/bin:/usr/sbin:/sbin";

fn there(need: &str) -> bool {
    if let Some((python, module)) = need.split_once(':') {
        let mut import = Command::new(python);
        import.args(["-c", &format!("import {module}")]).env("PATH", PATH);
        return import
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
    }
    PATH.split(':').any(|dir| Path::new(dir).join(need).exists())
}

/// All of them.
pub const PROGRAMS: &[Program] = &[
    Program {
        name: "sort",
        shows: "two threads, a buffer larger than the budget, temporary files",
        packages: &["coreutils"],
        needs: &["sort"],
        text: true,
        small: size(64, 24, 256),
        full: size(1024, 64, 4096),
    },
    Program {
        name: "python-lists",
        shows: "lists and dicts of small objects, mappings of 256 KiB and 1 MiB",
        packages: &["python3-minimal"],
        needs: &["python3"],
        text: false,
        small: size(32, 32, 256),
        full: size(256, 64, 2048),
    },
    Program {
        name: "numpy",
        shows: "arrays: written, sorted, transposed",
        packages: &["python3-numpy"],
        needs: &["python3:numpy"],
        text: false,
        small: size(32, 40, 512),
        full: size(1024, 256, 8192),
    },
    Program {
        name: "python-fork",
        shows: "multiprocessing by fork: a large list shared with eight children",
        packages: &["python3"],
        needs: &["python3"],
        text: false,
        small: size(16, 36, 512),
        full: size(128, 64, 4096),
    },
    Program {
        name: "python-spawn",
        shows: "multiprocessing by spawn: large lists through pipes",
        packages: &["python3"],
        needs: &["python3"],
        text: false,
        small: size(12, 32, 512),
        full: size(128, 64, 4096),
    },
    Program {
        name: "sqlite",
        shows: "a database in memory, queries that check each other, integrity_check",
        packages: &["sqlite3"],
        needs: &["sqlite3"],
        text: false,
        small: size(40, 24, 512),
        full: size(512, 128, 4096),
    },
    Program {
        name: "redis",
        shows: "a load of requests, BGSAVE by fork under it, reload; digests equal",
        packages: &["redis-server", "redis-tools"],
        needs: &["redis-server", "redis-benchmark", "redis-cli"],
        text: false,
        small: size(24, 28, 512),
        full: size(512, 128, 4096),
    },
    Program {
        name: "gcc",
        shows: "cc1, as and ld on one large source; the program made is run",
        packages: &["gcc", "libc6-dev", "mawk"],
        needs: &["gcc", "awk"],
        text: false,
        small: size(3, 72, 1024),
        full: size(20, 128, 4096),
    },
    Program {
        name: "stress-ng",
        shows: "every method of --vm, and --malloc, with --verify: all that it takes is touched",
        packages: &["stress-ng"],
        needs: &["stress-ng"],
        text: false,
        small: size(64, 48, 1024),
        full: size(512, 128, 8192),
    },
    Program {
        name: "xz",
        shows: "xz -9 and back",
        packages: &["xz-utils"],
        needs: &["xz"],
        text: true,
        small: size(3, 56, 2048),
        full: size(20, 192, 4096),
    },
    Program {
        name: "zstd",
        shows: "zstd -19 --long=27 and back",
        packages: &["zstd"],
        needs: &["zstd"],
        text: true,
        small: size(3, 46, 2048),
        full: size(20, 96, 4096),
    },
    Program {
        name: "perl",
        shows: "a hash of arrays, a key for each line",
        packages: &["perl-base"],
        needs: &["perl"],
        text: true,
        small: size(6, 64, 512),
        full: size(40, 256, 4096),
    },
    Program {
        name: "awk",
        shows: "associative arrays, sorted (gawk)",
        packages: &["gawk"],
        needs: &["gawk"],
        text: true,
        small: size(8, 24, 512),
        full: size(128, 192, 4096),
    },
    Program {
        name: "bash",
        shows: "pipelines of hundreds of short programs around long ones",
        packages: &["bash", "coreutils", "sed"],
        needs: &["bash", "sort", "sed"],
        text: true,
        small: size(16, 16, 512),
        full: size(128, 64, 4096),
    },
    Program {
        name: "node",
        shows: "objects, a map, a typed array; its heap lies in reservations of its own, outside the budget",
        packages: &["nodejs"],
        needs: &["node"],
        text: false,
        small: size(32, 48, 1024),
        full: size(256, 128, 4096),
    },
    Program {
        name: "cpp-sort",
        shows: "four threads: std::sort over vectors of numbers and strings, std::map",
        packages: &["g++"],
        needs: &["c++"],
        text: false,
        small: size(32, 44, 512),
        full: size(256, 128, 4096),
    },
    Program {
        name: "git",
        shows: "repack -adf with two threads, fsck, every object read",
        packages: &["git", "python3"],
        needs: &["git", "python3"],
        text: false,
        small: size(16, 40, 1024),
        full: size(192, 128, 4096),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_has_a_script_that_does_both() {
        for program in PROGRAMS {
            let path = crate::root().join("xtask/matrix").join(program.name).with_extension("sh");
            let script = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(script.contains("prepare)") && script.contains("run)"), "{}", path.display());
        }
    }

    #[test]
    fn every_program_is_given_less_than_it_may_swap() {
        for (program, scale) in PROGRAMS.iter().flat_map(|one| [(one, Scale::Small), (one, Scale::Full)]) {
            let Size { data, budget, swap } = program.size(scale);
            assert!(swap >= 4 * budget && swap >= 2 * data, "{} {scale:?}", program.name);
        }
    }

    #[test]
    fn what_is_missing_is_told_by_package() {
        let program = Program { needs: &["sh", "no-such-command"], ..PROGRAMS[0] };
        assert_eq!(program.missing().as_deref(), Some("coreutils"));
        assert_eq!(Program { needs: &["sh"], ..PROGRAMS[0] }.missing(), None);
    }
}
