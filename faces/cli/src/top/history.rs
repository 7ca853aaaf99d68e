//! Rates and latencies of the last minutes, one sample for each interval.

use crate::observe::{rate, service_us};
use mager_linux_wire::figures::Figures;
use std::collections::VecDeque;
use std::time::Duration;

/// Samples kept.
const MOST: usize = 1024;
/// What a chart shows at least, once there is so much.
const SHOWN: Duration = Duration::from_secs(120);

/// What happened between two answers of the pager.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    /// How long that was.
    pub(super) seconds: f64,
    pub(super) faults: f64,
    pub(super) page_ins: f64,
    /// In microseconds; none where there was no fault.
    pub(super) p50: Option<f64>,
    pub(super) p99: Option<f64>,
}

impl Sample {
    pub(super) fn between(now: &Figures, before: &Figures) -> Self {
        Sample {
            seconds: now.uptime_seconds - before.uptime_seconds,
            faults: rate(now, before, |figures| figures.faults),
            page_ins: rate(now, before, |figures| figures.page_ins),
            p50: service_us(now, before, 0.5),
            p99: service_us(now, before, 0.99),
        }
    }
}

/// One line of a chart, the newest column last.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Columns {
    pub(super) values: Vec<Option<f64>>,
    /// How long they are together.
    pub(super) seconds: f64,
}

impl Columns {
    pub(super) fn peak(&self) -> Option<f64> {
        self.values.iter().flatten().copied().reduce(f64::max)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct History {
    samples: VecDeque<Sample>,
    /// Samples that were dropped.
    dropped: usize,
}

impl History {
    pub(super) fn push(&mut self, sample: Sample) {
        if self.samples.len() == MOST {
            self.samples.pop_front();
            self.dropped += 1;
        }
        self.samples.push_back(sample);
    }

    /// At most `width` columns, each the highest of so many samples that minutes can be seen. Which samples share a column
    /// does not change as new ones come, so that the picture moves without flickering.
    pub(super) fn columns(
        &self,
        width: usize,
        interval: Duration,
        what: fn(&Sample) -> Option<f64>,
    ) -> Columns {
        let each = samples_a_column(width, interval);
        let mut groups: VecDeque<(usize, Option<f64>, f64)> = VecDeque::new();
        for (number, sample) in (self.dropped..).zip(&self.samples) {
            let (group, value) = (number / each, what(sample));
            match groups.back_mut() {
                Some((last, highest, seconds)) if *last == group => {
                    *highest = [*highest, value].into_iter().flatten().reduce(f64::max);
                    *seconds += sample.seconds;
                }
                _ => groups.push_back((group, value, sample.seconds)),
            }
        }
        let shown = groups.split_off(groups.len().saturating_sub(width));
        Columns {
            values: shown.iter().map(|&(_, value, _)| value).collect(),
            seconds: shown.iter().map(|&(_, _, seconds)| seconds).sum(),
        }
    }
}

fn samples_a_column(width: usize, interval: Duration) -> usize {
    let width = width.max(1);
    let enough = |&each: &usize| interval * u32::try_from(each * width).unwrap_or(u32::MAX) >= SHOWN;
    (1..=(MOST / width).max(1)).find(enough).unwrap_or((MOST / width).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn history(faults: impl IntoIterator<Item = f64>, seconds: f64) -> History {
        let mut history = History::default();
        faults.into_iter().for_each(|faults| history.push(Sample { faults, seconds, ..Sample::default() }));
        history
    }

    fn columns(history: &History, width: usize) -> Columns {
        history.columns(width, SECOND, |sample| Some(sample.faults))
    }

    #[test]
    fn two_minutes_fit_and_peaks_are_kept() {
        let mut faults = vec![1.0; 120];
        faults[50] = 9.0;
        let columns = columns(&history(faults, 1.0), 40);
        assert_eq!((columns.values.len(), columns.seconds, columns.peak()), (40, 120.0, Some(9.0)));
        assert_eq!(columns.values[16], Some(9.0));
    }

    #[test]
    fn a_wide_chart_has_a_column_for_each_sample() {
        let columns = columns(&history([3.0, 5.0], 1.0), 120);
        assert_eq!(columns, Columns { values: vec![Some(3.0), Some(5.0)], seconds: 2.0 });
        assert_eq!(samples_a_column(40, Duration::from_millis(10)), MOST / 40);
    }

    #[test]
    fn a_column_stays_what_it_is_while_new_ones_come() {
        let shown = |count: u32| columns(&history((0..count).map(f64::from), 1.0), 40).values;
        // All but the newest, which grows.
        assert_eq!(shown(2000)[1..39], shown(2003)[..38]);
    }

    #[test]
    fn intervals_without_a_fault_have_no_latency() {
        let mut history = history([], 1.0);
        history.push(Sample { p99: Some(3.0), seconds: 60.0, ..Sample::default() });
        history.push(Sample { seconds: 60.0, ..Sample::default() });
        assert_eq!(history.columns(40, 60 * SECOND, |sample| sample.p99).values, [Some(3.0), None]);
    }
}
