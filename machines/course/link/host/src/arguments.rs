//! The command line of a pager program.

use mager_course_host::{LogPids, Options, Sink, Swap};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const USAGE: &str = "\
usage: PAGER [options]                serve the applications of this directory until SIGINT
       PAGER [options] -- APP [ARGS]  run one application, and what it forks

  -m FRAMES          physical pages, from 2 (default 4)
  -s BLOCKS          swap blocks, from 0 (default 1024)
  --dir DIR          the directory to serve (default .)
  --swap-file PATH   keep swap in this file, removed at the end (default: a file without a name)
  --swap-memory      keep swap in memory
  --log FILE|-       write every call down
  --log-pids raw|ordinal
  --time-limit SECS  end the pager when one call takes longer (default 5; 0: never)
  --quiet            no summary at the end

SIGUSR1 prints the pager's state, if it can tell it. Status: 0; that of APP; 1 when the pager could not
start, or when dirty file pages or the log were lost; 2 for wrong options; 70 when the pager broke the contract.
";

/// What a command line asks for.
pub(crate) struct Asked {
    pub(crate) options: Options,
    pub(crate) application: Vec<String>,
    pub(crate) quiet: bool,
}

/// Parses everything behind the program's name; `Ok(None)` asks for help.
pub(crate) fn parse(arguments: &[String]) -> Result<Option<Asked>, String> {
    let (ours, application) = match arguments.iter().position(|argument| argument == "--") {
        Some(at) => (&arguments[..at], arguments[at + 1..].to_vec()),
        None => (arguments, Vec::new()),
    };
    let options = Options {
        junk: true,
        time_limit: Some(Duration::from_secs(5)),
        watch_crashes: true,
        ..Options::default()
    };
    let mut asked = Asked { options, application, quiet: false };
    let mut rest = ours.iter();
    while let Some(option) = rest.next() {
        match option.as_str() {
            "-h" | "--help" => return Ok(None),
            "--quiet" => asked.quiet = true,
            "--swap-memory" => asked.options.swap = Swap::Memory,
            known => {
                let value = rest.next().ok_or_else(|| format!("{known} is unknown, or lacks its value"))?;
                set(&mut asked.options, known, value)?;
            }
        }
    }
    Ok(Some(asked))
}

fn set(options: &mut Options, option: &str, value: &str) -> Result<(), String> {
    match option {
        "-m" => options.frames = number(option, value)?,
        "-s" => options.swap_blocks = number(option, value)?,
        "--dir" => options.dir = PathBuf::from(value),
        "--swap-file" => options.swap = Swap::File(PathBuf::from(value)),
        "--log" => options.log = Some(sink(value)?),
        "--log-pids" => options.log_pids = log_pids(value)?,
        "--time-limit" => {
            let seconds = number(option, value)?;
            options.time_limit = (seconds > 0).then(|| Duration::from_secs(u64::from(seconds)));
        }
        _ => return Err(format!("the option {option} is unknown")),
    }
    Ok(())
}

fn number(option: &str, value: &str) -> Result<u32, String> {
    value.parse().map_err(|_| format!("{option} takes a whole number from 0, not \"{value}\""))
}

fn log_pids(value: &str) -> Result<LogPids, String> {
    match value {
        "raw" => Ok(LogPids::Raw),
        "ordinal" => Ok(LogPids::Ordinal),
        _ => Err(format!("--log-pids takes raw or ordinal, not \"{value}\"")),
    }
}

fn sink(value: &str) -> Result<Sink, String> {
    match value {
        "-" => Ok(Box::new(io::stdout())),
        path => match File::create(path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(format!("the log {path} cannot be written: {error}")),
        },
    }
}
