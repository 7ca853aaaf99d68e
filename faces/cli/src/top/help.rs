//! The help over the picture: what keys do, and what words mean.

use super::model::Model;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Clear, Paragraph, Widget};

const TEXT: &str = "\
q, Esc, Ctrl-C      quit; Ctrl-Z suspends
space               pause, and go on
+  -                ask more seldom, more often
up down PgUp PgDn   scroll through the processes
f i m r c p         sort by faults, page-ins, memory,
                    reserved, command, pid;
                    once more: turned round
MEMORY   private pages in memory; files are everyone's
RESERVED swap set aside for all that is mapped
half, 99% within    the pager's time for a fault
spared   pages in use that the hand passed over
WRONG    accesses that ended in SIGBUS, pages lost
? shows this, and takes it away";

pub(super) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let length = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    let width = length(TEXT.lines().map(str::len).max().unwrap_or(0)) + 4;
    let inside = area.centered(
        ratatui::layout::Constraint::Length(width),
        ratatui::layout::Constraint::Length(length(TEXT.lines().count()) + 2),
    );
    Clear.render(inside, buffer);
    let block = Block::bordered().border_set(model.symbols.border).title(" keys ");
    let padded = block.padding(ratatui::widgets::Padding::horizontal(1));
    Paragraph::new(TEXT).block(padded).render(inside, buffer);
}
