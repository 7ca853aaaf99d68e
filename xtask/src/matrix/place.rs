//! Where programs run: their input, made once; a directory and a control group for each run; the kernel's swap.

use super::programs::{PATH, Program, Size};
use super::text;
use super::way::Way;
use mager_linux_stage::{At, Error, Group, Ledger, swap_file, swap_on};
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What all runs share.
pub struct Place {
    pub dir: PathBuf,
    scripts: PathBuf,
    swap: Option<PathBuf>,
    ledger: Ledger,
}

impl Place {
    /// In `dir`; with so many MiB of swap for the kernel, if it is wanted.
    pub fn make(root: &Path, dir: &Path, swap_mib: Option<u32>) -> Result<Self, Error> {
        let dir = dir.canonicalize().at(dir)?;
        let mut ledger = Ledger::open(&dir)?;
        let mut swap = None;
        if let Some(mib) = swap_mib {
            let path = ledger.file("swap")?;
            swap_file(&path, u64::from(mib) << 20)?;
            swap = Some(path);
        }
        Ok(Place { dir, scripts: root.join("xtask/matrix"), swap, ledger })
    }

    /// Makes a program's input.
    pub fn prepare(&mut self, program: &'static Program, size: Size) -> Result<Input, Error> {
        let dir = self.ledger.tree("input")?;
        let input = Input { program, size, dir, scripts: self.scripts.clone() };
        if program.text {
            text::write(&input.dir.join("text"), size.data)?;
        }
        let mut prepare = Command::new("sh");
        input.script("prepare", &input.dir, &mut prepare);
        let done = prepare.current_dir(&input.dir).stdin(Stdio::null()).stdout(Stdio::null()).status();
        match done.at("sh")? {
            status if status.success() => Ok(input),
            status => Err(Error::Unavailable(format!("preparing {}: {status}", program.name))),
        }
    }
}

/// A program with its input.
pub struct Input {
    pub program: &'static Program,
    pub size: Size,
    pub dir: PathBuf,
    scripts: PathBuf,
}

impl Input {
    /// Adds the script, what it is to do, and its environment: nothing of ours, so that all runs are alike.
    fn script(&self, what: &str, home: &Path, command: &mut Command) {
        command.arg(self.scripts.join(self.program.name).with_extension("sh")).arg(what);
        command.env_clear().envs([("PATH", PATH), ("LC_ALL", "C"), ("PYTHONHASHSEED", "0")]);
        command.env("SIZE", self.size.data.to_string()).env("SCRIPTS", &self.scripts);
        command.env("PREPARED", &self.dir).env("TEXT", self.dir.join("text"));
        command.env("HOME", home).env("TMPDIR", home.join("tmp")).env("XDG_RUNTIME_DIR", home);
    }
}

/// What one run stands on; goes with the value, and so does whatever still runs.
pub struct Stand {
    pub dir: PathBuf,
    pub group: Option<Group>,
    _ledger: Ledger,
}

impl Stand {
    pub fn set(place: &Place, input: &Input, way: Way) -> Result<Self, Error> {
        let mut ledger = Ledger::open(&place.dir)?;
        let dir = ledger.tree("run")?;
        ["out", "tmp"].iter().try_for_each(|name| std::fs::create_dir(dir.join(name)).at(dir.join(name)))?;
        let bound = (way == Way::Cgroup).then(|| u64::from(input.size.budget) << 20);
        if bound.is_some() {
            let why = || Error::Unavailable("the kernel's swap was not made".into());
            swap_on(place.swap.as_ref().ok_or_else(why)?, &mut ledger)?;
        }
        let group = match Group::make(bound, &mut ledger) {
            Err(why) if bound.is_some() => return Err(why),
            // Without root the pager's own figures are all there is.
            group => group.ok(),
        };
        Ok(Stand { dir, group, _ledger: ledger })
    }

    /// The whole command line of a run, in the group; `before` stands before the program.
    pub fn command(&self, input: &Input, before: Vec<OsString>) -> Result<Command, Error> {
        let mut command = Command::new("sh");
        command.args(["-c", "if [ -n \"$0\" ]; then echo 0 >\"$0\" || exit; fi; exec \"$@\""]);
        command.arg(self.group.as_ref().map(Group::door).unwrap_or_default());
        command.args(before).arg("sh");
        input.script("run", &self.dir, &mut command);
        let file = |name: &str| File::create(self.dir.join(name)).at(self.dir.join(name));
        command.current_dir(&self.dir).stdin(Stdio::null()).stdout(file("stdout")?).stderr(file("stderr")?);
        Ok(command)
    }
}
