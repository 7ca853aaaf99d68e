//! Where the kernel refuses io_uring, threads do its work, and it is said why.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod sys;

use mager_stores::{Backing, Buffers, EngineKind, Home, Options, SwapOptions, SwapPlace};
use rustix::event::{PollFd, PollFlags, poll};

fn options(engine: EngineKind) -> Options {
    let swap = SwapOptions { place: SwapPlace::Memory, blocks: 10 };
    Options { swap: Some(swap), engine, ..Options::new(4096) }
}

fn two_pages_come_back(mut backing: Backing) {
    let mut buffers = Buffers::new(4096, 2).unwrap();
    for write in [true, false] {
        for tag in 0..2u8 {
            let buffer = buffers.take().unwrap();
            let home = Home::Swap(u32::from(tag) * 3);
            if write {
                buffers.bytes_mut(buffer).fill(tag);
                buffers.bytes_mut(buffer)[17] = 99;
                backing.write(buffer.0, home, buffer, &mut buffers);
            } else {
                buffers.bytes_mut(buffer).fill(0xA5);
                backing.read(buffer.0, home, buffer, &mut buffers);
            }
        }
        backing.submit(&mut buffers);
        while backing.in_flight() > 0 {
            match backing.finished() {
                Some(done) => {
                    done.result.unwrap();
                    assert_eq!(buffers.bytes(mager_stores::BufferNo(done.tag))[17], 99);
                    buffers.give(mager_stores::BufferNo(done.tag));
                }
                None => {
                    let fd = backing.wait_fd().unwrap();
                    poll(&mut [PollFd::new(&fd, PollFlags::IN)], None).unwrap();
                }
            }
        }
    }
}

#[test]
fn threads_stand_in_for_a_ring_that_is_refused() {
    // A filter binds the thread that asks for it, and those that it starts.
    let thread = std::thread::spawn(|| {
        if let Err(error) = sys::refuse_rings() {
            println!(
                "SKIPPED: threads_stand_in_for_a_ring_that_is_refused: no filter of system calls: {error}"
            );
            return;
        }
        let backing = Backing::new(options(EngineKind::Auto)).unwrap();
        let said = backing.describe();
        assert!(said.starts_with("16 threads, as io_uring is refused: Operation not permitted"), "{said}");
        two_pages_come_back(backing);
        let error = Backing::new(options(EngineKind::Uring)).unwrap_err().to_string();
        assert_eq!(error, "cannot set up io_uring: Operation not permitted (os error 1)");
    });
    thread.join().unwrap();
}
