//! Floors: the least that a fault through a pager, and a read from the disk, can cost here.

mod disk;
mod fault;
mod ours;

use crate::args::FloorJob;
use crate::error::Failure;
use crate::run::{ourselves, told};
use std::path::Path;

pub(crate) use disk::{READERS, together};
pub(crate) use fault::{handle, pin};

/// Which floor.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Floor {
    /// First touch of private memory.
    Anonymous,
    /// First touch of a memory object's page that is there.
    Cached,
    /// COPY by a process on the same CPU.
    CopySame,
    /// COPY by a process on another CPU.
    CopyOther,
    /// A direct read and COPY by a process on the same CPU.
    ReadCopySame,
    /// CONTINUE by a process on the same CPU.
    ContinueSame,
    /// CONTINUE by a process on another CPU.
    ContinueOther,
    /// A page that is in memory, through Mager on the same CPU.
    MagerContinue,
    /// An untouched page, through Mager on the same CPU.
    MagerZero,
    /// A page that was all one word, through Mager on the same CPU.
    MagerSame,
    /// A compressed page, through Mager on the same CPU.
    #[value(name = "mager-compressed-page")]
    MagerCompressed,
    /// Direct reads, one at a time.
    Read1,
    /// Direct reads, 32 in flight.
    Read32,
    /// Direct reads by 8 threads that block.
    Readers8,
}

pub(crate) const FLOORS: [Floor; 14] = [
    Floor::Anonymous,
    Floor::Cached,
    Floor::CopySame,
    Floor::ReadCopySame,
    Floor::ContinueSame,
    Floor::MagerContinue,
    Floor::MagerZero,
    Floor::MagerSame,
    Floor::MagerCompressed,
    Floor::CopyOther,
    Floor::ContinueOther,
    Floor::Read1,
    Floor::Read32,
    Floor::Readers8,
];

impl Floor {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Floor::Anonymous => "anonymous",
            Floor::Cached => "cached",
            Floor::CopySame => "copy-same",
            Floor::CopyOther => "copy-other",
            Floor::ReadCopySame => "read-copy-same",
            Floor::ContinueSame => "continue-same",
            Floor::ContinueOther => "continue-other",
            Floor::MagerContinue => "mager-continue",
            Floor::MagerZero => "mager-zero",
            Floor::MagerSame => "mager-same",
            Floor::MagerCompressed => "mager-compressed-page",
            Floor::Read1 => "read1",
            Floor::Read32 => "read32",
            Floor::Readers8 => "readers8",
        }
    }

    pub(crate) fn about(self) -> &'static str {
        match self {
            Floor::Anonymous => "first touch of private memory",
            Floor::Cached => "first touch of a page in a memory object",
            Floor::CopySame => "MISSING + COPY, handler process on the same CPU",
            Floor::CopyOther => "MISSING + COPY, handler process on another CPU",
            Floor::ReadCopySame => "MISSING + direct read + COPY, handler process on the same CPU",
            Floor::ContinueSame => "MINOR + CONTINUE, handler process on the same CPU",
            Floor::ContinueOther => "MINOR + CONTINUE, handler process on another CPU",
            Floor::MagerContinue => "a page in memory, Mager on the same CPU",
            Floor::MagerZero => "an untouched page, Mager on the same CPU",
            Floor::MagerSame => "a page of one word, Mager on the same CPU",
            Floor::MagerCompressed => "a compressed page, Mager on the same CPU",
            Floor::Read1 => "random 4 KiB direct reads, one at a time",
            Floor::Read32 => "random 4 KiB direct reads, 32 in flight",
            Floor::Readers8 => "random 4 KiB direct reads, 8 blocking readers",
        }
    }
}

impl Floor {
    /// The bare round trip that a floor of Mager's is held against.
    pub(crate) fn bare(self) -> Option<Floor> {
        match self {
            Floor::MagerContinue => Some(Floor::ContinueSame),
            Floor::MagerZero | Floor::MagerSame | Floor::MagerCompressed => Some(Floor::CopySame),
            _ => None,
        }
    }
}

/// Measures a floor in a process of its own: microseconds for one.
pub(crate) fn measure(floor: Floor, file: &Path, socket: &Path) -> Result<f64, Failure> {
    let mut command = ourselves("floor")?;
    command.args(["--floor", floor.name()]).arg("--file").arg(file).arg("--socket").arg(socket);
    told(command)
}

/// In that process.
pub(crate) fn child(job: &FloorJob) -> Result<(), Failure> {
    use crate::error::At;
    crate::sys::end_with_parent().of("asking to be ended with the parent")?;
    let us = match job.floor {
        Floor::Anonymous => fault::anonymous()?,
        Floor::Cached => fault::cached()?,
        Floor::CopySame => fault::missing(true)?,
        Floor::CopyOther => fault::missing(false)?,
        Floor::ReadCopySame => fault::read_and_missing(&job.file)?,
        Floor::ContinueSame | Floor::ContinueOther => fault::minor(job.floor == Floor::ContinueSame)?,
        Floor::MagerContinue | Floor::MagerZero | Floor::MagerSame | Floor::MagerCompressed => {
            ours::measure(job)?
        }
        Floor::Read1 | Floor::Read32 | Floor::Readers8 => disk::measure(job)?,
    };
    println!("{us}");
    Ok(())
}
