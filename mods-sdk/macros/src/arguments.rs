//! The arguments in an attribute's parentheses, the same for all attribute macros.

use proc_macro2::TokenStream;
use syn::{Ident, Path, Token, parse::Parser, punctuated::Punctuated};

/// `(crate = path, flag, flag)`.
pub(crate) struct Arguments {
    /// The path of tickswap-abi or tickswap-sdk.
    pub(crate) root: Path,
    /// The plain words.
    pub(crate) flags: Vec<Ident>,
}

enum Argument {
    Root(Path),
    Flag(Ident),
}

impl syn::parse::Parse for Argument {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Token![crate]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            input.call(Path::parse_mod_style).map(Self::Root)
        } else {
            input.parse().map(Self::Flag)
        }
    }
}

impl Arguments {
    /// Reads them; flags other than `allowed` are refused.
    pub(crate) fn parse(tokens: TokenStream, default_root: Path, allowed: &[&str]) -> syn::Result<Self> {
        let list = Punctuated::<Argument, Token![,]>::parse_terminated.parse2(tokens)?;
        let mut parsed = Self { root: default_root, flags: Vec::new() };
        for argument in list {
            match argument {
                Argument::Root(path) => parsed.root = path,
                Argument::Flag(flag) if allowed.iter().any(|name| flag == name) => {
                    parsed.flags.push(flag);
                }
                Argument::Flag(flag) => {
                    let mut expected: Vec<&str> = allowed.to_vec();
                    expected.push("crate = path");
                    let expected = expected.join("`, `");
                    return Err(syn::Error::new(
                        flag.span(),
                        format!("`{flag}` is no argument here; expected `{expected}`"),
                    ));
                }
            }
        }
        Ok(parsed)
    }
}
