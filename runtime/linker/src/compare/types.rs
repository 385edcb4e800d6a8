//! Type layouts: every type of one qualified name keeps its layout, whether or not live state is seen to use it.

use super::causes;
use super::difference::{Cause, Difference, SourcePosition, TypeChange};
use crate::image::ModImage;
use crate::image::debug::{DiscriminantValues, Field, Name, TypeKind, TypeLayout, Variant, is_transient};
use crate::image::name::{NumbersAsTheyAre, SymbolName, parse};
use crate::residents::Residents;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// DWARF's tag of a function's type.
const FUNCTION_TYPE: u16 = 0x15;

pub(super) fn compare(image: &ModImage, residents: &Residents, differences: &mut Vec<Difference>) {
    let own_crates = causes::own_crates(image);
    let mut changed: BTreeMap<&Name, &Arc<BTreeSet<TypeLayout>>> = BTreeMap::new();
    for (name, layouts) in &image.debug.types {
        // Environments of closures and coroutines change with their bodies; live ones keep their old bodies. What a function
        // pointer points to is code, whose "size" is that of its result.
        let is_code = |layout: &TypeLayout| matches!(layout.kind, TypeKind::Other(FUNCTION_TYPE, _));
        if is_transient(name) || layouts.iter().all(is_code) {
            continue;
        }
        match residents.types.get(&**name) {
            None => differences
                .push(Difference::TypeAdded { item: name.to_string(), cause: causes::of_type(&own_crates, name) }),
            Some(known) if **known != *layouts => {
                changed.insert(name, known);
            }
            Some(_) => {}
        }
    }
    if changed.is_empty() {
        return;
    }
    let places = impl_positions(image);
    let variants = variants(image);
    for (name, known) in &changed {
        let layouts = &image.debug.types[*name];
        let mut difference = describe(name, known, layouts);
        if let Difference::TypeChanged { change, holds, near, .. } = &mut difference {
            // Nothing but what it holds explains it: its own fields and variants are the same.
            if matches!(change, TypeChange::Moved | TypeChange::DiscriminantMoved) {
                let parts = layouts.iter().flat_map(parts).filter(|part| changed.contains_key(*part) && part != name);
                *holds = parts.map(|part| part.to_string()).collect::<BTreeSet<_>>().into_iter().collect();
            }
            if let Some(of) = variants.get(name) {
                if *change == TypeChange::Moved && holds.is_empty() && changed.contains_key(of) {
                    holds.push(of.to_string());
                }
                *change = TypeChange::Variants;
            }
            if *change == TypeChange::DiscriminantMoved {
                *change = TypeChange::Variants;
            }
            if causes::of_type(&own_crates, name) != Some(Cause::Library) {
                *near = places.get(name.split('<').next().unwrap_or(name)).cloned();
            }
        }
        differences.push(difference);
    }
}

/// Types that a layout is made of, in place.
fn parts(layout: &TypeLayout) -> Vec<&Name> {
    let contents = layout.variants.iter().filter_map(|variant| variant.content.as_ref());
    let element = match &layout.kind {
        TypeKind::Array(element, _) => Some(element),
        _ => None,
    };
    layout.fields.iter().chain(contents).map(|field| &field.type_name).chain(element).collect()
}

/// For types that are the content of an enum's variant, the enum: debug information gives each a type of its own, named
/// after the enum.
fn variants(image: &ModImage) -> HashMap<&Name, &Name> {
    let layouts = image.debug.types.iter().flat_map(|(name, layouts)| layouts.iter().map(move |layout| (name, layout)));
    let variants = layouts.flat_map(|(name, layout)| layout.variants.iter().map(move |variant| (name, variant)));
    let contents = variants.filter_map(|(name, variant)| Some((&variant.content.as_ref()?.type_name, name)));
    contents.filter(|(content, name)| content.rsplit_once("::").is_some_and(|(parent, _)| *parent == ***name)).collect()
}

