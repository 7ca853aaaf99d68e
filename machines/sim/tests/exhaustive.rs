//! Every sequence of operations in small worlds, as deep as a test may take.

use mager_pager::{Access, BlockNo, FrameNo, ObjectNo, References, Sharing, VirtPage};
use mager_sim::{CpuNo, Direction, How, Mapped, Name, Op, Small};
use std::time::Duration;

#[test]
fn no_short_sequence_of_operations_goes_wrong() {
    for sharing in [Sharing::Frame, Sharing::Place] {
        for references in References::ALL {
            for usable in [1, 2] {
                let small = Small::new(sharing, references, "clock", usable);
                let reached = small.search(3, Duration::from_secs(600));
                assert!(reached.failure.is_none(), "{:?}", reached.failure);
                assert_eq!(reached.depth, 3);
            }
        }
    }
}

/// One swap block, which is being written when anything may happen to its page; that it finds another when it needs
/// one is seen deeper than a search of everything gets.
#[test]
fn a_swap_store_without_a_spare_block_is_enough() {
    for sharing in [Sharing::Frame, Sharing::Place] {
        for usable in [2, 3] {
            let mut small = Small::new(sharing, References::None, "fifo", usable);
            small.setup.swap_blocks = 1;
            (small.setup.arena_pages, small.setup.blocks) = (5, 4);
            let touch = |page, access| Op::Touch(CpuNo(0), Name(0), VirtPage(page), access, 0);
            let file = |block| Op::Map(Name(0), Mapped::File(ObjectNo(0), BlockNo(block)));
            small.start = vec![Op::Create(Name(0)), Op::Map(Name(0), Mapped::Swap)];
            small.start.extend([file(0), file(1), file(2), file(3), touch(0, Access::Write)]);
            small.alphabet = vec![Op::Discard(Name(0), VirtPage(0), 1), Op::Unmap(Name(0), VirtPage(0), 1)];
            small.alphabet.extend([Op::Map(Name(0), Mapped::Swap), Op::Run(CpuNo(0)), Op::Run(CpuNo(1))]);
            for cpu in [CpuNo(0), CpuNo(1)] {
                let write = Op::Touch(cpu, Name(0), VirtPage(0), Access::Write, 0);
                let read = |page| Op::Touch(cpu, Name(0), VirtPage(page), Access::Read, 0);
                small.alphabet.extend([write, read(1), read(2), read(3), read(4)]);
            }
            for frame in (0..small.setup.frames).map(FrameNo) {
                let answer = |direction| Op::Answer(direction, frame, How::Fine);
                small.alphabet.extend([answer(Direction::Read), answer(Direction::Write)]);
            }
            let reached = small.search(7, Duration::from_secs(600));
            assert!(reached.failure.is_none(), "{:?}", reached.failure);
            assert_eq!(reached.depth, 7);
        }
    }
}
