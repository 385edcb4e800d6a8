//! The model of a contract trait. Reading it refuses everything the boundary cannot carry, all at once.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, FnArg, Ident, ItemTrait, Pat, Path, TraitItem, TraitItemFn, Type, Visibility, spanned::Spanned};

use crate::passing::{self, Wire};

/// Most parameters a method may have: as many as the largest tuple payload.
const PARAMETERS_MAX: usize = 12;

/// A contract trait.
pub(crate) struct Interface {
    pub(crate) root: Path,
    pub(crate) name: Ident,
    /// The trait's name in snake case: the name of its module.
    pub(crate) module: Ident,
    pub(crate) visibility: Visibility,
    pub(crate) methods: Vec<Method>,
}

/// One of its methods.
pub(crate) struct Method {
    pub(crate) name: Ident,
    pub(crate) documentation: Vec<Attribute>,
    pub(crate) mutable: bool,
    pub(crate) optional: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) result: Option<Parameter>,
}

/// A parameter, or the result, whose name is then `result`.
pub(crate) struct Parameter {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) wire: Option<Wire>,
}

impl Method {
    /// The parameters' wasm types if all are scalars.
    pub(crate) fn scalars(&self) -> Option<Vec<Wire>> {
        self.parameters.iter().map(|parameter| parameter.wire).collect()
    }

    /// Name of the constant that holds its signature.
    pub(crate) fn signature_constant(&self) -> Ident {
        format_ident!("SIGNATURE_{}", self.name)
    }

    /// Name of the constant that holds its contract line.
    pub(crate) fn line_constant(&self) -> Ident {
        format_ident!("LINE_{}", self.name)
    }

