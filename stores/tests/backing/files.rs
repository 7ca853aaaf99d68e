//! User files: they never grow, and end where they end.

use crate::world::ENGINES;
use mager_stores::{Backing, BufferNo, Buffers, EngineKind, FileNo, Home, Options, StoreError};
use rustix::event::{PollFd, PollFlags, poll};
use std::fs::{File, OpenOptions};
use std::path::Path;

struct Desk {
    backing: Backing,
    buffers: Buffers,
    buffer: BufferNo,
}

impl Desk {
    fn new(engine: EngineKind) -> Self {
        let backing = Backing::new(Options { engine, ..Options::new(4096) }).unwrap();
        let mut buffers = Buffers::new(4096, 4).unwrap();
        let buffer = buffers.take().unwrap();
        Desk { backing, buffers, buffer }
    }

    fn answer(&mut self) -> Result<(), StoreError> {
        self.backing.submit(&mut self.buffers);
        loop {
            if let Some(done) = self.backing.finished() {
                return done.result;
            }
            let fd = self.backing.wait_fd().unwrap();
            poll(&mut [PollFd::new(&fd, PollFlags::IN)], None).unwrap();
        }
    }

    fn read(&mut self, file: FileNo, block: u64) -> Result<Vec<u8>, StoreError> {
        self.buffers.bytes_mut(self.buffer).fill(0xA5);
        self.backing.read(1, Home::File(file, block), self.buffer, &mut self.buffers);
        self.answer()?;
        Ok(self.buffers.bytes(self.buffer).to_vec())
    }

    fn write(&mut self, file: FileNo, block: u64, byte: u8) -> Result<(), StoreError> {
        self.buffers.bytes_mut(self.buffer).fill(byte);
        self.backing.write(1, Home::File(file, block), self.buffer, &mut self.buffers);
        self.answer()
    }
}

fn open(path: &Path, length: usize) -> File {
    std::fs::write(path, vec![7; length]).unwrap();
    OpenOptions::new().read(true).write(true).open(path).unwrap()
}

#[test]
fn the_last_block_is_padded_with_zeros_and_never_makes_the_file_longer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    for (engine, direct) in ENGINES.into_iter().flat_map(|engine| [(engine, false), (engine, true)]) {
        let mut desk = Desk::new(engine);
        let file = desk.backing.add_file(open(&path, 4096 + 1001), direct);
        let last = desk.read(file, 1).unwrap();
        assert!(last[..1001].iter().all(|&byte| byte == 7) && last[1001..].iter().all(|&byte| byte == 0));
        let behind = desk.read(file, 2).map(|_| "zeros");
        assert!(matches!(behind, Err(StoreError::BeyondEnd { size: 5097, .. })), "{behind:?}");
        desk.write(file, 0, 1).unwrap();
        desk.write(file, 1, 2).unwrap();
        let mut expected = vec![1; 4096];
        expected.extend([2; 1001]);
        assert!(std::fs::read(&path).unwrap() == expected, "{engine:?} direct {direct}");
        let last = desk.read(file, 1).unwrap();
        assert!(last[..1001].iter().all(|&byte| byte == 2) && last[1001..].iter().all(|&byte| byte == 0));
    }
}

#[test]
fn a_run_over_the_end_of_a_file_is_padded_in_the_block_it_ends_in() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    for engine in ENGINES {
        let mut backing = Backing::new(Options { engine, ..Options::new(4096) }).unwrap();
        let mut buffers = Buffers::new(4096, 4).unwrap();
        let file = backing.add_file(open(&path, 4096 + 1), true);
        let four: Vec<_> = (0..4).map(|_| buffers.take().unwrap()).collect();
        for (block, &buffer) in (0u32..).zip(&four) {
            buffers.bytes_mut(buffer).fill(0xA5);
            backing.read(block, Home::File(file, u64::from(block)), buffer, &mut buffers);
        }
        backing.submit(&mut buffers);
        let mut inside = vec![];
        for _ in 0..4 {
            let done = loop {
                match backing.finished() {
                    Some(done) => break done,
                    None => {
                        let fd = backing.wait_fd().unwrap();
                        poll(&mut [PollFd::new(&fd, PollFlags::IN)], None).unwrap();
                    }
                }
            };
            match done.result {
                Ok(()) => inside.push(done.tag),
                Err(why) => assert!(matches!(why, StoreError::BeyondEnd { size: 4097, .. }), "{why}"),
            }
        }
        inside.sort_unstable();
        assert_eq!(inside, [0, 1], "blocks wholly behind the end are refused");
        let count = |buffer, wanted| buffers.bytes(buffer).iter().filter(|&&byte| byte == wanted).count();
        assert_eq!((count(four[0], 7), count(four[1], 7), count(four[1], 0)), (4096, 1, 4095), "{engine:?}");
    }
}

#[test]
fn a_file_that_has_shrunk_is_not_made_longer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let mut desk = Desk::new(EngineKind::Auto);
    let file = desk.backing.add_file(open(&path, 4 * 4096), false);
    OpenOptions::new().write(true).open(&path).unwrap().set_len(4096 + 10).unwrap();
    let error = desk.write(file, 2, 3).unwrap_err();
    assert!(matches!(error, StoreError::BeyondEnd { size: 4106, .. }), "{error}");
    desk.write(file, 1, 3).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 4106);
}

#[test]
fn a_file_that_was_removed_is_gone_under_its_old_number() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(EngineKind::Auto);
    let old = desk.backing.add_file(open(&dir.path().join("one"), 4096), false);
    desk.backing.remove_file(old);
    let new = desk.backing.add_file(open(&dir.path().join("two"), 4096), false);
    assert_ne!(old, new);
    assert!(matches!(desk.read(old, 0), Err(StoreError::NoFile(file)) if file == old));
    desk.backing.remove_file(old);
    assert!(desk.read(new, 0).is_ok(), "removing the old one again does not hit the new one");
}

#[test]
fn a_file_removed_with_a_write_in_flight_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    for engine in ENGINES {
        let mut desk = Desk::new(engine);
        let file = desk.backing.add_file(open(&path, 4096), false);
        desk.buffers.bytes_mut(desk.buffer).fill(9);
        desk.backing.write(1, Home::File(file, 0), desk.buffer, &mut desk.buffers);
        desk.backing.remove_file(file);
        desk.answer().unwrap();
        assert!(std::fs::read(&path).unwrap() == [9; 4096]);
    }
}

#[test]
fn an_error_of_the_system_names_file_and_block() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    drop(open(&path, 4096));
    for engine in ENGINES {
        let mut desk = Desk::new(engine);
        let file = desk.backing.add_file(File::open(&path).unwrap(), false);
        let said = desk.write(file, 0, 1).unwrap_err().to_string();
        assert_eq!(said, "cannot write block 0 of file 0.0: Bad file descriptor (os error 9)");
    }
}

#[test]
fn a_block_beyond_all_files_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(EngineKind::Auto);
    let file = desk.backing.add_file(open(&dir.path().join("file"), 4096), false);
    assert!(matches!(desk.read(file, u64::MAX / 4096 + 1), Err(StoreError::BeyondEnd { .. })));
    assert!(matches!(desk.write(file, u64::MAX / 8192 + 1, 0), Err(StoreError::BeyondEnd { .. })));
}