/// Where the first function of an `impl` of each type stands. Debug information of stable compilers does not say where
/// types themselves do.
fn impl_positions(image: &ModImage) -> BTreeMap<String, SourcePosition> {
    let mut places: BTreeMap<String, SourcePosition> = BTreeMap::new();
    for (symbol, function) in &image.debug.functions {
        let (Some(position), SymbolName::V0(name)) = (&function.position, parse(symbol)) else { continue };
        let Some(of) = name.root().self_type().and_then(|of| of.nominal_path()) else { continue };
        let of = of.render(&mut NumbersAsTheyAre);
        let position = SourcePosition::from(position);
        let known = places.entry(of).or_insert_with(|| position.clone());
        if position < *known {
            *known = position;
        }
    }
    places
}

fn describe(name: &Name, known: &BTreeSet<TypeLayout>, layouts: &BTreeSet<TypeLayout>) -> Difference {
    let (change, lines, was, is) = match (single(known), single(layouts)) {
        (Some(was), Some(is)) if was.kind == is.kind => {
            let (change, lines) = compare_layouts(was, is);
            (change, lines, size(was), size(is))
        }
        _ => {
            // Several types have this name; all of their layouts are told.
            let lines = (known.difference(layouts).map(|layout| format!("- {}", describe_one(layout))))
                .chain(layouts.difference(known).map(|layout| format!("+ {}", describe_one(layout))));
            let size = |of: &BTreeSet<TypeLayout>| of.iter().map(size).collect::<Vec<_>>().join(" or ");
            (TypeChange::Layout, lines.collect(), size(known), size(layouts))
        }
    };
    Difference::TypeChanged { item: name.to_string(), change, was, is, lines, holds: Vec::new(), near: None }
}

fn single(layouts: &BTreeSet<TypeLayout>) -> Option<&TypeLayout> {
    layouts.first().filter(|_| layouts.len() == 1)
}

fn size(layout: &TypeLayout) -> String {
    layout.size.map_or_else(|| "unsized".into(), |size| size.to_string())
}

/// What differs between two layouts of one kind, line by line.
fn compare_layouts(was: &TypeLayout, is: &TypeLayout) -> (TypeChange, Vec<String>) {
    let mut lines = Vec::new();
    let variants = compare_variants(was, is, &mut lines);
    let fields = compare_fields(&was.fields, &is.fields, &mut lines);
    if was.alignment != is.alignment {
        let text = |alignment: Option<u64>| alignment.map_or_else(|| "unknown".into(), |bytes| bytes.to_string());
        lines.push(format!("~ alignment {} -> {}", text(was.alignment), text(is.alignment)));
    }
    let moved = |field: &Option<Field>| field.as_ref().map(|field| field.type_name.clone());
    if variants == 0 && was.discriminant != is.discriminant && moved(&was.discriminant) == moved(&is.discriminant) {
        return (TypeChange::DiscriminantMoved, lines);
    }
    let differs = variants > 0 || was.discriminant != is.discriminant;
    let change = if differs { TypeChange::Variants } else { fields };
    (change, lines)
}

fn compare_fields(was: &[Field], is: &[Field], lines: &mut Vec<String>) -> TypeChange {
    let show = |sign: char, field: &Field| format!("{sign} {}: {}   at {}", field.name, field.type_name, field.offset);
    let (old, new) = (by_name(was, |field| &field.name), by_name(is, |field| &field.name));
    let (mut added, mut removed, mut retyped) = (0, 0, 0);
    for field in is {
        match old.get(&field.name) {
            None => {
                added += 1;
                lines.push(show('+', field));
            }
            Some(old) if old.type_name != field.type_name => {
                retyped += 1;
                lines.extend([show('-', old), show('+', field)]);
            }
            Some(old) if old.offset != field.offset => {
                lines.push(format!("~ {}: {}   at {} -> {}", field.name, field.type_name, old.offset, field.offset));
            }
            Some(_) => {}
        }
    }
    for field in was.iter().filter(|field| !new.contains_key(&field.name)) {
        removed += 1;
        lines.push(show('-', field));
    }
    match (added, removed, retyped) {
        (0, 0, 0) => TypeChange::Moved,
        (_, 0, 0) => TypeChange::FieldAdded,
        (0, _, 0) => TypeChange::FieldRemoved,
        (0, 0, _) => TypeChange::FieldRetyped,
        _ => TypeChange::Fields,
    }
}

