//! Proves that the core needs no std: a static library with its own panic handler and allocator, and all of the
//! core in it. If any of its crates said `extern crate std`, there would be two panic handlers, and this would not
//! build: `cargo build --manifest-path core/probe/Cargo.toml`.
//!
//! The library does what a kernel would: it makes a pager and takes one fault to its end. Nothing calls it.
#![no_std]

extern crate alloc;

mod sys;

use mager_driver::scenario::Scenario;
use mager_driver::{Driver, Hardware, Io, Paging};
use mager_pager::{Access, Config, Denied, Event, Fault, FrameNo, Site, Ticket};
use mager_policies::Clock;

/// How many effects there were.
#[derive(Default)]
struct Count(u32);

impl Hardware for Count {
    fn map(&mut self, _: Site, _: FrameNo, _: Access) {
        self.0 += 1;
    }
    fn unmap(&mut self, _: Site, _: FrameNo) {
        self.0 += 1;
    }
    fn zero(&mut self, _: FrameNo, _: Site) {
        self.0 += 1;
    }
    fn copy(&mut self, _: FrameNo, _: FrameNo, _: Site) {
        self.0 += 1;
    }
    fn resume(&mut self, _: Ticket, _: Result<(), Denied>) {
        self.0 += 1;
    }
}

impl Paging for Count {
    fn start(&mut self, _: Io) {
        self.0 += 1;
    }
    fn finished(&mut self) -> Option<Event> {
        None
    }
}

/// One write to an untouched page. How many effects it had; 0 if the pager could not be made.
pub fn probe() -> u32 {
    let mut machine = Count::default();
    let Ok(mut driver) = Driver::new(Config::course(4, 4), Clock::new(4), ()) else { return 0 };
    let Ok(arena) = driver.create(&mut machine) else { return 0 };
    let Ok(page) = driver.map_swap(arena, &mut machine) else { return 0 };
    let fault = Fault { at: Site { arena, page }, access: Access::Write, who: Ticket(0) };
    driver.deliver(Event::Fault(fault), &mut machine);
    let told = Scenario::parse("pager frames=4\ncreate A\n").map_or(0, |scenario| scenario.commands.len());
    machine.0 + u32::try_from(told).unwrap_or(0)
}
