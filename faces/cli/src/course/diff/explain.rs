//! Why a difference matters: which rules decide who is right.

use super::entry::{Call, Entry, Right, SWAP};
use super::mask::Masked;
use super::story::{Kind, Story};

/// A sentence, and the rules that belong to it, the likeliest first.
#[derive(Debug)]
pub(super) struct Explained {
    pub(super) sentence: String,
    pub(super) rules: Vec<u8>,
}

fn because(rules: &[u8], sentence: String) -> Explained {
    Explained { sentence, rules: rules.to_vec() }
}

type Names<'a> = (&'a str, &'a str);

/// Explains the first pair that differs, after `story`.
pub(super) fn explain(
    story: &Story,
    pair: (Option<&Masked>, Option<&Masked>),
    names: Names<'_>,
) -> Explained {
    match pair {
        (Some(Entry::Table { pid: a, rights: left }), Some(Entry::Table { pid: b, rights: right })) if a == b => {
            tables(story, *a, (left, right), names)
        }
        (
            Some(Entry::Returned { call, value: left }),
            Some(Entry::Returned { call: other, value: right }),
        ) if call == other => results(story, *call, *left, *right),
        (Some(left @ Entry::File { .. }), Some(right @ Entry::File { .. })) => files(story, left, right),
        (Some(Entry::File { write, name, .. }), _) => one_more(story, *write, name, names.0),
        (_, Some(Entry::File { write, name, .. })) => one_more(story, *write, name, names.1),
        (Some(Entry::Fault { .. }), Some(Entry::Fault { .. })) => because(
            &[19],
            "The applications fault at different places. Either they did different things, or a page that one \
             pager lets through traps under the other: compare the tables of rights just before."
                .to_owned(),
        ),
        (Some(Entry::Fault { .. }), _) => extra_fault(names.0),
        (_, Some(Entry::Fault { .. })) => extra_fault(names.1),
        (None, _) | (_, None) => because(
            &[],
            "One log ends here: that run was stopped, or its pager ended, before the other's.".to_owned(),
        ),
        _ => because(
            &[],
            "No pager decides this: the applications did different things or ran in another order. If they are the \
             same programs, they have probably read different bytes: look for the last reads and copies before."
                .to_owned(),
        ),
    }
}

fn extra_fault(name: &str) -> Explained {
    because(
        &[19, 17, 36],
        format!(
            "In {name} an access faults that goes on without a fault in the other: there the page had the right. \
             Compare the last table of this process with the rule for rights."
        ),
    )
}

fn results(story: &Story, call: Call, left: i64, right: i64) -> Explained {
    match call {
        Call::Create => because(
            &[4, 5],
            "One pager refuses the new process and the other does not: they count reservations differently."
                .to_owned(),
        ),
        Call::Map if left != 0 && right != 0 => {
            because(&[11], "The new page is at different places.".to_owned())
        }
        Call::Map => {
            let private = matches!(story.under_way, Some(Entry::Map { name: 0, .. }));
            let rules: &[u8] = if private { &[10, 5, 14] } else { &[13, 10, 15] };
            because(rules, "One pager refuses the new page and the other does not.".to_owned())
        }
        Call::Fault => because(
            &[20, 25, 35],
            "One pager refuses the access and the other does not: the page is valid or not, or an input or output \
             has failed."
                .to_owned(),
        ),
    }
}

fn files(story: &Story, left: &Entry, right: &Entry) -> Explained {
    let (
        Entry::File { write: a, name: from, failed: failed_a, .. },
        Entry::File { write: b, name: to, failed: failed_b, .. },
    ) = (left, right)
    else {
        unreachable!("only files are compared as files")
    };
    if a != b {
        return because(
            &[25, 33, 31],
            "One pager writes where the other reads: they have found different victims, one of them dirty, or the \
             order is wrong."
                .to_owned(),
        );
    }
    if *a {
        return because(
            &[31, 30, 33],
            "The pagers have chosen different victims: the order of their clocks, or what they take for \
             referenced, was different before. (Were both runs given the same number of physical pages?)"
                .to_owned(),
        );
    }
    if failed_a != failed_b {
        return because(&[25], "The read fails for one and not for the other.".to_owned());
    }
    if from == SWAP && to == SWAP {
        return because(
            &[33, 34, 24],
            "The pagers read swap blocks with different contents: not the same write to swap has filled them."
                .to_owned(),
        );
    }
    let rules: &[u8] = if matches!(story.under_way, Some(Entry::Map { .. })) { &[13, 15] } else { &[16, 25] };
    because(rules, "The pagers read different blocks for the same access.".to_owned())
}

