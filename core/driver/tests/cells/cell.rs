//! One cell: a row's story is told, one thing happens, and what came of it is looked at.

use crate::rows::{Row, pager};
use mager_driver::scenario::{Player, Scenario};
use mager_pager::{
    BlockNo, Event, FrameNo, Home, IoFailed, ObjectNo, PageNo, Pager, Shown, Site, State, VirtPage,
};
use mager_policies::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub struct What {
    pub name: &'static str,
    /// What has to be done first, for the event to mean something.
    before: &'static [&'static str],
    /// `FRAME` stands for the page's own frame.
    command: &'static str,
}

const fn what(name: &'static str, command: &'static str) -> What {
    What { name, before: &[], command }
}

pub const EVENTS: &[What] = &[
    what("read fault", "fault read A 0"),
    what("write fault", "fault write A 0"),
    what("other's read fault", "fault read B 0"),
    what("other's write fault", "fault write B 0"),
    what("fork", "fork A C"),
    what("unmap", "unmap A 0"),
    what("discard", "discard A 0"),
    what("read ahead", "ahead read A 0"),
    what("written ahead", "ahead write A 0"),
    what("other's read ahead", "ahead read B 0"),
    what("destroy", "destroy A"),
    what("other's destroy", "destroy B"),
    what("file mapped again", "map M file f 0"),
    what("flush", "flush"),
    what("pin for reading", "pin A 0 read"),
    what("pin for writing", "pin A 0 write"),
    what("read ok", "answer read FRAME"),
    what("read failed", "fail read FRAME"),
    what("write ok", "answer write FRAME"),
    what("write failed", "fail write FRAME"),
    What { name: "tick, a frame short", before: &["map M swap at 4", "write M 4"], command: "tick" },
];

pub struct Cell {
    pub effects: Vec<String>,
    pub after: String,
}

/// The pager at the start of a row, and the page it is about.
fn told(row: &Row) -> (Player, Option<PageNo>) {
    let text = format!("{}{}\n", pager(row.sharing), row.story.join("\n"));
    let scenario = Scenario::parse(&text).unwrap();
    let mut player = Player::new(&scenario.setup).unwrap();
    let mut seen = None;
    for line in &scenario.commands {
        player.play(&line.command).unwrap_or_else(|why| panic!("{}: `{}`: {why}", row.name, line.command));
        player.pager().check();
        seen = shown(&player, "A").or(seen);
    }
    (player, seen)
}

/// The page that page 0 of `name` shows; a block of the file that nobody has touched is looked for in the index.
fn shown(player: &Player, name: &str) -> Option<PageNo> {
    let at = Site { arena: player.arena(name)?, page: VirtPage(0) };
    match player.pager().view().pte(at)?.shown {
        Shown::Page(page) => Some(page),
        Shown::Untouched | Shown::Unread => None,
    }
}

fn frame(pager: &Pager<Any>, page: Option<PageNo>) -> Option<FrameNo> {
    match pager.view().page(page?)?.state {
        State::PagingIn(frame) | State::Resident { frame, .. } | State::WritingBack { frame, .. } => {
            Some(frame)
        }
        State::Free | State::Absent | State::Wanted => None,
    }
}

/// The state of a page in words: what it is, who shares it, who waits.
fn words(player: &Player, page: Option<PageNo>) -> String {
    let view = player.pager().view();
    let Some(page) = page else { return "untouched".to_owned() };
    let Some(page) = view.page(page) else { return "gone".to_owned() };
    let state = match page.state {
        State::Free => "free".to_owned(),
        State::Absent => "absent".to_owned(),
        State::Wanted => "wanted".to_owned(),
        State::PagingIn(frame) => format!("paging in, frame {frame}"),
        State::Resident { frame, dirty: true } => format!("resident, dirty, frame {frame}"),
        State::Resident { frame, dirty: false } => format!("resident, clean, frame {frame}"),
        State::WritingBack { frame, promised: true } => format!("writing back, promised, frame {frame}"),
        State::WritingBack { frame, promised: false } => format!("writing back, not promised, frame {frame}"),
    };
    let pinned =
        frame(player.pager(), shown(player, "A")).is_some_and(|frame| view.frames()[frame.index()].pins > 0);
    let pinned = if pinned { ", pinned" } else { "" };
    let home = match page.home {
        None => "no home yet",
        Some(Home::Swap(_)) => "home in swap",
        Some(Home::Object(ObjectNo(_), BlockNo(_))) => "home in a file",
    };
    format!("{state}, {home}, {} sharers, {} wait{pinned}", page.sharers.len(), page.waiting.len())
}

/// The state of the page now; `home` tells whether its number is another page's by now.
fn after(player: &Player, page: Option<PageNo>, home: Option<Home>) -> String {
    let now = page.and_then(|page| player.pager().view().page(page)).and_then(|page| page.home);
    match page {
        Some(_) if home.is_some() && now != home => "gone".to_owned(),
        Some(page) => words(player, Some(page)),
        None => words(player, shown(player, "A")),
    }
}

impl Cell {
    /// The row's own state.
    pub fn start(row: &Row) -> String {
        let (player, page) = told(row);
        words(&player, page)
    }

    pub fn of(row: &Row, what: &What) -> Cell {
        let (mut player, page) = told(row);
        let command = match (what.command.contains("FRAME"), frame(player.pager(), page)) {
            (true, None) => return Cell::invalid("the page has no frame"),
            (true, Some(frame)) => what.command.replace("FRAME", &frame.to_string()),
            (false, _) => what.command.to_owned(),
        };
        let home = page.map(|page| player.pager().view().page(page).unwrap().home);
        let text = format!("{}{}\n{command}\n", pager(row.sharing), what.before.join("\n"));
        let mut effects = Ok(Vec::new());
        for line in &Scenario::parse(&text).unwrap().commands {
            effects = player.play(&line.command);
            player.pager().check();
        }
        match effects {
            Err(why) => Cell::invalid(&why.to_string()),
            Ok(effects) => Cell { effects, after: after(&player, page, home.flatten()) },
        }
    }

    fn invalid(why: &str) -> Cell {
        Cell { effects: vec![format!("cannot be: {why}")], after: "-".to_owned() }
    }
}

/// What the core says to an answer for the row's frame that it has not asked for; `None` if it has.
pub fn wrong_answer(row: &Row, read: bool) -> Option<String> {
    let (player, page) = told(row);
    let frame = frame(player.pager(), page)?;
    let asked = match player.pager().view().page(page?)?.state {
        State::PagingIn(_) => read,
        State::WritingBack { .. } => !read,
        State::Free | State::Absent | State::Wanted | State::Resident { .. } => false,
    };
    if asked {
        return None;
    }
    let result = Err(IoFailed);
    let event = if read { Event::Read { frame, result } } else { Event::Written { frame, result } };
    let mut pager = player.into_pager();
    let cause = catch_unwind(AssertUnwindSafe(|| pager.step(event, &mut Vec::new())));
    let cause = cause.expect_err("an answer nobody asked for was taken");
    Some(cause.downcast_ref::<&str>().map_or_else(
        || cause.downcast_ref::<String>().cloned().unwrap_or_default(),
        |&message| message.to_owned(),
    ))
}
