//! The lines at the top: which pager, its memory against its budget, and what its policy's hand does.

use super::model::Model;
use super::words::{clock, count};
use crate::observe::rate;
use crate::size::told;
use mager_linux_wire::figures::Figures;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

/// Where gauges begin.
const TEXT: usize = 46;

pub(super) fn lines(model: &Model, width: u16) -> Vec<Line<'static>> {
    let mut lines = vec![title(model, usize::from(width)), memory(model, width)];
    lines.extend(packed(model, width));
    lines.push(swap(model, width));
    lines.push(hand(model));
    lines.extend(wrong(&model.now));
    lines
}

fn title(model: &Model, width: usize) -> Line<'static> {
    let now = &model.now;
    let state = state(model);
    let what = format!(
        "{}, pages of {}, up {}",
        now.policy,
        told(u64::from(now.page_size)),
        clock(now.uptime_seconds)
    );
    let room = width.saturating_sub(what.chars().count() + state.chars().count() + 14);
    let left = format!("mager top  {}  {what}", end_of(&model.place, room));
    let gap = width.saturating_sub(left.chars().count() + state.chars().count());
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let loud =
        if model.paused || model.late.is_some() { bold.add_modifier(Modifier::REVERSED) } else { bold };
    Line::from(vec![Span::styled(left, bold), Span::raw(" ".repeat(gap)), Span::styled(state, loud)])
}

fn state(model: &Model) -> String {
    match model.late {
        _ if model.paused => "paused".into(),
        Some(late) => format!("no answer for {} s", late.as_secs()),
        None => format!("every {} s", model.interval.as_secs_f64()),
    }
}

/// The end of a path says more than its beginning.
fn end_of(path: &str, room: usize) -> String {
    let all = path.chars().count();
    if all <= room {
        path.into()
    } else {
        format!("..{}", path.chars().skip(all + 2 - room.max(2)).collect::<String>())
    }
}

fn memory(model: &Model, width: u16) -> Line<'static> {
    let now = &model.now;
    let (all, used) = (now.circulating(), now.circulating().saturating_sub(now.free_frames));
    let mut text = format!("{} of {}", told(model.bytes(used)), told(model.bytes(all)));
    if now.pinned_frames > 0 {
        text += &format!(", {} pinned", told(model.bytes(now.pinned_frames.into())));
    }
    if now.file_pages > 0 {
        text += &format!(", {} of files", told(model.bytes(now.file_pages.into())));
    }
    gauge(model, "memory", &text, (used, all), width)
}

fn packed(model: &Model, width: u16) -> Option<Line<'static>> {
    let stores = &model.now.stores;
    let (used, all) = (stores.compressed_bytes, stores.compressed_budget);
    let ratio = stores.compression_ratio.map_or("-".into(), |ratio| format!("{ratio:.2}"));
    let text = format!("{} of {}, ratio {ratio}", told(used), told(all));
    (all > 0).then(|| gauge(model, "packed", &text, (used, all), width))
}

fn swap(model: &Model, width: u16) -> Line<'static> {
    let now = &model.now;
    let [used, reserved, all] = [now.swap_assigned, now.swap_reserved, now.swap_blocks].map(u64::from);
    let in_bytes = |pages| told(model.bytes(pages));
    let text = format!("{} of {}, {} reserved", in_bytes(used), in_bytes(all), in_bytes(reserved));
    gauge(model, "swap", &text, (used, all), width)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of the width"
)]
fn gauge(model: &Model, name: &str, text: &str, (used, all): (u64, u64), width: u16) -> Line<'static> {
    let share = if all == 0 { 0.0 } else { (used as f64 / all as f64).clamp(0.0, 1.0) };
    let text = format!("{name:<10} {text}");
    let text = format!("{text:<TEXT$.TEXT$} {:>3.0}% ", share * 100.0);
    let room = usize::from(width).saturating_sub(text.len());
    let filled = (share * room as f64).round() as usize;
    Line::from(vec![
        Span::raw(text),
        Span::styled(model.symbols.filled.repeat(filled), Style::new().fg(Color::Cyan)),
        Span::styled(model.symbols.unfilled.repeat(room - filled), Style::new().fg(Color::DarkGray)),
    ])
}

/// What the policy's hand does: takes pages away, or gives them a second chance; and what goes on beside the faults.
fn hand(model: &Model) -> Line<'static> {
    let per = |what: fn(&Figures) -> u64| count(rate(&model.now, &model.before, what));
    let evicted = per(|figures| figures.evictions);
    let spared = per(|figures| figures.second_chances);
    let written = per(|figures| figures.write_backs);
    let ahead = per(|figures| figures.aheads);
    Line::raw(format!(
        "{:<10} {evicted} evicted/s, {spared} spared/s, {written} written/s, {ahead} ahead/s",
        "hand"
    ))
}

/// Accesses denied and pages lost, if there are any.
fn wrong(now: &Figures) -> Option<Line<'static>> {
    let counts = [
        (now.denied, "fault", "denied"),
        (now.stores.checksum_failures, "page", "not what was written"),
        (now.stores.failures, "transfer", "failed"),
        (now.expelled, "client", "expelled"),
    ];
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, what, how)| format!("{count} {what}{} {how}", if *count == 1 { "" } else { "s" }))
        .collect();
    let style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
    (!told.is_empty()).then(|| Line::styled(format!("{:<10} {}", "WRONG", told.join(", ")), style))
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn of_a_long_path_the_end_is_shown() {
        assert_eq!(end_of("/run/mager.sock", 15), "/run/mager.sock");
        assert_eq!(end_of("/run/mager.sock", 12), "..mager.sock");
        assert_eq!(end_of("/run/mager.sock", 0), "..");
    }
}
