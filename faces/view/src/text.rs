//! The picture as text, section after section.

use crate::snapshot::{ArenaState, FrameState, PageState, Row, Shows, Snapshot};
use std::fmt::{self, Display, Formatter};

impl Display for Snapshot {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for arena in &self.arenas {
            self.arena(arena, f)?;
        }
        self.core_map(f)?;
        self.replacement(f)?;
        self.swap_store(f)?;
        self.file_pages(f)?;
        self.queue(f)?;
        self.so_far(f)
    }
}

impl Snapshot {
    fn arena(&self, arena: &ArenaState, f: &mut Formatter<'_>) -> fmt::Result {
        let ArenaState { arena: id, mapped, reserved, rows } = arena;
        let all = self.arena_pages;
        writeln!(f, "arena {id}: {mapped} of {all} pages mapped, {reserved} swap blocks reserved")?;
        if !rows.is_empty() {
            writeln!(f, "{:>11}  may   frame  shows", "page")?;
        }
        for row in rows {
            let pages = Run(row.first, row.last).to_string();
            let frame = row.frame.map_or_else(|| "-".to_owned(), |frame| frame.to_string());
            writeln!(f, "{pages:>11}  {:<4}  {frame:>5}  {}", rights(row.access), self.shown(id, row))?;
        }
        writeln!(f)
    }

    fn shown(&self, arena: &str, row: &Row) -> String {
        match &row.shows {
            Shows::Untouched => "zeros, never written".to_owned(),
            Shows::Unread(block) if row.first == row.last => format!("{block}, never touched here"),
            Shows::Unread(block) => format!("{block} and on, never touched here"),
            Shows::Page(number) => match self.page(*number) {
                Some(page) => page.told_at(&format!("{arena}:{}", row.first)),
                None => format!("page {number}"),
            },
        }
    }

    fn core_map(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "core map: {} frames, {} free", self.frames.len(), self.free.len())?;
        writeln!(f, "{:>11}  referenced  dirty  holds", "frame")?;
        let empty = |frame: &&FrameState| frame.page.is_none() && !self.free.contains(&frame.frame);
        for zero in self.frames.iter().take(1).filter(empty) {
            writeln!(f, "{:>11}  {:<10}  {:<5}  the zero page, for ever", zero.frame, "-", "-")?;
        }
        for frame in self.frames.iter().filter(|frame| frame.page.is_some()) {
            self.frame(frame, f)?;
        }
        if !self.free.is_empty() {
            writeln!(f, "       free: {}, in this order", Runs(&self.free))?;
        }
        writeln!(f)
    }

    fn frame(&self, frame: &FrameState, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(page) = frame.page.and_then(|number| self.page(number)) else { return Ok(()) };
        let (referenced, dirty) = (yes(frame.referenced), yes(page.dirty));
        write!(f, "{:>11}  {referenced:<10}  {dirty:<5}  {}", frame.frame, page.name())?;
        match page.state {
            "resident" => {}
            state => write!(f, ", {}", state.replace('-', " "))?,
        }
        match page.sharers.as_slice() {
            [] => write!(f, ", mapped nowhere")?,
            sharers => write!(f, ", mapped at {}", sharers.join(" "))?,
        }
        match frame.pins {
            0 => writeln!(f),
            pins => writeln!(f, ", pinned {pins} times"),
        }
    }

    fn replacement(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: hand ->", self.policy)?;
        for number in &self.order {
            let referenced = self.frames.get(*number as usize).is_some_and(|frame| frame.referenced);
            write!(f, " {number}{}", if referenced { "*" } else { "" })?;
        }
        let none = if self.order.is_empty() { " no frames" } else { "  (frames; * is referenced)" };
        writeln!(f, "{none}\n")
    }

    fn swap_store(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let swap = &self.swap;
        writeln!(f, "swap: {} blocks, {} reserved, {} assigned", swap.blocks, swap.reserved, swap.assigned)?;
        let mut assigned: Vec<_> =
            self.pages.iter().filter_map(|page| Some((page.swap_block?, page))).collect();
        assigned.sort_unstable_by_key(|(block, _)| *block);
        for (block, page) in assigned {
            let newer = if page.dirty { ", which is newer in its frame" } else { "" };
            writeln!(f, "{:>11}  {}{newer}", format!("block {block}"), page.name())?;
        }
        writeln!(f)
    }

    fn file_pages(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let files: Vec<_> = self.pages.iter().filter(|page| page.file.is_some()).collect();
        let ghosts = files.iter().filter(|page| page.ghost).count();
        writeln!(f, "file pages: {}, {ghosts} of them ghosts", files.len())?;
        for page in files {
            let place = match page.sharers.as_slice() {
                [] => "a ghost: mapped nowhere any more".to_owned(),
                sharers => format!("mapped at {}", sharers.join(" ")),
            };
            writeln!(f, "             {}, {}, {place}", page.name(), page.whereabouts())?;
        }
        writeln!(f)
    }

    fn queue(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let waiting: usize = self.pages.iter().map(|page| page.waiting).sum();
        if self.demands.is_empty() && waiting == 0 {
            return Ok(());
        }
        writeln!(f, "waiting: {waiting} on pages, {} for a frame", self.demands.len())?;
        for demand in &self.demands {
            writeln!(f, "             {demand}")?;
        }
        for page in self.pages.iter().filter(|page| page.waiting > 0) {
            writeln!(f, "             {} on {}, {}", page.waiting, page.name(), page.whereabouts())?;
        }
        writeln!(f)
    }

    fn so_far(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let n = &self.figures;
        write!(f, "so far: {} faults, {} zero-fills, {} page-ins, ", n.faults, n.zero_fills, n.page_ins)?;
        write!(f, "{} write-backs, {} copies, {} steals, ", n.write_backs, n.copies, n.steals)?;
        write!(f, "{} evictions, {} second chances", n.evictions, n.second_chances)?;
        if n.aheads > 0 {
            write!(f, ", {} pages ahead of faults", n.aheads)?;
        }
        writeln!(f)
    }
}

