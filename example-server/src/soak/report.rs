//! The numbers of a soak, as one JSON object or as a table.

use std::fmt;

use serde::Serialize;

use super::{large::LargeCompiles, statistics::percentile};

/// What a soak measured. Phases: warm up, baseline (no swaps), swaps, drain.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Players.
    pub players: usize,
    /// Worlds.
    pub worlds: usize,
    /// Ticks of baseline and swap phase, all worlds together.
    pub ticks: u64,
    /// Those of them that started more than half a period after their time.
    pub ticks_late: u64,
    /// Ticks within five ticks of a flip.
    pub ticks_near_swaps: u64,
    /// Those of them that were late.
    pub ticks_late_near_swaps: u64,
    /// Ticks of the baseline at the same distances from its start as those near swaps have from theirs.
    pub ticks_baseline: u64,
    /// Those of them that were late.
    pub ticks_late_baseline: u64,
    /// Ticks that were skipped after stalls.
    pub ticks_skipped: u64,
    /// Times that other code became active in all worlds.
    pub swaps: u64,
    /// Boundaries at which new code became active, all worlds together.
    pub flips: u64,
    /// Candidates that were read, compared, linked and compiled.
    pub generations_linked: u64,
    /// Times that a mod faulted, all worlds together.
    pub faults: u64,
    /// Times that a world took a generation back by itself, all worlds together.
    pub rollbacks: u64,
    /// Inputs that bots sent.
    pub inputs_sent: u64,
    /// Inputs that the rules applied.
    pub inputs_applied: u64,
    /// Bots whose connection ended before the soak did.
    pub disconnects: u64,
    /// Microseconds that a boundary took when it flipped, from entering it to the first hook.
    pub pause_us: Distribution,
    /// Microseconds that a world spent on staging, per flip.
    pub stage_us: Distribution,
    /// Microseconds from a tick's start to its commit.
    pub tick_us: Distribution,
    /// The same, of the ticks at whose boundary new code became active.
    pub tick_at_flip_us: Distribution,
    /// Milliseconds from reading a candidate to compiled code.
    pub prepare_ms: Distribution,
    /// Milliseconds of compiling a candidate.
    pub compile_ms: Distribution,
    /// How late ticks were while a large mod was compiled, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub large_compiles: Option<LargeCompiles>,
    /// Bytes of heap of the rules of all worlds, at the end.
    pub state_bytes: u64,
    /// Resident set of the process, bots included, at the end.
    pub resident_bytes: u64,
}

/// A distribution in three numbers, each a value that occurred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Distribution {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest value.
    pub max: f64,
}

impl Distribution {
    /// Of nanoseconds, in units of so many nanoseconds.
    pub(super) fn of(nanos: impl IntoIterator<Item = u64>, unit_ns: f64) -> Self {
        let mut values: Vec<f64> = nanos.into_iter().map(|nanos| nanos as f64 / unit_ns).collect();
        let rounded = |value: f64| (value * 100.0).round() / 100.0;
        Self {
            p50: rounded(percentile(&mut values, 0.5)),
            p99: rounded(percentile(&mut values, 0.99)),
            max: rounded(percentile(&mut values, 1.0)),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let near = (self.ticks_late_near_swaps, self.ticks_near_swaps);
        let baseline = (self.ticks_late_baseline, self.ticks_baseline);
        writeln!(formatter, "players               {} in {} worlds", self.players, self.worlds)?;
        writeln!(
            formatter,
            "ticks                 {}, {} late, {} skipped",
            self.ticks, self.ticks_late, self.ticks_skipped
        )?;
        writeln!(formatter, "  near swaps          {} of {} late", near.0, near.1)?;
        writeln!(formatter, "  baseline            {} of {} late", baseline.0, baseline.1)?;
        writeln!(
            formatter,
            "swaps                 {}, {} flips, {} generations linked",
            self.swaps, self.flips, self.generations_linked
        )?;
        writeln!(formatter, "faults                {}, {} taken back by worlds", self.faults, self.rollbacks)?;
        writeln!(formatter, "inputs                {} sent, {} applied", self.inputs_sent, self.inputs_applied)?;
        writeln!(formatter, "disconnects           {}", self.disconnects)?;
        writeln!(formatter, "                      {:>12} {:>12} {:>12}", "p50", "p99", "max")?;
        for (name, distribution) in [
            ("pause, us", self.pause_us),
            ("stage, us", self.stage_us),
            ("tick, us", self.tick_us),
            ("tick at flip, us", self.tick_at_flip_us),
            ("prepare, ms", self.prepare_ms),
            ("compile, ms", self.compile_ms),
        ] {
            let Distribution { p50, p99, max } = distribution;
            writeln!(formatter, "{name:<21} {p50:>12.2} {p99:>12.2} {max:>12.2}")?;
        }
        let mib = |bytes: u64| bytes >> 20;
        if let Some(large) = &self.large_compiles {
            writeln!(formatter, "a large mod compiled  {} times, {} MiB", large.compiles, mib(large.code_bytes))?;
            writeln!(formatter, "  meanwhile           {} of {} ticks late", large.ticks_late, large.ticks)?;
            writeln!(
                formatter,
                "  baseline            {} of {} late",
                large.ticks_late_baseline, large.ticks_baseline
            )?;
            for (name, distribution) in [
                ("  compile, ms", large.compile_ms),
                ("  delay, us", large.delay_us),
                ("    baseline, us", large.delay_baseline_us),
                ("  tick, us", large.tick_us),
                ("    baseline, us", large.tick_baseline_us),
            ] {
                let Distribution { p50, p99, max } = distribution;
                writeln!(formatter, "{name:<21} {p50:>12.2} {p99:>12.2} {max:>12.2}")?;
            }
        }
        write!(
            formatter,
            "state                 {} MiB, resident {} MiB",
            mib(self.state_bytes),
            mib(self.resident_bytes)
        )
    }
}

/// Bytes of this process that lie in physical memory; 0 where the system does not say.
pub(super) fn resident_bytes() -> u64 {
    // proc(5): `VmRSS:   1234 kB`.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_object_has_the_documented_keys() {
        let json = serde_json::to_value(Report::default()).unwrap();
        for key in [
            "ticks",
            "ticks_late",
            "ticks_late_near_swaps",
            "ticks_late_baseline",
            "swaps",
            "generations_linked",
            "faults",
            "rollbacks",
            "inputs_sent",
            "inputs_applied",
            "disconnects",
            "pause_us",
            "stage_us",
            "tick_us",
            "compile_ms",
            "state_bytes",
            "resident_bytes",
        ] {
            assert!(json.get(key).is_some(), "{key}");
        }
        for key in ["p50", "p99", "max"] {
            assert!(json["pause_us"].get(key).is_some(), "{key}");
        }
    }

    #[test]
    fn nanoseconds_become_the_unit() {
        let distribution = Distribution::of([1_000, 2_000, 30_000], 1000.0);
        assert_eq!(distribution, Distribution { p50: 2.0, p99: 30.0, max: 30.0 });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_resident_set_is_known() {
        assert!(resident_bytes() > 1 << 20);
    }
}
