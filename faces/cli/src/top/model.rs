//! What is known of the pager, and how the user wants to see it.

use super::history::{History, Sample};
use super::rows::Sort;
use super::symbols::Symbols;
use crate::observe::earlier;
use mager_linux_wire::figures::Figures;
use std::time::Duration;

/// What `+` and `-` go through, in milliseconds.
const INTERVALS_MS: [u64; 9] = [100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];

#[derive(Clone, Debug)]
pub(super) struct Model {
    /// Where the pager listens, for people.
    pub(super) place: String,
    pub(super) now: Figures,
    /// What the rates are since: the answer before, or the pager's start.
    pub(super) before: Figures,
    pub(super) history: History,
    pub(super) interval: Duration,
    pub(super) paused: bool,
    pub(super) help: bool,
    pub(super) sort: Sort,
    /// Processes above the first one shown.
    pub(super) offset: usize,
    /// So long the pager has not answered.
    pub(super) late: Option<Duration>,
    pub(super) symbols: Symbols,
}

impl Model {
    /// At first everything is told since the pager started.
    pub(super) fn new(now: Figures, place: String, interval: Duration, symbols: Symbols) -> Self {
        Model {
            place,
            now,
            before: Figures::default(),
            history: History::default(),
            interval,
            paused: false,
            help: false,
            sort: Sort::default(),
            offset: 0,
            late: None,
            symbols,
        }
    }

    /// The pager has answered.
    pub(super) fn take(&mut self, now: Figures) {
        let before = std::mem::replace(&mut self.now, now);
        self.before = earlier(before, &self.now);
        if self.before.uptime_seconds == 0.0 {
            self.history = History::default();
        }
        self.history.push(Sample::between(&self.now, &self.before));
        self.late = None;
        self.scroll(0);
    }

    pub(super) fn scroll(&mut self, by: isize) {
        let last = self.now.clients.len().saturating_sub(1);
        self.offset = self.offset.saturating_add_signed(by).min(last);
    }

    pub(super) fn slower(&mut self) {
        let longer = INTERVALS_MS.map(Duration::from_millis).into_iter().find(|&next| next > self.interval);
        self.interval = longer.unwrap_or(self.interval);
    }

    pub(super) fn faster(&mut self) {
        let shorter = INTERVALS_MS.map(Duration::from_millis).into_iter().rfind(|&next| next < self.interval);
        self.interval = shorter.unwrap_or(self.interval);
    }

    pub(super) fn seconds(&self) -> f64 {
        self.now.uptime_seconds - self.before.uptime_seconds
    }

    pub(super) fn bytes(&self, pages: u64) -> u64 {
        pages * u64::from(self.now.page_size)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use mager_linux_wire::figures::{Arena, Client, File, Service, Stores};

    /// A pager with three clients and a file, after so many seconds.
    pub(in crate::top) fn figures(seconds: f64) -> Figures {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
        let t = seconds as u64;
        let client = |number: u64, command: &str, sizes: [u64; 2], rates: [u64; 2]| Client {
            number: number + 1,
            pid: i32::try_from(100 + number).expect("small"),
            command: command.into(),
            arenas: 1,
            private_frames: sizes[0],
            reserved_pages: sizes[1],
            faults: rates[0] * t,
            page_ins: rates[1] * t,
        };
        let clients = vec![
            client(0, "python3 job.py", [500, 2000], [10, 0]),
            client(1, "a program", [300, 1000], [200, 100]),
            client(2, "sort big", [100, 4000], [3000, 10]),
        ];
        let arena = |client: &Client| Arena {
            client: client.number,
            slot: u32::try_from(client.number).expect("small") - 1,
            held_pages: client.private_frames,
            faults: client.faults,
            page_ins: client.page_ins,
            ..Arena::default()
        };
        Figures {
            uptime_seconds: seconds,
            page_size: 4096,
            policy: "s3-fifo".into(),
            frames: 1024,
            free_frames: 24,
            swap_blocks: 8192,
            swap_reserved: 7000,
            swap_assigned: 4096,
            faults: 3210 * t,
            page_ins: 160 * t,
            evictions: 1234 * t,
            service: Service { below_ns: vec![(4096, 3000 * t), (114_688, 210 * t)], total_ns: 0 },
            stores: Stores {
                compressed_budget: 1 << 20,
                compressed_bytes: 1 << 19,
                compression_ratio: Some(2.9),
                ..Stores::default()
            },
            busiest_arenas: clients.iter().map(arena).collect(),
            busiest_files: vec![File { name: "/data/table.bin".into(), held_pages: 100, page_ins: 50 * t }],
            clients,
            ..Figures::default()
        }
    }

    /// After two seconds.
    pub(in crate::top) fn model() -> Model {
        let place = "/run/user/1000/mager.sock".to_owned();
        let mut model = Model::new(figures(1.0), place, Duration::from_secs(1), Symbols::UNICODE);
        model.take(figures(2.0));
        model
    }

    #[test]
    fn the_first_picture_is_since_the_start_and_the_next_since_the_one_before() {
        let mut model = Model::new(figures(10.0), String::new(), Duration::from_secs(1), Symbols::UNICODE);
        assert_eq!(model.seconds(), 10.0);
        model.take(figures(12.0));
        assert_eq!(model.seconds(), 2.0);
    }

    #[test]
    fn another_pager_at_the_same_place_has_another_history() {
        let mut model = model();
        model.take(figures(1.0));
        assert_eq!(model.seconds(), 1.0);
        assert_eq!(
            model.history.columns(40, model.interval, |sample| Some(sample.faults)).values,
            [Some(3210.0)]
        );
    }

    #[test]
    fn the_interval_goes_up_and_down_and_stays_within_bounds() {
        let mut model = model();
        model.slower();
        assert_eq!(model.interval, Duration::from_secs(2));
        (0..20).for_each(|_| model.slower());
        assert_eq!(model.interval, Duration::from_secs(60));
        (0..20).for_each(|_| model.faster());
        assert_eq!(model.interval, Duration::from_millis(100));
        model.interval = Duration::from_millis(300);
        model.faster();
        assert_eq!(model.interval, Duration::from_millis(200));
    }

    #[test]
    fn scrolling_ends_at_the_last_process() {
        let mut model = model();
        model.scroll(-1);
        assert_eq!(model.offset, 0);
        model.scroll(100);
        assert_eq!(model.offset, 2);
        let mut fewer = figures(3.0);
        fewer.clients.truncate(1);
        model.take(fewer);
        assert_eq!(model.offset, 0);
    }
}
