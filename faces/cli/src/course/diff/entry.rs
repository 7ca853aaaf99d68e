//! A pager's log, line by line: what was called, what came back, what was read and written, what may be touched.

use std::fmt;

/// The call a line belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Call {
    Create,
    Map,
    Fault,
}

/// One page that may be touched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Right {
    pub(super) vpage: u64,
    pub(super) write: bool,
    pub(super) ppage: u64,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    Create { parent: i64, child: i64 },
    Switch { pid: i64 },
    Map { name: u64, block: u64 },
    Fault { address: u64, write: bool },
    Destroy,
    Returned { call: Call, value: i64 },
    File { write: bool, name: String, block: u64, failed: bool },
    Table { pid: i64, rights: Vec<Right> },
}

/// An entry and where it stands.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) line: usize,
    pub(super) entry: Entry,
}

/// A whole log.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) entries: Vec<Placed>,
    /// The first line that is no part of a log.
    pub(super) passed_over: Option<(usize, String)>,
}

pub(super) const SWAP: &str = "<swap>";

impl Log {
    pub(super) fn parse(text: &str) -> Log {
        let mut log = Log::default();
        for (line, text) in (1..).zip(text.lines()) {
            let words = text.trim();
            if let Some(right) = right(words)
                && let Some(Placed { entry: Entry::Table { rights, .. }, .. }) = log.entries.last_mut()
            {
                rights.push(right);
            } else if let Some(entry) = entry(words) {
                log.entries.push(Placed { line, entry });
            } else if !words.is_empty() && log.passed_over.is_none() {
                log.passed_over = Some((line, words.chars().take(60).collect()));
            }
        }
        log
    }
}

fn entry(line: &str) -> Option<Entry> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    if let Some(value) = rest.strip_prefix("returned") {
        return Some(Entry::Returned { call: call(word)?, value: number(value.trim())? });
    }
    match word {
        "vm_destroy" if rest.is_empty() || rest == "()" => Some(Entry::Destroy),
        "vm_switch" => Some(Entry::Switch { pid: number(inside(rest)?)? }),
        "vm_create" => {
            let (parent, child) = pair(rest)?;
            Some(Entry::Create { parent: number(parent)?, child: number(child)? })
        }
        "vm_map" => {
            let (name, block) = pair(rest)?;
            Some(Entry::Map { name: unsigned(name)?, block: unsigned(block)? })
        }
        "vm_fault" => {
            let (address, access) = pair(rest)?;
            let write = match access {
                "read" => false,
                "write" => true,
                _ => return None,
            };
            Some(Entry::Fault { address: unsigned(address)?, write })
        }
        "file_read" | "file_write" => file(word == "file_write", rest),
        "returning" => {
            let pid = inside(rest.strip_prefix("to")?.trim())?;
            Some(Entry::Table { pid: number(pid)?, rights: Vec::new() })
        }
        _ => None,
    }
}

/// `(NAME, BLOCK)` and perhaps why it failed. A name may hold anything, so the last thing that looks right counts.
fn file(write: bool, rest: &str) -> Option<Entry> {
    let rest = rest.strip_prefix('(')?;
    let ends: Vec<usize> = rest.match_indices(')').map(|(at, _)| at).collect();
    let found = ends.iter().rev().find_map(|&end| {
        let (name, block) = rest[..end].rsplit_once(", ")?;
        Some((end, name, unsigned(block)?))
    });
    let (end, name, block) = found?;
    let failed = !rest[end + 1..].trim().is_empty();
    Some(Entry::File { write, name: name.to_owned(), block, failed })
}

fn call(word: &str) -> Option<Call> {
    match word {
        "vm_create" => Some(Call::Create),
        "vm_map" => Some(Call::Map),
        "vm_fault" => Some(Call::Fault),
        _ => None,
    }
}

/// `r|rw  vpage 0xVPAGE  ppage 0xPPAGE`.
fn right(line: &str) -> Option<Right> {
    let mut words = line.split_whitespace();
    let write = match words.next()? {
        "r" => false,
        "rw" => true,
        _ => return None,
    };
    let mut labelled = |label| (words.next()? == label).then(|| words.next().and_then(unsigned))?;
    Some(Right { write, vpage: labelled("vpage")?, ppage: labelled("ppage")? })
}

/// What stands in the parentheses that come first.
fn inside(rest: &str) -> Option<&str> {
    rest.strip_prefix('(')?.split_once(')').map(|(inside, _)| inside)
}

fn pair(rest: &str) -> Option<(&str, &str)> {
    let (first, second) = inside(rest)?.split_once(',')?;
    Some((first.trim(), second.trim()))
}

fn number(word: &str) -> Option<i64> {
    word.parse().ok().or_else(|| i64::try_from(unsigned(word)?).ok())
}

fn unsigned(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None if word == "(nil)" || word == "NULL" => Some(0),
        None => word.parse().ok(),
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Entry::Create { parent, child } => write!(f, "vm_create ({parent}, {child})"),
            Entry::Switch { pid } => write!(f, "vm_switch ({pid})"),
            Entry::Map { name, block } => write!(f, "vm_map ({name:#x}, {block})"),
            Entry::Fault { address, write } => write!(f, "vm_fault ({address:#x}, {})", access(*write)),
            Entry::Destroy => f.write_str("vm_destroy"),
            Entry::Returned { call: Call::Create, value } => write!(f, "vm_create returned {value}"),
            Entry::Returned { call: Call::Fault, value } => write!(f, "vm_fault returned {value}"),
            Entry::Returned { call: Call::Map, value } => write!(f, "vm_map returned {value:#x}"),
            Entry::File { write, name, block, failed } => {
                let failed = if *failed { " failed" } else { "" };
                write!(f, "file_{} ({name}, {block}){failed}", access(*write))
            }
            Entry::Table { pid, rights } => {
                write!(f, "returning to ({pid}) with r|w pages:")?;
                rights.iter().try_for_each(|Right { vpage, write, ppage }| {
                    let rights = if *write { "rw" } else { "r" };
                    write!(f, "\n  {rights:<3} vpage {vpage:#x}  ppage {ppage:#x}")
                })
            }
        }
    }
}

fn access(write: bool) -> &'static str {
    if write { "write" } else { "read" }
}
