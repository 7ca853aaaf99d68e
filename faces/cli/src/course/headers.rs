//! The headers for applications and pagers. They are part of this command, and put where the libraries are.

use crate::failure::Failure;
use crate::libraries::Place;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const HEADERS: [(&str, &str); 3] = [
    ("vm_arena.h", include_str!("../../../../machines/course/include/vm_arena.h")),
    ("vm_app.h", include_str!("../../../../machines/course/include/vm_app.h")),
    ("vm_pager.h", include_str!("../../../../machines/course/include/vm_pager.h")),
];

/// The directory of the headers that belong to the libraries of `place`. Those that are missing are written; those
/// that are there count, unless they lie beside this command, where an older build may have left them.
pub(super) fn directory(place: &Place) -> Result<PathBuf, Failure> {
    let dir = place.dir.join("include");
    for (name, text) in HEADERS {
        let path = dir.join(name);
        let right = match fs::read(&path) {
            Ok(there) => !place.beside || there == text.as_bytes(),
            Err(_) => false,
        };
        if !right {
            write(&dir, &path, text).map_err(|error| {
                Failure::file(&path, format!("the header is missing and cannot be written: {error}"))
            })?;
        }
    }
    Ok(dir)
}

/// Writes a header so that nobody sees half of it, whoever else is compiling.
fn write(dir: &Path, path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let draft = path.with_extension(format!("h.{}", std::process::id()));
    fs::write(&draft, text)?;
    fs::rename(&draft, path).inspect_err(|_| drop(fs::remove_file(&draft)))
}
