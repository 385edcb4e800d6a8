//! The procedural macros of tickswap-abi and tickswap-sdk. Used through their re-exports.
//!
//! Each macro reads into a model that has already refused what the boundary cannot carry
//! (`interface`, `passing`), and then writes code from the model alone. The written code calls
//! `tickswap_abi::generated`, `tickswap_abi::guest` and `tickswap_sdk::guest`.

mod arguments;
mod hooks_client;
mod hooks_guest;
mod hooks_trait;
mod host_client;
mod host_dispatch;
mod host_trait;
mod interface;
mod module;
mod passing;
mod payload;
mod signatures;

use proc_macro::TokenStream;

/// Makes a trait a part of the contract that mods implement and the server calls.
///
/// - Methods take `&self` or `&mut self`, and owned payload types; they have no body.
/// - `#[optional]` on a method lets a mod lack it.
/// - For `trait ArenaHooks` this makes the module `arena_hooks` with `INTERFACE` and the server's client,
///   and the trait `ArenaHooksCaller`, which gives every `HookCaller` the method `arena()`.
/// - `#[hooks(crate = path)]` names tickswap-abi where it is renamed.
#[proc_macro_attribute]
pub fn hooks(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(hooks_trait::expand(arguments.into(), item.into()))
}

/// Makes a trait a part of the contract that the server implements and mods call.
///
/// - `&self` makes a query, answered at once; `&mut self` an effect, queued until the tick commits,
///   which returns nothing.
/// - For `trait ArenaHost` this makes the module `arena_host`: in the server with `INTERFACE`, `answering` and
///   `apply`, in a mod with one free function per method.
/// - `#[host(crate = path)]` names tickswap-abi where it is renamed.
#[proc_macro_attribute]
pub fn host(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(host_trait::expand(arguments.into(), item.into()))
}

/// Lets a type cross the boundary; derive it beside serde's `Serialize` and `Deserialize`.
///
/// Serde attributes count as part of the structure. Those that need a self-describing format are
/// refused. `#[payload(crate = path)]` names tickswap-abi where it is renamed.
#[proc_macro_derive(Payload, attributes(payload, serde))]
pub fn payload(item: TokenStream) -> TokenStream {
    finish(payload::expand(item.into()))
}

/// Makes an `impl` of a hooks trait the mod: exports its hooks and keeps its state in a static.
///
/// `Default` runs once, at the first start of a world. `#[module(extra)]` exports a further
/// hooks trait of the same type; `#[module(crate = path)]` names tickswap-sdk where it is renamed.
#[proc_macro_attribute]
pub fn module(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(module::expand(arguments.into(), item.into()))
}

fn finish(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|error| error.to_compile_error()).into()
}
