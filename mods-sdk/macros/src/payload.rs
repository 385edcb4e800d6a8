//! `#[derive(Payload)]`: the shape of a struct or enum as a constant.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields, GenericParam, Meta, Path, Token, parse_quote, punctuated::Punctuated};

use crate::interface::combine;

/// Serde attributes that need a format that describes itself, which the wire format does not.
const REFUSED: [&str; 7] =
    ["flatten", "untagged", "tag", "content", "skip_serializing_if", "skip_serializing", "skip_deserializing"];

/// Serde attributes that say nothing about the encoding.
const WITHOUT_MEANING: [&str; 2] = ["crate", "bound"];

pub(crate) fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let mut item: DeriveInput = syn::parse2(item)?;
    let root = root(&item.attrs)?;
    let mut errors = Vec::new();
    let name = item.ident.to_string();
    let attributes = serde_attributes(&item.attrs, &mut errors);
    let shape = match &item.data {
        Data::Struct(data) => {
            let fields = fields(&root, &data.fields, &mut errors);
            quote!(#root::generated::Shape::Struct {
                name: #name, attributes: #attributes, fields: #fields,
            })
        }
        Data::Enum(data) => {
            let variants: Vec<TokenStream> = data
                .variants
                .iter()
                .map(|variant| {
                    let name = variant.ident.to_string();
                    let attributes = serde_attributes(&variant.attrs, &mut errors);
                    let fields = fields(&root, &variant.fields, &mut errors);
                    quote!(#root::generated::Variant {
                        name: #name, attributes: #attributes, fields: #fields,
                    })
                })
                .collect();
            quote!(#root::generated::Shape::Enum {
                name: #name, attributes: #attributes, variants: &[#(#variants),*],
            })
        }
        Data::Union(data) => {
            errors.push(syn::Error::new(
                data.union_token.span,
                "a union does not tell which of its fields is alive; use an enum",
            ));
            TokenStream::new()
        }
    };
    for parameter in &mut item.generics.params {
        match parameter {
            GenericParam::Type(parameter) => parameter.bounds.push(parse_quote!(#root::Payload)),
            GenericParam::Lifetime(lifetime) => errors.push(syn::Error::new_spanned(
                lifetime,
                "borrowed data cannot cross the boundary between two memories; own it",
            )),
            GenericParam::Const(_) => {}
        }
    }
    combine(errors)?;
    let ident = &item.ident;
    let (impl_generics, type_generics, where_clause) = item.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #root::Payload for #ident #type_generics #where_clause {
            const SHAPE: &'static #root::generated::Shape = &#shape;
        }
    })
}

fn root(attributes: &[Attribute]) -> syn::Result<Path> {
    let mut root = parse_quote!(::tickswap_abi);
    for attribute in attributes {
        if attribute.path().is_ident("payload") {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("crate") {
                    root = meta.value()?.call(Path::parse_mod_style)?;
                    Ok(())
                } else {
                    Err(meta.error("expected `crate = path`"))
                }
            })?;
        }
    }
    Ok(root)
}

fn fields(root: &Path, fields: &Fields, errors: &mut Vec<syn::Error>) -> TokenStream {
    let list: Vec<TokenStream> = fields
        .iter()
        .map(|field| {
            let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
            let attributes = serde_attributes(&field.attrs, errors);
            let ty = &field.ty;
            // A field that serde skips is not on the wire, so its type need not be a payload.
            let shape = if is_skipped(&attributes) {
                let written = crate::passing::written(ty);
                quote!(&#root::generated::Shape::Plain(#written))
            } else {
                quote!(<#ty as #root::Payload>::SHAPE)
            };
            quote!(#root::generated::Field { name: #name, attributes: #attributes, shape: #shape })
        })
        .collect();
    match fields {
        Fields::Unit => quote!(#root::generated::Fields::Unit),
        Fields::Unnamed(_) => quote!(#root::generated::Fields::Positional(&[#(#list),*])),
        Fields::Named(_) => quote!(#root::generated::Fields::Named(&[#(#list),*])),
    }
}

fn is_skipped(attributes: &str) -> bool {
    attributes.split(", ").any(|attribute| attribute == "skip")
}

/// The serde attributes as text, and errors for those that the wire format cannot do.
fn serde_attributes(attributes: &[Attribute], errors: &mut Vec<syn::Error>) -> String {
    let mut texts = Vec::new();
    for attribute in attributes {
        if !attribute.path().is_ident("serde") {
            continue;
        }
        let parse = Punctuated::<Meta, Token![,]>::parse_terminated;
        // What serde cannot read either, serde reports better.
        let Ok(metas) = attribute.parse_args_with(parse) else {
            continue;
        };
        for meta in metas {
            let is = |name: &&str| meta.path().is_ident(name);
            if REFUSED.iter().any(is) {
                errors.push(syn::Error::new_spanned(
                    &meta,
                    "the wire format does not describe itself: every value has every field, in order, \
                     and every enum its tag",
                ));
            } else if !WITHOUT_MEANING.iter().any(is) {
                texts.push(quote!(#meta).to_string());
            }
        }
    }
    texts.join(", ")
}
