//! The options that `mager course pager` and `mager course run` share, and the pager they describe.

use crate::events::EventSink;
use crate::failure::Failure;
use mager_course_host::{Host, HostError, LogPids, Options, Sink, Swap};
use mager_course_pager::CoursePager;
use mager_driver::{Control, Header, LogWriter, Outcome, Recorder};
use mager_pager::{Config, Effect, Event};
use mager_view::Snapshot;
use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How the log names processes.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Pids {
    /// As the system does
    Raw,
    /// By first appearance, so that equal runs give equal logs
    Ordinal,
}

/// The pager's options.
#[derive(clap::Args, Debug)]
pub struct PagerArgs {
    /// Physical pages of 64 KiB, the zero page included; from 2
    #[arg(short = 'm', long, default_value_t = 4, value_name = "FRAMES")]
    frames: u32,
    /// Swap blocks of 64 KiB; from 0
    #[arg(short = 's', long, default_value_t = 256, value_name = "BLOCKS")]
    swap_blocks: u32,
    /// Replacement policy
    #[arg(long, default_value = "clock", value_name = "POLICY")]
    policy: String,
    /// Keep swap in this file, which must not exist yet and is removed at the end [default: a nameless file]
    #[arg(long, value_name = "PATH")]
    swap_file: Option<PathBuf>,
    /// Serve this directory: applications in it find this pager, file names are relative to it
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
    /// Write every call, file access and page table to this file; - for standard output
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// How the log names processes
    #[arg(long, value_enum, default_value_t = Pids::Raw, value_name = "raw|ordinal")]
    log_pids: Pids,
    /// Record the run for `mager replay`
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

impl PagerArgs {
    /// The host these options ask for, and what records its run.
    pub(super) fn host(&self) -> Result<(Host, Events), Failure> {
        let events = Events::create(self.events.as_deref(), self.config(), &self.policy)?;
        let pager =
            CoursePager::new(&self.policy, events.clone()).map_err(|why| Failure::Use(why.to_string()))?;
        let options = Options {
            frames: self.frames,
            swap_blocks: self.swap_blocks,
            swap: self.swap_file.clone().map_or(Swap::Temporary, Swap::File),
            dir: self.dir.clone(),
            log: self.log.as_deref().map(open_log).transpose()?,
            log_pids: match self.log_pids {
                Pids::Raw => LogPids::Raw,
                Pids::Ordinal => LogPids::Ordinal,
            },
            ..Options::default()
        };
        let host = Host::new(options, Box::new(pager.described_by(describe))).map_err(host_failure)?;
        Ok((host, events))
    }

    fn config(&self) -> Config {
        Config::course(self.frames, self.swap_blocks)
    }
}

/// A host that did not start was used wrongly, or something it needs is missing.
pub(super) fn host_failure(why: HostError) -> Failure {
    Failure::Use(why.to_string())
}

fn describe(
    view: &mager_pager::View<'_, mager_policies::Any>,
    policy: &str,
    names: &dyn Fn(mager_pager::ObjectNo) -> Option<String>,
) -> String {
    format!("the state of the pager\n{}", Snapshot::of(view, policy, names))
}

fn open_log(path: &Path) -> Result<Sink, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdout()));
    }
    let file = File::create(path).map_err(|error| Failure::file(path, error))?;
    Ok(Box::new(file))
}

/// The event log of a run, if one was asked for: shared by the pager, which writes it, and the command, which ends
/// it when the pager is gone.
#[derive(Clone, Debug)]
pub(super) struct Events(Rc<RefCell<Option<LogWriter<EventSink>>>>);

impl Events {
    fn create(path: Option<&Path>, config: Config, policy: &str) -> Result<Self, Failure> {
        let start = |path| {
            let header = Header { config, policy: policy.to_owned(), seed: 0 };
            Ok(LogWriter::new(EventSink::create(path)?, &header))
        };
        Ok(Events(Rc::new(RefCell::new(path.map(start).transpose()?))))
    }

    /// Ends the log. An error if not all of it could be written.
    pub(super) fn close(&self) -> Result<(), Failure> {
        let Some(log) = self.0.borrow_mut().take() else { return Ok(()) };
        match log.finish() {
            Ok(sink) => sink.close(),
            Err(fmt::Error) => unreachable!("event log: its sink keeps failures to itself"),
        }
    }
}

impl Recorder for Events {
    fn control(&mut self, call: &Control, outcome: &Outcome, effects: &[Effect]) {
        self.0.borrow_mut().control(call, outcome, effects);
    }
    fn event(&mut self, event: &Event, effects: &[Effect]) {
        self.0.borrow_mut().event(event, effects);
    }
    fn note(&mut self, text: fmt::Arguments<'_>) {
        self.0.borrow_mut().note(text);
    }
}
