//! `mager run`: any program in a budget of memory.
//!
//! Owns the options, and the order of things: what can be refused is refused before anything is started; then the pager,
//! then the program, whose end is this command's.
//!
//! | file | owns |
//! |---|---|
//! | `program`, `binary` | which file runs, and whether the agent's library can be loaded into it |
//! | `budget` | memory and swap where they are not said |
//! | `pager` | the pager's process, and what is left when it is killed |
//! | `environment` | what the program is told |
//! | `child` | signals, and how it all ends |
//! | `summary` | what it came to |
//! | `refusal` | why not, and exit codes |

mod binary;
mod budget;
mod child;
mod environment;
mod pager;
mod program;
mod refusal;
mod summary;

use crate::failure::{Failure, Finished};
use crate::libraries;
use crate::output::Output;
use crate::size::size;
use child::{Child, End};
use environment::Told;
use mager_linux_pager::Sizes;
use pager::Pager;
pub use refusal::OWN;
use refusal::Refusal;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;
use summary::Summary;

/// The agent: what is loaded into the program, and has its memory come from the pager.
const LIBRARY: &str = "libmager_preload.so";

/// Seconds of waiting for pages after which advice is given unasked.
const UNASKED: f64 = 60.0;

const EXAMPLES: &str = "\
Examples:
  mager run --memory 256M -- python3 job.py        Its data may be many times larger than 256M
  mager run --stats -- sort -o sorted lines        In half of the memory there is; what it cost, at the end
  mager run --memory 1G --compressed 256M -- make  All processes of it together; compressed before they go to disk
  mager run --memory 64M --swap 20G --swap-dir /srv/scratch -- ./job

Where nothing else is said, --memory is half of what is available: of the control group or of the machine, whichever \
has less. Swap is a file without a name in /var/tmp, gone with the run: four times the memory and at least 4G, but at \
most half of what is free on that disk. It is taken at once, and is as much memory as the programs can have in all.

Standard streams, signals and the exit status are the program's own. If a signal ends it, the same signal ends this \
command. Exit codes of its own: 125 it could not run the program; 126 the program cannot be executed; 127 it was not \
found. 70 comes from a program whose pager was killed.";

/// Programs map, unmap and protect pages of this size, each by itself: no larger one can be paged for them.
const PAGE: u64 = 4096;

/// What the user asks.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Memory that the program and all its children may hold at any moment [default: half of what is available]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,
    /// How much can be paged out [default: four times the memory, from 4G to half of the free disk]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    swap: Option<u64>,
    /// The swap file; made here, preallocated, and removed at the end
    #[arg(long, value_name = "PATH", conflicts_with = "swap_dir")]
    swap_file: Option<PathBuf>,
    /// A directory for a swap file without a name [default: /var/tmp]
    #[arg(long, value_name = "DIR")]
    swap_dir: Option<PathBuf>,
    /// Beside --memory, memory that compressed pages may take in front of the swap file; what they do not need is the
    /// program's, too
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size)]
    compressed: u64,
    /// The replacement policy; it must live on reference bits
    #[arg(long, value_name = "P", default_value = mager_linux_pager::DEFAULT_POLICY)]
    policy: String,
    /// Say at the end what it came to, on standard error
    #[arg(long)]
    stats: bool,
    /// The same for programs, into a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Record every decision of the pager, for `mager replay`
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Where there is no userfaultfd, run the program without a budget, with a warning
    #[arg(long)]
    fallback: bool,
    /// The program pins what devices write to through Mager's API: do not keep it from O_DIRECT and io_uring
    #[arg(long)]
    allow_pinned: bool,
    /// Have each program say when it begins to have its memory from the pager
    #[arg(long)]
    verbose: bool,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

/// Runs the program; does not return if a signal ended it.
pub fn run(args: &Args) -> Result<Finished, Failure> {
    let end = begin(args).map_err(own)?;
    Ok(match end {
        End::With(code) => Finished::With(code),
        End::By(signal) => {
            child::die_by(signal);
            Finished::With(u8::try_from(128 + signal).unwrap_or(OWN))
        }
    })
}

