//! Pages that came to lie at another site than they were filled at: their parent stored to them, or ended.

use crate::apart::{alone, figure, fork};
use crate::common::options;
use crate::words::{check, check_zero, end, fill, filled_with};
use mager_linux_pager::{Faults, Options};
use std::io::{Read, Write};
use std::time::Duration;

/// The child has never touched them. It gives them up while they are written home: what it has there next is its own.
#[test]
fn what_was_inherited_is_discarded_while_it_is_written() {
    alone("moved::what_was_inherited_is_discarded_while_it_is_written", || {
        let faults = Some(Faults { late_us: 200_000, ..Faults::default() });
        let slow = Options { faults, read_ahead: 0, ..options(96, 4096) };
        let (connection, pager, arena, pages) = filled_with(slow, 32);
        let others = arena.map(64).expect("memory");
        let (mut told, mut tell) = std::io::pipe().expect("a pipe");
        let child = fork(|| {
            told.read_exact(&mut [0]).expect("somebody speaks");
            let before = figure(&connection, "write_backs");
            std::thread::scope(|scope| {
                scope.spawn(|| fill(&arena, others, 1));
                while figure(&connection, "write_backs") == before {}
                arena.discard(pages).expect("it is private");
                check_zero(&arena, pages);
                fill(&arena, pages, 3);
            });
            std::thread::sleep(Duration::from_millis(300));
            check(&arena, pages, 3);
        });
        fill(&arena, pages, 2);
        tell.write_all(&[1]).expect("somebody listens");
        child.succeeded();
        check(&arena, pages, 2);
        end(connection, pager, arena);
    });
}
