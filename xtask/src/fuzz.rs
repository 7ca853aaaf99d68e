//! Fuzzing: the corpora and their mutations on the stable compiler, or libFuzzer for as long as one likes.

use clap::Args;
use std::io;
use std::path::Path;
use std::process::Command;

/// Options of `cargo xtask fuzz`.
#[derive(Args, Debug)]
pub struct FuzzArgs {
    /// Let libFuzzer run each target for so many seconds (needs a nightly compiler and cargo-fuzz)
    #[arg(long, value_name = "SECONDS")]
    time: Option<u32>,
    /// Only this target
    #[arg(long, requires = "time")]
    target: Option<String>,
}

const TARGETS: [&str; 5] = ["core_events", "worlds", "scenarios", "event_log", "protocol"];

/// Longest input; longer ones find nothing that shorter ones do not.
const MAX_LEN: u32 = 4096;

/// Complains about each target that found something.
pub fn check(root: &Path, args: &FuzzArgs) -> io::Result<Vec<String>> {
    let known = |name: &String| TARGETS.contains(&name.as_str());
    if args.target.as_ref().is_some_and(|name| !known(name)) {
        return Ok(vec![format!("no such target; expected one of: {}", TARGETS.join(", "))]);
    }
    match args.time {
        None => smoke(root),
        Some(seconds) => libfuzzer(root, args.target.as_deref(), seconds),
    }
}

fn smoke(root: &Path) -> io::Result<Vec<String>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--release", "--manifest-path"]).arg(root.join("fuzz/Cargo.toml"));
    let done = cargo.current_dir(root).status()?;
    Ok(if done.success() { Vec::new() } else { vec!["a corpus, or a mutation of it, fails".into()] })
}

fn libfuzzer(root: &Path, only: Option<&str>, seconds: u32) -> io::Result<Vec<String>> {
    let mut complaints = Vec::new();
    for target in TARGETS.iter().filter(|target| only.is_none_or(|only| only == **target)) {
        // New inputs are kept under target/, not in the corpus, which stays small.
        let found = root.join("target/fuzz").join(target);
        std::fs::create_dir_all(&found)?;
        let mut cargo = Command::new("cargo");
        cargo.args(["+nightly", "fuzz", "run", "--features", "libfuzzer", target]).arg(&found);
        cargo.arg(root.join("fuzz/corpus").join(target)).arg("--");
        cargo.args([
            format!("-max_total_time={seconds}"),
            format!("-max_len={MAX_LEN}"),
            "-timeout=20".into(),
        ]);
        if !cargo.current_dir(root.join("fuzz")).env_remove("RUSTUP_TOOLCHAIN").status()?.success() {
            complaints.push(format!("fuzz target {target} found something, or could not run"));
        }
    }
    Ok(complaints)
}
