//! `mager lab record`: a trace of a real program, by valgrind's lackey.
//!
//! valgrind sends its log to a socket on this machine's loopback; what arrives is compressed as it comes.

use crate::LabError;
use clap::Args;
use std::{
    fs::File,
    io::{self, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, ExitStatus},
    thread,
    time::Duration,
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
    let listener =
        TcpListener::bind("127.0.0.1:0").map_err(|error| fail(format!("no loopback socket: {error}")))?;
    let mut child = start(args, &listener)?;
    let log = accept(&listener, &mut child).map_err(|error| fail(error.to_string()))?;
    let Some(mut log) = log else {
        return Err(fail("valgrind ended before it recorded anything; is the program there?".into()));
    };
    let file = File::create(&args.output).map_err(write)?;
    let mut encoder = zstd::Encoder::new(file, 3).map_err(write)?;
    let lines = copy(&mut log, &mut encoder).map_err(write)?;
    encoder.finish().map_err(write)?;
    let status = child.wait().map_err(|error| fail(error.to_string()))?;
    report(args, lines, status);
    if lines == 0 { Err(fail("no accesses were recorded".into())) } else { Ok(()) }
}

fn start(args: &RecordArgs, listener: &TcpListener) -> Result<Child, LabError> {
    let fail = |why: String| LabError::Record { program: args.program.join(" "), why };
    let address = listener.local_addr().map_err(|error| fail(error.to_string()))?;
    let mut command = Command::new("valgrind");
    command.args([
        "--tool=lackey",
        "--trace-mem=yes",
        "--basic-counts=no",
        &format!("--log-socket={address}"),
        "--",
    ]);
    command.args(&args.program);
    command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => LabError::NoValgrind,
        _ => fail(error.to_string()),
    })
}

/// valgrind's connection; none if it ended without one.
fn accept(listener: &TcpListener, child: &mut Child) -> io::Result<Option<TcpStream>> {
    listener.set_nonblocking(true)?;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(Some(stream));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if child.try_wait()?.is_some() {
                    return Ok(None);
                }
                thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Copies the log; how many lines there were.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<u64> {
    let mut buffer = vec![0; 1 << 18];
    let mut lines = 0;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(lines),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        lines += buffer[..read].iter().filter(|&&byte| byte == b'\n').count() as u64;
        to.write_all(&buffer[..read])?;
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
