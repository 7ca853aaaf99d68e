//! One run: started, watched from outside, ended at the latest after its time; and what came of it.

use super::output;
use super::place::Stand;
use mager_linux_stage::{At, Error, Group, stop};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Between two looks at the process, and between two at its memory.
const LOOK: Duration = Duration::from_millis(2);
const SAMPLE: Duration = Duration::from_millis(25);
/// Without a group each sample is a process.
const ASK: Duration = Duration::from_millis(300);
/// As long as what a program started may outlive it.
const PATIENCE: Duration = Duration::from_secs(3);

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub seconds: f64,
    /// Why it did not end well.
    pub failed: Option<String>,
    pub output: u64,
    /// The most bytes of shared memory at any look: to the kernel the pages of arenas are that, whoever brought them in.
    pub shared: Option<u64>,
    /// The most bytes of private memory: under Mager what its processes, and the pager, hold beside arenas.
    pub private: Option<u64>,
    /// Processes that were still there long after its end.
    pub left: usize,
}

/// How a run is watched.
pub struct Watch<'a> {
    /// The program that tells a pager's figures, if there is a pager.
    pub mager: Option<&'a Path>,
    pub limit: Duration,
}

/// Runs it to its end.
pub fn run(mut command: Command, stand: &Stand, watch: &Watch<'_>) -> Result<Outcome, Error> {
    let start = Instant::now();
    let child = command.process_group(0).spawn().at("sh")?;
    let mut running = Running { child, group: stand.group.as_ref() };
    let mut outcome = Outcome::default();
    let mut next = start;
    let status = loop {
        stop::check()?;
        if let Some(status) = running.child.try_wait().at("sh")? {
            break Some(status);
        }
        if start.elapsed() > watch.limit {
            break None;
        }
        if Instant::now() >= next {
            sample(stand, watch, &mut outcome);
            next = Instant::now() + if stand.group.is_some() { SAMPLE } else { ASK };
        }
        sleep(LOOK);
    };
    outcome.seconds = start.elapsed().as_secs_f64();
    outcome.failed = failure(status, watch.limit, &stand.dir);
    outcome.left = if status.is_some() { left(stand.group.as_ref()) } else { 0 };
    drop(running);
    outcome.output = output::hash(&stand.dir)?;
    Ok(outcome)
}

/// A process, and all it started; killed with the value.
struct Running<'a> {
    child: Child,
    group: Option<&'a Group>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        self.group.inspect(|group| group.kill());
        let _ = self.child.wait();
    }
}

fn sample(stand: &Stand, watch: &Watch<'_>, outcome: &mut Outcome) {
    let (shared, private) = match (&stand.group, watch.mager) {
        (Some(group), _) => (group.figure(&["shmem"]), group.figure(&["rss", "anon"])),
        (None, Some(mager)) => (told(mager, &stand.dir), None),
        (None, None) => (None, None),
    };
    outcome.shared = outcome.shared.max(shared);
    outcome.private = outcome.private.max(private);
}

/// What the pager says that its frames hold.
fn told(mager: &Path, dir: &Path) -> Option<u64> {
    let socket = socket(dir)?;
    let mut stat = Command::new(mager);
    stat.args(["stat", "--json", "--socket"]).arg(socket).stderr(Stdio::null());
    let figures: Value = serde_json::from_slice(&stat.output().ok()?.stdout).ok()?;
    let frames = figures["frames"].as_u64()?.checked_sub(figures["free_frames"].as_u64()?)?;
    Some(frames * figures["page_size"].as_u64()?)
}

fn socket(dir: &Path) -> Option<PathBuf> {
    let mut paths = std::fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path());
    paths.find(|path| path.extension().is_some_and(|extension| extension == "sock"))
}

/// Why a run did not end well: how it ended, and the last thing said on the standard error.
fn failure(status: Option<ExitStatus>, limit: Duration, dir: &Path) -> Option<String> {
    let how = match status {
        Some(status) if status.success() => return None,
        None => format!("hangs: killed after {} s", limit.as_secs()),
        Some(status) => status.signal().map_or_else(
            || format!("exit status {}", status.code().unwrap_or(-1)),
            |signal| format!("killed by signal {signal}"),
        ),
    };
    let said = std::fs::read(dir.join("stderr")).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let telling = lines.iter().find(|line| line.starts_with("mager: ")).or(lines.last());
    Some(telling.map_or(how.clone(), |line| format!("{how}: {}", line.trim())))
}

/// How many processes do not go.
fn left(group: Option<&Group>) -> usize {
    let start = Instant::now();
    let there =
        || group.map_or(0, |group| std::fs::read_to_string(group.door()).unwrap_or_default().lines().count());
    while there() > 0 && start.elapsed() < PATIENCE {
        sleep(Duration::from_millis(10));
    }
    there()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_with_what_mager_said() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("stderr"), "a\nmager: the pager died.\nsort: no\n\n").unwrap();
        let told = |raw| failure(Some(ExitStatus::from_raw(raw)), Duration::from_secs(9), dir.path());
        assert_eq!(told(0), None);
        assert_eq!(told(70 << 8).as_deref(), Some("exit status 70: mager: the pager died."));
        assert_eq!(told(11).as_deref(), Some("killed by signal 11: mager: the pager died."));
        let hangs = failure(None, Duration::from_secs(9), Path::new("/nowhere"));
        assert_eq!(hangs.as_deref(), Some("hangs: killed after 9 s"));
    }
}
