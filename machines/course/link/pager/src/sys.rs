//! What the pager object uses of its host, through the C++ ABI: the one place with unsafe code.

use mager_course_abi::{IoFailed, PAGE_SIZE, PageTable, Services};
use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;

unsafe extern "C" {
    #[link_name = "_Z9file_readPKcjPv"]
    fn file_read(name: *const c_char, block: u32, buffer: *mut c_void) -> c_int;
    #[link_name = "_Z10file_writePKcjPKv"]
    fn file_write(name: *const c_char, block: u32, buffer: *const c_void) -> c_int;
    /// Holds the address of physical memory; set before `vm_init` and never changed.
    static vm_physmem: *mut u8;
    /// The pager's to set: the table of the current process.
    static mut page_table_base_register: *const PageTable;
}

/// Makes `table` the one the host reads when control returns to an application.
pub(crate) fn publish(table: Option<&PageTable>) {
    let table = table.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: the host has one thread, which is inside a vm_* call, so nobody else looks at the register now.
    unsafe { page_table_base_register = table };
}

/// The address of `frame`.
fn frame_address(frame: u32) -> *mut u8 {
    // SAFETY: the host defines the object as an initialised pointer and never changes it.
    let physmem = unsafe { vm_physmem };
    physmem.wrapping_add(frame as usize * PAGE_SIZE)
}

/// The host, as far as a pager may use it.
pub(crate) struct HostServices;

/// The name as the host wants it: null for swap. A name that was read from an arena has no zero byte in it.
fn c_name(name: Option<&[u8]>) -> Option<CString> {
    name.map(|bytes| CString::new(bytes).expect("a file name ends at its first zero byte"))
}

fn checked(result: c_int) -> Result<(), IoFailed> {
    if result == 0 { Ok(()) } else { Err(IoFailed) }
}

impl Services for HostServices {
    fn zero(&mut self, frame: u32) {
        // SAFETY: the core hands out frames below memory_pages only, and each is PAGE_SIZE bytes of physical
        // memory that nothing in this program borrows.
        unsafe { ptr::write_bytes(frame_address(frame), 0, PAGE_SIZE) };
    }

    fn copy(&mut self, from: u32, to: u32) {
        // SAFETY: as for `zero`; sharing is by frame, so the core never copies a frame onto itself.
        unsafe { ptr::copy_nonoverlapping(frame_address(from), frame_address(to), PAGE_SIZE) };
    }

    fn byte(&self, frame: u32, offset: u32) -> u8 {
        assert!((offset as usize) < PAGE_SIZE, "course machine: an offset outside its page");
        let address = frame_address(frame).wrapping_add(offset as usize);
        // SAFETY: inside the frame (checked), which is inside physical memory, as for `zero`.
        unsafe { address.read_volatile() }
    }

    fn file_read(&mut self, name: Option<&[u8]>, block: u32, frame: u32) -> Result<(), IoFailed> {
        let name = c_name(name);
        let name = name.as_ref().map_or(ptr::null(), |name| name.as_ptr());
        // SAFETY: `name` is null or a C string that lives until the call is over; the buffer is one frame.
        checked(unsafe { file_read(name, block, frame_address(frame).cast()) })
    }

    fn file_write(&mut self, name: Option<&[u8]>, block: u32, frame: u32) -> Result<(), IoFailed> {
        let name = c_name(name);
        let name = name.as_ref().map_or(ptr::null(), |name| name.as_ptr());
        // SAFETY: as for `file_read`; the host only reads the buffer.
        checked(unsafe { file_write(name, block, frame_address(frame).cast()) })
    }
}
