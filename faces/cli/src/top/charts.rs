//! Four charts of the last minutes: faults and page-ins a second, and how long the pager took for a fault.

use super::history::Sample;
use super::model::Model;
use super::words::{clock, count, time_us};
use crate::observe::{rate, service_us};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{RenderDirection, Sparkline, Widget};

/// One chart: its name, the value now, how values are told, and where they are in a sample.
struct Chart {
    name: &'static str,
    now: Option<f64>,
    told: fn(f64) -> String,
    of: fn(&Sample) -> Option<f64>,
}

pub(super) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let (now, before) = (&model.now, &model.before);
    let rates = |name, now, of| Chart { name, now: Some(now), told: count, of };
    let times = |name, share, of| Chart { name, now: service_us(now, before, share), told: time_us, of };
    let faults = rate(now, before, |figures| figures.faults);
    let page_ins = rate(now, before, |figures| figures.page_ins);
    let rows: [Rect; 2] = area.layout(&Layout::vertical([Constraint::Fill(1); 2]));
    let upper = [
        rates("faults/s", faults, |sample| Some(sample.faults)),
        rates("page-ins/s", page_ins, |sample| Some(sample.page_ins)),
    ];
    let lower =
        [times("half within", 0.5, |sample| sample.p50), times("99% within", 0.99, |sample| sample.p99)];
    for (row, charts) in rows.into_iter().zip([upper, lower]) {
        let halves: [Rect; 2] = row.layout(&Layout::horizontal([Constraint::Fill(1); 2]).spacing(2));
        halves.into_iter().zip(charts).for_each(|(half, chart)| chart.draw(model, half, buffer));
    }
}

impl Chart {
    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let [title, bars] = area.layout(&Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]));
        let columns = model.history.columns(usize::from(area.width), model.interval, self.of);
        let peak = columns.peak().filter(|_| bars.height > 0);
        self.title(peak, columns.seconds, area.width).render(title, buffer);
        // The newest is at the right edge.
        Sparkline::default()
            .data(columns.values.iter().rev().map(|value| value.map(scaled)))
            .direction(RenderDirection::RightToLeft)
            .max(scaled(peak.unwrap_or(0.0)).max(1))
            .bar_set(model.symbols.bars.clone())
            .absent_value_symbol(" ")
            .style(Style::new().fg(Color::Green))
            .render(bars, buffer);
    }

    /// How long the columns are together is left out where there is no room for it.
    fn title(&self, peak: Option<f64>, seconds: f64, width: u16) -> Line<'static> {
        let name = format!("{} {}", self.name, self.now.map_or("-".into(), self.told));
        let peak = peak.map_or(String::new(), |peak| format!("  peak {}", (self.told)(peak)));
        let time = if peak.is_empty() { String::new() } else { format!(" in {}", clock(seconds)) };
        let fits = name.len() + peak.len() + time.len() <= usize::from(width);
        let rest = if fits { peak + &time } else { peak };
        Line::from(vec![Span::styled(name, Style::new().add_modifier(Modifier::BOLD)), Span::raw(rest)])
    }
}

/// Bars are whole numbers; latencies and slow rates have something behind the point.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and shown as a bar"
)]
fn scaled(value: f64) -> u64 {
    (value * 100.0).round() as u64
}
