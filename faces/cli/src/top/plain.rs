//! One picture as text, for scripts, logs and tests.

use super::draw::{self, Plan};
use super::model::Model;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const WIDTH: u16 = 80;
/// Head, titles and the heads of the tables, and lines to spare.
const BESIDE: u16 = 16;

/// Every process and what is hottest; no charts, which one interval has not got.
pub(super) fn picture(model: &Model) -> String {
    let rows = |rows: usize| u16::try_from(rows).unwrap_or(u16::MAX);
    let hot = rows(model.now.busiest_arenas.len() + model.now.busiest_files.len()).min(10);
    let processes = rows(model.now.clients.len());
    let area = Rect::new(0, 0, WIDTH, BESIDE + processes + hot);
    let mut buffer = Buffer::empty(area);
    draw::picture(model, Plan { chart: 0, hot, keys: false }, area, &mut buffer);
    let text = text(&buffer);
    text.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The cells of a buffer as lines, without the spaces at their ends.
pub(super) fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let line =
        |cells: &[ratatui::buffer::Cell]| cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
    let lines: Vec<String> =
        buffer.content.chunks(width).map(|cells| line(cells).trim_end().to_owned()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::model::tests::model;

    #[test]
    fn a_picture_as_text_has_a_line_for_each_process_and_none_for_keys() {
        let picture = picture(&model());
        let starts = |what: &str| picture.lines().filter(|line| line.trim_start().starts_with(what)).count();
        assert_eq!(
            (
                starts("100 python3"),
                starts("101 "),
                starts("102 "),
                starts("arena"),
                starts("file"),
                starts("q quit")
            ),
            (1, 1, 1, 3, 1, 0),
            "{picture}"
        );
        assert!(picture.lines().all(|line| !line.is_empty()));
    }
}
