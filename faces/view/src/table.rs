//! Page tables as rows: one for each virtual page that somebody touched, one for each run that nobody did.

use crate::snapshot::{Row, Shows};
use mager_pager::{Access, ArenaId, Kind, ObjectNo, Pages, Pte, Shown, View, VirtPage};
use mager_policies::Policy;
use std::collections::BTreeMap;

/// What a block of an object is called.
pub(crate) fn block_name(
    object: ObjectNo,
    block: u32,
    names: &impl Fn(ObjectNo) -> Option<String>,
) -> String {
    match names(object) {
        Some(name) => format!("\"{name}\" block {block}"),
        None => format!("object {object} block {block}"),
    }
}

/// The page table of `arena`.
pub(crate) fn rows<P: Policy>(
    view: &View<'_, P>,
    arena: ArenaId,
    names: &impl Fn(ObjectNo) -> Option<String>,
) -> Vec<Row> {
    let touched: BTreeMap<u32, Pte> = view.ptes(arena).into_iter().map(|(page, pte)| (page.0, pte)).collect();
    let mut rows = Vec::new();
    for (pages, kind) in view.regions(arena) {
        region(pages, kind, &touched, names, &mut rows);
    }
    rows
}

fn region(
    pages: Pages,
    kind: Kind,
    touched: &BTreeMap<u32, Pte>,
    names: &impl Fn(ObjectNo) -> Option<String>,
    rows: &mut Vec<Row>,
) {
    let (mut next, end) = (pages.start.0, pages.start.0 + pages.count);
    let untouched = |page| untouched(pages.start, kind, page, names);
    for (&page, pte) in touched.range(next..end) {
        if page > next {
            rows.push(Row { first: next, last: page - 1, access: None, frame: None, shows: untouched(next) });
        }
        next = page + 1;
        let shows = match pte.shown {
            Shown::Page(number) => Shows::Page(number.0),
            Shown::Untouched | Shown::Unread => untouched(page),
        };
        let frame = pte.frame.map(|frame| frame.0);
        push(rows, Row { first: page, last: page, access: pte.access.map(access_name), frame, shows });
    }
    if next < end {
        push(rows, Row { first: next, last: end - 1, access: None, frame: None, shows: untouched(next) });
    }
}

fn untouched(start: VirtPage, kind: Kind, page: u32, names: &impl Fn(ObjectNo) -> Option<String>) -> Shows {
    match kind {
        Kind::Swap => Shows::Untouched,
        Kind::Object(object, block) => {
            Shows::Unread(block_name(object, block.0.wrapping_add(page - start.0), names))
        }
    }
}

/// Adds a row, or makes the last one longer: neighbours that show zeros alike, or go on in the same file untouched.
fn push(rows: &mut Vec<Row>, row: Row) {
    if let Some(last) = rows.last_mut()
        && last.last + 1 == row.first
        && last.access == row.access
        && last.frame == row.frame
        && last.shows == Shows::Untouched
        && row.shows == Shows::Untouched
    {
        last.last = row.last;
    } else {
        rows.push(row);
    }
}

pub(crate) fn access_name(access: Access) -> &'static str {
    match access {
        Access::Trap => "trap",
        Access::Read => "read",
        Access::Write => "write",
    }
}
