//! Starting a pager for this program: in a process, or in a thread.

use crate::builder::Builder;
use crate::error::Error;
use mager_linux_pager::{Options, Server};
use rustix::fd::OwnedFd;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;

/// What a pager runs in. It ends when its only client's connection is closed, and is waited for here.
#[derive(Debug)]
pub(crate) enum Host {
    Process(Child),
    /// And the process it is in: a forked child has no such thread.
    Thread(Option<JoinHandle<()>>, u32),
    /// It is not ours.
    Elsewhere,
}

impl Drop for Host {
    fn drop(&mut self) {
        match self {
            Host::Process(child) => _ = child.wait(),
            Host::Thread(thread, process) if *process == std::process::id() => {
                let _ = thread.take().map(JoinHandle::join);
            }
            Host::Thread(..) => {}
            Host::Elsewhere => {}
        }
    }
}

fn not_started(why: impl ToString) -> Error {
    Error::NotStarted(why.to_string())
}

/// Runs `mager serve` with the other end of the socket as its standard input. It is in a process group of its own:
/// Ctrl-C is for the program, and the pager ends after it.
pub(crate) fn program(builder: &Builder) -> Result<(OwnedFd, Host), Error> {
    builder.sizes.options().map_err(not_started)?;
    let program = match &builder.program {
        Some(program) => program.clone(),
        None => find()?,
    };
    let (ours, theirs) = mager_linux_sys::pair().map_err(not_started)?;
    let mut command = Command::new(&program);
    command.args(arguments(builder)).process_group(0);
    command.stdin(Stdio::from(theirs)).stdout(Stdio::piped());
    let child = command.spawn().map_err(|why| Error::Program { program, why })?;
    // The command still holds the other end.
    drop(command);
    ready(child).map(|child| (ours, Host::Process(child)))
}

fn ready(mut child: Child) -> Result<Child, Error> {
    let mut told = String::new();
    if let Some(out) = child.stdout.take() {
        // The first line is all that is ever told there.
        BufReader::new(out).read_line(&mut told).map_err(not_started)?;
    }
    if told.trim() == "ready" {
        return Ok(child);
    }
    let status = child.wait().map_err(not_started)?;
    Err(match told.trim().strip_prefix("failed: ") {
        Some(why) => not_started(why),
        None => not_started(format!("it ended with {status}")),
    })
}

fn arguments(builder: &Builder) -> Vec<OsString> {
    let sizes = &builder.sizes;
    let mut words: Vec<OsString> = ["serve", "--fd", "0", "--ready-fd", "1"].map(OsString::from).into();
    let mut say = |name: &str, value: OsString| words.extend([name.into(), value]);
    say("--memory", sizes.memory.to_string().into());
    say("--compressed", sizes.compressed.to_string().into());
    say("--page-size", sizes.page_size.to_string().into());
    say("--arena", sizes.arena.to_string().into());
    say("--policy", builder.policy.clone().into());
    if let Some(swap) = sizes.swap {
        say("--swap", swap.to_string().into());
    }
    if let Some(dir) = &sizes.swap_dir {
        say("--swap-dir", dir.into());
    }
    words
}

/// `$MAGER`, else beside this program, else in `$PATH`.
fn find() -> Result<PathBuf, Error> {
    if let Some(named) = std::env::var_os("MAGER") {
        return Ok(named.into());
    }
    let this = std::env::current_exe().ok();
    let beside = this.as_deref().and_then(Path::parent).map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = beside.into_iter().chain(std::env::split_paths(&path)).collect();
    let found = places.iter().map(|dir| dir.join("mager")).find(|program| program.is_file());
    found.ok_or_else(|| {
        let places: Vec<_> = places.iter().map(|dir| dir.display().to_string()).collect();
        Error::NoProgram { places: places.join(":") }
    })
}

/// A thread for the pager. Everything of it is made there: it is pinned to a CPU.
pub(crate) fn thread(builder: &Builder) -> Result<(OwnedFd, Host), Error> {
    let options = Options { policy: builder.policy.clone(), ..builder.sizes.options().map_err(not_started)? };
    let (ours, theirs) = mager_linux_sys::pair().map_err(not_started)?;
    let (tell, told) = mpsc::channel();
    let serve = move || {
        let server = Server::new(options).map_err(not_started);
        let mut server =
            match server.and_then(|mut server| server.adopt(theirs).map_err(not_started).map(|()| server)) {
                Ok(server) => server,
                Err(why) => return drop(tell.send(Err(why))),
            };
        let _ = tell.send(Ok(()));
        if let Err(why) = server.run(None) {
            eprintln!("mager: the pager ends: {why}");
        }
    };
    let thread = std::thread::Builder::new().name("mager-pager".into()).spawn(serve).map_err(not_started)?;
    told.recv().map_err(not_started)??;
    Ok((ours, Host::Thread(Some(thread), std::process::id())))
}
