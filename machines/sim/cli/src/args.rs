//! The options of `mager sim`, and the worlds they ask for.

use clap::{Args, ValueEnum};
use mager_pager::{References, Sharing};
use mager_sim::{Setup, Small, Watch, policies};
use std::path::PathBuf;
use std::time::Duration;

/// Where reference bits come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ReferencesArg {
    /// The hardware sets them.
    Hardware,
    /// The hardware sets them, and takes them away when the core says so.
    Sticky,
    /// The core emulates them by traps.
    Trap,
    /// There are none.
    None,
}

/// How private pages are shared after a fork.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum SharingArg {
    /// Two sites can map one frame.
    Frame,
    /// A private page's frame lives at one site.
    Place,
}

impl From<ReferencesArg> for References {
    fn from(references: ReferencesArg) -> Self {
        match references {
            ReferencesArg::Hardware => References::Hardware,
            ReferencesArg::Sticky => References::Sticky,
            ReferencesArg::Trap => References::Trap,
            ReferencesArg::None => References::None,
        }
    }
}

impl From<SharingArg> for Sharing {
    fn from(sharing: SharingArg) -> Self {
        match sharing {
            SharingArg::Frame => Sharing::Frame,
            SharingArg::Place => Sharing::Place,
        }
    }
}

/// Run the pager in simulated worlds, each from one seed, and hold every byte against an oracle.
///
/// Without --seed a fresh one is drawn and printed. Facts of the world that are not given are drawn from each seed.
/// The first world that goes wrong is shrunk to the fewest operations that still fail, and told step by step.
#[derive(Clone, Debug, Args)]
pub struct SimArgs {
    /// The first seed
    #[arg(long)]
    pub seed: Option<u64>,
    /// How many seeds; without it and without --time: 200, or just the one given by --seed
    #[arg(long)]
    pub seeds: Option<u64>,
    /// Operations in each world
    #[arg(long, default_value_t = 20_000)]
    pub steps: u64,
    /// Stop after this time, such as 60s, 10m or 2h
    #[arg(long, value_parser = parse_time)]
    pub time: Option<Duration>,
    /// Worlds at a time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: u32,
    /// Frames of physical memory
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub frames: Option<u32>,
    /// Blocks of swap
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=65536))]
    pub swap: Option<u32>,
    /// Virtual pages in each arena
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub pages: Option<u32>,
    /// Virtual CPUs
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub cpus: Option<u8>,
    /// I/Os that fail, in a thousand
    #[arg(long, value_name = "RATE", value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub faults: Option<u32>,
    /// I/O takes time, and many faults are under way at once
    #[arg(long = "async", conflicts_with = "synchronous")]
    pub asynchronous: bool,
    /// Every fault is handled to completion
    #[arg(long = "sync")]
    pub synchronous: bool,
    /// The page-replacement policy
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(policies()))]
    pub policy: Option<String>,
    /// Where reference bits come from
    #[arg(long, value_enum)]
    pub references: Option<ReferencesArg>,
    /// How private pages are shared after a fork
    #[arg(long, value_enum)]
    pub sharing: Option<SharingArg>,
    /// Check every invariant after each N steps; 0: at the end only
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub check: u32,
    /// Run this scenario, and tell it step by step
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "seeds", "time"])]
    pub scenario: Option<PathBuf>,
    /// Instead of random worlds: every sequence of operations up to this depth, in small worlds
    #[arg(long, value_name = "DEPTH", conflicts_with_all = ["seed", "seeds", "scenario"])]
    pub exhaustive: Option<u32>,
    /// Write the shrunk scenario of a failure to this file
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Report a failure as it is, without looking for a shorter one
    #[arg(long)]
    pub no_shrink: bool,
    /// Print one JSON object at the end instead of words
    #[arg(long)]
    pub json: bool,
    /// Break the simulated disk on purpose, to see that the oracle notices: must fail
    #[arg(long)]
    pub canary: bool,
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("expected a number with s, m or h behind it".into()),
    };
    let number: u64 = digits.parse().map_err(|_| "expected a number with s, m or h behind it".to_owned())?;
    Ok(Duration::from_secs(number.saturating_mul(unit)))
}

impl SimArgs {
    /// The world of `seed`, as far as the options leave it open.
    #[must_use]
    pub fn setup(&self, seed: u64) -> Setup {
        let mut setup = Setup::from_seed(seed);
        if let Some(sharing) = self.sharing {
            setup.share(sharing.into());
        }
        if let Some(references) = self.references {
            setup.references = references.into();
        }
        if let Some(frames) = self.frames {
            setup.resize(frames);
        }
        setup.swap_blocks = self.swap.unwrap_or(setup.swap_blocks);
        setup.arena_pages = self.pages.unwrap_or(setup.arena_pages);
        setup.cpus = self.cpus.unwrap_or(setup.cpus);
        setup.faults_per_mille = self.faults.unwrap_or(setup.faults_per_mille);
        setup.asynchronous = self.asynchronous || setup.asynchronous && !self.synchronous;
        let known = |name: &String| policies().find(|policy| policy == name);
        setup.policy = self.policy.as_ref().and_then(known).unwrap_or(setup.policy);
        setup.canary = self.canary;
        setup
    }

    /// The small worlds to search: those asked for, else one of every kind, with one and with two usable frames.
    #[must_use]
    pub fn small_worlds(&self) -> Vec<Small> {
        let policy = self.setup(0).policy;
        let policy = if self.policy.is_some() { policy } else { "clock" };
        let mut worlds = Vec::new();
        for sharing in self.sharing.map_or(vec![SharingArg::Frame, SharingArg::Place], |one| vec![one]) {
            let all = vec![ReferencesArg::Hardware, ReferencesArg::Trap, ReferencesArg::None];
            for references in self.references.map_or(all, |one| vec![one]) {
                for usable in self.frames.map_or(vec![1, 2], |frames| vec![frames]) {
                    worlds.push(Small::new(sharing.into(), references.into(), policy, usable));
                }
            }
        }
        worlds
    }

    /// How closely each world is watched.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch { check_every: self.check, replay: true, story: false }
    }

    /// How many seeds to go through, if there is an end to them.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        match (self.seeds, self.time, self.seed) {
            (Some(seeds), _, _) => Some(seeds),
            (None, Some(_), _) => None,
            (None, None, Some(_)) => Some(1),
            (None, None, None) => Some(200),
        }
    }
}
