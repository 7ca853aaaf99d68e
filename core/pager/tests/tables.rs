//! Tables that nobody outside the core sees, by themselves: what they refuse and answer where the pager never asks.

#![expect(dead_code, reason = "each table is there whole, and only some of it is tried here")]

extern crate alloc;

#[path = "../src/region.rs"]
mod region;
#[path = "../src/swap.rs"]
mod swap;

use mager_pager::{BlockNo, ObjectNo, Pages, SwapBlock, VirtPage};
use region::{Kind, Regions};
use swap::Swap;

fn run(start: u32, count: u32) -> Pages {
    Pages { start: VirtPage(start), count }
}

#[test]
fn a_part_of_a_region_begins_at_its_own_block() {
    let file = |block| Kind::Object(ObjectNo(1), BlockNo(block));
    let mut regions = Regions::default();
    regions.insert(run(2, 8), file(100));
    regions.insert(run(12, 2), Kind::Swap);
    assert_eq!(regions.within(run(5, 8)), [(run(5, 5), file(103)), (run(12, 1), Kind::Swap)]);
}

#[test]
fn a_block_is_free_until_it_is_assigned_and_after_it_is_released() {
    let mut swap = Swap::new(200);
    assert!(swap.is_free(SwapBlock(0)) && swap.is_free(SwapBlock(199)) && !swap.is_free(SwapBlock(200)));
    swap.reserve(200);
    let blocks: Vec<_> = (0..200).map(|_| swap.assign()).collect();
    assert!(blocks.iter().all(|&block| !swap.is_free(block)));
    for number in [1, 64, 130, 199] {
        swap.release(SwapBlock(number));
    }
    let free: Vec<_> = (0..210).filter(|&number| swap.is_free(SwapBlock(number))).collect();
    assert_eq!(free, [1, 64, 130, 199]);
}

#[test]
#[should_panic(expected = "swap: block 3 released twice")]
fn a_block_is_released_once() {
    let mut swap = Swap::new(8);
    swap.reserve(4);
    let blocks: Vec<_> = (0..4).map(|_| swap.assign()).collect();
    swap.release(blocks[3]);
    swap.release(blocks[3]);
}
