//! `mager serve`: the pager of real memory, in the foreground, until it is told to end.
//!
//! Owns the options, the socket's place, the signals, and the one line that says that it serves.

mod notify;
mod ready;
pub mod socket;

use crate::failure::{Failure, Finished};
use crate::size::{size, told};
use mager_linux_pager::{Limits, NotStarted, Options, References, Server, Sizes};
use notify::Notify;
use ready::Ready;
use rustix::process::Signal;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

const EXAMPLES: &str = "\
Examples:
  mager serve --memory 1G --swap 8G                        Swap in a file without a name
  mager serve --memory 1G --swap-file /var/swap/mager --compressed 512M --policy s3-fifo
  mager stat --watch                                       What it does, every second
  mager doctor --memory 1G --swap 8G                       Will it work here?

SIGINT or SIGTERM end it: files are written home, the socket and the swap file go. The memory of clients that are
still connected goes with it. A second signal does not wait for that.";

/// What terminals, shells and sessions send to end or to stop what runs in them.
const DEAF_TO: [Signal; 7] =
    [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::TSTP, Signal::TTIN, Signal::TTOU];
const LIMITS: &str = "Limits, so that a client harms only itself";

/// What the user asks.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Memory for frames, at least: what all clients together hold at any moment is this and --compressed at most
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: u64,
    /// How much can be paged out [default: four times the memory, where a swap file or directory is given]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    swap: Option<u64>,
    /// The swap file; made here, preallocated, and removed at the end
    #[arg(long, value_name = "FILE", conflicts_with = "swap_dir")]
    swap_file: Option<PathBuf>,
    /// A directory for a swap file without a name [default: /var/tmp]
    #[arg(long, value_name = "DIR")]
    swap_dir: Option<PathBuf>,
    /// The swap file may be there already: what it holds is lost
    #[arg(long, requires = "swap_file")]
    overwrite: bool,
    /// Beside --memory, memory that compressed pages may take in front of the swap file; what they do not need is frames
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size)]
    compressed: u64,
    /// The replacement policy; it must live on reference bits
    #[arg(long, value_name = "SPEC", default_value = mager_linux_pager::DEFAULT_POLICY)]
    policy: String,
    /// 4K, 16K or 64K
    #[arg(long, value_name = "SIZE", default_value = "4K", value_parser = size)]
    page_size: u64,
    /// Addresses in each arena
    #[arg(long, value_name = "SIZE", default_value = "64G", value_parser = size)]
    arena: u64,
    /// Memory that the private pages of one client may hold, with the children it has forked [default: all there is]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = LIMITS)]
    client_memory: Option<u64>,
    /// Swap that one client may reserve, with the children it has forked [default: all there is]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = LIMITS)]
    client_swap: Option<u64>,
    /// Connections, all together
    #[arg(long, value_name = "N", default_value_t = Limits::default().clients, value_parser = at_least_one, help_heading = LIMITS)]
    clients: usize,
    /// Connections of one client: of its process, and of the children it has forked [default: half of all]
    #[arg(long, value_name = "N", value_parser = at_least_one, help_heading = LIMITS)]
    client_connections: Option<usize>,
    /// Arenas of one connection
    #[arg(long, value_name = "N", default_value_t = Limits::default().arenas, value_parser = at_least_one, help_heading = LIMITS)]
    client_arenas: usize,
    /// Mappings in one arena
    #[arg(long, value_name = "N", default_value_t = Limits::default().mappings, value_parser = at_least_one, help_heading = LIMITS)]
    arena_mappings: usize,
    /// Where clients connect [default: mager.sock in $XDG_RUNTIME_DIR or /run/user/UID, else /tmp/mager-UID.sock;
    /// with --fd nowhere]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Serve the client at the other end of this open socket, and end with the last client; no signal but SIGKILL
    /// ends it then if --socket is given, too
    #[arg(long, value_name = "N")]
    fd: Option<i32>,
    /// Write a line to this open file when serving, or why not
    #[arg(long, value_name = "N")]
    ready_fd: Option<i32>,
    /// Where reference bits come from: page tables whose entries clients' agents drop, faults after these were dropped, or
    /// nowhere (policies see pages come and go)
    #[arg(long, value_enum, default_value = "agent")]
    references: Source,
    /// Leave faulting threads on the CPUs they are on
    #[arg(long)]
    no_pull: bool,
    /// Pages read ahead of a sequence at most
    #[arg(long, value_name = "N", default_value_t = mager_linux_pager::DEFAULT_READ_AHEAD)]
    read_ahead: u32,
    /// Record every decision, for `mager replay`
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Source {
    Agent,
    Faults,
    Off,
}

/// Serves until a signal, or until the client is gone.
pub fn run(args: &Args) -> Result<Finished, Failure> {
    let ready = Ready::new(args.ready_fd)?;
    let served = serve(args, &ready);
    if let Err(failure) = &served {
        ready.not(failure);
    }
    served
}

