//! Binaries that the agent cannot be loaded into: a real one, changed where it matters.

use crate::place::{Place, text};
use crate::refused::{refused, write};
use rustix::fs::{XattrFlags, setxattr};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Offsets in a 64-bit ELF file, elf(5).
const CLASS: usize = 4;
const MACHINE: usize = 18;
const PROGRAM_HEADERS: usize = 32;
const COUNT: usize = 56;
const PROGRAM_HEADER: usize = 56;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;

struct Binary(Vec<u8>);

impl Binary {
    fn new() -> Self {
        Binary(std::fs::read("/bin/true").expect("there is a program true"))
    }

    fn word(&self, at: usize) -> usize {
        let bytes = self.0[at..at + 8].try_into().expect("eight bytes");
        usize::try_from(u64::from_le_bytes(bytes)).expect("it fits")
    }

    /// Where the program header of this kind is.
    fn header(&self, kind: u32) -> usize {
        let (first, count) = (self.word(PROGRAM_HEADERS), usize::from(self.0[COUNT]));
        let mut headers = (0..count).map(|number| first + number * PROGRAM_HEADER);
        headers.find(|&at| self.0[at..at + 4] == kind.to_le_bytes()).expect("it has one")
    }

    fn put(mut self, at: usize, bytes: &[u8]) -> Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Its dynamic entries of one kind become ones that mean nothing here.
    fn without_libraries(mut self) -> Self {
        let header = self.header(PT_DYNAMIC);
        let (start, size) = (self.word(header + 8), self.word(header + 32));
        for at in (start..start + size).step_by(16).filter(|&at| self.word(at) == 1).collect::<Vec<_>>() {
            self = self.put(at, &0x6fff_fef5u64.to_le_bytes());
        }
        self
    }
}

fn x86_64() -> bool {
    if !cfg!(target_arch = "x86_64") {
        eprintln!("SKIPPED: needs x86-64");
    }
    cfg!(target_arch = "x86_64")
}

#[test]
fn each_says_what_it_is_and_what_to_do() {
    if !x86_64() {
        return;
    }
    let place = Place::bare();
    let true_ = Binary::new;
    let (interp, at) = (true_().header(PT_INTERP), true_().word(true_().header(PT_INTERP) + 8));
    for (binary, code, parts) in [
        (true_().put(CLASS, &[1]), 125, ["is a 32-bit program", "64-bit Linux"]),
        (true_().put(MACHINE, &[183, 0]), 125, ["is for another processor", "x86-64"]),
        (true_().put(interp, &[0; 4]), 125, ["is statically linked", "link it dynamically"]),
        (true_().put(at, b"/lib/ld-musl-x86_64.so.1\0"), 125, ["another C library than glibc", "ld-musl"]),
        (true_().without_libraries(), 125, ["does not use the C library", "without `mager run`"]),
        (true_().put(PROGRAM_HEADERS, &[0xff; 4]), 126, ["it is damaged", "binary"]),
    ] {
        write(&place.path("binary"), binary.0, 0o755);
        refused(&place, &[], &["./binary"], code, &parts);
    }
}

#[test]
fn a_script_is_told_which_interpreter_is_the_wrong_one() {
    if !x86_64() {
        return;
    }
    let place = Place::bare();
    let binary = Binary::new();
    let interp = binary.header(PT_INTERP);
    write(&place.path("static"), binary.put(interp, &[0; 4]).0, 0o755);
    write(&place.path("script"), format!("#!{}\n", place.path("static").display()), 0o755);
    refused(
        &place,
        &[],
        &["./script"],
        125,
        &["./script: its interpreter: ", "/static is statically linked"],
    );
}

#[test]
fn a_really_static_program() {
    let place = Place::bare();
    std::fs::write(place.path("it.c"), "int main(void) { return 0; }\n").expect("it is written");
    let built =
        Command::new("cc").args(["-static", "-o"]).arg(place.path("it")).arg(place.path("it.c")).output();
    if !built.is_ok_and(|built| built.status.success()) {
        return eprintln!("SKIPPED: needs a C compiler and a static C library");
    }
    refused(&place, &[], &["./it"], 125, &["./it is statically linked"]);
}

#[test]
fn programs_that_gain_rights() {
    if !x86_64() {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        return eprintln!("SKIPPED: needs root, to give files away");
    }
    let place = Place::bare();
    let path = place.path("binary");
    for (mode, how) in [(0o4755, "is setuid"), (0o2755, "is setgid")] {
        write(&path, Binary::new().0, 0o755);
        std::os::unix::fs::chown(&path, Some(65534), Some(65534)).expect("root gives it away");
        write(&path, Binary::new().0, mode);
        refused(&place, &[], &["./binary"], 125, &[how, "run a copy"]);
    }
    capabilities(&place);
}

/// As somebody who is not root, for whom alone they make a difference.
fn capabilities(place: &Place) {
    let (version_2, no_more) = (0x0200_0000u32, [0u8; 16]);
    let value = [&version_2.to_le_bytes()[..], &no_more].concat();
    std::fs::remove_file(place.path("binary")).expect("it was there");
    write(&place.path("binary"), Binary::new().0, 0o755);
    if setxattr(place.path("binary"), "security.capability", &value, XattrFlags::empty()).is_err() {
        return eprintln!("SKIPPED: files have no capabilities here");
    }
    let mut run = crate::without::as_nobody(place, &["run", "--", "./binary"]);
    let ran = run.uid(65534).gid(65534).output().expect("it starts");
    assert_eq!(ran.status.code(), Some(125));
    assert!(text(&ran.stderr).contains("has file capabilities"), "{}", text(&ran.stderr));
}
