//! The library over a pager in a thread of the test.

use mager::{Arena, Error, Pager};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;

const PAGE: usize = 4096;

fn pager(memory: u64, swap: u64) -> Option<(Pager, Arena)> {
    if !mager::possible() {
        eprintln!("SKIPPED: no userfaultfd with all that the Linux machine needs here");
        return None;
    }
    let pager = Pager::builder().memory(memory).swap(swap).in_thread().start().expect("a pager");
    let arena = pager.arena().expect("an arena");
    Some((pager, arena))
}

#[test]
fn a_region_is_a_slice_however_little_memory_there_is() {
    let Some((pager, arena)) = pager(1 << 20, 32 << 20) else { return };
    let mut numbers = arena.region::<u32>(1 << 20).expect("4 MiB");
    assert!(numbers.iter().all(|&number| number == 0));
    (0u32..).zip(numbers.iter_mut()).for_each(|(place, number)| *number = place.reverse_bits());
    numbers.sort_unstable();
    assert!(numbers.is_sorted() && numbers[0] == 0 && numbers[numbers.len() - 1] == u32::MAX << 12);
    let figures = pager.statistics().expect("figures");
    assert!(figures.page_ins > 1024 && figures.frames == 256, "{figures:?}");
    assert_eq!((figures.clients.len(), figures.clients[0].reserved_pages), (1, 1024));
    assert!(figures.clients[0].private_frames <= 256 && figures.clients[0].faults > 1024, "{figures:?}");
    assert!(figures.service.percentile_ns(0.5).is_some_and(|ns| ns > 100));
}

#[test]
fn threads_share_a_region_and_it_can_be_sent() {
    let Some((_pager, arena)) = pager(1 << 20, 32 << 20) else { return };
    let mut region = arena.region::<u64>(1 << 20).expect("8 MiB");
    std::thread::scope(|scope| {
        for (part, chunk) in (1u64..).zip(region.chunks_mut(1 << 18)) {
            scope.spawn(move || chunk.fill(part));
        }
    });
    let sum = std::thread::spawn(move || region.iter().sum::<u64>()).join().expect("it ends");
    assert_eq!(sum, (1 + 2 + 3 + 4) << 18);
}

#[test]
fn system_calls_read_and_write_a_region() {
    let Some((_pager, arena)) = pager(1 << 20, 32 << 20) else { return };
    let mut from = arena.region::<u8>(4 << 20).expect("4 MiB");
    let mut to = arena.region::<u8>(4 << 20).expect("4 MiB");
    (0u8..=255).cycle().zip(from.iter_mut()).for_each(|(value, byte)| *byte = value);
    let file = tempfile::tempfile().expect("a file");
    file.write_all_at(&from, 0).expect("the kernel reads the region");
    file.read_exact_at(&mut to, 0).expect("the kernel writes the region");
    assert!(*from == *to);
}

#[test]
fn what_is_dropped_gives_swap_and_addresses_back() {
    let Some((pager, arena)) = pager(1 << 20, 8 << 20) else { return };
    for round in 0..20u8 {
        let mut region = arena.region::<u8>(8 << 20).expect("all swap is free again");
        assert!(region.iter().step_by(PAGE).all(|&byte| byte == 0), "round {round}");
        region.fill(round + 1);
        let refused = arena.region::<u8>(1).expect_err("swap is reserved up front");
        assert_eq!(refused.errno(), rustix::io::Errno::NOMEM.raw_os_error());
    }
    assert_eq!(pager.statistics().expect("figures").swap_reserved, 0);
}

#[test]
fn discarded_elements_are_zero_and_their_neighbours_as_they_were() {
    let Some((pager, arena)) = pager(1 << 20, 32 << 20) else { return };
    let mut words = arena.region::<u16>(64 * PAGE).expect("memory");
    words.fill(7);
    words.discard(3..3).expect("nothing");
    words.discard(10..20).expect("within a page");
    words.discard(5000..100_000).expect("pages and parts of pages");
    let zero = |place: usize| (10..20).contains(&place) || (5000..100_000).contains(&place);
    assert!(words.iter().enumerate().all(|(place, &word)| word == if zero(place) { 0 } else { 7 }));
    let refused = words.discard(1..64 * PAGE + 1).expect_err("beyond the end");
    assert!(matches!(refused, Error::Range { .. }));
    drop(words);
    assert_eq!(pager.statistics().expect("figures").swap_assigned, 0);
}

#[test]
fn pinned_elements_stay_and_what_does_not_fit_is_refused() {
    let Some((pager, arena)) = pager(1 << 20, 32 << 20) else { return };
    let mut region = arena.region::<u8>(4 << 20).expect("memory");
    let mut other = arena.region::<u8>(4 << 20).expect("memory");
    {
        let mut pinned = region.pin(PAGE..20 * PAGE).expect("19 pages of 256");
        pinned.fill(9);
        other.fill(1);
        assert_eq!(pager.statistics().expect("figures").pinned_frames, 19);
        assert!(pinned.iter().all(|&byte| byte == 9));
    }
    assert_eq!(pager.statistics().expect("figures").pinned_frames, 0);
    region.pin(0..4 << 20).expect_err("1024 pages do not fit into 256 frames");
    region.discard(0..4 << 20).expect("nothing is pinned any more");
}

