//! What people call processes and files: for figures only, nothing is decided by it.

use mager_linux_wire::figures::{Keep, name};
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;

/// Of a file in /proc.
const MOST_READ: u64 = 4096;

/// What a process runs: its command line, the program without its directory, else its name; empty if it is gone.
pub(crate) fn command(pid: i32) -> String {
    let read = |what| start_of(&format!("/proc/{pid}/{what}"));
    let (line, comm) = (read("cmdline"), read("comm"));
    name(if line.is_empty() { &comm } else { without_directory(&line) }, Keep::Start)
}

/// Words end with zeros.
fn without_directory(line: &str) -> &str {
    let program = line.split('\0').next().unwrap_or(line);
    &line[program.rfind('/').map_or(0, |slash| slash + 1)..]
}

/// A command line may be megabytes.
fn start_of(path: &str) -> String {
    let mut bytes = Vec::new();
    // Of a process that has just ended there is nothing to read.
    let _ = File::open(path).and_then(|file| file.take(MOST_READ).read_to_end(&mut bytes));
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
    fn a_program_is_told_without_its_directory() {
        assert_eq!(without_directory("/usr/bin/sort\0/tmp/big\0"), "sort\0/tmp/big\0");
        assert_eq!(without_directory("nginx: worker"), "nginx: worker");
    }

    #[test]
    fn this_process_and_this_file_have_names() {
        let pid = i32::try_from(std::process::id()).expect("a process id");
        assert!(command(pid).starts_with("mager_linux_pager"), "{}", command(pid));
        assert_eq!(command(i32::MAX), "");
        let file = File::open("/dev/null").expect("it is there");
        assert_eq!(of_file(&file), "/dev/null");
    }
}