/// Whatever goes wrong here must not look like the program's own failure.
fn own(why: Failure) -> Failure {
    match why {
        Failure::NotRun(..) => why,
        other => Failure::NotRun(OWN, other.to_string()),
    }
}

fn begin(args: &Args) -> Result<End, Failure> {
    let name = &args.program[0];
    let path = program::find(name)?;
    let mut program = Command::new(&path);
    program.arg0(name).args(&args.program[1..]);
    if let Err(why) = mager_linux_sys::Userfault::open() {
        if !args.fallback {
            return Err(Refusal::NoUserfault(why).into());
        }
        eprintln!("mager: there is no userfaultfd here ({why}), so this runs without a budget");
        return Ok(start(program, name, None)?.end());
    }
    let told = args.told();
    let sizes = budget::settle(args.sizes(), args.memory)?;
    sizes.options().map_err(|why| Refusal::Own(why.to_string()))?;
    let library = libraries::find(LIBRARY)?.dir.join(LIBRARY);
    let library = library.canonicalize().map_err(|why| Failure::file(&library, why))?;
    let json = args.json.as_deref().map(|path| Output::open(path, "the figures")).transpose()?;
    let pager = Pager::start(&sizes, &args.words())?;
    environment::prepare(&mut program, &library, &pager.socket, told)?;
    attend(args, program, pager, json.as_ref())
}

/// Sees the program to its end, and tells of it.
fn attend(args: &Args, program: Command, mut pager: Pager, json: Option<&Output>) -> Result<End, Failure> {
    let begun = Instant::now();
    let inherited = pager.inherited();
    let mut child = start(program, &args.program[0], pager.pid)?;
    drop(inherited);
    let end = child.end();
    let wall_seconds = begun.elapsed().as_secs_f64();
    let figures = pager.figures();
    if figures.is_none() {
        // A pager that does not answer is being killed: programs may hear of it before its parent does.
        pager.await_end();
    }
    if child.pager_killed() {
        pager.clear_up();
        eprintln!("mager: the pager was {}, and the memory it held is lost", child.pager_told());
    } else {
        pager.leave(figures.as_ref().is_some_and(|figures| !figures.clients.is_empty()));
        if child.pager_ended_by_signal() {
            pager.clear_up();
        }
    }
    let summary = figures.map(|figures| {
        let cpu_seconds = summary::cpu_seconds();
        Summary { end, figures, wall_seconds, cpu_seconds }
    });
    if let Some(summary) = &summary {
        tell(args, summary, json)?;
    } else if args.stats || json.is_some() {
        eprintln!("mager: there are no figures: the pager took them with it");
    }
    Ok(end)
}

fn start(program: Command, name: &OsStr, pager: Option<rustix::process::Pid>) -> Result<Child, Refusal> {
    Child::start(program, pager).map_err(|why| Refusal::of(name.as_ref(), &why))
}

fn tell(args: &Args, summary: &Summary, json: Option<&Output>) -> Result<(), Failure> {
    if args.stats {
        eprintln!("mager: {}", summary.line());
    }
    // Who has waited so long wants to know why, asked or not.
    let told = args.stats || summary.stalled_seconds() > UNASKED;
    if let Some(advice) = summary.advice().filter(|_| told) {
        eprintln!("mager: {advice}");
    }
    let Some(output) = json else { return Ok(()) };
    output.begin()?;
    let told = writeln!(output.handle()?, "{:#}", summary.json());
    told.map_err(|why| Failure::Run(format!("the figures cannot be written: {why}")))
}

impl Args {
    fn told(&self) -> Told {
        Told { allow_pinned: self.allow_pinned, verbose: self.verbose }
    }

    /// What was said; memory comes later.
    fn sizes(&self) -> Sizes {
        Sizes {
            compressed: self.compressed,
            swap: self.swap,
            swap_file: self.swap_file.clone(),
            swap_dir: self.swap_dir.clone(),
            page_size: PAGE,
            ..Sizes::default()
        }
    }

    /// The pager's options that are no sizes.
    fn words(&self) -> Vec<&OsStr> {
        let mut words = vec![OsStr::new("--policy"), OsStr::new(&self.policy)];
        if let Some(events) = &self.events {
            words.extend([OsStr::new("--events"), events.as_os_str()]);
        }
        words
    }
}
