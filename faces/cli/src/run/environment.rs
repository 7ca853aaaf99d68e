//! What the program's environment says beside what was there: the agent's library, and where its pager is.

use super::refusal::Refusal;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

const PRELOAD: &str = "LD_PRELOAD";
const SOCKET: &str = "MAGER_RUN_SOCKET";
const ALLOW_PINNED: &str = "MAGER_RUN_ALLOW_PINNED";
const VERBOSE: &str = "MAGER_RUN_VERBOSE";

/// What the agent is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) allow_pinned: bool,
    pub(super) verbose: bool,
}

/// Has `program` load the library and find the pager.
pub(super) fn prepare(
    program: &mut Command,
    library: &Path,
    socket: &Path,
    told: Told,
) -> Result<(), Refusal> {
    program.env(PRELOAD, preload(library, std::env::var_os(PRELOAD))?).env(SOCKET, socket);
    for (name, said) in [(ALLOW_PINNED, told.allow_pinned), (VERBOSE, told.verbose)] {
        // What a run around this one was told is not meant for this one.
        if said {
            program.env(name, "1")
        } else {
            program.env_remove(name)
        };
    }
    Ok(())
}

/// The library before all others, once.
fn preload(library: &Path, before: Option<OsString>) -> Result<OsString, Refusal> {
    let name = library.as_os_str();
    if name.as_bytes().iter().any(|byte| b": ".contains(byte)) {
        return Err(Refusal::LibraryPath { library: library.into() });
    }
    let before = before.unwrap_or_default();
    let others = before.as_bytes().split(|byte| b": ".contains(byte));
    let others = others.filter(|other| !other.is_empty() && *other != name.as_bytes()).map(OsStr::from_bytes);
    Ok(std::iter::once(name).chain(others).collect::<Vec<_>>().join(OsStr::new(":")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_comes_first_and_once() {
        let with = |before: &str| preload(Path::new("/lib/it.so"), Some(before.into())).expect("it is taken");
        assert_eq!(preload(Path::new("/lib/it.so"), None).expect("it is taken"), "/lib/it.so");
        assert_eq!(with("/a.so:/b.so"), "/lib/it.so:/a.so:/b.so");
        assert_eq!(with("/a.so /lib/it.so"), "/lib/it.so:/a.so");
    }

    #[test]
    fn a_path_that_the_dynamic_linker_would_split_is_refused() {
        for wrong in ["/my lib/it.so", "/a:b/it.so"] {
            let why = preload(Path::new(wrong), None).expect_err("it is refused").to_string();
            assert!(why.contains("MAGER_LIB"), "{why}");
        }
    }
}
