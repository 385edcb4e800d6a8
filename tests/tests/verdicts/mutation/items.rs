//! Changes of items: types, statics, traits, signatures, implementations, order. Most of them are state layout or contract.

use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use tickswap_linker::verify::Class;

use super::bodies::any_body;
use super::mutant::{Edits, Expected, Mutant, Source, insert, range};

/// All changes of items of a fixture.
pub(crate) fn mutants(sources: &[Source]) -> Vec<Mutant> {
    let mut found = Vec::new();
    for source in sources {
        let mut items = Items { source, all: sources, found: &mut found };
        items.file();
        source.tree.items.iter().for_each(|item| items.item(item));
        for pair in source.tree.items.windows(2) {
            items.swap_functions(&pair[0], &pair[1]);
        }
    }
    found
}

struct Items<'a> {
    source: &'a Source,
    all: &'a [Source],
    found: &'a mut Vec<Mutant>,
}

impl Items<'_> {
    fn add(&mut self, operator: &'static str, what: &str, edits: Edits, expected: Expected) {
        self.found.push(self.source.mutant(operator, what, edits, expected));
    }

    fn file(&mut self) {
        let comment = vec![insert(0, "// A comment that moves everything.\n\n")];
        self.add("comment at the top", "", comment, Expected::AtMost(Class::Exempt));
        if let Some(body) = any_body(self.source) {
            let declared =
                "\nstatic MUTATION: ::std::sync::atomic::AtomicU32 = ::std::sync::atomic::AtomicU32::new(3);\n";
            let used = " MUTATION.fetch_add(1, ::std::sync::atomic::Ordering::Relaxed);";
            let edits = vec![(body.clone(), used.into()), insert(self.source.text.len(), declared)];
            self.add("static added", "MUTATION", edits, Expected::AtLeast(Class::Review));
            let declared = "\n#[inline(never)]\nfn mutation(value: u64) -> u64 {\n    value.rotate_left(3)\n}\n";
            let used = " ::std::hint::black_box(mutation(4));";
            let edits = vec![(body, used.into()), insert(self.source.text.len(), declared)];
            self.add("function added", "mutation", edits, Expected::AtMost(Class::Exempt));
        }
    }

    fn item(&mut self, item: &syn::Item) {
        match item {
            syn::Item::Struct(item) => self.structure(item),
            syn::Item::Enum(item) => self.enumeration(item),
            syn::Item::Static(item) => self.variable(item),
            syn::Item::Trait(item) => self.interface(item),
            syn::Item::Fn(item) => self.function(item),
            _ => {}
        }
    }

    fn structure(&mut self, item: &syn::ItemStruct) {
        let name = item.ident.to_string();
        let is_generic = !item.generics.params.is_empty();
        self.rename("type renamed", &name, Expected::Anything);
        if let syn::Fields::Named(fields) = &item.fields {
            let list: Vec<_> = fields.named.iter().collect();
            if let [first, second, ..] = list.as_slice() {
                let swapped = vec![
                    (range(first), self.source.text[range(second)].to_owned()),
                    (range(second), self.source.text[range(first)].to_owned()),
                ];
                self.add("fields swapped", &name, swapped, Expected::Anything);
            }
            let declared = insert(range(&fields.brace_token.span.open()).end, " mutation: u32,");
            let built = |source: &Source| {
                let mut mentions = Mentions { name: &name, is_own: false, edits: Vec::new() };
                mentions.visit_file(&source.tree);
                mentions.edits
            };
            let expected = match self.is_wrapper(item) {
                // A type that is generic over closures goes with them: live ones keep their old bodies.
                true => Expected::Anything,
                false => Expected::AtLeast(Class::Migration),
            };
            self.everywhere("field added", &name, declared, built, expected);
        }
        let has_drop = self.all.iter().any(|source| source.text.contains(&format!("Drop for {name}")));
        if !has_drop && !is_generic && !derives(&item.attrs, "Copy") {
            let text = format!(
                "\nimpl Drop for {name} {{\n    fn drop(&mut self) {{\n        ::std::hint::black_box(5u32);\n    }}\n}}\n"
            );
            let edits = vec![insert(self.source.text.len(), text)];
            self.add("Drop added", &name, edits, Expected::DropAdded(name.clone()));
        }
        if !is_generic {
            let text = format!(
                "impl {name} {{\n    #[allow(dead_code)]\n    fn mutation(&self) -> u32 {{\n        3\n    }}\n}}\n\n"
            );
            let edits = vec![insert(range(item).start, text)];
            self.add("impl block added", &name, edits, Expected::AtMost(Class::Exempt));
        }
        if !derives(&item.attrs, "Debug") && !is_generic {
            let edits = vec![insert(range(item).start, "#[derive(Debug)]\n")];
            self.add("derive added", &name, edits, Expected::AtMost(Class::Exempt));
        }
    }

    /// Whether a type is generic over something that can be called.
    fn is_wrapper(&self, item: &syn::ItemStruct) -> bool {
        item.generics.type_params().any(|parameter| {
            let bound = format!("{}: Fn", parameter.ident);
            self.all.iter().any(|source| source.text.contains(&bound))
        })
    }

    fn enumeration(&mut self, item: &syn::ItemEnum) {
        let name = item.ident.to_string();
        self.rename("type renamed", &name, Expected::Anything);
        let variants: Vec<_> = item.variants.iter().collect();
        if let [first, second, ..] = variants.as_slice() {
            let swapped = vec![
                (range(first), self.source.text[range(second)].to_owned()),
                (range(second), self.source.text[range(first)].to_owned()),
            ];
            self.add("variants swapped", &name, swapped, Expected::AtLeast(Class::Migration));
        }
        let declared = insert(range(&item.brace_token.span.open()).end, " MutationAdded,");
        let matched = |source: &Source| {
            let mut matches = Matches(Vec::new());
            matches.visit_file(&source.tree);
            matches.0
        };
        self.everywhere("variant added", &name, declared, matched, Expected::AtLeast(Class::Migration));
        if derives(&item.attrs, "Hash") && self.is_key(&name) {
            let edits = item.attrs.iter().filter(|attribute| attribute.path().is_ident("derive")).map(|attribute| {
                let text = &self.source.text[range(attribute)];
                (range(attribute), text.replace("Hash, ", "").replace(", Hash", ""))
            });
            let mut edits: Edits = edits.collect();
            let text = format!(
                "\nimpl ::std::hash::Hash for {name} {{\n    fn hash<H: ::std::hash::Hasher>(&self, state: &mut H) {{\n        state.write_u8(77);\n    }}\n}}\n"
            );
            edits.push(insert(self.source.text.len(), text));
            self.add("Hash changed", &name, edits, Expected::AtLeast(Class::Review));
        }
    }

    fn is_key(&self, name: &str) -> bool {
        let keyed = [format!("HashMap<{name},"), format!("HashSet<{name}>")];
        self.all.iter().any(|source| keyed.iter().any(|text| source.text.contains(text)))
    }

    fn variable(&mut self, item: &syn::ItemStatic) {
        let name = item.ident.to_string();
        let ty = item.ty.to_token_stream().to_string();
        let is_mutable = ["Atomic", "Cell", "Mutex", "SmallDomain"].iter().any(|part| ty.contains(part));
        let reach = |class| if is_mutable { Expected::AtLeast(class) } else { Expected::Anything };
        self.rename("static renamed", &name, reach(Class::Migration));
        let mut numbers = Numbers(Vec::new());
        numbers.visit_expr(&item.expr);
        for (place, value, suffix) in numbers.0 {
            let edits = vec![(place, format!("{}{suffix}", value + 1))];
            self.add("initial value", &name, edits, reach(Class::Review));
        }
        if let Some(wider) = ty.strip_prefix("AtomicU32").map(|_| "AtomicU64") {
            let mut edits = vec![(range(&item.ty), format!("::std::sync::atomic::{wider}"))];
            if let syn::Expr::Call(call) = &*item.expr {
                edits.push((range(&call.func), format!("::std::sync::atomic::{wider}::new")));
            }
            // Where it was read it is still a `u32`.
            let load = format!("{name}.load(Ordering::Relaxed)");
            edits.extend(self.source.text.match_indices(&load).map(|(at, text)| insert(at + text.len(), " as u32")));
            self.add("static retyped", &name, edits, Expected::AtLeast(Class::Migration));
        }
    }

    fn interface(&mut self, item: &syn::ItemTrait) {
        let name = item.ident.to_string();
        let is_object = self.all.iter().any(|source| source.text.contains(&format!("dyn {name}")));
        let expected = || if is_object { Expected::AtLeast(Class::Migration) } else { Expected::Anything };
        let open = range(&item.brace_token.span.open()).end;
        let added = "\n    #[allow(dead_code)]\n    fn mutation(&self) -> u64 {\n        7\n    }\n";
        self.add("method added", &name, vec![insert(open, added)], expected());
        let methods: Vec<_> = item.items.iter().filter(|item| matches!(item, syn::TraitItem::Fn(_))).collect();
        if let [first, second, ..] = methods.as_slice() {
            let swapped = vec![
                (range(first), self.source.text[range(second)].to_owned()),
                (range(second), self.source.text[range(first)].to_owned()),
            ];
            self.add("methods swapped", &name, swapped, expected());
        }
    }

    fn function(&mut self, item: &syn::ItemFn) {
        let name = item.sig.ident.to_string();
        let is_exported = item.to_token_stream().to_string().contains("no_mangle");
        let inside = range(&item.sig.paren_token.span.open()).end;
        if is_exported {
            let refused = || Expected::AtLeast(Class::Refused);
            self.add("hook's parameter added", &name, vec![insert(inside, "_mutation: u32, ")], refused());
            self.add("hook removed", &name, vec![(range(&item.sig.ident), format!("{name}_renamed"))], refused());
            return;
        }
        self.rename("function renamed", &name, Expected::Anything);
        let mut edits = vec![insert(inside, "_mutation: u32, ")];
        let calls = format!("{name}(");
        let declared = format!("fn {name}(");
        for (at, text) in self.source.text.match_indices(&calls) {
            let before = &self.source.text[..at];
            let is_word = !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':'));
            if is_word && !before.ends_with(&declared[..declared.len() - calls.len()]) {
                edits.push(insert(at + text.len(), "9, "));
            }
        }
        self.add("parameter added", &name, edits, Expected::Anything);
    }

    /// Another name wherever the old one stands, in all files.
    fn rename(&mut self, operator: &'static str, name: &str, expected: Expected) {
        let renamed = |text: &str| {
            let mut output = String::new();
            let mut rest = text;
            while let Some(at) = rest.find(name) {
                let (before, after) = (&rest[..at], &rest[at + name.len()..]);
                let is_part = |c: char| c.is_alphanumeric() || c == '_';
                let whole = !before.ends_with(is_part) && !after.starts_with(is_part);
                output.push_str(before);
                output.push_str(name);
                if whole {
                    output.push_str(if name.chars().all(char::is_uppercase) { "_MUTATED" } else { "Mutated" });
                }
                rest = after;
            }
            output + rest
        };
        let mut mutant = self.source.mutant(operator, name, Vec::new(), expected);
        let changed = self.all.iter().filter(|source| renamed(&source.text) != source.text);
        mutant.files = changed.map(|source| (source.path.clone(), renamed(&source.text))).collect();
        self.found.push(mutant);
    }

    /// A declaration here, and what follows from it in all files.
    fn everywhere(
        &mut self,
        operator: &'static str,
        name: &str,
        declared: (std::ops::Range<usize>, String),
        follows: impl Fn(&Source) -> Edits,
        expected: Expected,
    ) {
        let mut mutant = self.source.mutant(operator, name, vec![declared.clone()], expected);
        mutant.files = Vec::new();
        for source in self.all {
            let mut edits = follows(source);
            if source.path == self.source.path {
                edits.push(declared.clone());
            }
            if !edits.is_empty() {
                mutant.files.push((source.path.clone(), source.edited(edits)));
            }
        }
        self.found.push(mutant);
    }

    fn swap_functions(&mut self, first: &syn::Item, second: &syn::Item) {
        if let (syn::Item::Fn(one), syn::Item::Fn(other)) = (first, second) {
            let swapped = vec![
                (range(first), self.source.text[range(second)].to_owned()),
                (range(second), self.source.text[range(first)].to_owned()),
            ];
            let what = format!("{} and {}", one.sig.ident, other.sig.ident);
            self.add("functions swapped", &what, swapped, Expected::AtMost(Class::Exempt));
        }
    }
}

