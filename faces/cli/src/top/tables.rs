//! The two tables: processes, and the hottest arenas and files.

use super::model::Model;
use super::rows::{Hot, Key, Process, hottest as hottest_rows, processes as process_rows};
use super::words::count;
use crate::size::told;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Row, Table, Widget};

/// A column of processes: what it is sorted by, its title, its width (0: what is left), and how a row tells it.
struct Column {
    key: Option<Key>,
    title: &'static str,
    width: u16,
    told: fn(&Process) -> String,
}

const PID: Column = Column { key: Some(Key::Pid), title: "PID", width: 8, told: |row| row.pid.to_string() };
const COMMAND: Column =
    Column { key: Some(Key::Command), title: "COMMAND", width: 0, told: |row| row.command.clone() };
const MEMORY: Column =
    Column { key: Some(Key::Memory), title: "MEMORY", width: 8, told: |row| told(row.memory) };
const RESERVED: Column =
    Column { key: Some(Key::Reserved), title: "RESERVED", width: 9, told: |row| told(row.reserved) };
const FAULTS: Column =
    Column { key: Some(Key::Faults), title: "FAULTS/S", width: 9, told: |row| count(row.faults) };
const PAGE_INS: Column =
    Column { key: Some(Key::PageIns), title: "PAGE-INS/S", width: 11, told: |row| count(row.page_ins) };
const ARENAS: Column = Column { key: None, title: "ARENAS", width: 6, told: |row| row.arenas.to_string() };

const ALL: &[Column] = &[PID, COMMAND, MEMORY, RESERVED, FAULTS, PAGE_INS, ARENAS];
const FEW: &[Column] = &[PID, COMMAND, MEMORY, FAULTS, PAGE_INS];
/// A narrower terminal gets few columns, so that there is room for the command.
const WIDE: u16 = 76;

impl Column {
    fn title(&self, model: &Model, shown: &str) -> String {
        let mark = match model.sort.turned {
            false => model.symbols.falling,
            true => model.symbols.rising,
        };
        let mark = if self.key == Some(model.sort.key) { mark } else { "" };
        format!("{mark}{}{}", self.title, if self.key == Some(Key::Command) { shown } else { "" })
    }

    fn cell(&self, text: String) -> Text<'static> {
        let line = Line::raw(text);
        Text::from(if self.width == 0 { line } else { line.right_aligned() })
    }

    fn width(&self) -> Constraint {
        if self.width == 0 { Constraint::Fill(1) } else { Constraint::Length(self.width) }
    }
}

fn heading() -> Style {
    Style::new().add_modifier(Modifier::REVERSED)
}

pub(super) fn processes(model: &Model, area: Rect, buffer: &mut Buffer) {
    let columns = if area.width < WIDE { FEW } else { ALL };
    let (rows, room) = (process_rows(model), usize::from(area.height.saturating_sub(1)));
    let shown = part(rows.len(), model, room);
    let title = |column: &Column| column.cell(column.title(model, &shown));
    let row = |row: &Process| Row::new(columns.iter().map(|column| column.cell((column.told)(row))));
    Table::new(rows.iter().skip(model.offset).take(room).map(row), columns.iter().map(Column::width))
        .header(Row::new(columns.iter().map(title)).style(heading()))
        .render(area, buffer);
    if rows.is_empty() {
        below(area, "no process has memory here", buffer);
    }
}

/// Which of them are shown, if not all are.
fn part(rows: usize, model: &Model, room: usize) -> String {
    let all = rows + model.now.clients_untold;
    let last = (model.offset + room).min(rows);
    if last - model.offset.min(last) == all {
        String::new()
    } else {
        format!(" ({}-{last} of {all})", model.offset + 1)
    }
}

fn below(area: Rect, text: &str, buffer: &mut Buffer) {
    let next = Rect { y: area.y + 1, height: area.height.saturating_sub(1).min(1), ..area };
    Line::raw(text.to_owned()).render(next, buffer);
}

pub(super) fn hottest(model: &Model, area: Rect, buffer: &mut Buffer) {
    let rows = hottest_rows(model);
    let right = |text: String| Text::from(Line::raw(text).right_aligned());
    let row = |hot: &Hot| {
        let faults = hot.faults.map_or("-".into(), count);
        Row::new([
            Text::raw(hot.what.clone()),
            right(told(hot.memory)),
            right(faults),
            right(count(hot.page_ins)),
        ])
    };
    let titles = ["MEMORY", "FAULTS/S", "PAGE-INS/S"].map(|title| right(title.into()));
    let header = [Text::raw("HOTTEST ARENAS AND FILES")].into_iter().chain(titles);
    let widths = [0, MEMORY.width, FAULTS.width, PAGE_INS.width];
    let widths = widths.map(|width| if width == 0 { Constraint::Fill(1) } else { Constraint::Length(width) });
    Table::new(rows.iter().map(row), widths).header(Row::new(header).style(heading())).render(area, buffer);
}
