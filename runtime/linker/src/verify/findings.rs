//! From facts to findings: the code of every difference, what follows from it and what to do. Policy, in one place.

use super::{Code, Finding};
use crate::compare::Difference;
use crate::image::name_table::without_tags;
use std::borrow::Cow;

/// The finding that a difference is. Names are written without the tags by which numbered items are known here.
pub(super) fn of(difference: &Difference) -> Finding {
    let mut finding = finding(difference);
    for text in std::iter::once(&mut finding.item).chain(&mut finding.details) {
        if let Cow::Owned(plain) = without_tags(text) {
            *text = plain;
        }
    }
    finding
}

#[allow(clippy::too_many_lines, reason = "one arm per difference")]
fn finding(difference: &Difference) -> Finding {
    use Difference as D;
    let keep = |what: &str| format!("To patch without review: keep {what} as it was.");
    let migrate =
        "To migrate: persist the mod's state, and ask for review; or restart the worlds with the new version.";
    let recipe =
        "To do: build the mod with `cargo tickswap build`, and the SDK's `#[tickswap_sdk::module]` on its hooks.";
    match difference {
        D::FunctionChanged { item, at } => Finding::new(Code::B1, item).at(at.clone()),
        D::FunctionAdded { item, at } => Finding::new(Code::B2, item).at(at.clone()),
        D::FunctionRemoved { item } => Finding::new(Code::B3, item),
        D::ReadOnlyDataChanged { item } => Finding::new(Code::B4, item),
        D::TypeAdded { item } => Finding::new(Code::B5, item),
        D::NumberedItemsUnmatched { item, count } => {
            Finding::new(Code::B6, item).change(format!("{count} cannot be matched"))
        }
        D::PositionsMoved { item } => Finding::new(Code::B7, item),
        D::StandardStaticAdded { item, size } => Finding::new(Code::B8, item).change(format!("{size} bytes")),
        D::ExportAdded { item, is } => Finding::new(Code::R1, item)
            .detail(format!("+ {is}"))
            .consequence("the server calls it from now on.")
            .remedy("To do: have it approved, or keep the hook out."),
        D::ImportAdded { item, is } => Finding::new(Code::R2, item)
            .detail(format!("+ {is}"))
            .consequence("the mod gets at something of the server that it did not use before.")
            .remedy("To do: have it approved, or keep the call out."),
        D::StaticAdded { item, type_name, size } => Finding::new(Code::R3, item)
            .change(format!("{type_name}, {size} bytes"))
            .consequence("it is new, and starts with its initial value in worlds that run already.")
            .remedy("To do: have it approved, or keep the static out."),
        D::StaticInitialValueChanged { item } => Finding::new(Code::R4, item)
            .summary("initial value of a static changed, the live value stays")
            .consequence("worlds that run keep their value, new ones start with the new value.")
            .remedy("To do: have it approved, or keep the initial value."),
        D::DescriptionChanged { item } => Finding::new(Code::X3, item)
            .summary("what the mod says of itself changed")
            .consequence("what the server relies on is another thing now.")
            .remedy("To do: build against the contract crate of the server."),
        D::CoroutineChanged { item } => Finding::new(Code::R8, item)
            .consequence("one that is suspended now goes on in its old body.")
            .remedy("To do: have it approved, or leave the coroutine as it was."),
        D::TypeChanged { item, was, is } => Finding::new(Code::M1, item)
            .detail(format!("- {was}"))
            .detail(format!("+ {is}"))
            .consequence("live state that holds one would be read with the wrong layout.")
            .remedy(format!("{} {migrate}", keep("the type"))),
        D::StaticChanged { item, was, is } => Finding::new(Code::M3, item)
            .detail(format!("- {was}"))
            .detail(format!("+ {is}"))
            .consequence("its live value would be misread.")
            .remedy(format!("{} {migrate}", keep("the static"))),
        D::StaticRemoved { item } => Finding::new(Code::M4, item)
            .consequence("it is gone, and its live value would be lost.")
            .remedy(format!("{} {migrate}", keep("the static"))),
        D::ToolchainChanged { was, is } => Finding::new(Code::M5, "the toolchain")
            .detail(format!("- {}", was.join("; ")))
            .detail(format!("+ {}", is.join("; ")))
            .consequence("layouts, the standard library and its statics may be others.")
            .remedy(format!("To do: build with the compiler of the version that runs. {migrate}")),
        D::StackGrown { was, is } => Finding::new(Code::M5, "the stack")
            .change(format!("{was} -> {is} bytes"))
            .consequence("all generations share the stack that the first one was linked for.")
            .remedy(format!("To do: build with `cargo tickswap build`, which fixes the stack's size. {migrate}")),
        D::VtableChanged { item, was, is } => Finding::new(Code::M6, item)
            .detail(format!("- {was}"))
            .detail(format!("+ {is}"))
            .consequence("live objects use the vtable they were made with, and would be misused.")
            .remedy(format!("{} {migrate}", keep("the trait and the type's `Drop`"))),
        D::TraitShapeUnknown { item } => Finding::new(Code::M6, item)
            .summary("no vtable shows that the trait kept its methods")
            .consequence("live objects of the trait may be called through another shape.")
            .remedy(format!("To do: keep a type that is made into an object of the trait. {migrate}")),
        D::CrateIdentityChanged { item, was, is } => Finding::new(Code::M7, item)
            .detail(format!("- {}", was.join(", ")))
            .detail(format!("+ {}", is.join(", ")))
            .consequence("`TypeId`s of its types differ, and state that is keyed by them is not found again.")
            .remedy(format!("To do: keep the dependency's version and features. {migrate}")),
        D::AllocatorChanged { was, is } => Finding::new(Code::M8, "the global allocator")
            .detail(format!("- {was}"))
            .detail(format!("+ {is}"))
            .consequence("memory that one allocated would be freed by the other, which corrupts the heap.")
            .remedy(format!("{} {migrate}", keep("the allocator"))),
        D::ExportRemoved { item, was } => Finding::new(Code::X1, item)
            .detail(format!("- {was}"))
            .consequence("the server calls it.")
            .remedy("To do: keep the hook; it may do nothing."),
        D::ExportChanged { item, was, is } => Finding::new(Code::X2, item)
            .detail(format!("- {was}"))
            .detail(format!("+ {is}"))
            .consequence("the server would call it with the wrong arguments.")
            .remedy("To do: keep the hook's signature; add another hook to the contract instead."),
        D::StaticUnproved { item, why } => Finding::new(Code::X9, item)
            .detail(why.clone())
            .consequence("it cannot be proved to be the live static of this name.")
            .remedy("To do: give each mutable static a name of its own in its scope, and build with `cargo tickswap build`."),
        D::UnknownBase { base } => Finding::new(Code::X9, format!("generation {base}"))
            .summary("the generation to be replaced does not exist")
            .consequence("there is nothing to compare with."),
        D::VtableEntryForeign { item, entry } => Finding::new(Code::X10, item)
            .summary("functions were merged")
            .detail(format!("the vtable holds `{entry}`, a function of another type"))
            .consequence("an edit of one of them would change the other's live objects.")
            .remedy(recipe),
        D::ProofMissing { what } => {
            Finding::new(Code::X10, "the proof of the recipe").detail(what.clone()).remedy(recipe)
        }
    }
}
