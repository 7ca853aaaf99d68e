//! `mager top`: a running pager, live in a terminal.
//!
//! | file | owns |
//! |---|---|
//! | `model` | what is known, and how the user wants to see it |
//! | `history` | rates and latencies of the last minutes |
//! | `rows` | the rows of the tables, in their order |
//! | `keys` | what each key does |
//! | `draw`, `head`, `charts`, `tables`, `help` | the picture: drawn from the model, and nothing else |
//! | `symbols`, `words` | what things are drawn with; numbers for people |
//! | `screen` | the terminal, and that it is given back |
//! | `asker` | asking the pager without waiting for it |
//! | `live`, `signals` | the loop, and what ends it from outside |
//! | `plain` | one picture as text |

mod asker;
mod charts;
mod draw;
mod head;
mod help;
mod history;
mod keys;
mod live;
mod model;
mod plain;
mod rows;
pub mod screen;
mod signals;
mod symbols;
mod tables;
mod words;

use crate::failure::{Failure, Finished};
use crate::observe::{ask, ask_again, seconds};
use crate::{say, serve};
use model::Model;
use std::path::{Path, PathBuf};
use std::time::Duration;
use symbols::Symbols;

const EXAMPLES: &str = "\
Examples:
  mager top                                The pager of this user; ? shows the keys
  mager top --socket /run/mager.sock --interval 5
  mager top --once | head -5               One picture as text, after one interval

Exit codes: 0 the user has quit; 1 the pager went away; 2 there is no pager, or no terminal; 130 Ctrl-C.
For programs there is `mager stat --json`.";

/// What the user asks.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Where the pager listens [default: where `mager serve` does]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// How often the pager is asked
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    interval: Duration,
    /// Print one picture as text and end: what happened in one interval
    #[arg(long)]
    once: bool,
}

/// Shows the pager until the user quits or it is gone.
pub fn run(args: &Args) -> Result<Finished, Failure> {
    let path = args.socket.clone().unwrap_or_else(serve::socket::default);
    if !args.once {
        screen::check()?;
    }
    let model = Model::new(ask(&path)?, path.display().to_string(), args.interval, Symbols::of_locale());
    if args.once { once(&path, model) } else { live::watch(&path, model) }
}

fn once(path: &Path, mut model: Model) -> Result<Finished, Failure> {
    std::thread::sleep(model.interval);
    model.take(ask_again(path)?);
    say::line(plain::picture(&model))?;
    Ok(Finished::Well)
}
