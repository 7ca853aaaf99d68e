//! Pagers: started, joined, asked, left.

use super::failure::{handle, status, text, told};
use crate::mappings::invalid;
use mager::{Builder, Pager};
use std::ffi::{c_char, c_int};

/// A pager.
#[expect(non_camel_case_types, reason = "its name in C")]
#[derive(Debug)]
pub struct mager_pager(pub(super) Pager);

/// What a pager is started with. What is 0 or NULL is as if it were not said.
#[derive(Debug)]
#[repr(C)]
pub struct mager_options {
    /// Bytes of memory for frames; else 64 MiB.
    pub memory: u64,
    /// Bytes of swap; else 1 GiB.
    pub swap: u64,
    /// Bytes beside `memory` that compressed pages may take, and that are frames otherwise; else none.
    pub compressed: u64,
    /// Bytes of addresses in each arena; else 64 GiB.
    pub arena_size: u64,
    /// Bytes in a page; else 4096.
    pub page_size: u32,
    /// Not 0: the pager is a thread of this process, and the program `mager` is not needed.
    pub in_thread: c_int,
    /// Where the swap file is made; else /var/tmp.
    pub swap_dir: *const c_char,
    /// The replacement policy; else "s3-fifo".
    pub policy: *const c_char,
    /// The program `mager`; else $MAGER, or beside this program, or in $PATH.
    pub program: *const c_char,
}

/// What a pager has done since it started, and holds now.
#[derive(Debug)]
#[repr(C)]
pub struct mager_figures {
    /// Frames in all.
    pub frames: u64,
    /// Frames that hold nothing.
    pub free_frames: u64,
    /// Pages there is swap for.
    pub swap_blocks: u64,
    /// Pages for which swap is reserved.
    pub swap_reserved: u64,
    /// Pages that have been written to swap.
    pub swap_assigned: u64,
    /// Faults taken in.
    pub faults: u64,
    /// Pages read.
    pub page_ins: u64,
    /// Pages written.
    pub write_backs: u64,
    /// Frames taken from their pages.
    pub evictions: u64,
    /// Faults answered by SIGBUS.
    pub denied: u64,
    /// Bytes of compressed memory in use.
    pub compressed_bytes: u64,
    /// Half of the faults were answered within so many nanoseconds; 0 if there were none.
    pub service_ns_p50: u64,
    /// 99 of 100 were.
    pub service_ns_p99: u64,
}

/// Starts a pager for this program; it ends with it. NULL and errno if it does not start.
///
/// # Safety
/// `options` is NULL or points to options, whose strings end with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mager_start(options: *const mager_options) -> *mut mager_pager {
    told(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let options = unsafe { options.as_ref() };
        let builder = match options {
            // SAFETY: the caller's promise.
            Some(options) => unsafe { builder(options) }?,
            None => Pager::builder(),
        };
        Ok(Box::into_raw(Box::new(mager_pager(builder.start()?))))
    })
}

/// # Safety
/// Its strings end with a zero byte.
unsafe fn builder(options: &mager_options) -> Result<Builder, crate::mappings::Wrong> {
    let given = |value: u64| (value > 0).then_some(value);
    // SAFETY: the caller's promise.
    let swap_dir = unsafe { text(options.swap_dir) }?;
    // SAFETY: the caller's promise.
    let policy = unsafe { text(options.policy) }?;
    // SAFETY: the caller's promise.
    let program = unsafe { text(options.program) }?;
    let builder = with(Pager::builder(), given(options.memory), Builder::memory);
    let builder = with(builder, given(options.swap), Builder::swap);
    let builder = with(builder, given(options.compressed), Builder::compressed);
    let builder = with(builder, given(options.arena_size), Builder::arena_size);
    let builder = with(builder, given(options.page_size.into()), Builder::page_size);
    let builder = with(builder, swap_dir, Builder::swap_dir);
    let builder = with(builder, policy, Builder::policy);
    let builder = with(builder, program, Builder::program);
    Ok(if options.in_thread == 0 { builder } else { builder.in_thread() })
}

fn with<V>(builder: Builder, value: Option<V>, set: impl FnOnce(Builder, V) -> Builder) -> Builder {
    match value {
        Some(value) => set(builder, value),
        None => builder,
    }
}

/// Joins a standing pager (`mager serve`) at its socket. NULL and errno if nobody is there.
///
/// # Safety
/// `socket` ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mager_join(socket: *const c_char) -> *mut mager_pager {
    told(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let socket = unsafe { text(socket) }?.ok_or_else(|| invalid("a null pointer"))?;
        Ok(Box::into_raw(Box::new(mager_pager(Pager::join(socket)?))))
    })
}

/// Bytes in a page of this pager; 0 for NULL.
///
/// # Safety
/// `pager` is NULL or a pager that was not left.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mager_page_size(pager: *const mager_pager) -> usize {
    // SAFETY: the caller's promise.
    told(0, || Ok(unsafe { handle(pager) }?.0.page_size()))
}

/// Asks a pager what it has done. 0, or -1 and errno.
///
/// # Safety
/// `pager` is a pager that was not left; `figures` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mager_ask(pager: *const mager_pager, figures: *mut mager_figures) -> c_int {
    status(|| {
        // SAFETY: the caller's promise.
        let now = unsafe { handle(pager) }?.0.statistics()?;
        if figures.is_null() {
            return Err(invalid("a null pointer"));
        }
        let told = mager_figures {
            frames: now.frames.into(),
            free_frames: now.free_frames,
            swap_blocks: now.swap_blocks.into(),
            swap_reserved: now.swap_reserved.into(),
            swap_assigned: now.swap_assigned.into(),
            faults: now.faults,
            page_ins: now.page_ins,
            write_backs: now.write_backs,
            evictions: now.evictions,
            denied: now.denied,
            compressed_bytes: now.stores.compressed_bytes,
            service_ns_p50: now.service.percentile_ns(0.5).unwrap_or(0),
            service_ns_p99: now.service.percentile_ns(0.99).unwrap_or(0),
        };
        // SAFETY: the caller's promise.
        unsafe { figures.write(told) };
        Ok(())
    })
}

/// Leaves a pager. Arenas that were made of it go on, and one that was started here ends with the last of them.
///
/// # Safety
/// `pager` is NULL or a pager that was not left; it is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mager_leave(pager: *mut mager_pager) {
    if !pager.is_null() {
        // SAFETY: the caller's promise; it was made from a box.
        drop(unsafe { Box::from_raw(pager) });
    }
}