#[test]
fn a_mapped_file_is_read_written_and_flushed() {
    let Some((_pager, arena)) = pager(1 << 20, 1 << 20) else { return };
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    let bytes: Vec<u8> = (0u8..=250).cycle().take(5 << 20).collect();
    file.write_all(&bytes).expect("it is written");
    let open = File::options().read(true).write(true).open(file.path()).expect("it opens");
    let mapped = arena.map_file(&open, PAGE as u64, bytes.len() - PAGE).expect("a mapping");
    let mut read = vec![0; bytes.len() - PAGE];
    mapped.read_at(0, &mut read).expect("it lies inside");
    assert!(read == bytes[PAGE..]);
    for (at, text) in [(3usize, "odd"), (4093, "over the end of a page"), (2 << 20, "eight by8")] {
        mapped.write_at(at, text.as_bytes()).expect("it lies inside");
        let mut back = vec![0; text.len()];
        mapped.read_at(at, &mut back).expect("it lies inside");
        assert_eq!(back, text.as_bytes());
    }
    mapped.flush().expect("it is written home");
    let now = std::fs::read(file.path()).expect("it is there");
    assert_eq!(&now[PAGE + 3..PAGE + 6], b"odd");
    assert_eq!(now.len(), bytes.len());
    mapped.read_at(mapped.len(), &mut [0]).expect_err("beyond the end");
    arena.map_file(&open, 1, 1).expect_err("not at a page");
    arena.map_file(&open, 0, 6 << 20).expect_err("longer than the file");
}

#[test]
fn sizes_that_make_no_sense_are_refused_in_words() {
    let few = Pager::builder().memory(4096).in_thread().start().expect_err("one frame");
    assert!(few.to_string().contains("give 262144 or more"), "{few}");
    let policy = Pager::builder().policy("lru").in_thread().start().expect_err("it must see every access");
    assert!(policy.to_string().contains("every access"), "{policy}");
    let nobody = Pager::join("/nowhere/mager.sock").expect_err("nobody is there");
    assert!(nobody.to_string().contains("no pager at the other end"), "{nobody}");
    let program = Pager::builder().program("/nowhere/mager").start().expect_err("no such program");
    assert!(program.to_string().starts_with("/nowhere/mager: "), "{program}");
    let wrong = Pager::builder().program("/bin/true").start().expect_err("not a pager");
    assert!(wrong.to_string().contains("exit status: 0"), "{wrong}");
}

#[test]
fn a_sealed_arena_has_regions_and_no_files() {
    let Some((_pager, arena)) = pager(1 << 20, 32 << 20) else { return };
    if let Err(why) = arena.seal() {
        return eprintln!("SKIPPED: {why}");
    }
    for _ in 0..3 {
        let mut region = arena.region::<u64>(1 << 19).expect("4 MiB");
        assert!(region.iter().all(|&word| word == 0));
        region.fill(7);
        assert!(region.iter().all(|&word| word == 7));
    }
    let file = tempfile::tempfile().expect("a file");
    file.set_len(4096).expect("a page");
    let refused = arena.map_file(&file, 0, 4096).expect_err("its addresses cannot be mapped over");
    assert_eq!(refused.errno(), rustix::io::Errno::PERM.raw_os_error());
}

/// A handler that ran there and touched a region would wait for its own thread.
#[test]
fn the_pagers_thread_takes_no_signals() {
    let Some((_pager, arena)) = pager(1 << 20, 32 << 20) else { return };
    let _region = arena.region::<u64>(1 << 10).expect("8 KiB");
    let mut seen = 0;
    for thread in std::fs::read_dir("/proc/self/task").expect("threads") {
        let thread = thread.expect("a thread").path();
        // It may have ended, as tests do.
        let Ok(name) = std::fs::read_to_string(thread.join("comm")) else { continue };
        let Ok(status) = std::fs::read_to_string(thread.join("status")) else { continue };
        if name.trim() == "mager-pager" {
            let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).expect("its mask");
            let blocked = u64::from_str_radix(blocked.trim(), 16).expect("a number");
            // SIGHUP, SIGINT, SIGUSR1, SIGALRM, SIGTERM, SIGCHLD; a signal has the bit below its number.
            assert!(
                [1, 2, 10, 14, 15, 17].iter().all(|signal| blocked >> (signal - 1) & 1 == 1),
                "{blocked:x}"
            );
            seen += 1;
        }
    }
    assert!(seen > 0, "there is a pager");
}
