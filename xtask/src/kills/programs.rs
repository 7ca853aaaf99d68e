//! The programs: those of the matrix that take seconds, and whose exit status tells of every process they start.

use crate::matrix::programs::{PROGRAMS, Program, size};

/// Of the matrix. Left out: redis, whose server outlives a killed script; git, which works on what it is given;
/// stress-ng, which replaces what is killed; the longest.
const OF_MATRIX: [&str; 11] = [
    "sort",
    "python-lists",
    "numpy",
    "python-fork",
    "python-spawn",
    "sqlite",
    "gcc",
    "perl",
    "bash",
    "node",
    "cpp-sort",
];

/// In these a pool of multiprocessing waits for ever for what a killed worker had; and its workers do, for a lock that a
/// killed program had while it ended them: with and without Mager.
const WAIT_FOR_THE_KILLED: [&str; 2] = ["python-fork", "python-spawn"];

const FORKS: Program = Program {
    name: "forks",
    shows: "a list shared with children and grandchildren by fork, whose ends are looked at",
    packages: &["python3"],
    needs: &["python3"],
    text: false,
    small: size(16, 24, 512),
    full: size(128, 64, 4096),
};

const SUBSHELLS: Program = Program {
    name: "subshells",
    shows: "a shell that forks all the time, so that many a kill finds a child between its fork and its agent",
    packages: &["bash"],
    needs: &["bash"],
    text: false,
    small: size(0, 16, 256),
    full: size(0, 16, 256),
};

/// All of them.
pub fn all() -> Vec<&'static Program> {
    let chosen = PROGRAMS.iter().filter(|program| OF_MATRIX.contains(&program.name));
    chosen.chain([&FORKS, &SUBSHELLS]).collect()
}

/// Whether all of it ends when one of its processes is killed.
pub fn minds(program: &Program) -> bool {
    !WAIT_FOR_THE_KILLED.contains(&program.name)
}

/// Those wanted; which of them are not installed is said.
pub fn wanted(only: &[String]) -> Result<Vec<&'static Program>, String> {
    if let Some(name) = only.iter().find(|only| !all().iter().any(|program| program.name == **only)) {
        let names: Vec<_> = all().iter().map(|program| program.name).collect();
        return Err(format!("--only: no program {name}; expected some of: {}", names.join(" ")));
    }
    let is_wanted = |program: &&Program| only.is_empty() || only.iter().any(|only| only == program.name);
    let there = |program: &&'static Program| match program.missing() {
        Some(packages) => {
            eprintln!("{} is left out: needs {packages}", program.name);
            false
        }
        None => true,
    };
    let programs: Vec<_> = all().into_iter().filter(is_wanted).filter(there).collect();
    if programs.is_empty() { Err("none of the programs is installed".into()) } else { Ok(programs) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_program_with_a_script() {
        assert_eq!(all().len(), OF_MATRIX.len() + 2);
        for program in [FORKS, SUBSHELLS] {
            let script = crate::root().join("xtask/matrix").join(program.name).with_extension("sh");
            assert!(script.exists(), "{}", script.display());
        }
        assert!(WAIT_FOR_THE_KILLED.iter().all(|name| all().iter().any(|program| program.name == *name)));
    }

    #[test]
    fn a_wrong_name_is_told_with_the_right_ones() {
        let why = wanted(&["sorts".into()]).unwrap_err();
        assert!(why.contains("no program sorts") && why.contains("cpp-sort"), "{why}");
    }
}
