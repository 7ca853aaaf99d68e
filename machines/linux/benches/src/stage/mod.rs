//! What must stand on the machine while a kind of memory is measured, and goes again whatever happens.

mod group;
mod ledger;
mod swap;
mod zram;

use crate::args::Args;
use crate::error::{At, Failure};
use crate::kind::Kind;
pub(crate) use ledger::{Ledger, sweep};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

const MIB: u64 = 1 << 20;

/// The files that all runs share: made once, their blocks written once, so that no run pays for that.
pub(crate) struct Place {
    /// Kernel swap, with a swap header.
    swap: PathBuf,
    /// What is mapped, and what disk floors read.
    pub(crate) file: PathBuf,
    _ledger: Ledger,
}

/// MiB of swap for so many that are touched: all of the memory, and some for what is held twice.
pub(crate) fn swap_mib(touched: u32) -> u32 {
    touched.saturating_add(touched / 4)
}

pub(crate) fn swap_bytes(args: &Args) -> u64 {
    u64::from(swap_mib(args.touched)) * MIB
}

impl Place {
    pub(crate) fn make(args: &Args) -> Result<Self, Failure> {
        let mut ledger = Ledger::open(&args.dir)?;
        let swap = ledger.file("swap")?;
        write_out(&swap, swap_bytes(args))?;
        swap::format(&swap).at(&swap)?;
        let file = ledger.file("file")?;
        write_out(&file, u64::from(args.touched) * MIB)?;
        Ok(Place { swap, file, _ledger: ledger })
    }
}

/// Makes a file whose every block was written, and forgets what the kernel caches of it.
fn write_out(path: &Path, bytes: u64) -> Result<(), Failure> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).at(path)?;
    let chunk: Vec<u8> = (0..MIB).map(|at| (at * 31 % 251).to_le_bytes()[0]).collect();
    for _ in 0..bytes.div_ceil(MIB) {
        crate::stop::check()?;
        file.write_all(&chunk).at(path)?;
    }
    file.sync_all().at(path)?;
    forget(&file).at(path)
}

fn forget(file: &File) -> std::io::Result<()> {
    Ok(rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?)
}

/// What one run stands on; goes with the value.
pub(crate) struct Stage {
    /// The control group that the measured process joins.
    pub(crate) group: Option<PathBuf>,
    /// The file for it.
    pub(crate) file: Option<PathBuf>,
    zram: Option<zram::Zram>,
    _ledger: Ledger,
}

impl Stage {
    /// Sets up what `kind` needs.
    pub(crate) fn set(kind: Kind, place: &Place, args: &Args) -> Result<Self, Failure> {
        let mut ledger = Ledger::open(&args.dir)?;
        let allowed = u64::from(args.allowed) * MIB;
        let (mut file, mut zram, mut group) = (None, None, None);
        match kind {
            Kind::Swap => swap::on(&place.swap, &mut ledger)?,
            Kind::SwapNoReadAhead => {
                swap::no_read_ahead(&mut ledger)?;
                swap::on(&place.swap, &mut ledger)?;
            }
            Kind::Zram => {
                swap::no_read_ahead(&mut ledger)?;
                let device =
                    zram::Zram::add(swap_bytes(args), u64::from(args.compressed) * MIB, &mut ledger)?;
                swap::on(&device.path(), &mut ledger)?;
                zram = Some(device);
            }
            Kind::File => {
                forget(&File::open(&place.file).at(&place.file)?).at(&place.file)?;
                file = Some(place.file.clone());
            }
            Kind::Mager | Kind::MagerCompressed => file = Some(ledger.file("socket")?),
        }
        if !matches!(kind, Kind::Mager | Kind::MagerCompressed) {
            group = Some(group::make(allowed, &mut ledger)?);
        }
        Ok(Stage { group, file, zram, _ledger: ledger })
    }

    /// What should be told about this run besides its figures.
    pub(crate) fn remark(&self) -> Option<String> {
        self.zram.as_ref().and_then(zram::Zram::remark)
    }
}
