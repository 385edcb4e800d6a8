//! `#[module]`: the state's static, the entry points every mod has, one export per hook, the linker's proofs.
//!
//! Everything it writes has a plain name at the scope of the `impl`: names are how the next generation of the mod
//! finds these items again.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, ImplItem, ItemImpl, Path, Type, parse_quote};

use crate::{arguments::Arguments, interface::combine};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let arguments = Arguments::parse(arguments, parse_quote!(::tickswap_sdk), &["extra"])?;
    let item: ItemImpl = syn::parse2(item)?;
    let interface = refuse(&item)?;
    let sdk = &arguments.root;
    let state = &*item.self_ty;
    let exports = exports(sdk, interface, state, &item);
    let once = if arguments.flags.is_empty() {
        let entries = entries(sdk, state);
        let proofs = proofs(sdk);
        quote!(#entries #proofs)
    } else {
        TokenStream::new()
    };
    Ok(quote! {
        #item
        #exports
        #once
    })
}

fn refuse(item: &ItemImpl) -> syn::Result<&Path> {
    let mut errors = Vec::new();
    if !item.generics.params.is_empty() {
        errors.push(syn::Error::new_spanned(
            &item.generics,
            "a mod has one state in one static, so its type has no generics",
        ));
    }
    if !matches!(&*item.self_ty, Type::Path(path) if path.qself.is_none()) {
        errors.push(syn::Error::new_spanned(&item.self_ty, "expected the name of the mod's state type"));
    }
    for entry in &item.items {
        if !matches!(entry, ImplItem::Fn(_)) {
            errors.push(syn::Error::new_spanned(
                entry,
                "expected hooks only: write them out, since this macro exports what it sees here",
            ));
        }
    }
    combine(errors)?;
    match &item.trait_ {
        Some((None, path, _)) => Ok(path),
        _ => Err(syn::Error::new_spanned(
            &item.self_ty,
            "expected an `impl` of a hooks trait: `impl ArenaHooks for Arena`",
        )),
    }
}

/// One call of the trait's exporter per hook in the `impl`, under the hook's own `cfg` attributes.
fn exports(sdk: &Path, interface: &Path, state: &Type, item: &ItemImpl) -> TokenStream {
    let exports = item.items.iter().filter_map(|entry| {
        let ImplItem::Fn(function) = entry else {
            return None;
        };
        let hook: &Ident = &function.sig.ident;
        let conditions = function.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
        Some(quote! {
            #(#conditions)*
            #[cfg(target_arch = "wasm32")]
            #interface! { #hook [#sdk] [#interface] #state }
        })
    });
    quote!(#(#exports)*)
}

fn entries(sdk: &Path, state: &Type) -> TokenStream {
    quote! {
        #[cfg(target_arch = "wasm32")]
        #[doc(hidden)]
        static TICKSWAP_STATE: #sdk::guest::StateCell<#state> = #sdk::guest::StateCell::empty();

        #[cfg(target_arch = "wasm32")]
        impl #sdk::guest::ModState for #state {
            fn cell() -> &'static #sdk::guest::StateCell<Self> {
                &TICKSWAP_STATE
            }
        }

        #[cfg(target_arch = "wasm32")]
        #[doc(hidden)]
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        extern "C" fn tickswap_start() {
            // SAFETY: the server calls this once, before any hook.
            unsafe { #sdk::guest::start::<#state>() }
        }

        #[cfg(target_arch = "wasm32")]
        #[doc(hidden)]
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        extern "C" fn tickswap_buffer(length: u32) -> u32 {
            #sdk::abi::guest::reserve(length)
        }
    }
}

/// Items that LLVM's `mergefunc` and `globalopt` would change: the linker refuses a mod where they are changed,
/// because live state then depends on what those passes did.
fn proofs(sdk: &Path) -> TokenStream {
    let twins = ["tickswap_proof_twin_a", "tickswap_proof_twin_b"].map(|name| {
        let name = Ident::new(name, proc_macro2::Span::call_site());
        quote! {
            #[cfg(target_arch = "wasm32")]
            #[doc(hidden)]
            #[allow(unsafe_code)]
            #[unsafe(no_mangle)]
            extern "C" fn #name(value: u32) -> u32 {
                let mut mixed = value;
                while mixed > 0x7f {
                    mixed = (mixed >> 3) ^ (mixed & 0x55);
                }
                mixed.rotate_left(7) ^ 0x5469_636b
            }
        }
    });
    quote! {
        #(#twins)*

        #[cfg(target_arch = "wasm32")]
        #[doc(hidden)]
        #[used]
        static TICKSWAP_PROOF_TWINS: [extern "C" fn(u32) -> u32; 2] =
            [tickswap_proof_twin_a, tickswap_proof_twin_b];

        #[cfg(target_arch = "wasm32")]
        #[doc(hidden)]
        static TICKSWAP_PROOF_SMALL: #sdk::guest::ProofCell = #sdk::guest::ProofCell::new();

        #[cfg(target_arch = "wasm32")]
        #[doc(hidden)]
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        extern "C" fn tickswap_proof_small(set: i32) -> i32 {
            let before = TICKSWAP_PROOF_SMALL.get();
            if set > 0 {
                TICKSWAP_PROOF_SMALL.set_seven();
            }
            before as i32
        }
    }
}
