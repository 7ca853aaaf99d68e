//! The options that `mager course pager` and `mager course run` share, and the pager they describe.

use crate::events::EventSink;
use crate::failure::Failure;
use crate::output::Output;
use mager_course_host::{Host, HostError, LogPids, Options, Sink, Swap};
use mager_course_pager::CoursePager;
use mager_driver::{Header, LogWriter};
use mager_pager::{BadConfig, Config};
use mager_view::Snapshot;
use std::cell::RefCell;
use std::fmt;
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
    #[arg(short = 'm', long, default_value_t = 4, value_name = "FRAMES", value_parser = whole_number)]
    frames: u32,
    /// Swap blocks of 64 KiB; from 0
    #[arg(short = 's', long, default_value_t = 256, value_name = "BLOCKS", value_parser = whole_number)]
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
        let config = self.config()?;
        CoursePager::new(&self.policy, ()).map_err(|why| Failure::Use(why.to_string()))?;
        let recording = self.events.as_deref().map(|path| Output::open(path, "the event log")).transpose()?;
        let log = self.log.as_deref().filter(|path| *path != Path::new("-"));
        let log = log.map(|path| Output::open(path, "the log")).transpose()?;

        let events = Events::default();
        let pager = CoursePager::new(&self.policy, Rc::clone(&events.0));
        let pager = pager.map_err(|why| Failure::Use(why.to_string()))?.described_by(describe);
        let host = Host::new(self.options(log.as_ref())?, Box::new(pager)).map_err(host_failure)?;
        recording.iter().chain(&log).try_for_each(Output::begin)?;
        if let Some((path, output)) = self.events.as_deref().zip(recording) {
            let header = Header { config, policy: self.policy.clone(), seed: 0 };
            events.start(EventSink::new(path, output.handle()?), &header);
        }
        Ok((host, events))
    }

    fn config(&self) -> Result<Config, Failure> {
        let config = Config::course(self.frames, self.swap_blocks);
        config.checked().map_err(|why| {
            let option = match why {
                BadConfig::SwapBlocks => format!("-s {}", self.swap_blocks),
                _ => format!("-m {}", self.frames),
            };
            Failure::Use(format!("{option}: {why}"))
        })
    }

    fn options(&self, log: Option<&Output>) -> Result<Options, Failure> {
        let sink = |output: &Output| output.handle().map(|file| Box::new(file) as Sink);
        let to_output = self.log.as_ref().map(|_| Box::new(std::io::stdout()) as Sink);
        Ok(Options {
            frames: self.frames,
            swap_blocks: self.swap_blocks,
            swap: self.swap_file.clone().map_or(Swap::Temporary, Swap::File),
            dir: self.dir.clone(),
            log: log.map(sink).transpose()?.or(to_output),
            log_pids: match self.log_pids {
                Pids::Raw => LogPids::Raw,
                Pids::Ordinal => LogPids::Ordinal,
            },
            ..Options::default()
        })
    }
}

/// A host that did not start was used wrongly, or something it needs is missing.
pub(super) fn host_failure(why: HostError) -> Failure {
    Failure::Use(why.to_string())
}

/// A host that started and could not go on; but for an application that is not there, the run has failed.
pub(super) fn run_failure(why: HostError) -> Failure {
    match why {
        HostError::Start { .. } => host_failure(why),
        _ => Failure::Run(why.to_string()),
    }
}

fn whole_number(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "expected a whole number below 2^32")
}

fn describe(
    view: &mager_pager::View<'_, mager_policies::Any>,
    policy: &str,
    names: &dyn Fn(mager_pager::ObjectNo) -> Option<String>,
) -> String {
    format!("the state of the pager\n{}", Snapshot::of(view, policy, names))
}

/// The event log of a run, if one was asked for: shared by the pager, which writes it, and the command, which ends
/// it when the pager is gone.
#[derive(Clone, Default, Debug)]
pub(super) struct Events(Rc<RefCell<Option<LogWriter<EventSink>>>>);

impl Events {
    fn start(&self, sink: EventSink, header: &Header) {
        *self.0.borrow_mut() = Some(LogWriter::new(sink, header));
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
