//! The mod's side of a host trait: one free function per method over a wasm import, and the contract lines.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    interface::{Interface, Method},
    passing::{self, Wire},
    signatures,
};

pub(crate) fn items(interface: &Interface) -> TokenStream {
    let wasm_module = interface.name.to_string();
    let imports = interface.methods.iter().map(import);
    let functions = interface.methods.iter().map(|method| function(interface, method));
    let lines = interface.methods.iter().map(|method| line(interface, method));
    quote! {
        #[cfg(target_arch = "wasm32")]
        mod imports {
            #[link(wasm_import_module = #wasm_module)]
            #[allow(unsafe_code)]
            unsafe extern "C" {
                #(#imports)*
            }
        }

        #(#functions)*
        #(#lines)*
    }
}

fn import(method: &Method) -> TokenStream {
    let name = &method.name;
    let output = match &method.result {
        None => None,
        Some(result) => {
            // Of an encoded answer the import returns the length.
            let ty = result.wire.map_or(quote!(u32), Wire::rust_type);
            Some(quote!(-> #ty))
        }
    };
    let parameters = match method.scalars() {
        Some(wires) => {
            let names = method.parameter_names();
            let types = wires.into_iter().map(Wire::rust_type);
            quote!(#(#names: #types),*)
        }
        None => quote!(address: u32, length: u32),
    };
    quote!(pub(super) fn #name(#parameters) #output;)
}

fn function(interface: &Interface, method: &Method) -> TokenStream {
    let root = &interface.root;
    let Method { name, documentation, .. } = method;
    let (parameters, conversions) = method.client_parameters();
    let names = method.parameter_names();
    let inner = format_ident!("call_{name}");
    let inner_parameters = method.parameters.iter().map(|parameter| {
        let (name, ty) = (&parameter.name, &parameter.ty);
        if passing::is_string(ty) { quote!(#name: &str) } else { quote!(#name: #ty) }
    });
    // SAFETY of the written blocks: the server reads the arguments before it returns, keeps nothing of them,
    // and checks address and length against the mod's memory.
    let call = if method.scalars().is_some() {
        quote! {
            // SAFETY: scalars only.
            unsafe { imports::#name(#(#root::Scalar::to_wire(#names)),*) }
        }
    } else {
        let values = method.encoded_parameters(root);
        quote! {
            #root::guest::with_arguments(&#values, |address, length| {
                // SAFETY: the server reads the arguments before it returns.
                unsafe { imports::#name(address, length) }
            })
        }
    };
    let (output, call) = match &method.result {
        None => (None, quote!(#call)),
        Some(result) => {
            let ty = &result.ty;
            let call = match result.wire {
                Some(_) => quote!(#root::guest::scalar::<#ty>(#call)),
                None => {
                    let decoded = passing::decoded_type(root, ty);
                    passing::from_decoded(&quote!(#root::guest::take_answer::<#decoded>(#call)), ty)
                }
            };
            (Some(quote!(-> #ty)), call)
        }
    };
    quote! {
        #(#documentation)*
        #[cfg(target_arch = "wasm32")]
        pub fn #name(#(#parameters),*) #output {
            #(#conversions)*
            #inner(#(#names),*)
        }

        // Not generic and not inlined: whatever the mod calls pulls this crate's object file, and with it
        // the contract lines, into the link.
        #[cfg(target_arch = "wasm32")]
        #[inline(never)]
        #[allow(unsafe_code)]
        fn #inner(#(#inner_parameters),*) #output {
            #call
        }
    }
}

fn line(interface: &Interface, method: &Method) -> TokenStream {
    let root = &interface.root;
    let name = &method.name;
    let constant = method.line_constant();
    let line = signatures::line(interface, method, "host");
    let line_static = format_ident!("TICKSWAP_LINE__{}__{name}", interface.name);
    quote! {
        #[cfg(target_arch = "wasm32")]
        const #constant: &str = #line;

        #[doc(hidden)]
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        #[unsafe(link_section = "tickswap.contract")]
        static #line_static: [u8; #constant.len()] = #root::generated::as_array(#constant);
    }
}
