//! The picture: where everything is, at any size.
//!
//! ```text
//! where, since when, how often
//! memory, packed, swap, the hand             head
//! faults/s          | page-ins/s             charts
//! half within       | 99% within
//! processes                                  tables
//! hottest arenas and files
//! keys
//! ```

use super::model::Model;
use super::{charts, head, help, tables};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget, Wrap};

/// A smaller terminal cannot show it.
const LEAST: (u16, u16) = (60, 16);

/// What the height has room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Lines of each chart below its title.
    pub(super) chart: u16,
    /// Arenas and files.
    pub(super) hot: u16,
    /// The line of keys.
    pub(super) keys: bool,
}

impl Plan {
    fn of(height: u16) -> Self {
        let (chart, hot) = match height {
            0..22 => (1, 1),
            22..32 => (2, 3),
            32..48 => (4, 6),
            48.. => (6, 10),
        };
        Plan { chart, hot, keys: true }
    }
}

/// Draws everything for a terminal of this size.
pub(super) fn screen(model: &Model, area: Rect, buffer: &mut Buffer) {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return too_small(area, buffer);
    }
    picture(model, Plan::of(area.height), area, buffer);
    if model.help {
        help::draw(model, area, buffer);
    }
}

fn too_small(area: Rect, buffer: &mut Buffer) {
    let ((width, height), (w, h)) = (LEAST, (area.width, area.height));
    let text = format!("The terminal is too small: {w}x{h}, and {width}x{height} is the least. q quits.");
    Paragraph::new(text).wrap(Wrap { trim: true }).render(area, buffer);
}

/// Draws what `plan` says, whatever the size.
pub(super) fn picture(model: &Model, plan: Plan, area: Rect, buffer: &mut Buffer) {
    let lines = head::lines(model, area.width);
    let height = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
    let [top, drawn, processes, hot, keys] = area.layout(&Layout::vertical([
        Constraint::Length(height(lines.len())),
        Constraint::Length(2 * (plan.chart + 1)),
        Constraint::Fill(1),
        Constraint::Length(plan.hot + 1),
        Constraint::Length(u16::from(plan.keys)),
    ]));
    Paragraph::new(lines).render(top, buffer);
    charts::draw(model, drawn, buffer);
    tables::processes(model, processes, buffer);
    tables::hottest(model, hot, buffer);
    keys_line().render(keys, buffer);
}

fn keys_line() -> Line<'static> {
    let text = "q quit  ? help  space pause  +- interval  sort: f i m r c p  up/down scroll";
    Line::styled(text, Style::new().add_modifier(Modifier::DIM))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::model::tests::{figures, model};
    use crate::top::plain::text;
    use crate::top::symbols::Symbols;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    /// What a terminal of this size shows.
    fn shown(model: &Model, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| screen(model, frame.area(), frame.buffer_mut())).unwrap();
        text(terminal.backend().buffer())
    }

    #[track_caller]
    fn has(picture: &str, parts: &[&str]) {
        for part in parts {
            assert!(picture.contains(part), "{part:?} is not in\n{picture}");
        }
    }

    #[test]
    fn everything_is_there_at_80_by_24() {
        let mut model = model();
        (3..90u32).for_each(|second| model.take(figures(second.into())));
        let picture = shown(&model, 80, 24);
        let parts = [
            "s3-fifo",
            "/run/user/1000/mager.sock",
            "3.9M of 4M",
            "512K of 1M",
            "ratio 2.90",
            "16M of 32M",
            "1234 evicted/s",
            "faults/s 3210",
            "page-ins/s 160",
            "half within 4.1 us",
            "99% within 115 us",
            "python3 job.py",
            "▼FAULTS/S",
            "arena 1 of 101 a program",
            "file /data/table.bin",
            "q quit",
            "█",
        ];
        has(&picture, &parts);
        assert!(picture.lines().count() <= 24 && picture.lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn a_large_terminal_shows_the_same_larger() {
        let picture = shown(&model(), 120, 40);
        has(&picture, &["s3-fifo", "sort big", "RESERVED", "ARENAS", "arena 0 of 100 python3 job.py"]);
        assert!(picture.lines().last().is_some_and(|line| line.starts_with("q quit")), "{picture}");
    }

    #[test]
    fn a_small_terminal_says_that_it_is_too_small() {
        has(&shown(&model(), 40, 10), &["The terminal is too small: 40x10", "q quits"]);
        for (width, height) in [(1, 1), (5, 200), (200, 2), (59, 24), (80, 15)] {
            let picture = shown(&model(), width, height);
            assert!(!picture.contains("FAULTS/S"), "{width}x{height}:\n{picture}");
        }
    }

    #[test]
    fn the_least_terminal_shows_processes() {
        let picture = shown(&model(), 60, 16);
        has(&picture, &["102 sort big", "FAULTS/S", "PAGE-INS/S", "HOTTEST", "q quit"]);
    }

    #[test]
    fn help_pause_and_silence_are_told() {
        let mut model = model();
        (model.paused, model.help) = (true, true);
        for (width, height) in [(60, 16), (80, 24), (120, 40)] {
            has(
                &shown(&model, width, height),
                &["paused", " keys ", "turned round", "quit", "scroll", "SIGBUS"],
            );
        }
        (model.paused, model.help) = (false, false);
        model.late = Some(std::time::Duration::from_secs(7));
        has(&shown(&model, 80, 24), &["no answer for 7 s"]);
    }

    #[test]
    fn more_processes_than_lines_are_counted_and_reached_by_scrolling() {
        let mut model = model();
        let mut now = figures(3.0);
        let client = now.clients[0].clone();
        now.clients.extend((0..50).map(|more| {
            let (number, pid) = (1000 + more, i32::try_from(2000 + more).unwrap());
            mager_linux_wire::figures::Client { number, pid, faults: 0, ..client.clone() }
        }));
        model.take(now);
        let first = shown(&model, 80, 24);
        has(&first, &["1-7 of 53", "102 sort big"]);
        model.scroll(5);
        let scrolled = shown(&model, 80, 24);
        has(&scrolled, &["6-12 of 53"]);
        assert!(!scrolled.lines().any(|line| line.trim_start().starts_with("102 ")), "{scrolled}");
    }

    #[test]
    fn what_goes_wrong_is_told() {
        let mut model = model();
        let mut now = figures(3.0);
        (now.denied, now.stores.checksum_failures) = (3, 1);
        model.take(now);
        has(&shown(&model, 80, 24), &["WRONG", "3 faults denied", "1 page not what was written"]);
    }

    #[test]
    fn without_utf_8_everything_is_ascii() {
        let mut model = Model { symbols: Symbols::ASCII, help: true, ..model() };
        (3..90u32).for_each(|second| model.take(figures(second.into())));
        for help in [true, false] {
            model.help = help;
            let picture = shown(&model, 80, 24);
            assert!(picture.is_ascii() && picture.contains("##"), "{picture}");
        }
    }

    #[test]
    fn a_pager_that_has_just_started_is_no_reason_to_panic() {
        let fresh = mager_linux_wire::figures::Figures::default();
        let model = Model::new(fresh, String::new(), std::time::Duration::from_secs(1), Symbols::UNICODE);
        has(&shown(&model, 80, 24), &["0B of 0B", "no process"]);
    }
}
