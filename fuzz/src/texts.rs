//! Parsers: any text is read or refused, never more; what is read can be written and read again.

use mager_course_protocol::{Reply, Request};
use mager_driver::{Line, LogReader, Replay};
use mager_sim::Scenario;

/// More than this of anything is not what these targets are after.
const MOST: u32 = 1 << 12;

/// Both scenario languages: the driver's, which is played too, and the simulator's.
pub fn scenarios(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(scenario) = text.parse::<Scenario>() {
        let again = scenario.to_string().parse();
        assert_eq!(again, Ok(scenario), "what is printed is read again");
    }
    if let Ok(scenario) = mager_driver::scenario::Scenario::parse(text) {
        let config = scenario.setup.config;
        if config.frames <= MOST && config.swap_blocks <= MOST && config.arena_pages <= MOST {
            drop(mager_driver::scenario::transcript(text, |pager| pager.check()));
        }
        let again = mager_driver::scenario::Scenario::parse(&scenario.to_string());
        let again = again.expect("what is printed is read again");
        assert_eq!(again.to_string(), scenario.to_string(), "what is printed is read again");
    }
}

/// Event logs, line by line, and replayed as far as they go.
pub fn event_log(data: &[u8]) {
    let (mut reader, mut replay) = (LogReader::new(), None);
    for line in data.split(|&byte| byte == b'\n') {
        let Ok(line) = reader.line(line) else { return };
        if let Line::Header(header) = &line {
            let config = header.config;
            if config.frames > MOST || config.swap_blocks > MOST || config.arena_pages > MOST {
                return;
            }
            let Ok(new) = Replay::new(header) else { return };
            replay = Some(new);
        }
        if let Some(replay) = &mut replay
            && replay.line(reader.number(), &line).is_err()
        {
            return;
        }
    }
}

/// The course machine's messages, in both directions.
pub fn protocol(data: &[u8]) {
    if let Ok(request) = Request::decode(data) {
        assert_eq!(Request::decode(&request.encode()), Ok(request), "what is encoded is decoded again");
    }
    if let Ok(Reply::Resume { changes, .. }) = Reply::decode(data) {
        assert!(changes.iter().count() <= data.len(), "no more changes than bytes");
    }
}
