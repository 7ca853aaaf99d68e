//! `mager course cxx` and `mager course cc`: the compiler, with the right headers, libraries and flags.

use super::headers;
use crate::failure::{Failure, Finished};
use crate::libraries;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

const EXAMPLES: &str = "\
Examples (`cc` is the same for C):
  mager course cxx -o app app.cpp            An application
  mager course cxx -g -fsanitize=address -o app app.cpp
  mager course cxx --pager -o pager vm.cpp   A pager, complete with its host
  make CXX='mager course cxx'                In a makefile

The compiler is $CXX ($CC for C), or c++ (cc). Everything but --pager is for it. The
libraries are looked for in $MAGER_LIB, or beside this command, or in ../lib/mager.

Exit code: the compiler's; 2 if it or a library is missing.";

/// The language of the sources.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Language {
    C,
    Cxx,
}

/// What to compile.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Make a complete pager out of a pager object, instead of an application
    #[arg(long)]
    pager: bool,
    /// What the compiler is told
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

/// What a program made from Rust's standard library needs from the system, as the Rust compiler says.
const SYSTEM: [&str; 7] = ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"];

/// With one of these the compiler does not link.
const NO_LINKING: [&str; 6] = ["-c", "-S", "-E", "-M", "-MM", "-fsyntax-only"];

/// Compiles.
pub(super) fn run(language: Language, mut args: Args) -> Result<Finished, Failure> {
    // Makefiles put what they like first.
    let before = args.arguments.len();
    args.arguments.retain(|argument| argument != "--pager");
    let pager = args.pager || args.arguments.len() < before;

    let library = if pager { "libmager_host.a" } else { "libmager_app.a" };
    let place = libraries::find(library)?;
    let include = headers::directory(&place)?;

    let (mut command, name) = compiler(language);
    command.arg("-I").arg(include).args(&args.arguments);
    if !pager {
        // The library's own memcpy and its like touch pages in a known order; the compiler must call them.
        command.arg("-fno-builtin");
    }
    if !args.arguments.iter().any(|argument| NO_LINKING.iter().any(|no| argument == OsStr::new(no))) {
        command.args(["-x", "none"]).arg(place.dir.join(library)).args(SYSTEM);
    }
    match command.status() {
        Ok(status) => Ok(Finished::With(code(status))),
        Err(error) => Err(missing(language, &name, &error)),
    }
}

/// The compiler that the user wants, with the arguments that the variable may hold beside its name.
fn compiler(language: Language) -> (Command, String) {
    let (variable, usual) = match language {
        Language::C => ("CC", "cc"),
        Language::Cxx => ("CXX", "c++"),
    };
    let wanted = std::env::var(variable).unwrap_or_default();
    let mut words = wanted.split_whitespace();
    let name = words.next().unwrap_or(usual).to_owned();
    let mut command = Command::new(&name);
    command.args(words);
    (command, name)
}

fn missing(language: Language, name: &str, error: &std::io::Error) -> Failure {
    let (what, variable, packages) = match language {
        Language::C => ("C", "CC", "gcc or clang"),
        Language::Cxx => ("C++", "CXX", "g++ or clang++"),
    };
    match error.kind() {
        ErrorKind::NotFound => Failure::Use(format!(
            "there is no {what} compiler {name:?}: install {packages}, or set {variable} to the one you have"
        )),
        _ => Failure::Use(format!("the {what} compiler {name:?} cannot be run: {error}")),
    }
}

/// The compiler's exit code; as a shell counts, if a signal ended it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
