//! What no lint checks: each Rust file says at its head what it owns, is short enough to be read at once, and has no
//! unsafe code but where it belongs.

use std::io;
use std::path::{Path, PathBuf};

/// A file of more lines is split, or stands in [`LONG`] with a reason.
const MOST_LINES: usize = 400;

/// Files that are longer, and why that is better than splitting them.
const LONG: &[(&str, &str)] = &[];

/// Everything that is not tidy below `root`, in the order of paths.
pub fn check(root: &Path) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    collect(root, &mut files)?;
    files.sort();
    let mut complaints = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        let path = file.strip_prefix(root).unwrap_or(&file);
        complaints.extend(judge(path, &text));
    }
    Ok(complaints)
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let skipped = name.starts_with('.') || name.starts_with("target");
        if path.is_dir() && !path.is_symlink() && !skipped {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn judge(path: &Path, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut complain = |line: usize, what: &str| {
        complaints.push(format!("{}:{line}: {what}", path.display()));
    };
    if !text.lines().find(|line| !line.is_empty()).is_some_and(|line| line.starts_with("//!")) {
        complain(1, "the file does not begin with `//!` and what it owns");
    }
    let lines = text.lines().count();
    let excused = LONG.iter().any(|(long, _)| path == Path::new(long));
    if lines > MOST_LINES && !excused {
        complain(lines, &format!("the file has {lines} lines; {MOST_LINES} are the most"));
    }
    if !may_be_unsafe(path)
        && let Some(line) = first_unsafe(text)
    {
        complain(line, "unsafe code outside a `sys` module and the link crates");
    }
    complaints
}

/// Unsafe code has one file for each machine, and the crates at a C interface.
fn may_be_unsafe(path: &Path) -> bool {
    let mut parts = path.components().map(|part| part.as_os_str());
    parts.any(|part| {
        part == "sys.rs" || part == "sys" || part == "link" || part == "probe" || part == "preload"
    })
}

/// The line of the first word `unsafe` that is neither in a comment nor in a string.
fn first_unsafe(text: &str) -> Option<usize> {
    let code = code_only(text);
    let word =
        |line: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe");
    code.lines().position(word).map(|at| at + 1)
}

/// The text with comments and the insides of strings taken out, line for line.
fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('/', Some('/')) => {
                let end = chars.by_ref().find(|&c| c == '\n');
                code.extend(end);
            }
            ('"', _) => {
                let mut escaped = false;
                for c in chars.by_ref() {
                    match c {
                        '"' if !escaped => break,
                        '\n' => code.push('\n'),
                        _ => {}
                    }
                    escaped = c == '\\' && !escaped;
                }
            }
            // The one character literal that would open a string.
            ('\'', Some('"')) => {
                chars.next();
            }
            (c, _) => code.push(c),
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tidy() {
        let complaints = check(crate::root()).unwrap();
        assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    }

    fn says(path: &str, text: &str) -> String {
        judge(Path::new(path), text).join("\n")
    }

    #[test]
    fn a_file_without_a_head_is_found() {
        assert!(says("a.rs", "use std::fmt;\n").contains("a.rs:1: the file does not begin with `//!`"));
        assert_eq!(says("a.rs", "//! Owns nothing.\n#![no_std]\n"), "");
    }

    #[test]
    fn a_long_file_is_found() {
        let text = format!("//! Long.\n{}", "\n".repeat(400));
        assert!(says("a.rs", &text).contains("the file has 401 lines; 400 are the most"));
    }

    #[test]
    fn every_long_file_is_there_and_has_a_reason() {
        for (path, reason) in LONG {
            let text = std::fs::read_to_string(crate::root().join(path)).unwrap();
            assert!(
                text.lines().count() > MOST_LINES && !reason.is_empty(),
                "{path} needs no excuse any more"
            );
        }
    }

    #[test]
    fn unsafe_code_in_the_wrong_place_is_found() {
        let text = "//! Head.\nfn f() {\n    unsafe { g() }\n}\n";
        assert!(says("core/pager/src/a.rs", text).contains("a.rs:3: unsafe code"));
        assert!(says("a.rs", "//! Head.\n#[unsafe(no_mangle)]\nfn f() {}\n").contains("a.rs:2: unsafe code"));
        assert_eq!(says("machines/course/app/src/sys.rs", text), "");
        assert_eq!(says("machines/course/link/app/src/lib.rs", text), "");
    }

    #[test]
    fn talking_of_unsafe_code_is_allowed() {
        let text =
            "//! Nothing unsafe.\n#![forbid(unsafe_code)]\nconst A: &str = \"\\\"unsafe\"; // unsafe\n";
        assert_eq!(says("a.rs", text), "");
        assert!(says("a.rs", "//! Head.\nconst Q: char = '\"'; unsafe fn f() {}\n").contains("a.rs:2"));
    }
}