/// One log has an input or output that the other does not have.
fn one_more(story: &Story, write: bool, name: &str, log: &str) -> Explained {
    let what = if write { "a write" } else { "a read" };
    let sentence = format!(
        "{log} has {what} that the other log does not have here. (Were both runs given the same number of physical \
         pages?)"
    );
    let rules: &[u8] = match (&story.under_way, write) {
        (Some(Entry::Destroy), _) => &[9, 29],
        (Some(Entry::Map { .. }), _) => &[15, 13],
        (Some(Entry::Create { .. }), _) => &[7, 36],
        (Some(Entry::Switch { .. }), _) => &[8, 36],
        (_, true) => &[31, 33, 36],
        (_, false) if name == SWAP => &[34, 23, 36],
        (_, false) => &[17, 27, 36],
    };
    because(rules, sentence)
}

fn tables(story: &Story, pid: i64, rights: (&[Right], &[Right]), names: Names<'_>) -> Explained {
    let mut pages: Vec<u64> = [rights.0, rights.1].concat().iter().map(|right| right.vpage).collect();
    pages.sort_unstable();
    let find = |rights: &[Right], vpage| rights.iter().find(|right| right.vpage == vpage).copied();
    let differs = pages.into_iter().find(|&vpage| find(rights.0, vpage) != find(rights.1, vpage));
    let vpage = differs.expect("tables that differ have a page that differs");
    let (left, right) = (find(rights.0, vpage), find(rights.1, vpage));
    let says = |right: Option<Right>| match right {
        None => "no right".to_owned(),
        Some(Right { write, ppage, .. }) => {
            let page = if ppage == 0 { " on the zero page" } else { "" };
            format!("{}{page}", if write { "read and write" } else { "read" })
        }
    };
    let sentence = format!(
        "Virtual page {vpage:#x} of process {pid}: {} gives it {}, {} gives it {}.",
        names.0,
        says(left),
        names.1,
        says(right)
    );
    let rules = match (left, right) {
        (Some(left), Some(right)) if left.write == right.write => {
            same_rights(story, pid, vpage, left.ppage == 0 || right.ppage == 0)
        }
        _ => other_rights(story, pid, vpage),
    };
    because(rules, sentence)
}

/// The rights are equal; the physical pages are not, one of them perhaps the zero page.
fn same_rights(story: &Story, pid: i64, vpage: u64, zero: bool) -> &'static [u8] {
    match (story.kind(pid, vpage), &story.under_way) {
        (Some(Kind::File), _) => &[26, 16],
        (_, Some(Entry::Map { .. })) if zero => &[12],
        (_, Some(Entry::Fault { write: true, .. })) if zero => &[23, 12],
        _ if zero => &[12, 23],
        _ => &[24, 7, 26],
    }
}

fn other_rights(story: &Story, pid: i64, vpage: u64) -> &'static [u8] {
    let private = story.kind(pid, vpage) != Some(Kind::File);
    match &story.under_way {
        Some(Entry::Fault { address, write }) if address >> 16 == vpage => match (write, private) {
            (false, _) => &[21, 19],
            (true, true) => &[22, 23, 24, 19],
            (true, false) => &[22, 19],
        },
        Some(Entry::Fault { .. }) => &[19, 31, 33],
        Some(Entry::Map { .. }) if private => &[12, 19],
        Some(Entry::Map { .. }) => &[17, 19],
        Some(Entry::Create { .. }) => &[7, 19],
        Some(Entry::Destroy) => &[9, 22, 19],
        _ => &[19, 7, 22],
    }
}
