//! Type layouts: every type of one qualified name keeps its layout, whether or not live state is seen to use it.

use super::difference::Difference;
use crate::image::ModImage;
use crate::image::debug::{Field, TypeKind, TypeLayout, is_transient};
use crate::residents::Residents;
use std::collections::BTreeSet;

pub(super) fn compare(image: &ModImage, residents: &Residents, differences: &mut Vec<Difference>) {
    for (name, layouts) in &image.debug.types {
        // Environments of closures and coroutines change with their bodies; live ones keep their old bodies.
        if is_transient(name) {
            continue;
        }
        match residents.types.get(&**name) {
            None => differences.push(Difference::TypeAdded { item: name.to_string() }),
            Some(known) if **known != *layouts => differences.push(Difference::TypeChanged {
                item: name.to_string(),
                was: describe(known),
                is: describe(layouts),
            }),
            Some(_) => {}
        }
    }
}

fn describe(layouts: &BTreeSet<TypeLayout>) -> String {
    layouts.iter().map(describe_one).collect::<Vec<_>>().join(" or ")
}

fn describe_one(layout: &TypeLayout) -> String {
    let fields = layout.fields.iter().map(describe_field);
    let variants = layout.variants.iter().map(|variant| match &variant.content {
        Some(content) => format!("{} ({:?}, {})", variant.name, variant.values, describe_field(content)),
        None => format!("{} ({:?})", variant.name, variant.values),
    });
    let parts: Vec<_> = fields.chain(variants).collect();
    let size = layout.size.map_or_else(|| "unsized".into(), |size| format!("{size} bytes"));
    match &layout.kind {
        TypeKind::Struct => format!("{size} {{ {} }}", parts.join(", ")),
        kind => format!("{size} {kind:?} {{ {} }}", parts.join(", ")),
    }
}

fn describe_field(field: &Field) -> String {
    format!("{}: {} at {}", field.name, field.type_name, field.offset)
}
