//! Mager's pager as an object that links into anybody's host of the university's API.
//!
//! The six `vm_*` symbols, with their C++ names, over [`CoursePager`]. It prints nothing, starts no threads and
//! installs no handlers. What it needs of its host is in `sys`.

mod sys;

use mager_course_abi::PagerObject;
use mager_course_pager::CoursePager;
use std::ffi::{c_char, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};
use sys::HostServices;

static PAGER: Mutex<Option<CoursePager<()>>> = Mutex::new(None);

fn locked() -> MutexGuard<'static, Option<CoursePager<()>>> {
    PAGER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs one call and publishes the page table that is current after it.
fn call<T>(run: impl FnOnce(&mut CoursePager<()>, &mut HostServices) -> T) -> T {
    let mut guard = locked();
    let pager = guard.as_mut().expect("host: vm_init comes before every other call");
    let result = run(pager, &mut HostServices);
    sys::publish(pager.page_table());
    result
}

/// `void vm_init(unsigned memory_pages, unsigned swap_blocks)`
#[unsafe(export_name = "_Z7vm_initjj")]
pub extern "C" fn vm_init(memory_pages: u32, swap_blocks: u32) {
    *locked() = Some(CoursePager::new("clock", ()).expect("policy: Clock runs everywhere"));
    call(|pager, host| pager.init(host, memory_pages, swap_blocks));
}

/// `int vm_create(pid_t parent, pid_t child)`
#[unsafe(export_name = "_Z9vm_createii")]
pub extern "C" fn vm_create(parent: i32, child: i32) -> i32 {
    call(|pager, host| pager.create(host, parent, child))
}

/// `void vm_switch(pid_t pid)`
#[unsafe(export_name = "_Z9vm_switchi")]
pub extern "C" fn vm_switch(pid: i32) {
    call(|pager, host| pager.switch(host, pid));
}

/// `int vm_fault(const void* address, bool write)`
#[unsafe(export_name = "_Z8vm_faultPKvb")]
pub extern "C" fn vm_fault(address: *const c_void, write: bool) -> i32 {
    call(|pager, host| pager.fault(host, address.addr(), write))
}

/// `void vm_destroy()`
#[unsafe(export_name = "_Z10vm_destroyv")]
pub extern "C" fn vm_destroy() {
    call(|pager, host| pager.destroy(host));
}

/// `void* vm_map(const char* filename, unsigned block)`
#[unsafe(export_name = "_Z6vm_mapPKcj")]
pub extern "C" fn vm_map(filename: *const c_char, block: u32) -> *mut c_void {
    std::ptr::without_provenance_mut(call(|pager, host| pager.map(host, filename.addr(), block)))
}
