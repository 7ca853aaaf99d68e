//! What must stand on the machine while a kind of memory is measured, and goes again whatever happens.

use crate::args::Args;
use crate::error::Failure;
use crate::kind::Kind;
use mager_linux_stage::{At, Group, Ledger, Zram, forget, no_read_ahead, swap_file, swap_on, write_out};
use std::fs::File;
use std::path::PathBuf;

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
        swap_file(&swap, swap_bytes(args))?;
        let file = ledger.file("file")?;
        write_out(&file, u64::from(args.touched) * MIB)?;
        Ok(Place { swap, file, _ledger: ledger })
    }
}

/// What one run stands on; goes with the value.
pub(crate) struct Stage {
    /// The control group that the measured process joins.
    pub(crate) group: Option<PathBuf>,
    /// The file for it.
    pub(crate) file: Option<PathBuf>,
    zram: Option<Zram>,
    _ledger: Ledger,
}

impl Stage {
    /// Sets up what `kind` needs.
    pub(crate) fn set(kind: Kind, place: &Place, args: &Args) -> Result<Self, Failure> {
        let mut ledger = Ledger::open(&args.dir)?;
        let allowed = u64::from(args.allowed) * MIB;
        let (mut file, mut zram, mut group) = (None, None, None);
        match kind {
            Kind::Swap => swap_on(&place.swap, &mut ledger)?,
            Kind::SwapNoReadAhead => {
                no_read_ahead(&mut ledger)?;
                swap_on(&place.swap, &mut ledger)?;
            }
            Kind::Zram => {
                no_read_ahead(&mut ledger)?;
                let device = Zram::add(swap_bytes(args), u64::from(args.compressed) * MIB, &mut ledger)?;
                swap_on(&device.path(), &mut ledger)?;
                zram = Some(device);
            }
            Kind::File => {
                forget(&File::open(&place.file).at(&place.file)?).at(&place.file)?;
                file = Some(place.file.clone());
            }
            Kind::Mager | Kind::MagerCompressed => file = Some(ledger.file("socket")?),
        }
        if !matches!(kind, Kind::Mager | Kind::MagerCompressed) {
            group = Some(Group::make(Some(allowed), &mut ledger)?.path().to_owned());
        }
        Ok(Stage { group, file, zram, _ledger: ledger })
    }

    /// What should be told about this run besides its figures.
    pub(crate) fn remark(&self) -> Option<String> {
        self.zram.as_ref().and_then(Zram::remark)
    }
}
