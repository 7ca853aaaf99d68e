//! What the course's pager records can be replayed: many random calls, files that come and go, I/O that fails.

use crate::run::mager;
use mager_cli::events::EventSink;
use mager_course_abi::{ARENA_BASE, IoFailed, PAGE_SIZE, PagerObject, Services};
use mager_course_pager::CoursePager;
use mager_driver::{Header, LogWriter};
use mager_pager::Config;
use std::collections::HashMap;
use std::path::Path;

/// A host with little memory, some of whose blocks are bad.
struct Host {
    frames: Vec<Vec<u8>>,
    blocks: HashMap<(Vec<u8>, u32), Vec<u8>>,
}

impl Host {
    fn bad(name: Option<&[u8]>, block: u32) -> bool {
        name.is_some() && block == 3
    }
}

impl Services for Host {
    fn zero(&mut self, frame: u32) {
        self.frames[frame as usize].fill(0);
    }
    fn copy(&mut self, from: u32, to: u32) {
        self.frames[to as usize] = self.frames[from as usize].clone();
    }
    fn byte(&self, frame: u32, offset: u32) -> u8 {
        self.frames[frame as usize][offset as usize]
    }
    fn file_read(&mut self, name: Option<&[u8]>, block: u32, frame: u32) -> Result<(), IoFailed> {
        let empty = vec![0; PAGE_SIZE];
        let contents = self.blocks.get(&(name.unwrap_or(b"").to_vec(), block)).unwrap_or(&empty);
        self.frames[frame as usize].clone_from(contents);
        if Host::bad(name, block) { Err(IoFailed) } else { Ok(()) }
    }
    fn file_write(&mut self, name: Option<&[u8]>, block: u32, frame: u32) -> Result<(), IoFailed> {
        let contents = self.frames[frame as usize].clone();
        self.blocks.insert((name.unwrap_or(b"").to_vec(), block), contents);
        if Host::bad(name, block) { Err(IoFailed) } else { Ok(()) }
    }
}

type Recorded = CoursePager<Option<LogWriter<EventSink>>>;

struct Run {
    pager: Recorded,
    host: Host,
    running: Vec<i32>,
    pids: i32,
    chance: u64,
}

impl Run {
    fn below(&mut self, end: u64) -> u64 {
        self.chance =
            self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.chance >> 33) % end
    }

    fn call(&mut self) {
        let what = if self.running.is_empty() { 0 } else { self.below(24) };
        match what {
            0 => self.create(),
            1 => self.end(),
            2..=4 => drop(self.pager.map(&mut self.host, 0, 0)),
            5..=7 => self.map_file(),
            8 => self.switch(),
            9 => drop(self.pager.flush(&mut self.host)),
            _ => drop(self.touch(what % 2 == 0)),
        }
    }

    fn create(&mut self) {
        let parents = self.running.len() as u64 + 1;
        let parent = self.below(parents);
        let parent = self.running.get(usize::try_from(parent).expect("small")).copied().unwrap_or(0);
        self.pids += 1;
        if self.pager.create(&mut self.host, parent, self.pids) == 0 {
            self.running.push(self.pids);
            self.switch();
        }
    }

    fn switch(&mut self) {
        let index = usize::try_from(self.below(self.running.len() as u64)).expect("small");
        let pid = self.running.swap_remove(index);
        self.running.push(pid);
        self.pager.switch(&mut self.host, pid);
    }

    fn end(&mut self) {
        self.pager.destroy(&mut self.host);
        self.running.pop();
        if !self.running.is_empty() {
            self.switch();
        }
    }

    /// An access somewhere; the address, if it went on.
    fn touch(&mut self, write: bool) -> Option<usize> {
        let page = usize::try_from(self.below(12)).expect("small");
        let address = ARENA_BASE + page * PAGE_SIZE + 100;
        (self.pager.fault(&mut self.host, address, write) == 0).then_some(address)
    }

    /// Writes a name into the arena and maps the file.
    fn map_file(&mut self) {
        let Some(address) = self.touch(true) else { return };
        let page = (address - ARENA_BASE) / PAGE_SIZE;
        let entry = self.pager.page_table().expect("a process runs")[page];
        let name = [b'f', b'a' + u8::try_from(self.below(5)).expect("small"), 0];
        self.host.frames[entry.frame() as usize][100..103].copy_from_slice(&name);
        let block = u32::try_from(self.below(4)).expect("small");
        self.pager.map(&mut self.host, address, block);
    }
}

fn record(path: &Path, seed: u64, calls: u32) {
    let (frames, blocks) = (6, 24);
    let header = Header { config: Config::course(frames, blocks), policy: "clock".to_owned(), seed };
    let log = LogWriter::new(EventSink::create(path).expect("a new file"), &header);
    let mut run = Run {
        pager: CoursePager::new("clock", Some(log)).expect("a policy"),
        host: Host { frames: vec![vec![0xee; PAGE_SIZE]; frames as usize], blocks: HashMap::new() },
        running: Vec::new(),
        pids: 0,
        chance: seed,
    };
    run.pager.init(&mut run.host, frames, blocks);
    (0..calls).for_each(|_| run.call());
    let log = run.pager.recorder().and_then(Option::take).expect("the log is still there");
    log.finish().expect("it was written").close().expect("it was written");
}

#[test]
fn random_runs_of_the_courses_pager_replay_equally() {
    let dir = tempfile::tempdir().expect("a directory for temporary files");
    for seed in 1..=8 {
        let path = dir.path().join("run.events");
        record(&path, seed, 1500);
        let ran = mager(["replay".as_ref(), path.as_os_str()]);
        assert!(ran.out.starts_with("equal: ") && ran.code == Some(0), "seed {seed}: {}{}", ran.out, ran.err);
        let state = mager(["replay".as_ref(), path.as_os_str(), "--at".as_ref(), "700".as_ref()]);
        assert!(state.out.contains("\"f"), "the files have no names:\n{}", state.out);
    }
}
