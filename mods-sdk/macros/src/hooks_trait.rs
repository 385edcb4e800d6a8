//! `#[hooks]`: the trait itself, and the module around its client and signatures.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{ItemTrait, TraitItem, parse_quote};

use crate::{arguments::Arguments, hooks_client, hooks_guest, interface::Interface, signatures};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let arguments = Arguments::parse(arguments, parse_quote!(::tickswap_abi), &[])?;
    let mut item: ItemTrait = syn::parse2(item)?;
    let interface = Interface::read(&mut item, arguments.root, |_, _| ())?;

    give_optional_hooks_a_body(&mut item, &interface);
    item.items.extend(hooks_guest::trait_items(&interface));
    let exporter = hooks_guest::exporter(&interface);
    let constants = signatures::constants(&interface);
    let lines = hooks_guest::lines(&interface);
    let client = hooks_client::items(&interface);

    let Interface { name, module, visibility, .. } = &interface;
    let caller = format_ident!("{name}Caller");
    let documentation = format!("Generated for [`{name}`]: its description and the server's client.");
    Ok(quote! {
        #item

        #[doc = #documentation]
        #[allow(unused_imports, dead_code, non_upper_case_globals, clippy::too_many_arguments)]
        #visibility mod #module {
            use super::*;

            #constants
            #lines
            #client
        }

        #[cfg(not(target_arch = "wasm32"))]
        #[allow(unused_imports)]
        #visibility use #module::Caller as #caller;

        #exporter
    })
}

/// A mod that lacks an optional hook does not export it, so its body never runs unless the mod calls it itself.
fn give_optional_hooks_a_body(item: &mut ItemTrait, interface: &Interface) {
    let functions = item.items.iter_mut().filter_map(|entry| match entry {
        TraitItem::Fn(function) => Some(function),
        _ => None,
    });
    for (function, method) in functions.zip(&interface.methods) {
        if method.optional {
            let message = format!("optional hook {}::{} is not implemented by this mod", interface.name, method.name);
            function.attrs.push(parse_quote!(#[allow(unused_variables)]));
            function.default = Some(parse_quote!({ ::core::panic!(#message) }));
            function.semi_token = None;
        }
    }
}
