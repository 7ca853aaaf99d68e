//! The demo's application: five processes that write patterns all over their arenas and check every byte.

use super::heading;
use crate::failure::Finished;
use mager_course_abi::PAGE_SIZE;
use mager_course_app::{Forked, Page, fork, map_file, map_swap, wait};
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;

/// The file that the processes share, and its size in blocks.
pub(super) const FILE: &str = "notes";
pub(super) const BLOCKS: usize = 2;

/// Where each process says how many bytes it found right.
pub(super) const CHECKED: &str = "checked";

/// The parent, and its four children.
pub(super) const PROCESSES: usize = 5;

/// The byte at `offset` of a page filled with pattern `seed`; pattern 0 is all zeros.
fn pattern(seed: u8, offset: usize) -> u8 {
    let mixed = (offset / 256 + offset * 7) % 251;
    u8::try_from(mixed).unwrap_or_default().wrapping_mul(seed)
}

fn block(seed: u8) -> impl Iterator<Item = u8> {
    (0..PAGE_SIZE).map(move |offset| pattern(seed, offset))
}

/// The file before the demo, and after it.
pub(super) fn file_at_first() -> Vec<u8> {
    block(101).chain(block(102)).collect()
}

pub(super) fn file_at_last() -> Vec<u8> {
    block(111).chain(block(112)).collect()
}

/// What went wrong: which page, which byte.
#[derive(Debug)]
struct Wrong(String);

type Checked = Result<(), Wrong>;

/// A process's view of the demo.
struct Actor {
    quiet: bool,
    checked: u64,
}

impl Actor {
    fn say(&self, text: fmt::Arguments<'_>) {
        heading(self.quiet, text);
    }

    fn fill(&self, page: Page, seed: u8) {
        (0..PAGE_SIZE).for_each(|offset| page.write(offset, pattern(seed, offset)));
    }

    fn check(&mut self, page: Page, seed: u8) -> Checked {
        for offset in 0..PAGE_SIZE {
            let (found, right) = (page.read(offset), pattern(seed, offset));
            if found != right {
                let address = page.address() + offset;
                return Err(Wrong(format!("byte {address:#x} is {found}, and must be {right}")));
            }
        }
        self.checked += PAGE_SIZE as u64;
        Ok(())
    }

    fn check_all(&mut self, pages: &[Page], seeds: &[u8]) -> Checked {
        pages.iter().zip(seeds).try_for_each(|(&page, &seed)| self.check(page, seed))
    }

    /// Tells the command how much was right.
    fn report(&self) -> Checked {
        let file = OpenOptions::new().create(true).append(true).open(CHECKED);
        file.and_then(|mut file| writeln!(file, "{}", self.checked))
            .map_err(|error| Wrong(format!("{CHECKED}: {error}")))
    }

    /// Plays `part` in a child process, and waits for it.
    fn in_child(&mut self, part: impl FnOnce(&mut Actor) -> Checked) -> Checked {
        match fork() {
            Ok(Forked::Child) => {
                let mut child = Actor { quiet: self.quiet, checked: 0 };
                let played = part(&mut child).and_then(|()| child.report());
                std::process::exit(i32::from(complain(played).is_err()));
            }
            Ok(Forked::Parent(pid)) => {
                let ended = wait(Some(pid)).map_err(|error| Wrong(format!("wait: {error}")))?;
                let well = ended.status.exit_status() == Some(0);
                if well { Ok(()) } else { Err(Wrong(format!("child {pid} failed"))) }
            }
            Err(error) => Err(Wrong(error.to_string())),
        }
    }
}

fn complain(played: Checked) -> Result<(), ()> {
    played.map_err(|Wrong(what)| eprintln!("mager demo: {what}"))
}

fn swap_page() -> Result<Page, Wrong> {
    map_swap().ok_or_else(|| Wrong(String::from("a page was refused although swap is free")))
}

/// Plays the whole application.
pub fn application(quiet: bool) -> Finished {
    let mut parent = Actor { quiet, checked: 0 };
    let played = play(&mut parent).and_then(|()| parent.report());
    if complain(played).is_ok() { Finished::Well } else { Finished::Badly }
}

fn play(me: &mut Actor) -> Checked {
    me.say(format_args!("1. Pages that nobody wrote to cost nothing."));
    let pages = (0..5).map(|_| swap_page()).collect::<Result<Vec<_>, _>>()?;
    me.check_all(&pages, &[0; 5])?;

    me.say(format_args!("2. Every page is written: the first write needs a frame, and there are not many."));
    pages.iter().zip(1..).for_each(|(&page, seed)| me.fill(page, seed));

    me.say(format_args!("3. Every byte is read back: what was evicted comes in again."));
    me.check_all(&pages, &[1, 2, 3, 4, 5])?;

    me.say(format_args!(
        "4. Fork: the child writes to two pages and reads the others; the parent sees none of it."
    ));
    me.in_child(|child| copies(child, &pages))?;
    me.check_all(&pages, &[1, 2, 3, 4, 5])?;

    me.say(format_args!("5. A file page: mapped twice, it is one page; the child's bytes are the parent's."));
    let names = swap_page()?;
    let name = names.write_name(0, c"notes");
    let notes = map_file(name, 0).ok_or_else(|| Wrong(String::from("the file page was refused")))?;
    me.check(notes, 101)?;
    me.in_child(|child| shares(child, notes, name))?;
    me.check(notes, 111)?;

    me.say(format_args!(
        "6. A ghost: a child writes to block 1 and ends; until it is evicted the page stays, and a map finds it."
    ));
    me.in_child(|child| leaves_a_ghost(child, name))?;
    me.in_child(|child| finds_the_ghost(child, name))?;

    me.say(format_args!(
        "7. Swap is reserved when a page is mapped: when it runs out, the answer is no, in time."
    ));
    runs_out()?;
    me.check_all(&pages, &[1, 2, 3, 4, 5])?;

    me.say(format_args!("8. The end: nothing private is written, dirty file pages go home."));
    Ok(())
}

fn copies(child: &mut Actor, pages: &[Page]) -> Checked {
    child.fill(pages[0], 61);
    child.fill(pages[1], 62);
    child.check_all(pages, &[61, 62, 3, 4, 5])
}

fn shares(child: &mut Actor, notes: Page, name: usize) -> Checked {
    child.check(notes, 101)?;
    child.fill(notes, 111);
    let again =
        map_file(name, 0).ok_or_else(|| Wrong(String::from("a second map of the block was refused")))?;
    child.check(again, 111)
}

fn leaves_a_ghost(child: &mut Actor, name: usize) -> Checked {
    let block = map_file(name, 1).ok_or_else(|| Wrong(String::from("block 1 was refused")))?;
    child.check(block, 102)?;
    child.fill(block, 112);
    Ok(())
}

fn finds_the_ghost(child: &mut Actor, name: usize) -> Checked {
    let block = map_file(name, 1).ok_or_else(|| Wrong(String::from("block 1 was refused")))?;
    child.check(block, 112)
}

/// Maps until the pager refuses, then forks, which must be refused too.
fn runs_out() -> Checked {
    let refused = (0..=super::SWAP_BLOCKS).any(|_| map_swap().is_none());
    match (refused, fork()) {
        (true, Err(_)) => Ok(()),
        (_, Ok(Forked::Child)) => std::process::exit(1),
        _ => Err(Wrong(String::from("more was granted than there is swap for"))),
    }
}
