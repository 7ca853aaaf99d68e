//! Figures of Mager alone, each in a process of its own: what pulling threads is worth, how near many threads come to
//! blocking readers of the same file, and what the pager needs for itself.

mod overhead;
mod pull;
mod readers;

use crate::args::{Args, MeasureJob};
use crate::error::{At, Failure};
use crate::run::{ourselves, told};
use std::collections::BTreeMap;
use std::path::Path;

/// Which.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum What {
    /// Threads that work between faults, pulled and left alone.
    Pull,
    /// Eight threads over the swap file, and eight blocking readers of the same.
    Readers,
    /// The pager's memory, and what it does while nobody asks anything.
    Overhead,
}

pub(crate) const WHAT: [What; 3] = [What::Pull, What::Readers, What::Overhead];

impl What {
    pub(crate) fn name(self) -> &'static str {
        match self {
            What::Pull => "pull",
            What::Readers => "readers",
            What::Overhead => "overhead",
        }
    }
}

/// One of them, with what it takes.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Measure {
    #[arg(long)]
    pub(crate) what: What,
    /// Threads that fault.
    #[arg(long, default_value_t = 8)]
    pub(crate) threads: u32,
    /// Microseconds of work between two faults of a thread.
    #[arg(long, default_value_t = 0)]
    pub(crate) work_us: u32,
}

/// Figures by their names, of all runs in order.
pub(crate) struct Measured {
    pub(crate) measure: Measure,
    pub(crate) runs: Vec<BTreeMap<String, f64>>,
}

impl Measure {
    pub(crate) fn about(self) -> String {
        match self.what {
            What::Pull => {
                format!("pull, threads: {}, work between faults: {} us", self.threads, self.work_us)
            }
            What::Readers => "8 threads at random over the swap file, and 8 blocking readers of it".into(),
            What::Overhead => "what the pager needs for itself".into(),
        }
    }
}

/// All that are asked for.
pub(crate) fn plan(what: What) -> Vec<Measured> {
    let (threads, works) = match what {
        What::Pull => (&[1, 2, 8][..], &[0, 5, 20, 100][..]),
        What::Readers | What::Overhead => (&[8][..], &[0][..]),
    };
    let each = threads.iter().flat_map(|&threads| works.iter().map(move |&work_us| (threads, work_us)));
    each.map(|(threads, work_us)| Measured { measure: Measure { what, threads, work_us }, runs: Vec::new() })
        .collect()
}

/// Measures one in a process of its own.
pub(crate) fn measure(
    measure: Measure,
    args: &Args,
    socket: &Path,
    swap_file: &Path,
) -> Result<BTreeMap<String, f64>, Failure> {
    let mut command = ourselves("measure")?;
    command.args(["--what", measure.what.name()]);
    command.arg("--socket").arg(socket).arg("--swap-file").arg(swap_file);
    let numbers = [
        ("--threads", measure.threads),
        ("--work-us", measure.work_us),
        ("--touched", args.touched),
        ("--allowed", args.allowed),
        ("--scale", args.scale),
    ];
    numbers.iter().for_each(|(name, number)| _ = command.args([*name, &number.to_string()]));
    told(command)
}

/// In that process.
pub(crate) fn child(job: &MeasureJob) -> Result<(), Failure> {
    crate::sys::end_with_parent().of("asking to be ended with the parent")?;
    let figures = match job.measure.what {
        What::Pull => pull::measure(job)?,
        What::Readers => readers::measure(job)?,
        What::Overhead => overhead::measure(job)?,
    };
    let figures: BTreeMap<_, _> = figures.into_iter().collect();
    println!("{}", serde_json::json!(figures));
    Ok(())
}

/// Named figures of one run.
type Figures = Vec<(&'static str, f64)>;
