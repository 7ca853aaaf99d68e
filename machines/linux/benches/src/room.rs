//! Is there room for what is asked? If not, nothing is begun.

use crate::args::Args;
use crate::error::{At, Failure};
use crate::stage::swap_bytes;
use rustix::fs::statvfs;

const MIB: u64 = 1 << 20;
/// Left for everybody else.
const SPARE: u64 = 512 * MIB;

/// Refuses what would fill the disk or the memory.
pub(crate) fn check(args: &Args) -> Result<(), Failure> {
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::Unavailable("it needs root, for control groups and swap".into()));
    }
    let disk = statvfs(&args.dir).at(&args.dir)?;
    // Swap and mapped file for the kernel, swap for Mager.
    let files = 2 * swap_bytes(args) + u64::from(args.touched) * MIB;
    enough("disk", disk.f_bavail.saturating_mul(disk.f_frsize), files + SPARE)?;
    let held = u64::from(args.allowed) + u64::from(args.compressed);
    enough("memory", available()?, held * MIB + SPARE)?;
    if args.allowed >= args.touched {
        return Err(Failure::Unavailable("nothing is paged if all that is touched is allowed".into()));
    }
    Ok(())
}

fn enough(what: &str, there: u64, wanted: u64) -> Result<(), Failure> {
    if there >= wanted {
        return Ok(());
    }
    Err(Failure::Unavailable(format!("{} MiB of {what} are free, {} are wanted", there / MIB, wanted / MIB)))
}

fn available() -> Result<u64, Failure> {
    const PATH: &str = "/proc/meminfo";
    let text = std::fs::read_to_string(PATH).at(PATH)?;
    let kib = text.lines().find_map(|line| line.strip_prefix("MemAvailable:")?.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<u64>().ok())
        .map(|kib| kib << 10)
        .ok_or_else(|| Failure::Unavailable(format!("{PATH} does not tell how much memory is free")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(enough("disk", 100 * MIB, 100 * MIB).is_ok());
        let refusal = enough("disk", 99 * MIB, 100 * MIB).unwrap_err().to_string();
        assert_eq!(refusal, "99 MiB of disk are free, 100 are wanted");
    }
}
