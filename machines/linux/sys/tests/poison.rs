//! Poison is for where nothing is: a page that is there stays as it is, and as protected as it is.

use mager_linux_sys::{Failed, FaultKind, MemoryFile, Userfault, Window};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PAGE: u64 = 4096;

fn ground() -> Option<(MemoryFile, Window, Userfault)> {
    let uffd = match Userfault::open() {
        Ok(uffd) => uffd,
        Err(why) => {
            eprintln!("SKIPPED: no userfaultfd here: {why}");
            return None;
        }
    };
    let file = MemoryFile::sealed("mager-test", 4 * PAGE).expect("a file");
    let window = Window::reserve(4 * PAGE, PAGE, 0).expect("room");
    window.map(0, 4 * PAGE, &file, 0, true).expect("a mapping");
    uffd.register(window.base(), 4 * PAGE, false).expect("it is registered");
    Some((file, window, uffd))
}

#[test]
fn who_waits_to_store_to_a_protected_page_does_not_come_through() {
    let Some((_file, window, uffd)) = ground() else { return };
    uffd.copy(window.base(), &[7; 4096], true).expect("nothing is there");
    let stored = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // SAFETY: the page is mapped, and who reads it does so by the file.
            unsafe { window.pointer(0).write_volatile(8) };
            stored.store(true, Ordering::Release);
        });
        let (mut faults, until) = (Vec::new(), Instant::now() + Duration::from_secs(10));
        while faults.is_empty() && Instant::now() < until {
            uffd.read(&mut faults).expect("it can be read");
        }
        assert_eq!(faults.first().map(|fault| fault.kind), Some(FaultKind::Protected));
        for _ in 0..100 {
            assert_eq!(uffd.poison(window.base(), PAGE), Err(Failed::Exists));
        }
        std::thread::sleep(Duration::from_millis(20));
        assert!(!stored.load(Ordering::Acquire), "the store came through");
        uffd.unprotect(window.base(), PAGE).expect("it is there");
    });
    assert!(stored.load(Ordering::Acquire));
}

#[test]
fn where_a_protected_page_was_taken_away_poison_can_be_put() {
    let Some((file, window, uffd)) = ground() else { return };
    uffd.copy(window.base(), &[7; 4096], true).expect("nothing is there");
    file.punch(0, PAGE).expect("a hole");
    assert_eq!(uffd.poison(window.base(), PAGE), Ok(()));
    let (read, write) = std::io::pipe().expect("a pipe");
    // SAFETY: the kernel checks the address, and says EFAULT where nothing is to be had.
    let wrote = unsafe { libc::write(std::os::fd::AsRawFd::as_raw_fd(&write), window.pointer(0).cast(), 8) };
    drop(read);
    assert_eq!(wrote, -1, "touching it is an error, not a wait");
}
