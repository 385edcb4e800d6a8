//! Changes inside functions: literals, operators, statements, what closures capture. Nothing here touches state layout.

use std::ops::Range;

use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use tickswap_linker::verify::Class;

use super::mutant::{Edits, Expected, Mutant, Source, insert, range};

/// Traits whose bodies live collections rely on.
const RELIED_ON: &[&str] = &["Hash", "PartialEq", "Eq", "PartialOrd", "Ord", "Borrow"];

/// All changes inside the functions of a file.
pub(crate) fn mutants(source: &Source) -> Vec<Mutant> {
    let mut visitor = Bodies { source, functions: Vec::new(), relied_on: false, in_drop: false, found: Vec::new() };
    visitor.visit_file(&source.tree);
    visitor.found
}

struct Function {
    name: String,
    stands_alone: bool,
    at_most: Class,
    parameters: Vec<String>,
}

struct Bodies<'a> {
    source: &'a Source,
    functions: Vec<Function>,
    /// Inside an implementation of such a trait.
    relied_on: bool,
    in_drop: bool,
    found: Vec<Mutant>,
}

impl Bodies<'_> {
    fn add(&mut self, operator: &'static str, what: &str, edits: Edits) {
        let Some(function) = self.functions.last() else { return };
        let expected = Expected::Body {
            function: function.name.clone(),
            stands_alone: function.stands_alone,
            at_most: function.at_most.max(if self.relied_on { Class::Review } else { Class::Exempt }),
        };
        self.found.push(self.source.mutant(operator, &format!("{what} in `{}`", function.name), edits, expected));
    }

    fn function(&mut self, attributes: &[syn::Attribute], signature: &syn::Signature, block: &syn::Block) {
        let has =
            |text: &str| attributes.iter().any(|attribute| attribute.to_token_stream().to_string().contains(text));
        let is_generic = signature.generics.type_params().next().is_some();
        let parameters = signature.inputs.iter().filter_map(|input| match input {
            syn::FnArg::Typed(typed) => match &*typed.pat {
                syn::Pat::Ident(name) => Some(name.ident.to_string()),
                _ => None,
            },
            syn::FnArg::Receiver(_) => None,
        });
        self.functions.push(Function {
            name: signature.ident.to_string(),
            stands_alone: (has("no_mangle") || has("inline (never)")) && !is_generic,
            at_most: match block.to_token_stream().to_string() {
                // Statics of one name are told apart by nothing but unchanged code around them (live linking, rule 7).
                text if text.matches("tally !").count() > 1 => Class::Migration,
                _ if signature.asyncness.is_some() => Class::Review,
                _ => Class::Exempt,
            },
            parameters: parameters.collect(),
        });
        let start = range(&block.brace_token.span.open()).end;
        self.add("statement added", "black_box", vec![insert(start, " ::std::hint::black_box(17u32);")]);
        if let Some(syn::Stmt::Expr(syn::Expr::MethodCall(call), Some(end))) = block.stmts.first() {
            // A `drop` that does nothing leaves no trace: it looks like one that was removed.
            if let Some(function) = self.functions.last_mut().filter(|_| self.in_drop && block.stmts.len() == 1) {
                function.at_most = Class::Migration;
            }
            self.add("statement removed", "the first", vec![(range(call).start..range(end).end, String::new())]);
            if let Some(function) = self.functions.last_mut().filter(|_| self.in_drop) {
                function.at_most = Class::Exempt;
            }
        }
        self.visit_block(block);
        self.functions.pop();
    }
}

impl<'ast> Visit<'ast> for Bodies<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if item.sig.constness.is_none() {
            self.function(&item.attrs, &item.sig, &item.block);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let of = item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last());
        let outside = self.relied_on;
        // A future's body is inlined into the coroutines that wait for it.
        self.relied_on =
            of.is_some_and(|of| of.ident == "Future" || RELIED_ON.contains(&of.ident.to_string().as_str()));
        self.in_drop = of.is_some_and(|of| of.ident == "Drop");
        visit::visit_item_impl(self, item);
        self.in_drop = false;
        self.relied_on = outside;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if item.sig.constness.is_none() {
            self.function(&item.attrs, &item.sig, &item.block);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.attrs, &item.sig, block);
        }
    }

    fn visit_expr_lit(&mut self, literal: &'ast syn::ExprLit) {
        match &literal.lit {
            syn::Lit::Int(number) => {
                let value = number.base10_parse::<u128>().unwrap_or(0);
                // Small numbers stay small, so that loops end.
                let other = if value == 0 {
                    1
                } else if value % 2 == 0 {
                    value + 1
                } else {
                    value - 1
                };
                let edit = (range(number), format!("{other}{}", number.suffix()));
                self.add("number", &format!("{value} -> {other}"), vec![edit]);
            }
            syn::Lit::Str(text) => {
                let other = format!("{:?}", format!("{}, changed", text.value()));
                self.add("text", &text.value(), vec![(range(text), other)]);
            }
            syn::Lit::Bool(value) => {
                self.add("truth", &value.value.to_string(), vec![(range(value), (!value.value).to_string())]);
            }
            _ => {}
        }
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        use syn::BinOp as B;
        let other = match binary.op {
            B::Add(_) => "-",
            B::Sub(_) => "+",
            B::Mul(_) => "+",
            B::Lt(_) => "<=",
            B::Gt(_) => ">=",
            B::Eq(_) => "!=",
            B::And(_) => "||",
            B::Or(_) => "&&",
            B::BitXor(_) => "|",
            _ => "",
        };
        if !other.is_empty() {
            let what = format!("{} -> {other}", binary.op.to_token_stream());
            self.add("operator", &what, vec![(range(&binary.op), other.to_owned())]);
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        let body = closure.body.to_token_stream().to_string();
        let is_mentioned =
            |name: &&String| body.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == *name);
        let free =
            self.functions.last().and_then(|function| function.parameters.iter().find(|name| !is_mentioned(name)));
        if let Some(name) = free.cloned() {
            let at = range(&closure.body);
            let edits = vec![insert(at.start, format!("{{ ::std::hint::black_box(&{name}); ")), insert(at.end, " }")];
            self.add("capture added", &name, edits);
        }
        visit::visit_expr_closure(self, closure);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        let before = self.functions.last().map(|function| function.at_most);
        self.functions.iter_mut().for_each(|function| function.at_most = function.at_most.max(Class::Review));
        visit::visit_expr_async(self, block);
        if let (Some(function), Some(before)) = (self.functions.last_mut(), before) {
            function.at_most = before;
        }
    }

    // Numbers in types and patterns are no code.
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_generic_argument(&mut self, _: &'ast syn::GenericArgument) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }
}

/// The first place inside the body of a free function, where a statement can be put.
pub(crate) fn any_body(source: &Source) -> Option<Range<usize>> {
    source.tree.items.iter().find_map(|item| match item {
        syn::Item::Fn(item) if item.to_token_stream().to_string().contains("no_mangle") => {
            let open = item.block.brace_token.span.open().span().byte_range();
            Some(open.end..open.end)
        }
        _ => None,
    })
}
