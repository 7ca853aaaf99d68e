//! A stack for a while, beside the one that a thread has. Sources: makecontext(3), swapcontext(3).

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use std::ffi::{c_uint, c_void};
use std::io;
use std::mem::MaybeUninit;

/// For a fork, with its handlers.
const ROOM: usize = 1 << 20;

/// Runs `work` on a stack of its own; not at all, if there is no memory for one.
pub fn on_another_stack(mut work: &mut dyn FnMut()) -> io::Result<()> {
    let (rights, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE);
    // SAFETY: a fresh mapping, where the kernel likes.
    let stack = unsafe { mmap_anonymous(std::ptr::null_mut(), ROOM, rights, flags) }?;
    let mut here = MaybeUninit::<libc::ucontext_t>::zeroed();
    let there = context(stack, here.as_mut_ptr(), (&raw mut work).expose_provenance());
    // SAFETY: both are contexts of this thread; `here` is filled by it.
    unsafe { libc::swapcontext(here.as_mut_ptr(), &raw const there) };
    // SAFETY: nobody runs there any more.
    Ok(unsafe { munmap(stack, ROOM) }?)
}

/// What runs the work at this address on this stack, and then goes on as `after`.
fn context(stack: *mut c_void, after: *mut libc::ucontext_t, work: usize) -> libc::ucontext_t {
    let mut new = MaybeUninit::zeroed();
    // SAFETY: it fills what it is given.
    unsafe { libc::getcontext(new.as_mut_ptr()) };
    // SAFETY: it has been filled, and zeros would do.
    let mut new: libc::ucontext_t = unsafe { new.assume_init() };
    (new.uc_stack.ss_sp, new.uc_stack.ss_size, new.uc_link) = (stack, ROOM, after);
    // SAFETY: makecontext(3) calls a function with as many numbers as it is told.
    let begin = unsafe { std::mem::transmute::<extern "C" fn(c_uint, c_uint), extern "C" fn()>(run) };
    let [high, low] = [work >> 32, work & 0xFFFF_FFFF].map(|half| c_uint::try_from(half).unwrap_or(0));
    // SAFETY: the stack is fresh.
    unsafe { libc::makecontext(&raw mut new, begin, 2, high, low) };
    new
}

extern "C" fn run(high: c_uint, low: c_uint) {
    let work: *mut &mut dyn FnMut() =
        std::ptr::with_exposed_provenance_mut((high as usize) << 32 | low as usize);
    // SAFETY: who has begun this waits for its end, with that on its own stack.
    unsafe { (*work)() };
}

#[cfg(test)]
mod tests {
    use super::on_another_stack;

    #[test]
    fn work_is_done_elsewhere_and_once() {
        let (mut times, mut there) = (0, 0);
        let here = std::ptr::from_ref(&there).addr();
        on_another_stack(&mut || {
            let local = 0u8;
            (times, there) = (times + 1, std::ptr::from_ref(&local).addr());
        })
        .expect("a stack");
        assert_eq!(times, 1);
        assert!(here.abs_diff(there) > super::ROOM / 2, "{here:x} {there:x}");
    }
}
