//! Every sequence of operations in small worlds, as deep as a test may take.

use mager_pager::{References, Sharing};
use mager_sim::Small;
use std::time::Duration;

#[test]
fn no_short_sequence_of_operations_goes_wrong() {
    for sharing in [Sharing::Frame, Sharing::Place] {
        for references in [References::Hardware, References::Trap, References::None] {
            for usable in [1, 2] {
                let small = Small::new(sharing, references, "clock", usable);
                let reached = small.search(3, Duration::from_secs(600));
                assert!(reached.failure.is_none(), "{:?}", reached.failure);
                assert_eq!(reached.depth, 3);
            }
        }
    }
}
