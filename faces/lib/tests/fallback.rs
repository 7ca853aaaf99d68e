//! The library where userfaultfd is forbidden: an error, or the kernel's own paging for who asks for that.

use mager::{Builder, Error, Pager};
use rustix::io::Errno;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
};
use seccompiler::{SeccompRule, apply_filter};
use std::os::unix::fs::FileExt;

const MIB: u64 = 1 << 20;
const USERFAULTFD: i64 = 323;
const IOCTL: i64 = 16;
/// `USERFAULTFD_IOC_NEW`, of /dev/userfaultfd.
const NEW: u64 = 0xAA00;

/// Runs `test` in a thread that may have no userfaultfd, by the call nor by the device.
fn forbidden(test: impl FnOnce() + Send + 'static) {
    if !cfg!(target_arch = "x86_64") {
        return eprintln!("SKIPPED: the numbers of the calls are those of x86-64");
    }
    let new = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, NEW).expect("a condition");
    let new = SeccompRule::new(vec![new]).expect("a rule");
    let rules = [(USERFAULTFD, vec![]), (IOCTL, vec![new])].into_iter().collect();
    let refuse = SeccompAction::Errno(Errno::PERM.raw_os_error().unsigned_abs());
    let arch = std::env::consts::ARCH.try_into().expect("a known architecture");
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).expect("a filter");
    let program: BpfProgram = filter.try_into().expect("a program");
    let test = move || {
        apply_filter(&program).expect("the filter goes on");
        assert!(!mager::possible());
        test();
    };
    std::thread::spawn(test).join().expect("it is as it should be");
}

fn builder() -> Builder {
    Pager::builder()
        .memory(MIB)
        .swap(16 * MIB)
        .arena_size(64 * MIB)
        .swap_dir(std::env::temp_dir())
        .in_thread()
}

fn fallback() -> Pager {
    let pager = builder().fallback(true).start().expect("the kernel's paging");
    assert!(pager.is_fallback());
    pager
}

#[test]
fn without_asking_for_it_there_is_an_error_and_no_fallback() {
    forbidden(|| {
        let arena = builder().start().and_then(|pager| pager.arena());
        let why = arena.expect_err("there is no userfaultfd").to_string();
        assert!(why.contains("userfaultfd"), "{why}");
    });
}

#[test]
fn where_a_pager_can_be_had_nothing_falls_back() {
    if !mager::possible() {
        return eprintln!("SKIPPED: no userfaultfd with all that the Linux machine needs here");
    }
    let pager = builder().fallback(true).start().expect("a pager");
    assert!(!pager.is_fallback());
    assert_ne!(pager.statistics().expect("figures").bound_by, "fallback");
}

#[test]
fn regions_are_zero_and_hold_what_is_written_whatever_the_memory() {
    forbidden(|| {
        let pager = fallback();
        let arena = pager.arena().expect("an arena");
        let mut numbers = arena.region::<u32>(2 << 20).expect("8 MiB");
        assert!(numbers.iter().all(|&number| number == 0));
        (0u32..).zip(numbers.iter_mut()).for_each(|(place, number)| *number = place.reverse_bits());
        numbers.sort_unstable();
        assert!(numbers.is_sorted() && numbers[numbers.len() - 1] > 1 << 31);
        numbers.discard(10..1 << 20).expect("zeros again");
        let zero = |place: usize| (10..1 << 20).contains(&place);
        assert!(
            numbers.iter().enumerate().all(|(place, &number)| (number == 0) == zero(place) || place == 0)
        );
        let pinned = numbers.pin(0..1 << 20).expect("the kernel pins by itself");
        assert_eq!(pinned.len(), 1 << 20);
    });
}

#[test]
fn swap_is_a_bound_and_comes_back_and_the_figures_say_who_pages() {
    forbidden(|| {
        let pager = fallback();
        let arena = pager.arena().expect("an arena");
        for round in 0..3u8 {
            let mut region = arena.region::<u8>(16 << 20).expect("all of it is free again");
            assert!(region.iter().step_by(4096).all(|&byte| byte == 0), "round {round}");
            region.fill(round + 1);
            let refused = arena.region::<u8>(1).expect_err("swap is reserved up front");
            assert_eq!(refused.errno(), Errno::NOMEM.raw_os_error());
            let told = pager.statistics().expect("figures");
            assert_eq!((told.bound_by.as_str(), told.arenas), ("fallback", 1));
            assert_eq!((told.swap_reserved, told.swap_blocks, told.frames), (4096, 4096, 0));
        }
        assert_eq!(pager.statistics().expect("figures").swap_reserved, 0);
        drop(arena);
        assert_eq!(pager.statistics().expect("figures").arenas, 0);
    });
}

#[test]
fn a_mapped_file_is_read_written_and_flushed() {
    forbidden(|| {
        let arena = fallback().arena().expect("an arena");
        let file = tempfile::tempfile().expect("a file");
        file.write_all_at(&vec![7; 3 << 20], 0).expect("it is written");
        let mapped = arena.map_file(&file, 4096, (3 << 20) - 4096).expect("a mapping");
        let other = arena.map_file(&file, 0, 8192).expect("another one");
        mapped.write_at(5, b"from here").expect("it lies inside");
        mapped.flush().expect("it is written home");
        let (mut here, mut there) = ([0; 9], [0; 9]);
        other.read_at(4096 + 5, &mut here).expect("it lies inside");
        file.read_exact_at(&mut there, 4096 + 5).expect("it is there");
        assert_eq!((&here, &there), (b"from here", b"from here"));
        arena.map_file(&file, 0, 4 << 20).expect_err("longer than the file");
        drop(mapped);
        other.flush().expect("it is mapped still");
    });
}

#[test]
fn forks_cannot_be_followed() {
    forbidden(|| assert!(matches!(fallback().follow_forks(), Err(Error::NoPager(_)))));
}
