//! From facts to findings: the code of every difference, what follows from it and what to do. Policy, in one place.

use super::{Code, Finding};
use crate::compare::{Cause, Difference, Reliance, TypeChange};
use crate::image::name_table::without_tags;
use std::collections::HashSet;

/// What to do about anything that needs state to be carried over.
const MIGRATE: &str =
    "To migrate: persist the mod's state and ask for review, or restart the worlds with the new version.";
const APPROVE: &str = "have it approved";
const RECIPE: &str =
    "To do: build the mod with `cargo tickswap build`, and put the SDK's `#[tickswap_sdk::module]` on its hooks.";

/// The finding that a difference is, with names as people write them.
pub(super) fn of(difference: &Difference) -> Finding {
    let mut finding = exempt(difference).or_else(|| review(difference)).unwrap_or_else(|| worse(difference));
    if let Some(Cause::InlinedFrom(names) | Cause::Holds(names)) = &mut finding.mark {
        names.iter_mut().for_each(|name| *name = readable(name));
    }
    for text in std::iter::once(&mut finding.item).chain(&mut finding.details) {
        *text = readable(text);
    }
    finding
}

/// What the standard library's macro puts between the name of a thread local and its static, with each of its forms.
const THREAD_LOCAL: [&str; 3] = [
    "::{constant#0}::{closure#0}.__RUST_STD_INTERNAL_VAL",
    "::{constant#0}::{closure#1}.__RUST_STD_INTERNAL_VAL",
    "::{closure#0}.__RUST_STD_INTERNAL_VAL",
];

/// Names without the tags by which numbered items are known here, with `::` before functions too, which identities write
/// as `.` because a function and a module may share a name.
fn readable(text: &str) -> String {
    let plain = without_tags(text);
    let plain = THREAD_LOCAL.iter().fold(plain.into_owned(), |plain, part| plain.replace(part, ""));
    let mut readable = String::with_capacity(plain.len());
    let mut characters = plain.chars().peekable();
    while let Some(character) = characters.next() {
        let starts_name = characters.peek().is_some_and(|next| next.is_alphabetic() || *next == '_');
        let ends_name = readable.ends_with(|last: char| last.is_alphanumeric() || matches!(last, '_' | '>' | '}'));
        match character {
            '.' if starts_name && ends_name => readable.push_str("::"),
            other => readable.push(other),
        }
    }
    readable
}

fn exempt(difference: &Difference) -> Option<Finding> {
    use Difference as D;
    Some(match difference {
        D::FunctionChanged { item, at, cause } => Finding::new(Code::B1, item).at(at.clone()).mark(cause.clone()),
        D::FunctionAdded { item, at, cause } => Finding::new(Code::B2, item).at(at.clone()).mark(cause.clone()),
        D::FunctionRemoved { item, at, cause } => Finding::new(Code::B3, item).at(at.clone()).mark(cause.clone()),
        D::ReadOnlyDataChanged { item } => Finding::new(Code::B4, item),
        D::DescriptionChanged { item, is_own: false } => Finding::new(Code::B4, format!("section {item}")),
        D::TypeAdded { item, cause } => Finding::new(Code::B5, item).mark(cause.clone()),
        D::NumberedItemsUnmatched { item, count } => {
            Finding::new(Code::B6, item).change(format!("{count} cannot be matched"))
        }
        D::PositionsMoved { item, at } => Finding::new(Code::B7, item).at(at.clone()),
        D::StandardStaticAdded { item, size } => Finding::new(Code::B8, item).change(format!("{size} bytes")),
        D::CallSiteAdded { item, at } => Finding::new(Code::B9, item).at(at.clone()),
        _ => return None,
    })
}

