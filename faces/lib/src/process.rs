//! Starting a pager for this program: in a process, or in a thread.

use crate::builder::Builder;
use crate::error::Error;
use mager_linux_pager::{NotServing, Options, Server, start};
use rustix::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
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

/// Runs `mager serve` for this program.
pub(crate) fn program(builder: &Builder) -> Result<(OwnedFd, Host), Error> {
    builder.sizes.options().map_err(not_started)?;
    let program = match &builder.program {
        Some(program) => program.clone(),
        None => find()?,
    };
    let mut command = Command::new(&program);
    command.arg("serve").args(builder.sizes.words()).arg("--policy").arg(&builder.policy);
    match start(command) {
        Ok((ours, child)) => Ok((ours, Host::Process(child))),
        Err(NotServing::Program(why)) => Err(Error::Program { program, why }),
        Err(why) => Err(not_started(why)),
    }
}

/// `$MAGER`, else beside this program (what cargo builds as an example lies below the others), else in `$PATH`.
fn find() -> Result<PathBuf, Error> {
    if let Some(named) = std::env::var_os("MAGER") {
        return Ok(named.into());
    }
    let this = std::env::current_exe().ok();
    let beside = this.as_deref().and_then(Path::parent);
    let above = beside.filter(|dir| dir.ends_with("examples")).and_then(Path::parent);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = beside.into_iter().chain(above).map(Path::to_owned);
    let places: Vec<PathBuf> = own.chain(std::env::split_paths(&path)).collect();
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
    // A handler of the program that ran there and touched an arena would wait for itself.
    let spawn = || std::thread::Builder::new().name("mager-pager".into()).spawn(serve);
    let thread = mager_linux_sys::without_signals(spawn).map_err(not_started)?;
    told.recv().map_err(not_started)??;
    Ok((ours, Host::Thread(Some(thread), std::process::id())))
}
