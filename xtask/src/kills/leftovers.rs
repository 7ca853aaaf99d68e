//! What a run leaves behind on the machine, beside processes: swap, sockets, files and mounts of Mager's.

use std::collections::BTreeSet;
use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};

/// What is looked at, as it was before the run.
#[derive(Debug)]
pub struct Before {
    dir: PathBuf,
    shared: BTreeSet<PathBuf>,
    mounts: BTreeSet<String>,
}

/// Where swap is, in the run's directory.
pub fn swap(dir: &Path) -> PathBuf {
    dir.join("swap")
}

impl Before {
    /// Of a run in this directory.
    pub fn look(dir: &Path) -> Self {
        Before { dir: dir.into(), shared: shared(), mounts: mounts() }
    }

    /// What is there that was not; `command` is the number of the process that was `mager run`.
    pub fn left(&self, command: i32) -> Vec<String> {
        let ours = |path: &PathBuf| name(path).contains("mager");
        let of_command = |path: &PathBuf| ours(path) && numbers(&name(path)).any(|number| number == command);
        let own =
            [self.dir.clone(), self.dir.join("tmp")].into_iter().flat_map(|dir| entries(&dir)).filter(ours);
        let public = [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
        let public = public.iter().flat_map(|dir| entries(dir)).filter(of_command);
        let shared = shared().into_iter().filter(|path| ours(path) && !self.shared.contains(path));
        let files = entries(&swap(&self.dir)).into_iter().chain(own).chain(public).chain(shared);
        let files: BTreeSet<String> = files.map(|path| path.display().to_string()).collect();
        files.into_iter().chain(mounts().difference(&self.mounts).cloned()).collect()
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn numbers(name: &str) -> impl Iterator<Item = i32> {
    name.split(|letter: char| !letter.is_ascii_digit()).filter_map(|digits| digits.parse().ok())
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn shared() -> BTreeSet<PathBuf> {
    entries(Path::new("/dev/shm")).into_iter().collect()
}

fn mounts() -> BTreeSet<String> {
    let text = read_to_string("/proc/self/mountinfo").unwrap_or_default();
    text.lines().map(|line| format!("mount {line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir, write};

    #[test]
    fn swap_and_sockets_are_seen_and_what_the_program_left_is_not() {
        let dir = tempfile::tempdir().unwrap();
        ["swap", "tmp"].iter().for_each(|name| create_dir(dir.path().join(name)).unwrap());
        let before = Before::look(dir.path());
        ["large.o", "tmp/sort7", "stdout"].iter().for_each(|name| write(dir.path().join(name), "").unwrap());
        assert_eq!(before.left(7), [""; 0]);
        let left = ["mager-run-7.sock", "swap/file"].map(|name| dir.path().join(name));
        left.iter().for_each(|path| write(path, "").unwrap());
        assert_eq!(before.left(7), left.map(|path| path.display().to_string()));
        assert!(numbers("mager-run-71.sock").eq([71]));
    }
}
