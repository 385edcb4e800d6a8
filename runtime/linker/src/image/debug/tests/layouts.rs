//! Goal: layouts say what the source says.

use super::{PROFILES, compile};
use crate::image::debug::{DebugFacts, DiscriminantValues, TypeKind, TypeLayout, is_numbered, is_transient};

fn only<'f>(facts: &'f DebugFacts, name: &str) -> &'f TypeLayout {
    let layouts = facts.types.get(name).unwrap_or_else(|| panic!("no type {name}"));
    assert_eq!(layouts.len(), 1, "{name}");
    layouts.first().unwrap()
}

fn fields(layout: &TypeLayout) -> Vec<(&str, &str, u64)> {
    layout.fields.iter().map(|field| (&*field.name, &*field.type_name, field.offset)).collect()
}

#[test]
fn structs_unions_and_arrays() {
    for profile in PROFILES {
        let facts = compile(profile).facts();
        let point = only(&facts, "awkward::Point");
        assert_eq!((point.size, point.alignment, &point.kind), (Some(16), Some(8), &TypeKind::Struct));
        let mut point = fields(point);
        point.sort();
        assert_eq!(point, [("tag", "u8", 10), ("x", "i16", 8), ("y", "i64", 0)]);
        let either = only(&facts, "awkward::Either");
        assert_eq!((either.size, &either.kind), (Some(8), &TypeKind::Union));
        assert_eq!(fields(either), [("whole", "u64", 0), ("halves", "[u32; 2]", 0)]);
        assert_eq!(fields(only(&facts, "awkward::Grid<3, 2>")), [("cells", "[[u8; 3]; 2]", 0)]);
        let cells = only(&facts, "[[u8; 3]; 2]");
        assert_eq!((cells.size, &cells.kind), (Some(6), &TypeKind::Array("[u8; 3]".into(), Some(2))));
        assert_eq!(only(&facts, "&mut awkward::Point").kind, TypeKind::Pointer(Some("awkward::Point".into())));
        assert_eq!(only(&facts, "&mut awkward::Point").size, Some(4));
        assert_eq!(only(&facts, "u32").size, Some(4));
        let local = only(&facts, "<awkward::Pair<_, _> as awkward::Base>::base::Local");
        assert_eq!(fields(local), [("seen", "u32", 0)]);
    }
}

#[test]
fn enums() {
    let facts = compile(PROFILES[0]).facts();
    let plain = only(&facts, "awkward::Plain");
    let values: Vec<_> = plain.variants.iter().map(|variant| (&*variant.name, &variant.values)).collect();
    let one = DiscriminantValues::One;
    assert_eq!(values, [("A", &one(3)), ("B", &one(7)), ("C", &one(-2))]);
    assert_eq!(plain.kind, TypeKind::Enumeration(Some("i8".into())));

    let niche = only(&facts, "awkward::Niche");
    let values: Vec<_> = niche.variants.iter().map(|variant| (&*variant.name, &variant.values)).collect();
    assert_eq!(values, [("Some", &DiscriminantValues::AllOthers), ("None", &one(0))]);
    assert_eq!(niche.discriminant.as_ref().map(|field| (&*field.type_name, field.offset)), Some(("u32", 0)));

    let nested = only(&facts, "awkward::Nested");
    assert_eq!((nested.size, nested.variants.len()), (Some(1), 3));

    let shape = only(&facts, "awkward::Shape");
    assert_eq!(shape.variants.len(), 4);
    let circle = shape.variants.iter().find(|variant| &*variant.name == "Circle").unwrap();
    let content = circle.content.as_ref().unwrap();
    assert_eq!(&*content.type_name, "awkward::Shape::Circle");
    assert_eq!(fields(only(&facts, &content.type_name))[0].0, "radius");

    let huge = only(&facts, "awkward::Huge");
    let large = huge.variants.iter().find(|variant| &*variant.name == "Large").unwrap();
    assert_eq!(large.values, one((u128::MAX - 5).cast_signed()));
    assert_eq!(huge.discriminant.as_ref().map(|field| &*field.type_name), Some("u128"));
}

#[test]
fn names_of_the_compilers_making_are_told_apart() {
    let facts = compile(PROFILES[0]).facts();
    let environments: Vec<_> = facts.types.keys().filter(|name| name.contains("awkward::run::{closure_env#")).collect();
    assert!(!environments.is_empty());
    assert!(facts.types.contains_key("awkward::waits::{async_fn_env#0}"));
    for name in facts.types.keys().filter(|name| name.contains("_env#")) {
        assert!(is_transient(name), "{name}");
    }
    for name in [
        "awkward::Point",
        "awkward::Pair<awkward::Point, awkward::Point>",
        "<awkward::Pair<_, _> as awkward::Base>::base::Local",
    ] {
        assert!(facts.types.contains_key(name), "{name}");
        assert!(!is_transient(name) && !is_numbered(name), "{name}");
    }
    assert!(!is_transient("a::{impl#3}::f::S") && is_numbered("a::{impl#3}::f::S"));
    assert!(is_transient("alloc::boxed::Box<a::{impl#3}::f::{closure_env#0}>"));
}
