//! What people call processes and files: for figures only, nothing is decided by it.

use mager_linux_wire::figures::{Keep, MAX_NAME, name};
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;

/// What a process runs: its command line, else its name; empty if it is gone.
pub(crate) fn command(pid: i32) -> String {
    let read = |what| start_of(&format!("/proc/{pid}/{what}"));
    let line = read("cmdline");
    name(&if line.is_empty() { read("comm") } else { line }, Keep::Start)
}

/// A command line may be megabytes.
fn start_of(path: &str) -> String {
    let mut bytes = Vec::new();
    let most = MAX_NAME as u64 * 4;
    // Of a process that has just ended there is nothing to read.
    let _ = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where an open file is, as far as its name is known.
pub(crate) fn of_file(file: &File) -> String {
    let path = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap_or_default();
    name(&path.to_string_lossy(), Keep::End)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_and_this_file_have_names() {
        let pid = i32::try_from(std::process::id()).expect("a process id");
        assert!(!command(pid).is_empty());
        assert_eq!(command(i32::MAX), "");
        let file = File::open("/dev/null").expect("it is there");
        assert_eq!(of_file(&file), "/dev/null");
    }
}