    /// The clients' parameter list and, for `String` parameters, what makes them borrowed text.
    pub(crate) fn client_parameters(&self) -> (Vec<TokenStream>, Vec<TokenStream>) {
        let mut list = Vec::new();
        let mut conversions = Vec::new();
        for Parameter { name, ty, .. } in &self.parameters {
            if passing::is_string(ty) {
                list.push(quote!(#name: impl ::core::convert::AsRef<str>));
                conversions.push(quote!(let #name: &str = ::core::convert::AsRef::as_ref(&#name);));
            } else {
                list.push(quote!(#name: #ty));
            }
        }
        (list, conversions)
    }

    pub(crate) fn parameter_names(&self) -> Vec<&Ident> {
        self.parameters.iter().map(|parameter| &parameter.name).collect()
    }

    /// What is encoded of the parameters, which stand in scope under the contract's names.
    pub(crate) fn encoded_parameters(&self, root: &Path) -> TokenStream {
        let parts = self.parameters.iter().map(|Parameter { name, ty, .. }| passing::encoded(root, &quote!(#name), ty));
        quote!((#(#parts,)*))
    }

    /// The type to decode all parameters as.
    pub(crate) fn decoded_parameters(&self, root: &Path) -> TokenStream {
        let types = self.parameters.iter().map(|parameter| passing::decoded_type(root, &parameter.ty));
        quote!((#(#types,)*))
    }

    /// The parameters' values in what was decoded into variables of these names.
    pub(crate) fn decoded_values(&self, names: &[Ident]) -> TokenStream {
        let values = self.parameters.iter().zip(names);
        let values = values.map(|(parameter, name)| passing::from_decoded(&quote!(#name), &parameter.ty));
        quote!((#(#values,)*))
    }

    pub(crate) fn parameter_types(&self) -> Vec<&Type> {
        self.parameters.iter().map(|parameter| &parameter.ty).collect()
    }
}

impl Interface {
    /// Reads a trait and takes `#[optional]` off its methods. `refuse_kind` adds what one kind of trait refuses.
    pub(crate) fn read(
        item: &mut ItemTrait,
        root: Path,
        refuse_kind: fn(&Method, &mut Vec<syn::Error>),
    ) -> syn::Result<Self> {
        let mut errors = Vec::new();
        let mut refuse = |tokens: &dyn ToTokens, message: &str| {
            errors.push(syn::Error::new_spanned(tokens.to_token_stream(), message));
        };
        if !item.generics.params.is_empty() || item.generics.where_clause.is_some() {
            refuse(&item.generics, "a contract trait describes one wasm interface, so it has no generics");
        }
        if !item.supertraits.is_empty() {
            refuse(
                &item.supertraits,
                "a contract trait stands alone: mods and servers implement it without a supertrait",
            );
        }
        if let Some(keyword) = &item.unsafety {
            refuse(keyword, "a contract trait is safe to implement");
        }
        let mut methods = Vec::new();
        for entry in &mut item.items {
            match entry {
                TraitItem::Fn(function) => {
                    let method = Method::read(function, &mut errors);
                    refuse_kind(&method, &mut errors);
                    methods.push(method);
                }
                other => errors.push(syn::Error::new_spanned(
                    other,
                    "a contract trait has methods only: nothing else can cross the boundary",
                )),
            }
        }
        combine(errors)?;
        Ok(Self {
            root,
            module: format_ident!("{}", snake_case(&item.ident.to_string())),
            name: item.ident.clone(),
            visibility: item.vis.clone(),
            methods,
        })
    }
}

impl Method {
    fn read(function: &mut TraitItemFn, errors: &mut Vec<syn::Error>) -> Self {
        let mut optional = false;
        function.attrs.retain(|attribute| {
            let found = attribute.path().is_ident("optional");
            optional |= found;
            !found
        });
        refuse_form(function, errors);
        let signature = &function.sig;
        let mut mutable = false;
        let mut parameters = Vec::new();
        for (index, input) in signature.inputs.iter().enumerate() {
            match input {
                FnArg::Receiver(receiver) if receiver.reference.is_some() && receiver.colon_token.is_none() => {
                    mutable = receiver.mutability.is_some();
                }
                FnArg::Receiver(receiver) => errors.push(syn::Error::new_spanned(
                    receiver,
                    "the state stays where it is: expected `&self` or `&mut self`",
                )),
                FnArg::Typed(parameter) if index > 0 => {
                    passing::refuse_type(&parameter.ty, errors);
                    match &*parameter.pat {
                        Pat::Ident(name)
                            if name.by_ref.is_none() && name.mutability.is_none() && name.subpat.is_none() =>
                        {
                            parameters.push(Parameter::new(name.ident.clone(), &parameter.ty));
                        }
                        other => errors.push(syn::Error::new_spanned(
                            other,
                            "expected a plain parameter name: it is part of the signature",
                        )),
                    }
                }
                FnArg::Typed(_) => {}
            }
        }
        if signature.receiver().is_none() {
            errors.push(syn::Error::new(
                signature.ident.span(),
                "expected `&self` or `&mut self` as the first parameter",
            ));
        }
        if parameters.len() > PARAMETERS_MAX {
            errors.push(syn::Error::new(
                signature.inputs.span(),
                format!("at most {PARAMETERS_MAX} parameters; put them into a payload struct"),
            ));
        }
        let result = passing::result_type(&signature.output).map(|ty| {
            passing::refuse_type(ty, errors);
            Parameter::new(format_ident!("result"), ty)
        });
        Self {
            name: signature.ident.clone(),
            documentation: function
                .attrs
                .iter()
                .filter(|attribute| attribute.path().is_ident("doc"))
                .cloned()
                .collect(),
            mutable,
            optional,
            parameters,
            result,
        }
    }
}

impl Parameter {
    fn new(name: Ident, ty: &Type) -> Self {
        Self { name, ty: ty.clone(), wire: passing::wire_of(ty) }
    }
}

/// Refuses what is wrong with a method apart from its types.
fn refuse_form(function: &TraitItemFn, errors: &mut Vec<syn::Error>) {
    let signature = &function.sig;
    let mut refuse = |tokens: &dyn ToTokens, message: &str| {
        errors.push(syn::Error::new_spanned(tokens.to_token_stream(), message));
    };
    if let Some(keyword) = &signature.asyncness {
        refuse(
            keyword,
            "a tick is a transaction and waits for nothing, so a contract has no async methods; \
             start the work with an effect and report its result with a hook",
        );
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        refuse(
            &signature.generics,
            "a method of a contract is one wasm function with one layout, so it has no generics",
        );
    }
    if let Some(keyword) = &signature.unsafety {
        refuse(keyword, "a method of a contract is safe to call");
    }
    if let Some(abi) = &signature.abi {
        refuse(abi, "the macros choose how a call crosses the boundary");
    }
    if let Some(dots) = &signature.variadic {
        refuse(dots, "a method of a contract has a fixed list of parameters");
    }
    if let Some(body) = &function.default {
        refuse(body, "a method of a contract has no body; mark it `#[optional]` if a mod may lack it");
    }
    for attribute in &function.attrs {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            refuse(attribute, "server and mod are compiled for different targets and must see the same contract");
        }
    }
}

/// One error out of many, or none.
pub(crate) fn combine(errors: Vec<syn::Error>) -> syn::Result<()> {
    let all = errors.into_iter().reduce(|mut all, next| {
        all.combine(next);
        all
    });
    all.map_or(Ok(()), Err)
}

/// `ArenaHooks` as `arena_hooks`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut text = String::new();
    let mut previous_lower = false;
    for character in name.chars() {
        if character.is_uppercase() && previous_lower {
            text.push('_');
        }
        previous_lower = !character.is_uppercase();
        text.extend(character.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_case_keeps_runs_of_capitals_together() {
        assert_eq!(snake_case("ArenaHooks"), "arena_hooks");
        assert_eq!(snake_case("UI"), "ui");
        assert_eq!(snake_case("arena"), "arena");
    }
}
