//! Generates symbols from the v0 grammar in pairs: as a compiler would write them, and with all that identities drop
//! taken out. Names and numbers come from small sets, so that different symbols are close to each other.

use proptest::prelude::*;

/// A piece of a symbol, and the same with all that identities drop taken out.
pub(super) type Pair = (String, String);

fn join(parts: &[&Pair]) -> Pair {
    (parts.iter().map(|pair| pair.0.as_str()).collect(), parts.iter().map(|pair| pair.1.as_str()).collect())
}

fn same(text: impl Into<String>) -> Pair {
    let text = text.into();
    (text.clone(), text)
}

fn identifier() -> impl Strategy<Value = Pair> {
    prop::sample::select(vec!["1a", "1b", "2u8", "3dyn", "1__", "1c", "u8gdel_5qa"]).prop_map(same)
}

fn disambiguator() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "", "s_", "s0_"])
}

fn many(one: impl Strategy<Value = Pair>) -> impl Strategy<Value = Pair> {
    prop::collection::vec(one, 0..3).prop_map(|all| join(&all.iter().collect::<Vec<_>>()))
}

pub(super) fn path() -> BoxedStrategy<Pair> {
    grammar().0
}

/// Paths and types of some depth; constants within.
fn grammar() -> (BoxedStrategy<Pair>, BoxedStrategy<Pair>) {
    let mut path = (disambiguator(), identifier())
        .prop_map(|(hash, name)| (format!("C{hash}{}", name.0), format!("C{}", name.1)))
        .boxed();
    let mut kind = prop::sample::select(vec!["h", "u", "p", "e"]).prop_map(same).boxed();
    for _ in 0..4 {
        let constant = prop_oneof![
            prop::sample::select(vec![
                "p", "j3_", "j03_", "a3_", "an3_", "e61_", "Re61_", "AE", "TE", "Tj3_E", "c61_", "b1_"
            ])
            .prop_map(same),
            (path.clone(), prop::sample::select(vec!["U", "TE", "SE", "S1aj3_E", "Ss_1aj3_E"]))
                .prop_map(|(path, fields)| { join(&[&same("V"), &path, &same(fields)]) }),
        ]
        .boxed();
        let argument = prop_oneof![
            kind.clone(),
            constant.clone().prop_map(|constant| join(&[&same("K"), &constant])),
            prop::sample::select(vec!["L_", "L0_"]).prop_map(same),
        ]
        .boxed();
        let bound = (path.clone(), prop::option::of((identifier(), kind.clone()))).prop_map(|(path, associated)| {
            match associated {
                Some((name, value)) if !name.0.starts_with('u') => join(&[&path, &same("p"), &name, &value]),
                _ => path,
            }
        });
        let next_path = prop_oneof![
            (prop::sample::select(vec!["t", "v", "C", "S", "k"]), path.clone(), disambiguator(), identifier())
                .prop_map(|(space, path, number, name)| join(&[
                    &same(format!("N{space}")),
                    &path,
                    &same(number),
                    &name
                ])),
            (disambiguator(), path.clone(), kind.clone())
                .prop_map(|(number, path, kind)| (format!("M{number}{}{}", path.0, kind.0), format!("M{}", kind.1))),
            (disambiguator(), path.clone(), kind.clone(), path.clone()).prop_map(|(number, path, kind, of)| (
                format!("X{number}{}{}{}", path.0, kind.0, of.0),
                format!("Y{}{}", kind.1, of.1)
            )),
            (kind.clone(), path.clone()).prop_map(|(kind, of)| join(&[&same("Y"), &kind, &of])),
            (path.clone(), many(argument)).prop_map(|(path, list)| join(&[&same("I"), &path, &list, &same("E")])),
        ]
        .boxed();
        let next_kind = prop_oneof![
            path.clone(),
            (kind.clone(), constant.clone()).prop_map(|(kind, count)| join(&[&same("A"), &kind, &count])),
            (prop::sample::select(vec!["S", "R", "Q", "RL_", "QL0_", "P", "O"]), kind.clone())
                .prop_map(|(tag, kind)| join(&[&same(tag), &kind])),
            many(kind.clone()).prop_map(|list| join(&[&same("T"), &list, &same("E")])),
            (
                prop::sample::select(vec!["F", "FU", "FKC", "FK1C", "FG_", "FG0_UK6system"]),
                many(kind.clone()),
                kind.clone()
            )
                .prop_map(|(tag, list, result)| join(&[&same(tag), &list, &same("E"), &result])),
            (prop::sample::select(vec!["D", "DG_"]), many(bound), prop::sample::select(vec!["EL_", "EL0_"]))
                .prop_map(|(tag, list, end)| join(&[&same(tag), &list, &same(end)])),
            (kind.clone(), constant.clone(), constant)
                .prop_map(|(kind, first, last)| { join(&[&same("W"), &kind, &same("R"), &first, &last]) }),
        ]
        .boxed();
        path = prop_oneof![path, next_path].boxed();
        kind = prop_oneof![kind, next_kind].boxed();
    }
    (path, kind)
}
