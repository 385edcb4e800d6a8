//! The server's side of a host trait: `INTERFACE`, `answering` for queries, `apply` for effects.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    interface::{Interface, Method},
    passing, signatures,
};

pub(crate) fn items(interface: &Interface) -> TokenStream {
    let root = &interface.root;
    let name = &interface.name;
    let trait_name = name.to_string();
    let id = signatures::interface_id(interface);
    let descriptors = interface.methods.iter().map(|method| descriptor(interface, method));
    let queries = arms(interface, false);
    let effects = arms(interface, true);
    let about = format!("What the contract says about `{trait_name}`.");
    let about_answering = format!("Answers the queries of `{trait_name}` from `host`.");
    let about_apply = format!("Carries out one effect of `{trait_name}` on `host`.");
    quote! {
        #[doc = #about]
        #[cfg(not(target_arch = "wasm32"))]
        pub static INTERFACE: #root::HostInterface = #root::HostInterface {
            name: #trait_name,
            id: #id,
            functions: &[#(#descriptors),*],
        };

        #[doc = #about_answering]
        #[cfg(not(target_arch = "wasm32"))]
        pub fn answering(
            host: impl #name + ::core::marker::Send + 'static,
        ) -> ::std::boxed::Box<dyn #root::HostFunctions> {
            ::std::boxed::Box::new(Answering(host))
        }

        #[cfg(not(target_arch = "wasm32"))]
        struct Answering<H>(H);

        #[cfg(not(target_arch = "wasm32"))]
        impl<H: #name + ::core::marker::Send> #root::HostFunctions for Answering<H> {
            fn interface(&self) -> &'static #root::HostInterface {
                &INTERFACE
            }

            fn answer(
                &self,
                function: usize,
                arguments: #root::RawArguments<'_>,
                answer: &mut #root::AnswerBuffer,
            ) -> ::core::result::Result<(), #root::HostCallError> {
                let host = &self.0;
                answer.clear();
                match function {
                    #(#queries)*
                    _ => ::core::result::Result::Err(#root::HostCallError::UnknownFunction {
                        interface: #trait_name,
                        kind: "query",
                        function,
                    }),
                }
            }
        }

        #[doc = #about_apply]
        #[cfg(not(target_arch = "wasm32"))]
        pub fn apply(
            effect: &#root::EffectRef<'_>,
            host: &mut impl #name,
        ) -> ::core::result::Result<(), #root::HostCallError> {
            if effect.interface.id != INTERFACE.id {
                return ::core::result::Result::Err(#root::HostCallError::WrongInterface {
                    expected: #trait_name,
                    found: effect.interface.name,
                });
            }
            let arguments = effect.arguments;
            match effect.function {
                #(#effects)*
                function => ::core::result::Result::Err(#root::HostCallError::UnknownFunction {
                    interface: #trait_name,
                    kind: "effect",
                    function,
                }),
            }
        }
    }
}

fn descriptor(interface: &Interface, method: &Method) -> TokenStream {
    let root = &interface.root;
    let name = method.name.to_string();
    let text = signatures::text(interface, method);
    let constant = method.signature_constant();
    let (parameters, result) = signatures::passing(interface, method);
    let kind = if method.mutable { quote!(Effect) } else { quote!(Query) };
    quote! {
        #root::HostFunctionDescriptor {
            name: #name,
            signature: #text,
            fingerprint: #constant.fingerprint(),
            kind: #root::HostFunctionKind::#kind,
            parameters: #parameters,
            result: #result,
        }
    }
}

/// The match arms of all queries, or of all effects. They use `host`, `arguments` and `answer`.
fn arms(interface: &Interface, effects: bool) -> Vec<TokenStream> {
    let root = &interface.root;
    let trait_name = interface.name.to_string();
    let chosen = interface.methods.iter().enumerate().filter(|(_, method)| method.mutable == effects);
    chosen
        .map(|(index, method)| {
            let name = &method.name;
            let function = name.to_string();
            let types = method.parameter_types();
            // Not the contract's names: a parameter named `host` or `answer` would hide the dispatcher's own.
            let names: Vec<_> = (0..types.len()).map(|index| quote::format_ident!("argument_{index}")).collect();
            let decode = if method.scalars().is_some() {
                quote! {
                    arguments.scalars().and_then(|&[#(#names),*]| {
                        ::core::result::Result::Ok((
                            #(<#types as #root::Scalar>::from_bits(#names)?,)*
                        ))
                    })
                }
            } else {
                let decoded = method.decoded_parameters(root);
                let values = method.decoded_values(&names);
                quote!(arguments.decode::<#decoded>().map(|(#(#names,)*)| #values))
            };
            let finish = match &method.result {
                None => quote! {
                    host.#name(#(#names),*);
                    ::core::result::Result::Ok(())
                },
                Some(result) if result.wire.is_some() => quote! {
                    answer.put_scalar(host.#name(#(#names),*));
                    ::core::result::Result::Ok(())
                },
                Some(result) => {
                    let encoded = passing::encoded(root, &quote!(value), &result.ty);
                    quote! {
                        let value = host.#name(#(#names),*);
                        answer.put_encoded(&#encoded).map_err(|reason| #root::HostCallError::Answer {
                            interface: #trait_name,
                            function: #function,
                            reason,
                        })
                    }
                }
            };
            quote! {
                #index => {
                    let decoded: ::core::result::Result<(#(#types,)*), #root::CodecError> = #decode;
                    let (#(#names,)*) = decoded.map_err(|reason| #root::HostCallError::Arguments {
                        interface: #trait_name,
                        function: #function,
                        reason,
                    })?;
                    #finish
                }
            }
        })
        .collect()
}
