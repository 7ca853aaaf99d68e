//! Miri: the tests of everything without system calls, one instruction at a time. It needs a nightly compiler with the
//! components `miri` and `rust-src`; where there is none it says so and checks nothing.
//!
//! Miri is some hundred times slower than the machine. What would take minutes is left out by name or shortened by
//! `cfg!(miri)` in the test; it runs in full everywhere else.

use clap::Args;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Options of `cargo xtask miri`.
#[derive(Args, Debug)]
pub struct MiriArgs {
    /// Only this package
    #[arg(long)]
    package: Option<String>,
    /// Fail, rather than check nothing, where there is no Miri
    #[arg(long)]
    must: bool,
}

/// A package, which of its tests, and which of those not.
type Entry = (&'static str, &'static [&'static str], &'static [&'static str]);

const LIST: &[Entry] = &[
    ("mager-policies", &["--lib", "--test", "laws"], &[]),
    ("mager-pager", &["--lib"], &["the_lowest_block_is_taken_whatever_the_size"]),
    ("mager-driver", &["--test", "golden"], &["a_scenario_prints", "no_text_makes", "what_comes_out"]),
    ("mager-driver", &["--test", "contract", "rule_30"], &[]),
    ("mager-driver", &["--test", "event_log"], &["fuzz::", "replay::", "a_random_run"]),
    ("mager-course-abi", &["--lib"], &[]),
    ("mager-course-protocol", &["--lib"], &[]),
];

/// Complains about each package in which Miri found something.
pub fn check(root: &Path, args: &MiriArgs) -> io::Result<Vec<String>> {
    if !there() {
        let how = "rustup toolchain install nightly --component miri --component rust-src";
        eprintln!("SKIPPED: there is no Miri here; it comes with: {how}");
        return Ok(if args.must { vec!["Miri is missing".into()] } else { Vec::new() });
    }
    let wanted = |entry: &&Entry| args.package.as_ref().is_none_or(|package| package == entry.0);
    let mut complaints = Vec::new();
    for entry in LIST.iter().filter(wanted) {
        if !nightly(root, entry)?.success() {
            complaints.push(format!("Miri found something in {}, or could not run it", entry.0));
        }
    }
    Ok(complaints)
}

fn there() -> bool {
    let mut cargo = Command::new("cargo");
    cargo.args(["+nightly", "miri", "--version"]).env_remove("RUSTUP_TOOLCHAIN");
    cargo.stdout(Stdio::null()).stderr(Stdio::null());
    cargo.status().is_ok_and(|status| status.success())
}

fn nightly(root: &Path, (package, tests, left_out): &Entry) -> io::Result<std::process::ExitStatus> {
    eprintln!("== {package} {}", tests.join(" "));
    let mut cargo = Command::new("cargo");
    cargo.args(["+nightly", "miri", "test", "--package", package]).args(*tests).arg("--");
    for name in *left_out {
        cargo.args(["--skip", name]);
    }
    // Some tests read files: golden ones, and the system's own.
    cargo.env("MIRIFLAGS", "-Zmiri-disable-isolation").env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    cargo.current_dir(root).status()
}