fn review(difference: &Difference) -> Option<Finding> {
    use Difference as D;
    let todo = |otherwise: &str| format!("To do: {APPROVE}, or {otherwise}.");
    Some(match difference {
        D::HookAdded { item, is } | D::ExportAdded { item, is } => Finding::new(Code::R1, item)
            .detail(format!("+ {is}"))
            .consequence("the server calls it from now on.")
            .remedy(todo("keep the hook out")),
        D::ImportAdded { item, is } => Finding::new(Code::R2, item)
            .detail(format!("+ {is}"))
            .consequence("the mod reaches something of the server that it did not use before.")
            .remedy(todo("keep the call out")),
        D::StaticAdded { item, at, type_name, size } => Finding::new(Code::R3, item)
            .at(at.clone())
            .change(format!("is new: {type_name}, {size} bytes"))
            .consequence("worlds that run get it with its initial value.")
            .remedy(todo("keep the static out")),
        D::StaticInitialValueChanged { item, at } => Finding::new(Code::R4, item)
            .at(at.clone())
            .consequence("worlds that run keep the live value; new ones start with the new initial value.")
            .remedy(todo("keep the initial value; to change the live value, assign it in a function")),
        D::ReliedOnChanged { item, at, reason } => relied_on(item, reason).at(at.clone()),
        D::CrateIdentityChanged { item, uses_type_ids: false, in_state: false, was, is } => {
            Finding::new(Code::R6, item)
                .detail(format!("- {}", was.join(", ")))
                .detail(format!("+ {}", is.join(", ")))
                .consequence("its version, features or build differ. Live state is not seen to hold anything of it.")
                .remedy(todo("keep the dependency's version and features"))
        }
        D::SignatureChanged { item, at, was, is } => Finding::new(Code::R7, item)
            .at(at.clone())
            .detail(format!("- {was}"))
            .detail(format!("+ {is}"))
            .consequence("pointers to it in live state keep the old body.")
            .remedy(todo("give the new function another name")),
        D::CoroutineChanged { item, at } => Finding::new(Code::R8, item)
            .at(at.clone())
            .consequence("one that is suspended now goes on in its old body.")
            .remedy(todo("leave the coroutine as it was")),
        _ => return None,
    })
}

fn relied_on(item: &str, reason: &Reliance) -> Finding {
    let finding = Finding::new(Code::R5, item)
        .consequence("entries of maps and sets are found, or sorted, by what it did when they were put in.")
        .remedy(format!(
            "To do: {APPROVE} if no live data depends on it, or leave hashing and comparing as they were."
        ));
    let list =
        |finding: Finding, names: &[String]| names.iter().fold(finding, |all, name| all.detail(format!("in {name}")));
    match reason {
        Reliance::Changed => finding,
        Reliance::Unproved(holders) => {
            list(finding.summary("body that live data relies on cannot be proved unchanged"), holders)
        }
        Reliance::Hasher(functions) => list(
            finding
                .summary("hasher that live data relies on cannot be proved unchanged")
                .consequence("entries of maps and sets are found by the hashes that it gave when they were put in."),
            functions,
        ),
        Reliance::Through(functions) => {
            list(finding.summary("body that live data relies on calls something that changed"), functions)
        }
    }
}

