//! execl(3), execlp(3), execle(3): arguments one by one. The language defines no function of that kind, so each begins in
//! assembly that lays its arguments in a row, and goes on as the one that takes a row.
//!
//! Sources: System V ABI for AMD64 (3.2.3), Procedure Call Standard for Arm 64 (6.4): arguments behind the path are in the
//! registers that are left, in order, then on the stack, each a word; so what is pushed below those is one row with them.

use super::execution::{Strings, execve, execvpe};
use crate::sys;
use std::ffi::{c_char, c_int};

macro_rules! listed {
    ($name:ident goes on as $row:ident) => {
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn $name(path: *const c_char) -> c_int {
            // The return address lies where the row has to be: it moves below it, and back. The stack is aligned again
            // with six words, as a call wants it.
            #[cfg(target_arch = "x86_64")]
            std::arch::naked_asm!(
                "pop rax",
                "push r9",
                "push r8",
                "push rcx",
                "push rdx",
                "push rsi",
                "mov rsi, rsp",
                "push rax",
                "call {row}",
                "pop rcx",
                "add rsp, 40",
                "push rcx",
                "ret",
                row = sym $row,
            );
            // The same, with the return address in a register at first.
            #[cfg(target_arch = "aarch64")]
            std::arch::naked_asm!(
                "sub sp, sp, #64",
                "stp x30, x1, [sp]",
                "stp x2, x3, [sp, #16]",
                "stp x4, x5, [sp, #32]",
                "stp x6, x7, [sp, #48]",
                "add x1, sp, #8",
                "bl {row}",
                "ldr x30, [sp]",
                "add sp, sp, #64",
                "ret",
                row = sym $row,
            );
        }
    };
}

listed!(execl goes on as execl_row);
listed!(execlp goes on as execlp_row);
listed!(execle goes on as execle_row);

unsafe extern "C" fn execl_row(path: *const c_char, arguments: Strings) -> c_int {
    // SAFETY: the caller's strings, and the C library's.
    unsafe { execve(path, arguments, sys::environment()) }
}

unsafe extern "C" fn execlp_row(file: *const c_char, arguments: Strings) -> c_int {
    // SAFETY: as above.
    unsafe { execvpe(file, arguments, sys::environment()) }
}

/// The environment is behind the null that ends the arguments.
unsafe extern "C" fn execle_row(path: *const c_char, arguments: Strings) -> c_int {
    let mut last = arguments;
    // SAFETY: the caller has put a null behind them.
    while !unsafe { last.read() }.is_null() {
        // SAFETY: there is another one, at least the null.
        last = unsafe { last.add(1) };
    }
    // SAFETY: the caller has put the environment there.
    let environment = unsafe { last.add(1) };
    // SAFETY: as above.
    let environment = unsafe { environment.read() };
    // SAFETY: the caller's strings, by the manual page.
    unsafe { execve(path, arguments, environment.cast()) }
}
