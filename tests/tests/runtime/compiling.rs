//! What a patch compiles: what changed, and little else. Counted, not timed.

use probe_api::probe_hooks::Caller;
use tickswap_tests::fixtures::edited;

use crate::server::{Server, probe, tick};

#[test]
fn a_new_signature_does_not_compile_what_did_not_change() {
    let server = Server::of_probe();
    let mut world = server.world("w");
    let remembered = |world: &mut _| tick(world, |tick| tick.probe().of("probe").recall());
    tick(&mut world, |tick| tick.probe().remember(3, "three"));
    let body = server.patch(&mut world, &[("probe", probe(2))]).remove(0).code;
    // A closure of a signature that the probe does not have, called through a pointer.
    let with_signature = edited(
        "probe",
        &[
            ("VERSION: u32 = 1;", "VERSION: u32 = 2;"),
            (
                "a.wrapping_add(u64::from(b))",
                "{ let f: fn(u64, u8, f32, f64) -> f64 = std::hint::black_box(|a, b, c, d| a as f64 + f64::from(b) * f64::from(c) + d);
                f(a, b as u8, 0.5, 2.0) as u64 }",
            ),
        ],
    );
    let before = remembered(&mut world);
    let signature = server.patch(&mut world, &[("probe", with_signature)]).remove(0).code;
    assert_eq!(tick(&mut world, |tick| tick.probe().of("probe").add(40, 8)), 46);
    // Trait objects and closures in live state are called through the types whose places others were given in the file.
    let after = remembered(&mut world);
    assert_eq!((before.shape_sum, before.map_sum, before.log), (after.shape_sum, after.map_sum, after.log));
    let functions = body.functions_found + body.functions_compiled;
    assert!(functions > 200, "{body:?}");
    assert!(signature.functions_compiled < functions / 5, "{signature:?} after {body:?}");
}