fn serve(args: &Args, ready: &Ready) -> Result<Finished, Failure> {
    let options = args.options()?;
    let client = args.fd.map(client).transpose()?;
    let notify = Arc::new(if args.fd.is_some() { Notify::nobody() } else { Notify::from_environment() });
    let stop = args.stop(&notify)?;
    let line = line(&options, args);
    let socket = options.socket.clone();
    let mut server = Server::new(options).map_err(|why| not_started(why, socket.as_deref()))?;
    // If it ends by an error, its socket goes nevertheless.
    let _socket = socket.map(socket::Removed);
    if let Some(client) = client {
        server.adopt(client).map_err(|why| Failure::Use(format!("--fd: no client's socket: {why}")))?;
    }
    ready.say(&line);
    notify.ready(&line);
    server.run(stop.as_ref()).map_err(|why| Failure::Run(format!("the pager ends: {why}")))?;
    Ok(Finished::Well)
}

impl Args {
    /// A pager that others than its first client depend on ends with the last of them, whoever presses Ctrl-C.
    fn stop(&self, notify: &Arc<Notify>) -> Result<Option<OwnedFd>, Failure> {
        if self.fd.is_none() || self.socket.is_none() {
            return stopper(Arc::clone(notify)).map(Some);
        }
        let ignored = DEAF_TO.into_iter().try_for_each(mager_linux_sys::ignore);
        ignored.map_err(|why| Failure::Run(format!("signals cannot be ignored: {why}")))?;
        Ok(None)
    }

    fn options(&self) -> Result<Options, Failure> {
        let sizes = Sizes {
            memory: self.memory,
            compressed: self.compressed,
            swap: self.swap,
            swap_file: self.swap_file.clone(),
            swap_dir: self.swap_dir.clone(),
            overwrite: self.overwrite,
            page_size: self.page_size,
            arena: self.arena,
            client_memory: self.client_memory,
            client_swap: self.client_swap,
        };
        let mut options = sizes.options().map_err(|why| Failure::Use(why.to_string()))?;
        options.policy.clone_from(&self.policy);
        options.references = match self.references {
            Source::Agent => References::Agent,
            Source::Faults => References::Faults,
            Source::Off => References::Off,
        };
        options.pull = !self.no_pull;
        options.read_ahead = self.read_ahead;
        options.events.clone_from(&self.events);
        options.socket = match (&self.socket, self.fd) {
            (None, None) => Some(socket::default()),
            (named, _) => named.clone(),
        };
        options.limits = self.limits(options.limits);
        Ok(options)
    }

    /// Sizes are in `sizes` already.
    fn limits(&self, sizes: Limits) -> Limits {
        // With one client there are no others to leave anything to.
        let half = if self.fd.is_some() { self.clients } else { self.clients.div_ceil(2) };
        Limits {
            clients: self.clients,
            connections: self.client_connections.unwrap_or(half),
            arenas: self.client_arenas,
            mappings: self.arena_mappings,
            ..sizes
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&number| number > 0).ok_or_else(|| "give a number from 1 on".to_owned())
}

fn client(number: i32) -> Result<OwnedFd, Failure> {
    mager_linux_sys::inherited(number).map_err(|why| Failure::Use(format!("--fd {number}: {why}")))
}

/// Readable from the first SIGINT or SIGTERM on. The second ends the process as it is.
fn stopper(notify: Arc<Notify>) -> Result<OwnedFd, Failure> {
    let refused = |why: &dyn std::fmt::Display| Failure::Run(format!("signals cannot be taken: {why}"));
    let (reader, writer) = std::io::pipe().map_err(|why| refused(&why))?;
    let mut writer = Some(writer);
    ctrlc::set_handler(move || match writer.take() {
        Some(writer) => {
            notify.stopping();
            drop(writer);
        }
        None => std::process::exit(130),
    })
    .map_err(|why| refused(&why))?;
    Ok(reader.into())
}

fn not_started(why: NotStarted, socket: Option<&std::path::Path>) -> Failure {
    match (&why, socket) {
        (NotStarted::System { what: "the socket", why }, Some(path)) => {
            let live = why.kind() == std::io::ErrorKind::AddrInUse;
            let told =
                if live { "a pager serves there already, or it is another's file" } else { &why.to_string() };
            Failure::file(path, told)
        }
        (NotStarted::System { .. }, _) => Failure::Run(why.to_string()),
        _ => Failure::Use(why.to_string()),
    }
}

fn line(options: &Options, args: &Args) -> String {
    let page = u64::from(options.page_size);
    let at =
        options.socket.as_ref().map_or_else(|| "one client".to_owned(), |path| path.display().to_string());
    let compressed = match args.compressed {
        0 => String::new(),
        bytes => format!(", at most {} of them for compressed pages", told(bytes)),
    };
    format!(
        "serving {at}: {} frames of {}{compressed}, {} of swap, {}",
        options.all_frames(),
        told(page),
        told(u64::from(options.swap_blocks) * page),
        options.policy
    )
}
