//! A large mod that is compiled from cold again and again while players play: are ticks later meanwhile?
//!
//! It does nothing in the game. Its two versions differ in every function, and the server of such a soak keeps no compiled
//! functions, so each submission compiles all of them.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde::Serialize;
use tickswap::{Control, PreparedMod, SubmissionState};
use tickswap_abi::ModName;

use super::{
    CandidateError, Failure,
    candidates::{Workshop, hash, keep},
    phases::SWAP_WAIT_MAX,
    report::Distribution,
    statistics::Lateness,
};
use crate::{
    mods::{Listener, ModsFolder},
    room::TickSample,
};

/// The mod's name, and that of its folder.
pub(super) const LARGE_MOD: &str = "large";
/// Functions of the mod in a soak, some hundred bytes of WebAssembly each.
pub const LARGE_FUNCTIONS: usize = 6_000;

/// The two versions.
#[derive(Clone, Debug)]
pub struct LargeMod {
    versions: [Vec<u8>; 2],
}

/// What was measured while the large mod was compiled, beside the baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LargeCompiles {
    /// Times that all of it was read, compared, linked, compiled and swapped in.
    pub compiles: u64,
    /// Bytes of machine code of each, with its tables.
    pub code_bytes: u64,
    /// Milliseconds of compiling it.
    pub compile_ms: Distribution,
    /// Ticks meanwhile, all worlds together.
    pub ticks: u64,
    /// Those of them that started more than half a period after their time.
    pub ticks_late: u64,
    /// Ticks of the baseline.
    pub ticks_baseline: u64,
    /// Those of them that were late.
    pub ticks_late_baseline: u64,
    /// Microseconds that ticks began after their time meanwhile.
    pub delay_us: Distribution,
    /// The same of the baseline.
    pub delay_baseline_us: Distribution,
    /// Microseconds from a tick's start to its commit meanwhile.
    pub tick_us: Distribution,
    /// The same of the baseline.
    pub tick_baseline_us: Distribution,
}

impl LargeMod {
    /// Builds the versions, unless they are there. `base` is a mod of the same workspace, whose content stands for what all
    /// mods are built from.
    pub(super) fn build(
        mods: &ModsFolder,
        place: &Path,
        base: &[u8],
        functions: usize,
        listener: &Listener,
    ) -> Result<Self, CandidateError> {
        let build = |version: u64| -> Result<Vec<u8>, CandidateError> {
            let source = source(version, functions);
            let kept = place.join(format!("kept/{LARGE_MOD}-{:016x}.wasm", hash(&(hash(base), &source))));
            if let Ok(bytes) = fs::read(&kept) {
                return Ok(bytes);
            }
            listener(&format!("building version {version} of a large mod"));
            let workshop = Workshop::open(mods.path(), &place.join(LARGE_MOD))?;
            workshop.add(LARGE_MOD, &source)?;
            let bytes = workshop.build(LARGE_MOD)?;
            keep(&kept, &bytes)?;
            Ok(bytes)
        };
        Ok(Self { versions: [build(1)?, build(2)?] })
    }
}

/// Submits one version after the other for so long. The last one may take longer.
pub(super) fn compile(
    control: &Control,
    large: &LargeMod,
    length: Duration,
) -> Result<(Vec<PreparedMod>, Vec<Failure>), tickswap_abi::ModNameError> {
    let name = ModName::try_from(LARGE_MOD)?;
    let began = Instant::now();
    let (mut prepared, mut failures) = (Vec::new(), Vec::new());
    for version in large.versions.iter().cycle() {
        let ended = control.submit(vec![(name.clone(), version.clone())]).map(|id| control.wait(id, SWAP_WAIT_MAX));
        match ended {
            Ok(SubmissionState::Done { mods, .. }) => prepared.extend(mods),
            Ok(state) => failures.push(Failure::new(format!("the large mod: {state}"))),
            Err(error) => failures.push(Failure::new(format!("the large mod: {error}"))),
        }
        if !failures.is_empty() || began.elapsed() >= length {
            break;
        }
    }
    Ok((prepared, failures))
}

/// Sets what was meanwhile beside the baseline.
pub(super) fn measured(prepared: &[PreparedMod], baseline: &[TickSample], meanwhile: &[TickSample]) -> LargeCompiles {
    let (late, late_baseline) = (Lateness::of(meanwhile), Lateness::of(baseline));
    let delay = |samples: &[TickSample]| Distribution::of(samples.iter().map(|sample| sample.delay_ns), 1e3);
    let duration = |samples: &[TickSample]| Distribution::of(samples.iter().map(|sample| sample.duration_ns), 1e3);
    LargeCompiles {
        compiles: prepared.len() as u64,
        code_bytes: prepared.last().map(|prepared| prepared.code.code_bytes).unwrap_or_default(),
        compile_ms: Distribution::of(prepared.iter().map(|prepared| prepared.compile_ns), 1e6),
        ticks: late.ticks,
        ticks_late: late.late,
        ticks_baseline: late_baseline.ticks,
        ticks_late_baseline: late_baseline.late,
        delay_us: delay(meanwhile),
        delay_baseline_us: delay(baseline),
        tick_us: duration(meanwhile),
        tick_baseline_us: duration(baseline),
    }
}

/// The mod's source. Every function holds the version, so none of one version is one of the other.
fn source(version: u64, functions: usize) -> String {
    let table: Vec<String> = (0..functions).map(|number| format!("work::<{number}>")).collect();
    let table = table.join(", ");
    format!(
        r#"//! Written by the soak.

use arena_api::*;

#[inline(never)]
fn work<const N: u64>(mut value: u64) -> u64 {{
    for round in 0..value % 17 {{
        value = match (value ^ N) % 7 {{
            0 => value.rotate_left(5) ^ round,
            1 => value.wrapping_mul(N | {version}),
            2 => value.wrapping_add(N * 31 + {version}),
            3 => value / (N + 3) + round,
            4 => (value as f64).sqrt() as u64 ^ N,
            5 => value.leading_zeros() as u64 + N,
            _ => value ^ value >> {version},
        }};
    }}
    value
}}

static TABLE: [fn(u64) -> u64; {functions}] = [{table}];

#[derive(Default)]
struct Large {{
    sum: u64,
}}

#[tickswap_sdk::module]
impl ArenaHooks for Large {{
    fn joined(&mut self, player: PlayerId, _name: String) {{
        let number = u64::from(player.0);
        // Any of them may be meant, so all are kept.
        self.sum ^= TABLE[number as usize % TABLE.len()](number);
    }}

    fn left(&mut self, player: PlayerId) {{
        self.sum ^= u64::from(player.0);
    }}
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_meanwhile_stand_beside_those_of_the_baseline() {
        let tick = |is_late, delay_ns, duration_ns| TickSample { phase: 0, is_late, delay_ns, duration_ns, flip: None };
        let baseline = [tick(false, 1_000, 500_000); 3];
        let meanwhile = [tick(false, 2_000, 600_000), tick(true, 9_000_000, 700_000)];
        let measured = measured(&[], &baseline, &meanwhile);
        assert_eq!((measured.ticks, measured.ticks_late), (2, 1));
        assert_eq!((measured.ticks_baseline, measured.ticks_late_baseline), (3, 0));
        assert_eq!((measured.delay_us.max, measured.delay_baseline_us.max), (9_000.0, 1.0));
        assert_eq!((measured.tick_us.max, measured.tick_baseline_us.max), (700.0, 500.0));
    }

    #[test]
    fn versions_differ() {
        assert_ne!(source(1, 10), source(2, 10));
    }
}
