//! The pager program's `main`.

use crate::arguments::{self, Asked, USAGE};
use crate::object::{Linked, introduce};
use mager_course_host::{Host, HostError, Report};
use std::ffi::{CStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

/// Wrong options.
const STATUS_USAGE: i32 = 2;
/// The host could not start, or had to stop.
const STATUS_FAILED: i32 = 1;

/// The program's entry: the C library calls it, so that constructors of the object have run.
///
/// # Safety
/// The C library passes `count` pointers to strings that live as long as the process.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn main(count: c_int, values: *const *const c_char) -> c_int {
    let count = usize::try_from(count).unwrap_or(0);
    let arguments = (1..count).map(|at| {
        let slot = values.wrapping_add(at);
        // SAFETY: the C library passes `count` valid pointers.
        let value = unsafe { *slot };
        // SAFETY: each points to a string.
        let value = unsafe { CStr::from_ptr(value) };
        OsString::from_vec(value.to_bytes().to_vec()).to_string_lossy().into_owned()
    });
    let arguments: Vec<String> = arguments.collect();
    // SAFETY: ignoring a signal is always possible; a closed log is then an error like any other.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    match arguments::parse(&arguments) {
        Ok(Some(asked)) => serve(asked),
        Ok(None) => {
            print!("{USAGE}");
            0
        }
        Err(wrong) => {
            eprintln!("mager: {wrong}; --help lists the options");
            STATUS_USAGE
        }
    }
}

fn serve(asked: Asked) -> c_int {
    let quiet = asked.quiet;
    match run(asked) {
        Ok(report) => {
            if !quiet {
                eprintln!("{report}");
            }
            match report.exit.map_or(0, status_of) {
                0 if report.lost() => STATUS_FAILED,
                status => status,
            }
        }
        Err(error) => {
            eprintln!("mager: {error}");
            match error {
                HostError::Pager { .. } => mager_course_host::STATUS_PAGER_LOST,
                _ => STATUS_FAILED,
            }
        }
    }
}

fn run(asked: Asked) -> Result<Report, HostError> {
    let frames = asked.options.frames;
    let host = Host::new(asked.options, Box::new(Linked))?;
    introduce(host.physical_memory(), frames, host.watch());
    match asked.application.split_first() {
        None => host.run(),
        Some((program, arguments)) => {
            let mut command = Command::new(program);
            command.args(arguments);
            host.run_with(command)
        }
    }
}

/// As a shell has it: 128 and the signal's number for a program that was killed.
fn status_of(exit: ExitStatus) -> c_int {
    exit.code().or_else(|| exit.signal().map(|signal| 128 + signal)).unwrap_or(STATUS_FAILED)
}
