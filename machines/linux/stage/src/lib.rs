//! What must stand on the machine while paging is measured, and goes again whatever happens: swap of the kernel, a
//! control group that bounds memory, a zram device. Needs root.
//!
//! | file | owns |
//! |---|---|
//! | `ledger` | what must be undone, on disk before it is done; the next run undoes what a killed one left |
//! | `swap`, `group`, `zram` | the things that stand |
//! | `alone` | one measuring run at a time |
//! | `stop` | Ctrl-C as a flag, so that everything is taken down in order |
//! | `error`, `sys` | what can go wrong; unsafe calls |

mod alone;
mod error;
mod group;
mod ledger;
pub mod stop;
mod swap;
mod sys;
mod zram;

pub use alone::alone;
pub use error::{At, Error};
pub use group::Group;
pub use ledger::{Ledger, sweep};
pub use swap::{no_read_ahead, on as swap_on, written as swap_file};
pub use zram::Zram;

use std::fs::File;
use std::io::Write;
use std::path::Path;

const MIB: u64 = 1 << 20;

/// Makes a file whose every block was written, so that no run pays for that, and forgets what the kernel caches of it.
///
/// # Errors
///
/// If it is there already, if there is no room, or if the user wants to stop.
pub fn write_out(path: &Path, bytes: u64) -> Result<(), Error> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).at(path)?;
    let chunk: Vec<u8> = (0..MIB).map(|at| (at * 31 % 251).to_le_bytes()[0]).collect();
    for _ in 0..bytes.div_ceil(MIB) {
        stop::check()?;
        file.write_all(&chunk).at(path)?;
    }
    file.sync_all().at(path)?;
    forget(&file).at(path)
}

/// Forgets what the kernel caches of a file.
///
/// # Errors
///
/// If the kernel refuses.
pub fn forget(file: &File) -> std::io::Result<()> {
    Ok(rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?)
}
