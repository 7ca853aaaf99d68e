//! What is asked for on the command line; and, unseen by users, the parts that a process of ours is started for.

use crate::kind::Kind;
use crate::workload::Workload;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};

/// Mager beside the kernel's own paging: the same workloads, in one go.
#[derive(Parser, Clone, Debug)]
pub(crate) struct Args {
    /// Only these: workloads, kinds of memory, `floors`, `pull`, `readers`, `overhead`; all by default
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "WHAT")]
    pub(crate) only: Vec<String>,
    /// How often each is run
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) runs: u16,
    /// For programs
    #[arg(long)]
    pub(crate) json: bool,
    /// Where swap files and mapped files are made: a directory on the disk to be measured
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Memory touched, in MiB
    #[arg(long, default_value_t = 1024, value_name = "MIB", value_parser = clap::value_parser!(u32).range(16..=1 << 20))]
    pub(crate) touched: u32,
    /// Memory allowed, in MiB
    #[arg(long, default_value_t = 256, value_name = "MIB", value_parser = clap::value_parser!(u32).range(8..=1 << 20))]
    pub(crate) allowed: u32,
    /// Compressed memory allowed, in MiB: zram's limit and Mager's budget
    #[arg(long, default_value_t = 640, value_name = "MIB", value_parser = clap::value_parser!(u32).range(8..=1 << 20))]
    pub(crate) compressed: u32,
    /// Per cent of the operations; fewer are quicker and less true
    #[arg(long, default_value_t = 100, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=10000))]
    pub(crate) scale: u32,
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
}

/// What a process started by this program does.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum Role {
    /// Runs a workload over memory.
    #[command(hide = true)]
    Child(ChildJob),
    /// Measures a floor.
    #[command(hide = true)]
    Floor(FloorJob),
    /// Is Mager's pager.
    #[command(hide = true)]
    Pager(PagerJob),
    /// Answers the faults of a floor.
    #[command(hide = true)]
    Handler(HandlerJob),
    /// Measures Mager alone.
    #[command(hide = true)]
    Measure(MeasureJob),
}

/// One measured process.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ChildJob {
    #[arg(long)]
    pub(crate) kind: Kind,
    #[arg(long)]
    pub(crate) workload: Workload,
    /// The control group to join before anything is touched.
    #[arg(long)]
    pub(crate) group: Option<PathBuf>,
    /// The file that the memory is, or where Mager's pager listens.
    #[arg(long)]
    pub(crate) file: Option<PathBuf>,
    #[arg(long)]
    pub(crate) touched: u32,
    #[arg(long)]
    pub(crate) allowed: u32,
    #[arg(long)]
    pub(crate) compressed: u32,
    #[arg(long)]
    pub(crate) scale: u32,
    #[arg(long)]
    pub(crate) seed: u64,
}

/// Mager's pager for one measured process.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct PagerJob {
    #[arg(long)]
    pub(crate) socket: PathBuf,
    /// MiB of frames.
    #[arg(long)]
    pub(crate) allowed: u32,
    /// MiB in an arena.
    #[arg(long)]
    pub(crate) touched: u32,
    /// MiB of compressed memory instead of a swap file.
    #[arg(long)]
    pub(crate) compressed: Option<u32>,
    /// A swap file with a name, instead of one without.
    #[arg(long)]
    pub(crate) swap_file: Option<PathBuf>,
    /// The CPU that the pager stays on; threads are not pulled there.
    #[arg(long)]
    pub(crate) cpu: Option<usize>,
    #[arg(long)]
    pub(crate) no_pull: bool,
    #[arg(long)]
    pub(crate) no_read_ahead: bool,
    #[arg(long, default_value = mager_linux_pager::DEFAULT_POLICY)]
    pub(crate) policy: String,
}

impl PagerJob {
    /// A pager as users have it.
    pub(crate) fn new(socket: &Path, allowed: u32, touched: u32) -> Self {
        PagerJob {
            socket: socket.to_owned(),
            allowed,
            touched,
            compressed: None,
            swap_file: None,
            cpu: None,
            no_pull: false,
            no_read_ahead: false,
            policy: mager_linux_pager::DEFAULT_POLICY.into(),
        }
    }
}

/// One figure of Mager alone.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct MeasureJob {
    #[command(flatten)]
    pub(crate) measure: crate::measures::Measure,
    /// Where Mager's pager listens.
    #[arg(long)]
    pub(crate) socket: PathBuf,
    /// The swap file where it must have a name.
    #[arg(long)]
    pub(crate) swap_file: PathBuf,
    #[arg(long)]
    pub(crate) touched: u32,
    #[arg(long)]
    pub(crate) allowed: u32,
    #[arg(long)]
    pub(crate) scale: u32,
}

/// One measured floor.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct FloorJob {
    #[arg(long)]
    pub(crate) floor: crate::floors::Floor,
    /// The file that disk floors read.
    #[arg(long)]
    pub(crate) file: PathBuf,
    /// Where Mager's pager listens, in floors of its own.
    #[arg(long)]
    pub(crate) socket: PathBuf,
}

/// Whoever answers faults, by the userfaultfd on its standard input.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct HandlerJob {
    #[arg(long)]
    pub(crate) cpu: usize,
    /// Each page is read there first.
    #[arg(long)]
    pub(crate) file: Option<PathBuf>,
}

impl Args {
    /// Is it among what is wanted? `names` are those of its group: if none of the group is named, all are wanted.
    pub(crate) fn wants(&self, name: &str, names: &[&str]) -> bool {
        let named = |name: &str| self.only.iter().any(|only| only == name);
        named(name) || !names.iter().any(|name| named(name))
    }
}
