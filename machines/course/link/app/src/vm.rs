//! The calls of `vm_app.h`, and the start before `main`.

use std::ffi::{c_char, c_uint, c_void};
use std::ptr;

/// Runs before `main`, and before constructors without a priority: the program starts as a managed process.
#[used]
#[unsafe(link_section = ".init_array.00200")]
static START: extern "C" fn() = at_start;

extern "C" fn at_start() {
    mager_course_app::start_or_exit();
}

/// `vm_map`: the caller's next page; null `filename` is swap.
#[unsafe(no_mangle)]
pub extern "C" fn vm_map(filename: *const c_char, block: c_uint) -> *mut c_void {
    ptr::with_exposed_provenance_mut(mager_course_app::map_raw(filename.addr(), block))
}

/// `vm_yield`: the others run first.
#[unsafe(no_mangle)]
pub extern "C" fn vm_yield() {
    mager_course_app::yield_now();
}

/// `vm_map`, for objects compiled against a header that declares it with C++ linkage.
#[unsafe(export_name = "_Z6vm_mapPKcj")]
pub extern "C" fn vm_map_cxx(filename: *const c_char, block: c_uint) -> *mut c_void {
    vm_map(filename, block)
}

/// `vm_yield`, for objects compiled against a header that declares it with C++ linkage.
#[unsafe(export_name = "_Z8vm_yieldv")]
pub extern "C" fn vm_yield_cxx() {
    vm_yield();
}

/// Read by AddressSanitizer at its start: the arena lies in its shadow gap, which must be usable and have a shadow.
#[unsafe(no_mangle)]
pub extern "C" fn __asan_default_options() -> *const c_char {
    c"protect_shadow_gap=0:allow_user_segv_handler=1".as_ptr()
}
