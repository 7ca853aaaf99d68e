//! How a run is told, step by step, in the words of the design.

use mager_driver::{Control, Outcome};
use mager_pager::{Access, Denied, Effect, Event, IoResult, What};

fn access(access: Access) -> &'static str {
    match access {
        Access::Trap => "trap",
        Access::Read => "read",
        Access::Write => "write",
    }
}

fn touched(access: Access) -> &'static str {
    if access == Access::Write { "written" } else { "read" }
}

fn io(result: IoResult) -> &'static str {
    if result.is_ok() { "done" } else { "failed" }
}

fn denied(outcome: Result<(), Denied>) -> String {
    outcome.map_or_else(|why| format!("denied: {why}"), |()| "goes on".into())
}

/// An event, as the core sees it.
#[must_use]
pub fn event(event: &Event) -> String {
    match *event {
        Event::Fault(fault) => format!("fault {} at {} by #{}", access(fault.access), fault.at, fault.who),
        Event::Read { frame, result } => format!("read into frame {frame} {}", io(result)),
        Event::Written { frame, result } => format!("write of frame {frame} {}", io(result)),
        Event::Touched { frame, .. } => format!("frame {frame} was touched"),
        Event::Ahead { at, access: right } => format!("{at} is likely to be {} soon", touched(right)),
        Event::Evict { at } => format!("{at} is to leave its frame"),
        Event::Tick => "tick".into(),
    }
}

/// An effect, as the machine sees it.
#[must_use]
pub fn effect(effect: &Effect) -> String {
    match *effect {
        Effect::Map { at, frame, access: right } => format!("map {at} frame {frame} {}", access(right)),
        Effect::Clear { at, frame } => format!("clear the reference of {at} frame {frame}"),
        Effect::Unmap { at, frame } => format!("unmap {at} frame {frame}"),
        Effect::Zero { frame, at } => format!("zero frame {frame} for {at}"),
        Effect::Copy { from, to, at } if from == to => format!("move frame {from} to {at}"),
        Effect::Copy { from, to, at } => format!("copy frame {from} to frame {to} for {at}"),
        Effect::Read { frame, home, at } => format!("read {home} into frame {frame} for {at}"),
        Effect::Write { frame, home } => format!("write frame {frame} to {home}"),
        Effect::Empty { frame } => format!("empty frame {frame}"),
        Effect::Release { block } => format!("release swap:{block}"),
        Effect::Resume { who, outcome } => format!("#{who} {}", denied(outcome)),
    }
}

/// A control call and its outcome.
#[must_use]
pub fn control(call: &Control, outcome: &Outcome) -> String {
    let call = match *call {
        Control::Create => "create".into(),
        Control::Fork(parent) => format!("fork {parent}"),
        Control::MapSwap(arena) => format!("map {arena} swap"),
        Control::MapSwapAt(arena, pages) => format!("map {arena} swap at {pages}"),
        Control::MapObject(arena, object, block) => format!("map {arena} file {object} block {block}"),
        Control::MapObjectAt(arena, pages, object, block) => {
            format!("map {arena} file {object} block {block} at {pages}")
        }
        Control::Unmap(arena, pages) => format!("unmap {arena} {pages}"),
        Control::Discard(arena, pages) => format!("discard {arena} {pages}"),
        Control::Destroy(arena) => format!("destroy {arena}"),
        Control::Pin(at, right) => format!("pin {at} {}", access(right)),
        Control::Unpin(at) => format!("unpin {at}"),
        Control::Disown(at) => format!("{at} gives its swap block back"),
        Control::Withhold(count) => format!("withhold {count} frames"),
        Control::Restore(count) => format!("restore {count} frames"),
        Control::Flush(What::All, who) => format!("flush everything for #{who}"),
        Control::Flush(What::Object(object), who) => format!("flush file {object} for #{who}"),
    };
    match outcome {
        Outcome::Done => call,
        Outcome::Arena(arena) => format!("{call}: arena {arena}"),
        Outcome::Page(page) => format!("{call}: page {page}"),
        Outcome::Frame(frame) => format!("{call}: frame {frame}"),
        Outcome::Frames(count) => format!("{call}: {count}"),
        Outcome::Refused(why) => format!("{call}: refused, {why}"),
    }
}
