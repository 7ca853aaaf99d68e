//! Random messages from a seed: right ones with any fields, spoilt ones, of any length, with any descriptors.

use crate::conn::{Conn, Said, pair};
use crate::parts::{PAGE, known_pids};
use mager_course_protocol::{Request, VERSION};
use rustix::process::{getpid, getppid};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// Talks until nobody listens any more, or for sixty messages.
pub fn storm(seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let conn = Conn::open();
    // Mostly let in first, so that what follows is heard by more than the first check.
    let mut alive = random.below(5) == 0 || greeted(&conn);
    for _ in 0..60 {
        alive = alive && one(&conn, &mut random);
    }
    println!("{}", if alive { "talked to its end" } else { "was shut out" });
}

fn greeted(conn: &Conn) -> bool {
    let parent = getppid().unwrap().as_raw_nonzero().get();
    conn.say(Request::Hello { version: VERSION, parent });
    conn.hear() == Said::Welcome && conn.hear() == Said::Resume(0)
}

fn one(conn: &Conn, random: &mut Random) -> bool {
    let request = any_request(random);
    // One in eight is spoilt; more, and no conversation would get far.
    let bytes = if random.below(8) == 0 { spoilt(request, random) } else { request.encode().to_vec() };
    let along: Vec<OwnedFd> =
        (0..random.of(&[0, 0, 0, 1, 2, 5])).map(|_| any_descriptor(conn, random)).collect();
    let along: Vec<_> = along.iter().map(AsFd::as_fd).collect();
    let heard = conn.say_bytes(&bytes, &along);
    // Mostly it waits for its turn, as it should.
    let answer = if random.below(6) > 0 { conn.hear_within(2000) } else { Said::Nothing };
    heard && answer != Said::Gone
}

fn any_request(random: &mut Random) -> Request {
    let me = getpid().as_raw_nonzero().get();
    let pids: Vec<i32> = known_pids().into_iter().chain([me, i32::MAX]).collect();
    let address = PAGE + u64::try_from(random.below(256 * 65536)).unwrap();
    let near = PAGE + u64::try_from(random.below(6 * 65536)).unwrap();
    match random.below(12) {
        0..3 => Request::Map { filename: 0, block: random.of(&[0, u32::MAX]) },
        3 => Request::Map {
            filename: random.of(&[near, address, 1, u64::MAX]),
            block: random.of(&[0, 1 << 24, u32::MAX]),
        },
        4..8 => {
            Request::Fault { address: random.of(&[near, near, near, address]), write: random.below(2) == 0 }
        }
        8 => Request::Yield,
        9 => {
            let any = i32::try_from(random.below(99_999)).unwrap() + 1;
            Request::Wait { child: random.of(&[None, Some(any), Some(pids[0]), Some(pids[1])]) }
        }
        10 if random.below(4) == 0 => Request::Fork { child: random.of(&pids) },
        11 if random.below(4) == 0 => {
            random.of(&[Request::Ready, Request::Hello { version: 7, parent: pids[1] }])
        }
        _ => Request::Ready,
    }
}

fn spoilt(request: Request, random: &mut Random) -> Vec<u8> {
    let mut bytes = request.encode().to_vec();
    match random.below(3) {
        0 => bytes[random.below(24)] ^= 1 << random.below(8),
        1 => bytes.truncate(random.below(24)),
        _ => bytes.resize(random.of(&[25, 32, 4096, 60_000]), 0xa5),
    }
    bytes
}

fn any_descriptor(conn: &Conn, random: &mut Random) -> OwnedFd {
    match random.below(5) {
        0 => File::open("/dev/null").unwrap().into(),
        1 => File::open("/proc/self/exe").unwrap().into(),
        2 => rustix::pipe::pipe().unwrap().1,
        3 => rustix::io::dup(conn).unwrap(),
        _ => pair().0,
    }
}
