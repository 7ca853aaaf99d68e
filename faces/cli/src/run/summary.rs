//! What a run came to: a line for people, JSON for programs, and advice where it has mostly waited for pages.

use super::child::End;
use crate::size::told;
use mager_linux_wire::figures::Figures;
use serde_json::{Value, json};

/// Threads that wait for pages for a greater part of their time than this do hardly anything else.
const THRASHING: f64 = 0.5;
/// The memory advised would have kept this share of the pages that came back.
const SPARED: f64 = 0.9;
/// Fewer pages watched say nothing.
const LEAST_WATCHED: u64 = 30;
const MIB: u64 = 1 << 20;
const SECOND_NS: f64 = 1e9;

/// A run that is over.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) end: End,
    /// Of the pager, just before its end.
    pub(super) figures: Figures,
    pub(super) wall_seconds: f64,
    /// Of the program and the processes that it waited for.
    pub(super) cpu_seconds: f64,
}

impl Summary {
    fn bytes(&self, pages: u64) -> u64 {
        pages.saturating_mul(u64::from(self.figures.page_size))
    }

    pub(super) fn stalled_seconds(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let ns = self.figures.service.total_ns as f64;
        ns / SECOND_NS
    }

    /// Of the time in which threads computed or waited for pages.
    fn stalled_share(&self) -> f64 {
        let busy = self.stalled_seconds() + self.cpu_seconds;
        if busy > 0.0 { self.stalled_seconds() / busy } else { 0.0 }
    }

    fn thrashed(&self) -> bool {
        self.figures.page_ins > u64::from(self.figures.frames) && self.stalled_share() > THRASHING
    }

    /// The memory that would have spared most page-ins, in whole MiB.
    fn advised(&self) -> Option<u64> {
        let more = self.figures.returns.frames_more(SPARED, LEAST_WATCHED)?;
        // What compressed pages may take stays beside it.
        let memory = u64::from(self.figures.frames.saturating_sub(self.figures.elastic_frames));
        Some(self.bytes(memory + more).next_multiple_of(MIB))
    }

    pub(super) fn line(&self) -> String {
        let figures = &self.figures;
        format!(
            "peak {} of {}, {} faults, {} page-ins, {} written, stalled {:.1} s, {:.1} s in all",
            told(self.bytes(figures.peak_frames)),
            told(self.bytes(figures.frames.into())),
            figures.faults,
            figures.page_ins,
            told(self.bytes(figures.write_backs)),
            self.stalled_seconds(),
            self.wall_seconds,
        )
    }

    /// Something to say only if the run has thrashed.
    pub(super) fn advice(&self) -> Option<String> {
        let percent = self.stalled_share() * 100.0;
        let waited = format!("its threads waited for pages {percent:.0}% of the time they were not idle");
        self.thrashed().then(|| match self.advised() {
            Some(memory) => format!(
                "{waited}: --memory {} would have spared it nine of ten page-ins, by this run's own estimate",
                told_exactly(memory)
            ),
            None => format!("{waited}: give it more --memory"),
        })
    }

    pub(super) fn json(&self) -> Value {
        let (code, signal) = match self.end {
            End::With(code) => (Some(code), None),
            End::By(signal) => (None, Some(signal)),
        };
        json!({
            "exit_status": code,
            "signal": signal,
            "wall_seconds": self.wall_seconds,
            "cpu_seconds": self.cpu_seconds,
            "stalled_seconds": self.stalled_seconds(),
            "stalled_share": self.stalled_share(),
            "memory_bytes": self.bytes(self.figures.frames.into()),
            "peak_bytes": self.bytes(self.figures.peak_frames),
            "faults": self.figures.faults,
            "page_ins": self.figures.page_ins,
            "written_bytes": self.bytes(self.figures.write_backs),
            "thrashed": self.thrashed(),
            "advised_memory_bytes": if self.thrashed() { self.advised() } else { None },
            "pager": self.figures,
        })
    }
}

/// As it can be given to `--memory`.
fn told_exactly(bytes: u64) -> String {
    format!("{}M", bytes / MIB)
}

/// Seconds of processor time that children of this process have used, of those that were waited for.
pub(super) fn cpu_seconds() -> f64 {
    // Behind the name, which may hold anything but ends with the last parenthesis: fields 3 on, proc_pid_stat(5).
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(CHILDREN_FIRST - 3).take(2);
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let (ticks, second) = (
        ticks.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>() as f64,
        rustix::param::clock_ticks_per_second() as f64,
    );
    ticks / second
}

/// The field with what waited-for children have used in their own code; the kernel's part is the next.
const CHILDREN_FIRST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use mager_linux_wire::figures::{Returns, Service};

    fn summary(stalled_ns: u64, page_ins: u64) -> Summary {
        let figures = Figures {
            page_size: 4096,
            frames: 16_384,
            peak_frames: 16_000,
            faults: 70_000,
            page_ins,
            write_backs: 30_000,
            service: Service { below_ns: vec![], total_ns: stalled_ns },
            returns: Returns { below_evictions: vec![(8192, 95), (100_000, 5)] },
            ..Figures::default()
        };
        Summary { end: End::With(0), figures, wall_seconds: 10.0, cpu_seconds: 2.0 }
    }

    #[test]
    fn a_run_that_mostly_waited_is_told_which_memory_would_have_helped() {
        let advice = summary(6_000_000_000, 50_000).advice().expect("it thrashed");
        assert!(advice.contains("75% of the time") && advice.contains("--memory 96M"), "{advice}");
    }

    #[test]
    fn a_run_that_computed_or_only_filled_its_memory_is_told_nothing() {
        assert_eq!(summary(1_000_000_000, 50_000).advice(), None);
        assert_eq!(summary(6_000_000_000, 5_000).advice(), None);
        assert_eq!(summary(1_000_000_000, 50_000).json()["advised_memory_bytes"], Value::Null);
    }

    #[test]
    fn few_pages_watched_give_no_number() {
        let mut summary = summary(6_000_000_000, 50_000);
        summary.figures.returns = Returns { below_evictions: vec![(8192, 2)] };
        assert!(summary.advice().is_some_and(|advice| advice.ends_with("give it more --memory")));
    }

    #[test]
    fn the_line_has_everything() {
        let said =
            "peak 62M of 64M, 70000 faults, 50000 page-ins, 117M written, stalled 6.0 s, 10.0 s in all";
        assert_eq!(summary(6_000_000_000, 50_000).line(), said);
    }
}
