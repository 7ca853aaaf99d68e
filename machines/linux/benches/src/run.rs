//! Starts a process of ours and waits for its figures; it does not outlive us.

use crate::args::Args;
use crate::child::Figures;
use crate::error::{At, Failure};
use crate::kind::Kind;
use crate::stage::Stage;
use crate::workload::Workload;
use mager_linux_stage::stop;
use serde::de::DeserializeOwned;
use std::ffi::OsString;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// This program again, as something else.
pub(crate) fn ourselves(role: &str) -> Result<Command, Failure> {
    let path = std::env::current_exe().of("finding our own program")?;
    let mut command = Command::new(path);
    command.arg(role).stdin(Stdio::null());
    Ok(command)
}

/// Runs a workload on a stage.
pub(crate) fn measure(
    (kind, workload): (Kind, Workload),
    stage: &Stage,
    args: &Args,
    seed: u64,
) -> Result<Figures, Failure> {
    let mut command = ourselves("child")?;
    let mut option = |name: &str, value: OsString| {
        command.arg(format!("--{name}")).arg(value);
    };
    option("kind", kind.name().into());
    option("workload", workload.name().into());
    stage.group.iter().for_each(|group| option("group", group.into()));
    stage.file.iter().for_each(|file| option("file", file.into()));
    let numbers = [("touched", args.touched), ("allowed", args.allowed), ("compressed", args.compressed)];
    numbers.iter().for_each(|(name, number)| option(name, number.to_string().into()));
    option("scale", args.scale.to_string().into());
    option("seed", seed.to_string().into());
    told(command)
}

/// Starts `command` and reads the one value that it prints.
pub(crate) fn told<T: DeserializeOwned>(mut command: Command) -> Result<T, Failure> {
    let child = command.stdout(Stdio::piped()).spawn().of("starting a process")?;
    let mut guard = Guard(child);
    loop {
        stop::check()?;
        if let Some(status) = guard.0.try_wait().of("waiting for a process")? {
            let mut text = String::new();
            if let Some(mut out) = guard.0.stdout.take() {
                out.read_to_string(&mut text).of("reading figures")?;
            }
            let figures = serde_json::from_str(&text);
            return figures.map_err(|_| Failure::Child(format!("ended with {status} and no figures")));
        }
        sleep(Duration::from_millis(10));
    }
}

/// A process that ends with the value.
pub(crate) struct Guard(pub(crate) Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