fn derives(attributes: &[syn::Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("derive") && {
            let text = attribute.to_token_stream().to_string();
            text.split(|c: char| !c.is_alphanumeric()).any(|word| word == name)
        }
    })
}

/// Where a struct is built by its fields.
struct Mentions<'a> {
    name: &'a str,
    /// Inside one of its own blocks, where it may be called `Self`.
    is_own: bool,
    edits: Edits,
}

impl<'ast> Visit<'ast> for Mentions<'_> {
    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.is_own = item.self_ty.to_token_stream().to_string() == self.name;
        visit::visit_item_impl(self, item);
        self.is_own = false;
    }

    fn visit_expr_struct(&mut self, built: &'ast syn::ExprStruct) {
        let last = built.path.segments.last().is_some_and(|segment| segment.ident == self.name);
        if last || (self.is_own && built.path.is_ident("Self")) {
            self.edits.push(insert(range(&built.brace_token.span.open()).end, " mutation: 0,"));
        }
        visit::visit_expr_struct(self, built);
    }
}

/// Every match without an arm for all else gets one.
struct Matches(Edits);

impl<'ast> Visit<'ast> for Matches {
    fn visit_expr_match(&mut self, expression: &'ast syn::ExprMatch) {
        let is_open = |arm: &syn::Arm| arm.guard.is_none() && matches!(arm.pat, syn::Pat::Wild(_) | syn::Pat::Ident(_));
        if !expression.arms.iter().any(is_open) {
            let end = expression.brace_token.span.close().span().byte_range().start;
            let comma = if expression.arms.last().is_some_and(|arm| arm.comma.is_none()) { ", " } else { "" };
            let arm = format!("{comma}#[allow(unreachable_patterns)] _ => ::std::process::abort(), ");
            self.0.push(insert(end, arm));
        }
        visit::visit_expr_match(self, expression);
    }
}

/// Numbers of an expression: place, value, suffix.
struct Numbers(Vec<(std::ops::Range<usize>, u128, String)>);

impl<'ast> Visit<'ast> for Numbers {
    fn visit_lit_int(&mut self, number: &'ast syn::LitInt) {
        self.0.push((range(number), number.base10_parse().unwrap_or(0), number.suffix().to_owned()));
    }
}
