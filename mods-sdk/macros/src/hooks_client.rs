//! The server's client of a hooks trait: `INTERFACE`, `Client`, `OneMod` and the extension trait `Caller`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    interface::{Interface, Method, snake_case},
    passing, signatures,
};

pub(crate) fn items(interface: &Interface) -> TokenStream {
    let root = &interface.root;
    let trait_name = interface.name.to_string();
    let descriptors = interface.methods.iter().map(|method| descriptor(interface, method));
    let id = signatures::interface_id(interface);
    let all = numbered(interface).map(|(index, method)| on_all(interface, index, method));
    let one = numbered(interface).map(|(index, method)| on_one(interface, index, method));
    let accessor = accessor(&trait_name);
    let about_interface = format!("What the contract says about `{trait_name}`.");
    let about_client = format!(
        "Calls the hooks of `{trait_name}`: those without a result on every mod, those with one \
         on every mod with answers labelled by mod."
    );
    let about_one = format!("Calls the hooks of `{trait_name}` on one mod.");
    let about_caller = format!("Gives everything that can call hooks a client of `{trait_name}`.");
    quote! {
        #[doc = #about_interface]
        #[cfg(not(target_arch = "wasm32"))]
        pub static INTERFACE: #root::HooksInterface = #root::HooksInterface {
            name: #trait_name,
            id: #id,
            hooks: &[#(#descriptors),*],
        };

        #[doc = #about_caller]
        #[cfg(not(target_arch = "wasm32"))]
        pub trait Caller: #root::HookCaller {
            #[doc = #about_client]
            fn #accessor(&mut self) -> Client<'_, Self> {
                Client { caller: self }
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl<C: #root::HookCaller + ?::core::marker::Sized> Caller for C {}

        #[doc = #about_client]
        #[cfg(not(target_arch = "wasm32"))]
        #[derive(Debug)]
        pub struct Client<'c, C: ?::core::marker::Sized> {
            caller: &'c mut C,
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl<'c, C: #root::HookCaller + ?::core::marker::Sized> Client<'c, C> {
            /// The same hooks on the named mod only.
            pub fn of<'m>(self, mod_name: &'m str) -> OneMod<'c, 'm, C> {
                OneMod { caller: self.caller, mod_name }
            }

            #(#all)*
        }

        #[doc = #about_one]
        #[cfg(not(target_arch = "wasm32"))]
        #[derive(Debug)]
        pub struct OneMod<'c, 'm, C: ?::core::marker::Sized> {
            caller: &'c mut C,
            mod_name: &'m str,
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl<C: #root::HookCaller + ?::core::marker::Sized> OneMod<'_, '_, C> {
            #(#one)*
        }
    }
}

/// `ArenaHooks` gives `arena`.
fn accessor(trait_name: &str) -> syn::Ident {
    let stem = match trait_name.strip_suffix("Hooks") {
        None | Some("") => trait_name,
        Some(stem) => stem,
    };
    format_ident!("{}", snake_case(stem))
}

fn numbered(interface: &Interface) -> impl Iterator<Item = (usize, &Method)> {
    interface.methods.iter().enumerate()
}

fn descriptor(interface: &Interface, method: &Method) -> TokenStream {
    let root = &interface.root;
    let name = method.name.to_string();
    let export = format!("tickswap_hook__{}__{name}", interface.name);
    let text = signatures::text(interface, method);
    let constant = method.signature_constant();
    let (parameters, result) = signatures::passing(interface, method);
    let optional = method.optional;
    quote! {
        #root::HookDescriptor {
            name: #name,
            export: #export,
            signature: #text,
            fingerprint: #constant.fingerprint(),
            parameters: #parameters,
            result: #result,
            optional: #optional,
        }
    }
}

/// What both clients' methods begin with: parameters, borrowed text, and the expression of `Arguments`.
struct Prepared {
    parameters: Vec<TokenStream>,
    conversions: Vec<TokenStream>,
    hook: TokenStream,
    arguments: TokenStream,
}

fn prepare(interface: &Interface, index: usize, method: &Method) -> Prepared {
    let root = &interface.root;
    let (parameters, conversions) = method.client_parameters();
    let names = method.parameter_names();
    let arguments = if method.scalars().is_some() {
        quote!(#root::Arguments::Scalars(&[#(#root::Scalar::to_bits(#names)),*]))
    } else {
        // The contract's parameters are in scope here, so the closure's own must not have a name of theirs.
        let values = method.encoded_parameters(root);
        quote!(#root::Arguments::Encode(
            &|__tickswap_bytes: &mut ::std::vec::Vec<u8>| #root::codec::encode(&#values, __tickswap_bytes)
        ))
    };
    Prepared {
        parameters,
        conversions,
        hook: quote!(#root::HookRef { interface: &INTERFACE, index: #index }),
        arguments,
    }
}

fn read_answer(root: &syn::Path, result: &crate::interface::Parameter) -> TokenStream {
    let ty = &result.ty;
    match result.wire {
        Some(_) => quote!(|raw| raw.scalar::<#ty>()),
        None => {
            let decoded = passing::decoded_type(root, ty);
            let value = passing::from_decoded(&quote!(decoded), ty);
            quote!(|raw: #root::RawAnswer<'_>| raw.decode::<#decoded>().map(|decoded| #value))
        }
    }
}

fn on_all(interface: &Interface, index: usize, method: &Method) -> TokenStream {
    let root = &interface.root;
    let Prepared { parameters, conversions, hook, arguments } = prepare(interface, index, method);
    let Method { name, documentation, .. } = method;
    let (output, call) = match &method.result {
        None => (quote!(()), quote!(#root::generated::tell(self.caller, #root::Target::All, #hook, #arguments))),
        Some(result) => {
            let ty = &result.ty;
            let read = read_answer(root, result);
            (quote!(#root::Answers<#ty>), quote!(#root::generated::ask_all(self.caller, #hook, #arguments, #read)))
        }
    };
    quote! {
        #(#documentation)*
        pub fn #name(&mut self #(, #parameters)*) -> ::core::result::Result<#output, #root::CallError> {
            #(#conversions)*
            #call
        }
    }
}

fn on_one(interface: &Interface, index: usize, method: &Method) -> TokenStream {
    let root = &interface.root;
    let Prepared { parameters, conversions, hook, arguments } = prepare(interface, index, method);
    let Method { name, documentation, .. } = method;
    let target = quote!(#root::Target::Mod(self.mod_name));
    let (output, call) = match &method.result {
        None => (quote!(()), quote!(#root::generated::tell(self.caller, #target, #hook, #arguments))),
        Some(result) => {
            let ty = &result.ty;
            let read = read_answer(root, result);
            let (output, ask) = if method.optional {
                (quote!(::core::option::Option<#ty>), quote!(ask_one_if_offered))
            } else {
                (quote!(#ty), quote!(ask_one))
            };
            (output, quote!(#root::generated::#ask(self.caller, self.mod_name, #hook, #arguments, #read)))
        }
    };
    quote! {
        #(#documentation)*
        pub fn #name(&mut self #(, #parameters)*) -> ::core::result::Result<#output, #root::CallError> {
            #(#conversions)*
            #call
        }
    }
}
