//! `#[host]`: the trait itself, and the module around its dispatcher (server) and free functions (mod).

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ItemTrait, parse_quote};

use crate::{
    arguments::Arguments,
    host_client, host_dispatch,
    interface::{Interface, Method},
    signatures,
};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let arguments = Arguments::parse(arguments, parse_quote!(::tickswap_abi), &[])?;
    let mut item: ItemTrait = syn::parse2(item)?;
    let interface = Interface::read(&mut item, arguments.root, refuse)?;

    let constants = signatures::constants(&interface);
    let dispatch = host_dispatch::items(&interface);
    let client = host_client::items(&interface);
    let Interface { name, module, visibility, .. } = &interface;
    let documentation = format!(
        "Generated for [`{name}`]: in the server its description, `answering` and `apply`; in a mod \
         one function per method."
    );
    Ok(quote! {
        #item

        #[doc = #documentation]
        #[allow(unused_imports, dead_code, non_upper_case_globals, clippy::too_many_arguments)]
        #visibility mod #module {
            use super::*;

            #constants
            #dispatch
            #client
        }
    })
}

/// Effects answer nothing, and the server offers every function.
fn refuse(method: &Method, errors: &mut Vec<syn::Error>) {
    if let Some(result) = &method.result
        && method.mutable
    {
        errors.push(syn::Error::new_spanned(
            &result.ty,
            "an effect (`&mut self`) is queued and carried out only when the tick commits, so there is nothing \
             to return yet; make it a query with `&self`, or report the result with a hook",
        ));
    }
    if method.optional {
        errors.push(syn::Error::new(
            method.name.span(),
            "only hooks are optional: a server implements its host trait whole",
        ));
    }
}
