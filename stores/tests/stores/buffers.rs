//! Buffers: what may be done with them and what may not.

use mager_stores::{Backing, BufferNo, Buffers, EngineKind, Home, Options, SwapOptions, SwapPlace};

#[test]
fn all_are_handed_out_once_neighbours_first() {
    let mut buffers = Buffers::new(4096, 100).unwrap();
    let taken: Vec<_> = (0..100).map(|_| buffers.take().unwrap()).collect();
    assert_eq!(taken, (0..100).map(BufferNo).collect::<Vec<_>>());
    assert_eq!((buffers.take(), buffers.free()), (None, 0));
    buffers.give(BufferNo(42));
    assert_eq!((buffers.take(), buffers.take()), (Some(BufferNo(42)), None));
}

#[test]
fn they_are_aligned_and_consecutive_in_memory() {
    let mut buffers = Buffers::new(16384, 4).unwrap();
    let first = buffers.take().unwrap();
    let second = buffers.take().unwrap();
    let start = buffers.bytes(first).as_ptr().addr();
    assert_eq!((start % 4096, buffers.bytes(second).as_ptr().addr() - start), (0, 16384));
}

#[test]
fn they_keep_what_was_in_them() {
    let mut buffers = Buffers::new(4096, 1).unwrap();
    let buffer = buffers.take().unwrap();
    buffers.bytes_mut(buffer).fill(5);
    buffers.give(buffer);
    let buffer = buffers.take().unwrap();
    assert!(buffers.bytes(buffer).iter().all(|&byte| byte == 5));
}

#[test]
fn odd_page_sizes_are_refused() {
    for size in [0, 1, 512, 4095, 6144, 131_072] {
        assert!(Buffers::new(size, 1).is_err(), "{size}");
        assert!(Backing::new(Options::new(size)).is_err(), "{size}");
    }
}

/// A read or a write of `block` that was queued and not submitted, so that its buffer is in flight.
fn in_flight(write: bool) -> (Backing, Buffers, BufferNo) {
    let swap = SwapOptions { place: SwapPlace::Memory, blocks: 10 };
    let options = Options { swap: Some(swap), engine: EngineKind::Inline, ..Options::new(4096) };
    let mut backing = Backing::new(options).unwrap();
    let mut buffers = Buffers::new(4096, 2).unwrap();
    let buffer = buffers.take().unwrap();
    buffers.bytes_mut(buffer)[0] = 1;
    backing.write(0, Home::Swap(3), buffer, &mut buffers);
    if !write {
        backing.submit(&mut buffers);
        backing.finished().unwrap().result.unwrap();
        backing.read(0, Home::Swap(3), buffer, &mut buffers);
    }
    (backing, buffers, buffer)
}

#[test]
fn a_page_that_is_written_out_can_be_looked_at() {
    let (_backing, buffers, buffer) = in_flight(true);
    assert_eq!((buffers.bytes(buffer)[0], buffers.in_flight(buffer)), (1, true));
}

#[test]
#[should_panic(expected = "changed while it is in flight")]
fn a_page_that_is_written_out_cannot_be_changed() {
    let (_backing, mut buffers, buffer) = in_flight(true);
    buffers.bytes_mut(buffer)[0] = 2;
}

#[test]
#[should_panic(expected = "looked at while it is being read")]
fn a_page_that_is_being_read_cannot_be_looked_at() {
    let (_backing, buffers, buffer) = in_flight(false);
    let _ = buffers.bytes(buffer)[0];
}

#[test]
#[should_panic(expected = "given back in flight")]
fn a_buffer_in_flight_cannot_be_given_back() {
    let (_backing, mut buffers, buffer) = in_flight(false);
    buffers.give(buffer);
}

#[test]
#[should_panic(expected = "used while it is in flight")]
fn a_buffer_has_one_job_at_a_time() {
    let (mut backing, mut buffers, buffer) = in_flight(true);
    backing.write(1, Home::Swap(4), buffer, &mut buffers);
}

#[test]
#[should_panic(expected = "given back twice")]
fn a_buffer_is_given_back_once() {
    let mut buffers = Buffers::new(4096, 2).unwrap();
    let buffer = buffers.take().unwrap();
    buffers.give(buffer);
    buffers.give(buffer);
}

#[test]
#[should_panic(expected = "was not taken")]
fn a_buffer_that_nobody_took_has_no_job() {
    let (mut backing, mut buffers, _) = in_flight(true);
    backing.write(1, Home::Swap(4), BufferNo(1), &mut buffers);
}

#[test]
fn buffers_may_go_before_the_backing() {
    let (backing, buffers, _) = in_flight(true);
    drop(buffers);
    drop(backing);
}
