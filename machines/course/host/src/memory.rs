//! Physical memory: a shared file without a name, mapped here, and frame by frame in the applications.

use crate::sys::Mapping;
use mager_course_abi::PAGE_SIZE;
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What the system calls physical memory in the mappings of a process.
pub(crate) const NAME: &str = "mager-physical-memory";

/// Physical memory of a number of frames.
#[derive(Debug)]
pub(crate) struct Memory {
    file: OwnedFd,
    mapping: Mapping,
    frames: u32,
}

impl Memory {
    /// `frames` zeroed frames.
    pub(crate) fn new(frames: u32) -> io::Result<Memory> {
        let bytes = frames as usize * PAGE_SIZE;
        let file = memfd_create(NAME, MemfdFlags::CLOEXEC)?;
        ftruncate(&file, bytes as u64)?;
        let mapping = Mapping::shared(file.as_fd(), bytes)?;
        Ok(Memory { file, mapping, frames })
    }

    pub(crate) fn frames(&self) -> u32 {
        self.frames
    }

    /// What applications map their frames from.
    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Where the first frame begins in this process.
    pub(crate) fn base(&self) -> usize {
        self.mapping.address()
    }

    /// Fills every frame with bytes nobody would expect.
    pub(crate) fn fill_with_junk(&mut self) {
        for frame in 0..self.frames {
            self.mapping.fill(self.offset(frame), PAGE_SIZE, 0xa5);
        }
    }

    pub(crate) fn zero(&mut self, frame: u32) {
        self.mapping.fill(self.offset(frame), PAGE_SIZE, 0);
    }

    pub(crate) fn copy(&mut self, from: u32, to: u32) {
        self.mapping.copy(self.offset(from), self.offset(to), PAGE_SIZE);
    }

    pub(crate) fn byte(&self, frame: u32, offset: u32) -> u8 {
        assert!((offset as usize) < PAGE_SIZE, "offset {offset} lies outside a page");
        self.mapping.byte(self.offset(frame) + offset as usize)
    }

    /// The frame's bytes, for one transfer; applications do not run meanwhile.
    pub(crate) fn bytes_mut(&mut self, frame: u32) -> &mut [u8] {
        self.mapping.slice_mut(self.offset(frame), PAGE_SIZE)
    }

    fn offset(&self, frame: u32) -> usize {
        assert!(frame < self.frames, "physical page {frame:#x} lies outside physical memory");
        frame as usize * PAGE_SIZE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_zeroed_copied_and_read_one_by_one() {
        let mut memory = Memory::new(3).unwrap();
        memory.fill_with_junk();
        memory.zero(1);
        memory.copy(1, 2);
        assert_eq!((memory.byte(0, 65535), memory.byte(1, 0), memory.byte(2, 65535)), (0xa5, 0, 0));
    }

    #[test]
    #[should_panic(expected = "outside physical memory")]
    fn a_frame_outside_memory_is_a_broken_invariant() {
        Memory::new(2).unwrap().zero(2);
    }
}
