//! Which file a program is, and whether the agent's library can be loaded into it.
//!
//! Owns the search in `$PATH`, the way through the interpreters of scripts, and permission to execute. What is in a
//! binary is looked at in `binary`.

use super::binary;
use super::refusal::Refusal;
use rustix::fs::{Access, AtFlags, CWD, accessat};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The kernel follows so many interpreters, one of another, and no more.
const MOST_INTERPRETERS: usize = 4;
/// The kernel reads so much of a script's first line.
const FIRST_LINE: u64 = 256;

/// The file that `name` means, checked: the library can be loaded into what will run.
pub(super) fn find(name: &OsStr) -> Result<PathBuf, Refusal> {
    let path = if name.as_bytes().contains(&b'/') { PathBuf::from(name) } else { search(name)? };
    check(&path)?;
    Ok(path)
}

/// The first executable file of this name in `$PATH`; else why the last one is none.
fn search(name: &OsStr) -> Result<PathBuf, Refusal> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin"));
    let mut denied = None;
    for dir in std::env::split_paths(&path) {
        let file = dir.join(name);
        match executable(&file) {
            Ok(()) => return Ok(file),
            Err(Refusal::NotFound { .. }) => {}
            Err(why) => denied = Some(why),
        }
    }
    Err(denied.unwrap_or_else(|| Refusal::NotFound { program: name.into(), place: "in $PATH" }))
}

fn executable(path: &Path) -> Result<(), Refusal> {
    let found = std::fs::metadata(path).map_err(|why| Refusal::of(path, &why))?;
    if found.is_dir() {
        return Err(Refusal::cannot(path, "it is a directory: name a program in it"));
    }
    let allowed = accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS);
    allowed.map_err(|_| Refusal::cannot(path, "it is not executable: `chmod +x` makes it so"))
}

/// Follows interpreters to the binary that runs, and looks into it.
fn check(program: &Path) -> Result<(), Refusal> {
    let mut path = program.to_owned();
    for _ in 0..=MOST_INTERPRETERS {
        executable(&path).map_err(|why| why.for_script(program))?;
        match interpreter(&path)? {
            Some(interpreter) => path = interpreter,
            None => return binary::check(&path).map_err(|why| why.for_script(program)),
        }
    }
    Err(Refusal::cannot(program, "its interpreters are scripts of scripts: name the last one's interpreter"))
}

/// Of a script that says so in its first line.
fn interpreter(path: &Path) -> Result<Option<PathBuf>, Refusal> {
    let mut line = Vec::new();
    // Who may execute and not read a file cannot have its interpreter followed.
    let file =
        File::open(path).map_err(|why| Refusal::cannot(path, format!("it cannot be looked into: {why}")))?;
    file.take(FIRST_LINE).read_to_end(&mut line).map_err(|why| Refusal::cannot(path, why))?;
    let Some(line) = line.strip_prefix(b"#!") else { return Ok(None) };
    let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut words = line.split(|byte| b" \t".contains(byte)).filter(|word| !word.is_empty());
    match words.next() {
        Some(word) => Ok(Some(PathBuf::from(OsString::from_vec(word.to_owned())))),
        None => Err(Refusal::cannot(path, "its first line names no interpreter after #!")),
    }
}