impl PageState {
    /// What a person calls it.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.file {
            Some(file) => file.clone(),
            None => format!("private page {}", self.page),
        }
    }

    /// Where its contents are.
    #[must_use]
    pub fn whereabouts(&self) -> String {
        let home = match (&self.file, self.swap_block) {
            (Some(_), _) => "its file".to_owned(),
            (None, Some(block)) => format!("swap block {block}"),
            (None, None) => "no swap block yet".to_owned(),
        };
        match (self.state, self.frame) {
            ("resident", Some(frame)) if self.dirty => format!("in frame {frame}, dirty"),
            ("resident", Some(frame)) => format!("in frame {frame}, clean"),
            ("paging-in", Some(frame)) => format!("being read from {home} into frame {frame}"),
            ("writing-back", Some(frame)) => format!("being written from frame {frame} to {home}"),
            ("wanted", _) => format!("in {home}, waiting for a frame"),
            _ => format!("in {home} only"),
        }
    }

    /// As seen from one of the sites that map it.
    fn told_at(&self, site: &str) -> String {
        let others: Vec<&str> =
            self.sharers.iter().map(String::as_str).filter(|other| *other != site).collect();
        match others.as_slice() {
            [] => format!("{}, {}", self.name(), self.whereabouts()),
            others => format!("{}, {}, shared with {}", self.name(), self.whereabouts(), others.join(" ")),
        }
    }
}

fn rights(access: Option<&str>) -> &'static str {
    match access {
        Some("write") => "rw",
        Some("read") => "r",
        Some(_) => "trap",
        None => "-",
    }
}

fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "-" }
}

/// From one number to another.
struct Run(u32, u32);

impl Display for Run {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Run(first, last) if first == last => write!(f, "{first}"),
            Run(first, last) => write!(f, "{first}-{last}"),
        }
    }
}

/// Numbers in their order, with those that count on written as runs.
struct Runs<'a>(&'a [u32]);

impl Display for Runs<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let runs = self.0.chunk_by(|a, b| a.checked_add(1) == Some(*b));
        for (at, run) in runs.enumerate() {
            let [first, .., last] = run else {
                write!(f, "{}{}", if at > 0 { " " } else { "" }, run[0])?;
                continue;
            };
            write!(f, "{}{}", if at > 0 { " " } else { "" }, Run(*first, *last))?;
        }
        Ok(())
    }
}
