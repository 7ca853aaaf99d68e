//! The link ABI: the object's symbols called, the host's symbols provided. One thread, as the contract says.

use mager_course_abi::{Entry, PAGE_SIZE, PageTable, PagerObject, Services};
use mager_course_host::Watch;
use std::cell::{Cell, OnceCell};
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

unsafe extern "C" {
    #[link_name = "_Z7vm_initjj"]
    fn vm_init(memory_pages: c_uint, swap_blocks: c_uint);
    #[link_name = "_Z9vm_createii"]
    fn vm_create(parent: c_int, child: c_int) -> c_int;
    #[link_name = "_Z9vm_switchi"]
    fn vm_switch(pid: c_int);
    #[link_name = "_Z8vm_faultPKvb"]
    fn vm_fault(address: *const c_void, write: bool) -> c_int;
    #[link_name = "_Z10vm_destroyv"]
    fn vm_destroy();
    #[link_name = "_Z6vm_mapPKcj"]
    fn vm_map(filename: *const c_char, block: c_uint) -> *mut c_void;
}

/// Where physical memory begins; the object only reads it.
#[unsafe(no_mangle)]
pub static vm_physmem: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// The current process's page table; only the object sets it.
#[unsafe(no_mangle)]
pub static page_table_base_register: AtomicPtr<PageTable> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    /// The services of the call the object is in.
    static SERVICES: Cell<Option<*mut (dyn Services + 'static)>> = const { Cell::new(None) };
    static HOST: OnceCell<HostSide> = const { OnceCell::new() };
}

struct HostSide {
    watch: Watch,
    frames: u32,
}

/// The object that is linked in.
#[derive(Debug)]
pub(crate) struct Linked;

/// Makes physical memory known to the object.
pub(crate) fn introduce(memory: usize, frames: u32, watch: Watch) {
    vm_physmem.store(ptr::with_exposed_provenance_mut(memory), Ordering::Relaxed);
    HOST.with(|host| host.set(HostSide { watch, frames }).ok().expect("one host in a process"));
}

impl PagerObject for Linked {
    fn init(&mut self, services: &mut dyn Services, memory_pages: u32, swap_blocks: u32) {
        // SAFETY: the symbol has this type by the contract.
        serve(services, || unsafe { vm_init(memory_pages, swap_blocks) });
    }

    fn create(&mut self, services: &mut dyn Services, parent: i32, child: i32) -> i32 {
        // SAFETY: the symbol has this type by the contract.
        serve(services, || unsafe { vm_create(parent, child) })
    }

    fn switch(&mut self, services: &mut dyn Services, pid: i32) {
        // SAFETY: the symbol has this type by the contract.
        serve(services, || unsafe { vm_switch(pid) });
    }

    fn fault(&mut self, services: &mut dyn Services, address: usize, write: bool) -> i32 {
        // SAFETY: the symbol has this type by the contract.
        serve(services, || unsafe { vm_fault(ptr::without_provenance(address), write) })
    }

    fn destroy(&mut self, services: &mut dyn Services) {
        // SAFETY: the symbol has this type by the contract.
        serve(services, || unsafe { vm_destroy() });
    }

    fn map(&mut self, services: &mut dyn Services, filename: usize, block: u32) -> usize {
        // SAFETY: the symbol has this type by the contract.
        serve(services, || unsafe { vm_map(ptr::without_provenance(filename), block) }).addr()
    }

    fn page_table(&self) -> Option<&PageTable> {
        let table = page_table_base_register.load(Ordering::Relaxed);
        if !table.addr().is_multiple_of(align_of::<Entry>()) {
            broken(&format!("left page_table_base_register at {:#x}, where no table can be,", table.addr()));
        }
        // SAFETY: by the contract the register is null or the address of 256 entries, unchanged until the next
        // call; a wild address crashes, and the watch names the call that left it.
        unsafe { table.as_ref() }
    }
}

/// Lends `services` to `file_read` and `file_write` for the time of one call.
fn serve<R>(services: &mut dyn Services, call: impl FnOnce() -> R) -> R {
    // SAFETY: only the lifetime is forgotten; the pointer is taken back below, before the borrow ends, also when
    // the call never returns, since then the process ends.
    let lent =
        unsafe { std::mem::transmute::<*mut (dyn Services + '_), *mut (dyn Services + 'static)>(services) };
    SERVICES.set(Some(lent));
    let result = call();
    SERVICES.set(None);
    result
}

/// `file_read`: null `name` is swap; 0 or -1.
#[unsafe(export_name = "_Z9file_readPKcjPv")]
pub extern "C" fn file_read(name: *const c_char, block: c_uint, buffer: *mut c_void) -> c_int {
    let frame = frame_of("file_read", block, buffer.addr());
    let name = bytes_of(name);
    result(lent("file_read").file_read(name, block, frame))
}

/// `file_write`: null `name` is swap; 0 or -1.
#[unsafe(export_name = "_Z10file_writePKcjPKv")]
pub extern "C" fn file_write(name: *const c_char, block: c_uint, buffer: *const c_void) -> c_int {
    let frame = frame_of("file_write", block, buffer.addr());
    let name = bytes_of(name);
    result(lent("file_write").file_write(name, block, frame))
}

fn result<E>(done: Result<(), E>) -> c_int {
    if done.is_ok() { 0 } else { -1 }
}

fn lent(call: &str) -> &'static mut dyn Services {
    let Some(services) = SERVICES.get() else { broken(&format!("called {call} from another thread")) };
    // SAFETY: `serve` lends it for the call in which this one is made, and uses nothing of it meanwhile.
    unsafe { &mut *services }
}

fn bytes_of(name: *const c_char) -> Option<&'static [u8]> {
    if name.is_null() {
        return None;
    }
    // SAFETY: by the contract a name that is not null ends in a zero and stays unchanged during the call.
    Some(unsafe { CStr::from_ptr(name) }.to_bytes())
}

/// The frame that begins at `buffer`; a buffer anywhere else cannot be gone on from.
fn frame_of(call: &str, block: u32, buffer: usize) -> u32 {
    let base = vm_physmem.load(Ordering::Relaxed).addr();
    let frames = HOST.with(|host| host.get().map_or(0, |host| host.frames));
    let end = base + frames as usize * PAGE_SIZE;
    if buffer < base || buffer >= end {
        broken(&format!("gave {call} (block {block}) a buffer at {buffer:#x}, outside physical memory,"));
    }
    if !(buffer - base).is_multiple_of(PAGE_SIZE) {
        broken(&format!(
            "gave {call} (block {block}) a buffer at {buffer:#x}, not the start of a physical page,"
        ));
    }
    u32::try_from((buffer - base) / PAGE_SIZE).unwrap_or(u32::MAX)
}

fn broken(what: &str) -> ! {
    HOST.with(|host| match host.get() {
        Some(host) => host.watch.lost(what),
        None => std::process::abort(),
    })
}
