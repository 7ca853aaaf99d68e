//! What the doctor says: one finding for each thing tried, and whether the pager can serve here.

use serde::Serialize;

/// How much depends on a thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// `mager serve` does not work without it.
    Needed,
    /// It works, but something is lost.
    Better,
}

/// What came of trying.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It was tried and works.
    Works,
    /// It was tried and does not work.
    Missing,
    /// It could not be tried, because something else is missing.
    Untried,
}

/// One thing that was tried.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What, the same word in every run.
    pub name: &'static str,
    /// How much depends on it.
    pub need: Need,
    /// What came of it.
    pub state: State,
    /// What was seen, or why it does not work.
    pub detail: String,
    /// What Mager loses without it; `None` if it works.
    pub loses: Option<&'static str>,
    /// The command or setting that gives it; `None` if it works, or waits for another thing.
    pub remedy: Option<String>,
}

/// Everything that was tried.
#[derive(Clone, Debug)]
pub struct Report {
    /// Kernel, architecture, CPUs.
    pub system: String,
    /// In a fixed order.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Is everything there that `mager serve` needs?
    #[must_use]
    pub fn serves(&self) -> bool {
        self.lacking(Need::Needed) == 0
    }

    /// How many things of this kind do not work or could not be tried.
    #[must_use]
    pub fn lacking(&self, need: Need) -> usize {
        self.findings.iter().filter(|found| found.need == need && found.state != State::Works).count()
    }
}