#[allow(clippy::too_many_lines, reason = "one arm per difference")]
fn worse(difference: &Difference) -> Finding {
    use Difference as D;
    let keep = |what: &str| format!("To patch without review: leave {what} unchanged. {MIGRATE}");
    let both = |finding: Finding, was: &str, is: &str| finding.detail(format!("- {was}")).detail(format!("+ {is}"));
    match difference {
        D::TypeChanged { item, change, was, is, lines, holds, near } => {
            type_changed(item, *change, (was, is), lines, holds, near.as_ref())
        }
        D::EnvironmentHeld { item, environment } => Finding::new(Code::M1, item)
            .summary("closure or coroutine in live state changed, and is not run by its own name")
            .detail(format!("in it: {environment}"))
            .consequence("what is suspended in live state would go on in the new code, over the captures of the old.")
            .remedy(keep("the closure or coroutine")),
        D::StaticChanged { item, at, was, is } => both(Finding::new(Code::M3, item).at(at.clone()), was, is)
            .consequence("its live value would be misread.")
            .remedy(keep("the static")),
        D::StaticUnmatched { item, at } => Finding::new(Code::M4, item)
            .at(at.clone())
            .summary("several statics have this name, and nothing proves which is which")
            .consequence("what is around them changed, and order alone tells them apart: a live value would be lost, or taken for another's.")
            .remedy(format!("To patch without review: leave the code around them unchanged. For the next time: give each static a name of its own. {MIGRATE}")),
        D::StaticRemoved { item } => Finding::new(Code::M4, item)
            .change("is gone")
            .consequence("its live value would be lost.")
            .remedy(keep("the static")),
        D::ToolchainChanged { was, is } => {
            let (old, new) = (difference_of(was, is), difference_of(is, was));
            let finding = Finding::new(Code::M5, "the toolchain");
            let finding = old.iter().fold(finding, |all, line| all.detail(format!("- {line}")));
            let finding = new.iter().fold(finding, |all, line| all.detail(format!("+ {line}")));
            finding
                .consequence("layouts, calling conventions and the standard library's statics may be others.")
                .remedy(format!("To do: build with `cargo tickswap build`, which fixes the options, and the compiler of the version that runs. {MIGRATE}"))
        }
        D::StackGrown { was, is } => Finding::new(Code::M5, "the stack")
            .change(format!("{was} -> {is} bytes"))
            .consequence("all generations share the stack that the first one was linked for.")
            .remedy(format!("To do: build with `cargo tickswap build`, which fixes the stack's size. {MIGRATE}")),
        D::VtableChanged { item, was, is } => both(Finding::new(Code::M6, item), was, is)
            .consequence("live objects keep the vtable they were made with, and would be called wrongly.")
            .remedy(keep("the trait's methods and the type's `Drop`")),
        D::TraitShapeUnknown { item } => Finding::new(Code::M6, item)
            .summary("no vtable shows that the trait kept its methods")
            .consequence("live objects of the trait may be called wrongly.")
            .remedy(format!("To do: keep a type that is made into an object of the trait. {MIGRATE}")),
        D::DropChanged { item, at, is_added } => Finding::new(Code::M6, item)
            .at(at.clone())
            .summary(if *is_added { "`Drop` added to a live type, or first used" } else { "`Drop` removed from a live type, or no longer used" })
            .consequence("live values were made, and are dropped by old code, without regard to it.")
            .remedy(keep("the type's `Drop`")),
        D::CrateIdentityChanged { item, uses_type_ids, was, is, .. } => {
            let finding = both(Finding::new(Code::M7, format!("crate {item}")), &was.join(", "), &is.join(", "));
            let finding = finding.remedy(keep("the dependency's version and features"));
            if *uses_type_ids {
                finding.consequence(
                    "the mod uses `TypeId`; those of the crate's types differ, and state keyed by them is not found again.",
                )
            } else {
                finding
                    .summary("type identities changed of a crate that live state holds something of")
                    .consequence("without debug information of the crate nothing proves that it is laid out, and called, as before.")
            }
        }
        D::TypeIdentityGone { item } => Finding::new(Code::M7, item)
            .summary("type that live state is found by is gone")
            .consequence("objects of `dyn Any` were made of it; what live state holds of them is not found again under another type.")
            .remedy(keep("the type's name and module")),
        D::TypeIdentityReused { item } => Finding::new(Code::M7, item)
            .summary("`TypeId` of one type may now belong to another")
            .consequence("state that is keyed by the identity would be taken for the other type's.")
            .remedy(keep("the order of closures and of types of one name")),
        D::AllocatorChanged { was, is } => both(Finding::new(Code::M8, "the global allocator"), was, is)
            .consequence("memory that one allocated would be freed by the other, which corrupts the heap.")
            .remedy(keep("the allocator")),
        D::HookRemoved { item, was } | D::ExportRemoved { item, was } => Finding::new(Code::X1, item)
            .detail(format!("- {was}"))
            .consequence("the server calls it.")
            .remedy("To do: keep the hook; it may do nothing."),
        D::HookChanged { item, was, is } | D::ExportChanged { item, was, is } => {
            both(Finding::new(Code::X2, item), was, is)
                .consequence("the server would call it with the wrong arguments.")
                .remedy("To do: keep the hook's signature; add another hook to the contract instead.")
        }
        D::HostFunctionChanged { item, was, is } => both(Finding::new(Code::X3, item), was, is)
            .summary("built against another version of a host function")
            .consequence("server and mod would read each other's arguments wrongly.")
            .remedy("To do: build against the contract crate of the server that runs."),
        D::DescriptionChanged { item, .. } => Finding::new(Code::X3, format!("section {item}"))
            .summary("what the mod says of itself changed")
            .consequence("it cannot be read, so what the server relies on cannot be compared.")
            .remedy(RECIPE),
        D::ImportUndeclared { item, is } => Finding::new(Code::X4, item)
            .detail(format!("+ {is}"))
            .consequence("the mod's own contract does not name it, so no server of that contract offers it.")
            .remedy("To do: call the server through the contract's host traits only."),
        D::StaticUnproved { item, at, why } => Finding::new(Code::X9, item)
            .at(at.clone())
            .summary("static cannot be proved to be the live one of this name")
            .detail(why.clone())
            .consequence("new code would read or write other live state.")
            .remedy("To do: give each mutable static a name of its own in its scope, and build with `cargo tickswap build`."),
        D::FunctionAmbiguous { item } => Finding::new(Code::X9, item)
            .summary("several functions have this name, and live pointers to them")
            .consequence("a live pointer to one could be led to another.")
            .remedy("To do: give them names of their own; Rust functions without `no_mangle` have."),
        D::LimitReached { what, limit_name, limit } => Finding::new(Code::X8, what.clone())
            .summary("beyond a limit")
            .detail(format!("expected at most {limit} (limit {limit_name}), found more while comparing with the residents"))
            .consequence("what differs is not known in full, so nothing is proved.")
            .remedy("To do: build the mod with `cargo tickswap build`; if it is built so, split the mod or raise the limit."),
        D::UnknownBase { base } => Finding::new(Code::X9, format!("generation {base}"))
            .summary("the generation to be replaced does not exist")
            .consequence("there is nothing to compare with.")
            .remedy("To do: name a generation that is resident."),
        D::VtableEntryForeign { item, entry } => Finding::new(Code::X10, item)
            .summary("functions were merged")
            .detail(format!("the vtable holds `{entry}`, a function of another type"))
            .consequence("an edit of one of them would change the other's live objects.")
            .remedy(RECIPE),
        D::ProofMissing { what } => Finding::new(Code::X10, "the proof of the recipe")
            .detail(what.clone())
            .consequence("functions may have been merged and statics rewritten, which the file does not show.")
            .remedy(RECIPE),
        // All others are told above; should one be missed, it does not pass.
        other => Finding::new(Code::X9, format!("{other:?}")).summary("a difference without a rule"),
    }
}

