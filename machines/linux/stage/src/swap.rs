//! The kernel's swap: its header, switching it on and off, its read-ahead.

use crate::error::{At, Error};
use crate::ledger::{Ledger, Undo};
use crate::sys;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

const PAGE_CLUSTER: &str = "/proc/sys/vm/page-cluster";

/// Writes the header that `swapon` looks for: version 1, the last page, no bad pages; and its mark at the page's end.
pub(crate) fn format(path: &Path) -> io::Result<()> {
    const MARK: &[u8; 10] = b"SWAPSPACE2";
    let page = rustix::param::page_size();
    let mut file = File::options().read(true).write(true).open(path)?;
    let bytes = io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
    let last = u32::try_from(bytes / page as u64 - 1).map_err(io::Error::other)?;
    let mut header = vec![0u8; page];
    header[1024..1028].copy_from_slice(&1u32.to_ne_bytes());
    header[1028..1032].copy_from_slice(&last.to_ne_bytes());
    header[page - MARK.len()..].copy_from_slice(MARK);
    file.write_all_at(&header, 0)?;
    file.sync_all()
}

/// Makes a file of swap, its blocks written.
///
/// # Errors
///
/// If there is no room, or if the user wants to stop.
pub fn written(path: &Path, bytes: u64) -> Result<(), Error> {
    crate::write_out(path, bytes)?;
    format(path).at(path)
}

/// Swaps there, before anywhere else, until the ledger goes.
///
/// # Errors
///
/// If the kernel refuses; it takes root.
pub fn on(path: &Path, ledger: &mut Ledger) -> Result<(), Error> {
    let device = path.starts_with("/dev");
    let name =
        if device { path.to_string_lossy() } else { path.file_name().unwrap_or_default().to_string_lossy() };
    ledger.note(Undo::SwapOff(name.into_owned()))?;
    sys::swap_on(path).at(path)
}

/// Swaps there no more; what is there comes back into memory.
pub(crate) fn off(path: &Path) -> io::Result<()> {
    sys::swap_off(path)
}

/// Lets a fault bring in its own page alone, until the ledger goes.
///
/// # Errors
///
/// If the setting cannot be read or written; it takes root.
pub fn no_read_ahead(ledger: &mut Ledger) -> Result<(), Error> {
    let former = std::fs::read_to_string(PAGE_CLUSTER).at(PAGE_CLUSTER)?;
    let order = former.trim().parse().map_err(io::Error::other).at(PAGE_CLUSTER)?;
    ledger.note(Undo::PageCluster(order))?;
    set_page_cluster(0).at(PAGE_CLUSTER)
}

pub(crate) fn set_page_cluster(order: u32) -> io::Result<()> {
    std::fs::write(PAGE_CLUSTER, order.to_string())
}
