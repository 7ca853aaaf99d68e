//! `mager lab record`: a trace of a real program, by valgrind's lackey.
//!
//! valgrind writes its log into a pipe; what arrives is compressed as it comes. Ctrl-C ends the program, and what was
//! recorded until then is kept. The pipe has no name of its own, so that nothing is left however this ends.

use crate::{LabError, interrupt};
use clap::Args;
use std::{
    fs::File,
    io::{self, ErrorKind, PipeWriter, Read, Write},
    os::fd::AsRawFd,
    path::PathBuf,
    process::{Child, Command, ExitStatus},
    thread,
};

/// Arguments of `record`.
#[derive(Args, Debug)]
pub struct RecordArgs {
    /// Where to; compressed with zstd as it comes.
    #[arg(short, long, default_value = "trace.lackey.zst")]
    output: PathBuf,
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<String>,
}

/// Carries it out.
pub(crate) fn run(args: &RecordArgs) -> Result<(), LabError> {
    let fail = |why: String| LabError::Record { program: args.program.join(" "), why };
    let write = |source| LabError::Write { path: args.output.clone(), source };
    // The program gets the signal as well; when it has ended, so has its log.
    interrupt::flag();
    let (mut from, log) = io::pipe().map_err(|error| fail(format!("no pipe: {error}")))?;
    let file = File::create(&args.output).map_err(write)?;
    let mut encoder = zstd::Encoder::new(file, 3).map_err(write)?;
    let mut child = start(args, &log)?;
    let (copied, status) = thread::scope(|scope| {
        let reader = scope.spawn(|| copy(&mut from, &mut encoder));
        let status = child.wait();
        // This end was kept until valgrind had opened its own; without it the log comes to an end.
        drop(log);
        (reader.join(), status)
    });
    let lines = copied.map_err(|_| fail("the recording thread panicked".into()))?.map_err(write)?;
    encoder.finish().map_err(write)?;
    let status = status.map_err(|error| fail(error.to_string()))?;
    if lines == 0 {
        return Err(fail(format!(
            "valgrind recorded nothing and ended with {status}; is the program there?"
        )));
    }
    report(args, lines, status);
    Ok(())
}

fn start(args: &RecordArgs, log: &PipeWriter) -> Result<Child, LabError> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=lackey", "--trace-mem=yes", "--basic-counts=no", "--vgdb=no"]);
    // The child has not inherited it, but may open it.
    let log = format!("--log-file=/proc/{}/fd/{}", std::process::id(), log.as_raw_fd());
    command.arg(log).arg("--").args(&args.program);
    command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => LabError::NoValgrind,
        _ => LabError::Record { program: args.program.join(" "), why: error.to_string() },
    })
}

/// Copies the log; how many lines there were. If writing fails the rest is read all the same, for a program whose
/// log nobody reads would not end.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<u64> {
    let mut buffer = vec![0; 1 << 18];
    let (mut lines, mut written) = (0, Ok(()));
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return written.map(|()| lines),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        lines += buffer[..read].iter().filter(|&&byte| byte == b'\n').count() as u64;
        if written.is_ok() {
            written = to.write_all(&buffer[..read]);
        }
    }
}

fn report(args: &RecordArgs, lines: u64, status: ExitStatus) {
    let size = std::fs::metadata(&args.output).map_or(0, |metadata| metadata.len());
    let (millions, path) = (lines as f64 / 1e6, args.output.display());
    eprintln!("recorded {millions:.1} million lines in {path} ({})", mager_lab::bytes_text(size));
    if !status.success() {
        eprintln!("the program itself ended with {status}; the trace is kept");
    }
}