fn type_changed(
    item: &str,
    change: TypeChange,
    (was, is): (&str, &str),
    lines: &[String],
    holds: &[String],
    near: Option<&crate::compare::SourcePosition>,
) -> Finding {
    let (code, summary) = match change {
        TypeChange::FieldAdded => (Code::M1, "field added to a live type"),
        TypeChange::FieldRemoved => (Code::M1, "field removed from a live type"),
        TypeChange::FieldRetyped => (Code::M1, "field of a live type has another type"),
        TypeChange::Fields => (Code::M1, "fields of a live type changed"),
        TypeChange::Moved => (Code::M1, "fields of a live type moved"),
        TypeChange::Variants | TypeChange::DiscriminantMoved => (Code::M2, "variants of a live enum changed"),
        TypeChange::Layout => (Code::M1, "layout of a live type changed"),
    };
    let is_path = item.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':');
    let short = item.rsplit("::").next().filter(|_| is_path).unwrap_or(item);
    let keep = match change {
        TypeChange::FieldAdded => "keep the field out",
        TypeChange::FieldRemoved => "keep the field",
        TypeChange::Variants => "keep the variants, their order and their fields as they were",
        _ => "keep the fields, their types and their order as they were",
    };
    let finding = Finding::new(code, item)
        .summary(summary)
        .change(if was == is { format!("size {is}") } else { format!("size {was} -> {is}") })
        .at(near.cloned())
        .consequence(format!("state that holds `{short}` would be read with the wrong layout."))
        .remedy(format!(
            "To patch without review: {keep}. To migrate: derive serde, give new fields #[serde(default)], and ask for review."
        ))
        .mark((!holds.is_empty()).then(|| Cause::Holds(holds.to_vec())));
    lines.iter().fold(finding, |all, line| all.detail(line.clone()))
}

fn difference_of<'a>(one: &'a [String], other: &[String]) -> Vec<&'a String> {
    let other: HashSet<&String> = other.iter().collect();
    one.iter().filter(|line| !other.contains(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_in_source() {
        for (identity, expected) in [
            ("arena.tick", "arena::tick"),
            ("<arena::Key as core::hash::Hash>.hash<H>", "<arena::Key as core::hash::Hash>::hash<H>"),
            ("arena.tick::{closure#0\u{2039}g1\u{203a}}", "arena::tick::{closure#0}"),
            ("arena.GAME.0", "arena::GAME.0"),
            ("+ a: u32   at 4", "+ a: u32   at 4"),
            ("fn(...)", "fn(...)"),
        ] {
            assert_eq!(readable(identity), expected);
        }
    }
}