/// How many variants differ, in being there, in their values or contents. What tells them apart is told as well.
fn compare_variants(was: &TypeLayout, is: &TypeLayout, lines: &mut Vec<String>) -> usize {
    let old = by_name(&was.variants, |variant| &variant.name);
    let new = by_name(&is.variants, |variant| &variant.name);
    let mut differs = 0;
    let mut tell = |line: String| {
        differs += 1;
        lines.push(line);
    };
    for variant in &is.variants {
        match old.get(&variant.name) {
            None => tell(format!("+ {}{}", variant.name, values(variant))),
            Some(old) if old.values != variant.values => {
                tell(format!("~ {}{} -> {}", variant.name, values(old), values(variant).trim_start_matches(" = ")));
            }
            Some(old) => match (&old.content, &variant.content) {
                (Some(a), Some(b)) if a == b => {}
                (None, None) => {}
                (a, b) => {
                    let text = |content: &Option<Field>| {
                        content
                            .as_ref()
                            .map_or_else(|| "nothing".into(), |c| format!("{} at {}", c.type_name, c.offset))
                    };
                    tell(format!("~ {}: {} -> {}", variant.name, text(a), text(b)));
                }
            },
        }
    }
    for variant in was.variants.iter().filter(|variant| !new.contains_key(&variant.name)) {
        tell(format!("- {}{}", variant.name, values(variant)));
    }
    if was.discriminant != is.discriminant {
        let text = |field: &Option<Field>| {
            field.as_ref().map_or_else(|| "none".into(), |field| format!("{} at {}", field.type_name, field.offset))
        };
        lines.push(format!("~ discriminant: {} -> {}", text(&was.discriminant), text(&is.discriminant)));
    }
    differs
}

/// The first of each name.
fn by_name<'a, T>(all: &'a [T], name: impl Fn(&'a T) -> &'a Name) -> HashMap<&'a Name, &'a T> {
    all.iter().rev().map(|one| (name(one), one)).collect()
}

fn values(variant: &Variant) -> String {
    match &variant.values {
        // What is left over when every other variant has its values: the one that carries the niche.
        DiscriminantValues::AllOthers => " = every other value".into(),
        DiscriminantValues::One(value) => format!(" = {value}"),
        DiscriminantValues::List(bytes) => format!(" = {} bytes of values", bytes.len()),
    }
}

fn describe_one(layout: &TypeLayout) -> String {
    let field = |field: &Field| format!("{}: {} at {}", field.name, field.type_name, field.offset);
    let variants = layout.variants.iter().map(|variant| {
        let content = variant.content.as_ref().map(|content| format!(" of {}", content.type_name));
        format!("{}{}{}", variant.name, values(variant), content.unwrap_or_default())
    });
    let parts: Vec<_> = layout.fields.iter().map(field).chain(variants).collect();
    let kind = match &layout.kind {
        TypeKind::Struct if layout.variants.is_empty() => "struct".to_owned(),
        TypeKind::Struct | TypeKind::Enumeration(_) => "enum".to_owned(),
        TypeKind::Union => "union".to_owned(),
        TypeKind::Base(_) => "number".to_owned(),
        TypeKind::Pointer(target) => format!("pointer to {}", target.as_deref().unwrap_or("()")),
        TypeKind::Array(element, Some(count)) => format!("[{element}; {count}]"),
        TypeKind::Array(element, None) => format!("[{element}]"),
        TypeKind::Other(_, target) => format!("made of {}", target.as_deref().unwrap_or("()")),
    };
    format!("{kind} of {} bytes {{ {} }}", size(layout), parts.join(", "))
}
