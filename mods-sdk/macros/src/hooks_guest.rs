//! The mod's side of a hooks trait: provided methods that decode and encode, and the macro that exports them.
//!
//! The exporter is a `macro_rules` macro under the trait's own name: whoever can name the trait in an `impl`
//! can then also name the macro, without knowing where in which crate the trait lives. It is expanded in
//! the mod, where no type of the signature need be in scope, so everything typed is a provided
//! method or constant of the trait.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, TraitItem, parse_quote};

use crate::{
    interface::{Interface, Method},
    passing::{self, Wire},
    signatures,
};

/// Hidden items of the trait, present on wasm32 only.
pub(crate) fn trait_items(interface: &Interface) -> Vec<TraitItem> {
    let mut items = Vec::new();
    for method in &interface.methods {
        let module = &interface.module;
        let line = method.line_constant();
        let hidden_line = hidden_line(method);
        items.push(parse_quote! {
            #[cfg(target_arch = "wasm32")]
            #[doc(hidden)]
            #[allow(non_upper_case_globals)]
            const #hidden_line: &'static str = #module::#line;
        });
        items.push(entry(interface, method));
    }
    items
}

/// The contract lines of all hooks, as constants of the trait's module.
pub(crate) fn lines(interface: &Interface) -> TokenStream {
    let lines = interface.methods.iter().map(|method| {
        let constant = method.line_constant();
        let line = signatures::line(interface, method, "hooks");
        quote! {
            #[cfg(target_arch = "wasm32")]
            pub(super) const #constant: &str = #line;
        }
    });
    quote!(#(#lines)*)
}

/// The macro that exports one hook of a mod: `Trait!(method [sdk path] [trait path] Type)`.
pub(crate) fn exporter(interface: &Interface) -> TokenStream {
    let name = &interface.name;
    let macro_name = format_ident!("__tickswap_export_{name}");
    let visibility = &interface.visibility;
    let arms = interface.methods.iter().map(|method| arm(interface, method));
    quote! {
        #[cfg(target_arch = "wasm32")]
        #[doc(hidden)]
        #[macro_export]
        macro_rules! #macro_name {
            #(#arms)*
            ($($unknown:tt)*) => {};
        }

        #[cfg(target_arch = "wasm32")]
        #[doc(hidden)]
        #[allow(unused_imports)]
        #visibility use #macro_name as #name;
    }
}

fn hidden_line(method: &Method) -> Ident {
    format_ident!("__TICKSWAP_LINE_{}", method.name)
}

fn hidden_entry(method: &Method) -> Ident {
    format_ident!("__tickswap_entry_{}", method.name)
}

/// Parameter names of the entry and their wasm types.
fn entry_parameters(method: &Method) -> Vec<(Ident, TokenStream)> {
    match method.scalars() {
        Some(wires) => (0..)
            .zip(wires)
            .map(|(index, wire): (usize, Wire)| (format_ident!("wire_{index}"), wire.rust_type()))
            .collect(),
        None => vec![(format_ident!("length"), quote!(u32))],
    }
}

fn entry_result(method: &Method) -> Option<TokenStream> {
    let result = method.result.as_ref()?;
    Some(result.wire.map_or(quote!(u64), Wire::rust_type))
}

/// Takes what wasm carries, calls the hook, gives what wasm carries.
fn entry(interface: &Interface, method: &Method) -> TraitItem {
    let root = &interface.root;
    let name = &method.name;
    let entry = hidden_entry(method);
    let (wires, wire_types): (Vec<_>, Vec<_>) = entry_parameters(method).into_iter().unzip();
    let types = method.parameter_types();
    let arguments: Vec<Ident> = (0..types.len()).map(|index| format_ident!("argument_{index}")).collect();
    let decode = if method.scalars().is_some() {
        quote!(#(let #arguments: #types = #root::guest::scalar::<#types>(#wires);)*)
    } else {
        let decoded = method.decoded_parameters(root);
        let values = method.decoded_values(&arguments);
        quote! {
            let (#(#arguments,)*) = #root::guest::arguments::<#decoded>(length);
            let (#(#arguments,)*): (#(#types,)*) = #values;
        }
    };
    let call = quote!(self.#name(#(#arguments),*));
    let call = match &method.result {
        None => call,
        Some(result) if result.wire.is_some() => quote!(#root::Scalar::to_wire(#call)),
        Some(result) => {
            let value = passing::encoded(root, &quote!(value), &result.ty);
            quote! {{
                let value = #call;
                #root::guest::answer(&#value)
            }}
        }
    };
    let output = entry_result(method).map(|ty| quote!(-> #ty));
    parse_quote! {
        #[cfg(target_arch = "wasm32")]
        #[doc(hidden)]
        #[inline]
        fn #entry(&mut self #(, #wires: #wire_types)*) #output
        where
            Self: ::core::marker::Sized,
        {
            #decode
            #call
        }
    }
}

fn arm(interface: &Interface, method: &Method) -> TokenStream {
    let name = &method.name;
    let entry = hidden_entry(method);
    let line = hidden_line(method);
    let export = format_ident!("tickswap_hook__{}__{name}", interface.name);
    let line_static = format_ident!("TICKSWAP_LINE__{}__{name}", interface.name);
    let (wires, types): (Vec<_>, Vec<_>) = entry_parameters(method).into_iter().unzip();
    let output = entry_result(method).map(|ty| quote!(-> #ty));
    // SAFETY of the written block: the server runs one hook of a memory at a time, and an export is
    // not reachable from safe code of the mod.
    quote! {
        (#name [$($sdk:tt)*] [$($interface:tt)*] $state:ty) => {
            #[doc(hidden)]
            #[allow(non_snake_case, unsafe_code)]
            #[unsafe(no_mangle)]
            extern "C" fn #export(#(#wires: #types),*) #output {
                // SAFETY: the server runs one hook of a memory at a time.
                let state: &mut $state = unsafe { $($sdk)*::guest::state::<$state>() };
                <$state as $($interface)*>::#entry(state #(, #wires)*)
            }

            #[doc(hidden)]
            #[allow(non_upper_case_globals, unsafe_code)]
            #[unsafe(link_section = "tickswap.contract")]
            static #line_static: [u8; <$state as $($interface)*>::#line.len()] =
                $($sdk)*::abi::generated::as_array(<$state as $($interface)*>::#line);
        };
    }
}
