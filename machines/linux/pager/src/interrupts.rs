//! How many interrupts of devices each CPU has taken.
//!
//! Source: proc_interrupts(5); the kernel's Documentation/filesystems/proc.rst: a column for each CPU that is online, a row
//! for each interrupt. Those of devices have numbers; the others (timers, calls from CPU to CPU) have names.

use std::collections::BTreeMap;

/// By the CPU's number.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Taken(BTreeMap<usize, u64>);

impl Taken {
    /// Up to now; none, where they are not told.
    pub(crate) fn now() -> Self {
        Self::parse(&std::fs::read_to_string("/proc/interrupts").unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let cpu = |name: &str| name.strip_prefix("CPU")?.parse().ok();
        let cpus: Vec<usize> = lines.next().unwrap_or_default().split_whitespace().filter_map(cpu).collect();
        let mut taken = BTreeMap::new();
        for line in lines {
            let Some((name, counts)) = line.split_once(':') else { continue };
            if name.trim().parse::<u32>().is_err() {
                continue;
            }
            for (&cpu, count) in cpus.iter().zip(counts.split_whitespace()) {
                *taken.entry(cpu).or_default() += count.parse::<u64>().unwrap_or(0);
            }
        }
        Taken(taken)
    }

    /// The CPU that has taken at least half of those since `before`, if there are about `wanted` of them: many more are of
    /// other devices.
    pub(crate) fn mostly_by(&self, before: &Taken, wanted: u64) -> Option<usize> {
        let since =
            |(&cpu, count): (&usize, &u64)| (count - before.0.get(&cpu).unwrap_or(&0).min(count), cpu);
        let (most, cpu) = self.0.iter().map(since).max()?;
        let all: u64 = self.0.iter().map(since).map(|(count, _)| count).sum();
        ((wanted / 2..=wanted * 3).contains(&all) && most * 2 >= all).then_some(cpu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "           CPU0       CPU2
  1:          5          7 IO-APIC   1-edge      i8042
 36:          0    5263015 PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0
LOC:   77777777   88888888 Local timer interrupts
ERR:          3
";

    #[test]
    fn devices_count_and_nothing_else() {
        assert_eq!(Taken::parse(TEXT), Taken([(0, 5), (2, 5_263_022)].into()));
        assert_eq!(Taken::parse(""), Taken::default());
        assert_eq!(Taken::parse("nothing of the kind"), Taken::default());
    }

    #[test]
    fn the_cpu_that_took_most_is_known_from_enough_of_them() {
        let before = Taken::parse(TEXT);
        let after = |first: u64, second: u64| Taken([(0, 5 + first), (2, 5_263_022 + second)].into());
        assert_eq!(after(1, 9).mostly_by(&before, 16), Some(2));
        assert_eq!(after(9, 1).mostly_by(&before, 16), Some(0));
        assert_eq!(after(1, 2).mostly_by(&before, 16), None);
        assert_eq!(after(16, 900).mostly_by(&before, 16), None, "another device is busy");
        assert_eq!(Taken::default().mostly_by(&before, 16), None);
    }
}
