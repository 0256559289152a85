//! How much processor time was used, by this process and by the whole machine.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// What the kernel counts processor time in.
const TICK: Duration = Duration::from_millis(10);

/// Processor time since the machine, or the process, began.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    /// By this process.
    pub(crate) here: Duration,
    /// By everything on the machine: this process, the servers that it has started, and the kernel for both.
    pub(crate) everywhere: Duration,
}

impl Used {
    /// Up to now.
    pub(crate) fn now() -> anyhow::Result<Self> {
        let process = fs::read_to_string("/proc/self/stat")?;
        // The name of the program, in parentheses, may have spaces.
        let process = process.rsplit(") ").next().context("a process without a state")?;
        let here = ticks(process.split(' ').skip(11).take(2));
        let machine = fs::read_to_string("/proc/stat")?;
        let machine = machine.lines().next().context("a machine without processors")?;
        // User, nice, system; idle and waiting for disks left out; interrupts.
        let times: Vec<_> = machine.split_whitespace().skip(1).collect();
        let busy = [0, 1, 2, 5, 6].into_iter().filter_map(|index| times.get(index).copied());
        Ok(Self { here: TICK * here, everywhere: TICK * ticks(busy) })
    }

    /// From an earlier time to this one.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            here: self.here.saturating_sub(earlier.here),
            everywhere: self.everywhere.saturating_sub(earlier.everywhere),
        }
    }
}

fn ticks<'a>(counts: impl Iterator<Item = &'a str>) -> u32 {
    counts.filter_map(|count| count.parse::<u32>().ok()).sum()
}
