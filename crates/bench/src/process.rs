//! What this process has used of the machine.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How long all of its threads have computed.
pub(crate) fn cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// The most memory that it ever had at once, in MiB. 0 where the system does not say.
pub(crate) fn peak_rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_computes_uses_time_and_memory() {
        let before = cpu();
        let numbers: Vec<u64> = (0..1_000_000).collect();
        assert_eq!(std::hint::black_box(numbers).len(), 1_000_000);
        assert!(cpu() > before);
        if cfg!(target_os = "linux") {
            assert!((4.0..100_000.0).contains(&peak_rss_mb()), "{}", peak_rss_mb());
        }
    }
}
