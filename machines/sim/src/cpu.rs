//! CPUs: one access each, from the first try to the last, and what the world makes of a resume.

use crate::op::{CpuNo, Name};
use crate::world::World;
use mager_pager::{Access, Event, Fault, Site, Ticket, VirtPage};

/// An access under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pending {
    pub(crate) name: Name,
    pub(crate) at: Site,
    pub(crate) access: Access,
    pub(crate) word: u8,
    /// The mapping that was there when it last faulted.
    pub(crate) mapping: Option<u64>,
    pub(crate) failures_then: u64,
    pub(crate) faults: u32,
}

/// What a CPU is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cpu {
    Idle,
    Waiting(Pending, Ticket),
    /// Resumed; the access is to be tried again.
    Ready(Pending),
}

impl World {
    /// Starts an access. A CPU that was resumed first tries to end the one it has.
    pub(crate) fn cpu_touch(
        &mut self,
        cpu: CpuNo,
        name: Name,
        page: VirtPage,
        access: Access,
        word: u8,
    ) -> Option<()> {
        let mut state = *self.side.cpus.get(usize::from(cpu.0))?;
        if let Cpu::Ready(_) = state {
            self.run_cpu(cpu);
            state = self.side.cpus[usize::from(cpu.0)];
        }
        let at = self.site(name, page)?;
        if state != Cpu::Idle {
            return None;
        }
        let pending = Pending { name, at, access, word, mapping: None, failures_then: 0, faults: 0 };
        self.attempt(cpu, pending);
        self.sample(at);
        Some(())
    }

    /// A CPU that was resumed tries again.
    pub(crate) fn run_cpu(&mut self, cpu: CpuNo) -> Option<()> {
        let Cpu::Ready(pending) = *self.side.cpus.get(usize::from(cpu.0))? else { return None };
        self.attempt(cpu, pending);
        Some(())
    }

    fn attempt(&mut self, cpu: CpuNo, pending: Pending) {
        if !self.side.attempt(cpu, pending) {
            self.fault(cpu, pending);
        }
        self.tell_touched();
    }

    fn fault(&mut self, cpu: CpuNo, mut pending: Pending) {
        let who = self.ticket();
        let Pending { name, at, access, .. } = pending;
        pending.mapping = self.side.mapping(name, at);
        pending.failures_then = self.side.machine.disk.failures;
        pending.faults += 1;
        self.side.cpus[usize::from(cpu.0)] = Cpu::Waiting(pending, who);
        self.deliver(Event::Fault(Fault { at, access, who }));
    }

    /// A fault that no CPU took: the mapping may be there, or the arena gone.
    pub(crate) fn spurious(&mut self, at: Site, access: Access) -> Option<()> {
        let who = self.ticket();
        self.nobodys.push(who);
        self.deliver(Event::Fault(Fault { at, access, who }));
        Some(())
    }

    /// Policies that see every access hear of those that went through.
    fn tell_touched(&mut self) {
        while let Some((frame, access)) = self.side.touched.pop() {
            self.deliver(Event::Touched { frame, access });
        }
    }

    /// Every so often: is the page that was touched a shared one?
    fn sample(&mut self, at: Site) {
        self.until_sample = self.until_sample.checked_sub(1).unwrap_or(63);
        if self.until_sample == 0 {
            self.side.stats.sampled += 1;
            self.side.stats.shared += u64::from(self.is_shared(at));
        }
    }

    /// Looks at denials, and at resumes that are no CPU's: those of flushes, and of faults nobody took.
    pub(crate) fn settle(&mut self) {
        while let Some((pending, who, why)) = self.side.denied.pop() {
            self.side.judge(pending, who, why);
        }
        while let Some((who, outcome)) = self.side.resumed.pop() {
            if let Some(index) = self.flushing.iter().position(|flush| flush.who == who) {
                let flushing = self.flushing.swap_remove(index);
                self.flushed(&flushing, outcome);
            } else {
                let index = self.nobodys.iter().position(|ticket| *ticket == who);
                let index = index.unwrap_or_else(|| panic!("cpu: #{who} is resumed, but does not wait"));
                self.nobodys.swap_remove(index);
            }
        }
    }
}
