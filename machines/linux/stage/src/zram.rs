//! Compressed memory of the kernel: a zram device of our own, lz4, with a limit.

use crate::error::{At, Error};
use crate::ledger::{Ledger, Undo};
use crate::swap;
use std::io;
use std::path::PathBuf;

const CONTROL: &str = "/sys/class/zram-control";

/// A device.
#[derive(Debug)]
pub struct Zram(u32);

impl Zram {
    /// A new one of `bytes`, which may take `limit` bytes of memory.
    ///
    /// # Errors
    ///
    /// If the kernel has no zram.
    pub fn add(bytes: u64, limit: u64, ledger: &mut Ledger) -> Result<Self, Error> {
        let added = std::fs::read_to_string(format!("{CONTROL}/hot_add")).map_err(|why| {
            Error::Unavailable(format!(
                "zram cannot be had here ({CONTROL}/hot_add: {why}); modprobe zram gives it"
            ))
        })?;
        let device = Zram(added.trim().parse().map_err(io::Error::other).at(CONTROL)?);
        ledger.note(Undo::Zram(device.0))?;
        device.set("comp_algorithm", "lz4")?;
        device.set("disksize", &bytes.to_string())?;
        device.set("mem_limit", &limit.to_string())?;
        swap::format(&device.path()).at(device.path())?;
        Ok(device)
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        format!("/dev/zram{}", self.0).into()
    }

    fn set(&self, what: &str, value: &str) -> Result<(), Error> {
        let path = attribute(self.0, what);
        std::fs::write(&path, value).at(path)
    }

    /// The most memory it took.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        let text = std::fs::read_to_string(attribute(self.0, "mm_stat")).ok()?;
        let most: u64 = text.split_whitespace().nth(4)?.parse().ok()?;
        Some(format!("zram took up to {} MiB beside what was allowed", most >> 20))
    }
}

fn attribute(number: u32, what: &str) -> PathBuf {
    format!("/sys/block/zram{number}/{what}").into()
}

/// Gives the device back.
pub(crate) fn remove(number: u32) -> io::Result<()> {
    std::fs::write(attribute(number, "reset"), "1")?;
    std::fs::write(format!("{CONTROL}/hot_remove"), number.to_string())
}
