//! A linked module's function types stand in the order in which residents have them: a new signature moves none of them.

use tickswap_linker::{GenerationId, Residents, compare, image, link, verify};
use tickswap_tests::fixtures::{build, edited};
use wasmparser::{CompositeInnerType, FuncType, Parser, Payload};

/// Links over what runs, and makes it run.
fn link(residents: &mut Residents, running: &mut Option<GenerationId>, bytes: &[u8]) -> Vec<FuncType> {
    let comparison = compare::compare(residents, *running, image::read(bytes).unwrap());
    let linked = link::place(residents, verify::judge(comparison).permit().unwrap()).unwrap();
    *running = Some(linked.generation);
    wasmparser::validate(&linked.module).unwrap();
    types(&linked.module)
}

fn types(module: &[u8]) -> Vec<FuncType> {
    let mut types = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::TypeSection(section) = payload.unwrap() {
            for ty in section.into_iter().flat_map(|group| group.unwrap().into_types()) {
                match ty.composite_type.inner {
                    CompositeInnerType::Func(function) => types.push(function),
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    types
}

/// The probe with a function of a signature that it does not have yet, and that is called early in the file.
fn with_a_new_signature() -> Vec<u8> {
    let body = "a.wrapping_add(u64::from(b))";
    edited(
        "probe",
        &[
            (body, "mixed(b as u8, a as f32, 0.5, a, 1.5, b).to_bits()"),
            (
                "trait Shape {",
                "#[inline(never)]
                fn mixed(a: u8, b: f32, c: f64, d: u64, e: f32, f: u32) -> f64 {
                    std::hint::black_box(f64::from(a) + f64::from(b) * c + d as f64 - f64::from(e) * f64::from(f))
                }
                trait Shape {",
            ),
        ],
    )
}

#[test]
fn types_of_residents_come_first_whatever_a_file_adds_or_drops() {
    let (first, second) = (build("probe"), with_a_new_signature());
    let own = types(&second);
    assert!(own.len() > types(&first).len(), "the edit adds a signature");
    assert_ne!(own[..types(&first).len()], types(&first)[..], "and a compiler's order moves others");

    let (mut residents, mut running) = (Residents::new(), None);
    let before = link(&mut residents, &mut running, &first);
    let after = link(&mut residents, &mut running, &second);
    assert!(after.starts_with(&before) && after.len() > before.len());
    // Going back to the first file drops a signature, and moves nothing either.
    assert_eq!(link(&mut residents, &mut running, &first), after);
}
