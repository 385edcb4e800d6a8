//! Writes the constants of a trait's signatures, for server and mod alike.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    interface::{Interface, Method, Parameter},
    passing,
};

/// One constant `SIGNATURE_<method>` per method.
pub(crate) fn constants(interface: &Interface) -> TokenStream {
    let root = &interface.root;
    let constants = interface.methods.iter().map(|method| {
        let constant = method.signature_constant();
        let name = method.name.to_string();
        let mutable = method.mutable;
        let all_scalars = method.scalars().is_some();
        let parameters =
            method.parameters.iter().map(|parameter| one(root, parameter, &parameter.name.to_string(), all_scalars));
        let result = match &method.result {
            Some(result) => {
                let result = one(root, result, "", true);
                quote!(::core::option::Option::Some(#result))
            }
            None => quote!(::core::option::Option::None),
        };
        quote! {
            const #constant: #root::generated::Signature = #root::generated::Signature {
                name: #name,
                mutable: #mutable,
                parameters: &[#(#parameters),*],
                result: #result,
            };
        }
    });
    quote!(#(#constants)*)
}

/// An expression of type `&'static str`: the contract line of a method.
pub(crate) fn line(interface: &Interface, method: &Method, kind: &str) -> TokenStream {
    let root = &interface.root;
    let constant = method.signature_constant();
    let name = interface.name.to_string();
    quote!({
        const BYTES: [u8; #constant.line_length(#kind, #name)] = #constant.line(#kind, #name);
        #root::generated::as_text(&BYTES)
    })
}

/// An expression of type `&'static str`: the text of a method's signature.
pub(crate) fn text(interface: &Interface, method: &Method) -> TokenStream {
    let root = &interface.root;
    let constant = method.signature_constant();
    quote!({
        const BYTES: [u8; #constant.text_length()] = #constant.text();
        #root::generated::as_text(&BYTES)
    })
}

/// `ParameterPassing` and `ResultPassing` of a method.
pub(crate) fn passing(interface: &Interface, method: &Method) -> (TokenStream, TokenStream) {
    let root = &interface.root;
    let parameters = match method.scalars() {
        Some(wires) => {
            let types = wires.iter().map(|wire| wire.scalar_type());
            quote!(#root::ParameterPassing::Scalars(&[#(#root::ScalarType::#types),*]))
        }
        None => quote!(#root::ParameterPassing::Encoded),
    };
    let result = match &method.result {
        None => quote!(#root::ResultPassing::Nothing),
        Some(result) => match result.wire {
            Some(wire) => {
                let wire = wire.scalar_type();
                quote!(#root::ResultPassing::Scalar(#root::ScalarType::#wire))
            }
            None => quote!(#root::ResultPassing::Encoded),
        },
    };
    (parameters, result)
}

/// The interface's id: a hash over the contract crate's name and the trait's.
pub(crate) fn interface_id(interface: &Interface) -> TokenStream {
    let root = &interface.root;
    let name = format!("::{}", interface.name);
    quote!(#root::generated::interface_id(::core::concat!(::core::env!("CARGO_PKG_NAME"), #name)))
}

fn one(root: &syn::Path, parameter: &Parameter, name: &str, scalars_count: bool) -> TokenStream {
    let ty = &parameter.ty;
    let written = passing::written(ty);
    let scalar = scalars_count && parameter.wire.is_some();
    quote! {
        #root::generated::Parameter {
            name: #name,
            written: #written,
            shape: <#ty as #root::Payload>::SHAPE,
            scalar: #scalar,
        }
    }
}
