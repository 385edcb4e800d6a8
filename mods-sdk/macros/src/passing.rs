//! Which types travel as wasm values, decided by their written names, and which cannot travel at all.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{GenericArgument, Path, PathArguments, ReturnType, Type, spanned::Spanned};

/// A scalar's wasm type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    I32,
    I64,
    F32,
    F64,
}

impl Wire {
    /// The variant of `ScalarType`.
    pub(crate) fn scalar_type(self) -> TokenStream {
        match self {
            Self::I32 => quote!(I32),
            Self::I64 => quote!(I64),
            Self::F32 => quote!(F32),
            Self::F64 => quote!(F64),
        }
    }

    /// The Rust type of the wasm value in an `extern "C"` signature.
    pub(crate) fn rust_type(self) -> TokenStream {
        match self {
            Self::I32 => quote!(u32),
            Self::I64 => quote!(u64),
            Self::F32 => quote!(f32),
            Self::F64 => quote!(f64),
        }
    }
}

/// The wasm type of a scalar, `None` for everything that travels encoded.
pub(crate) fn wire_of(ty: &Type) -> Option<Wire> {
    let Type::Path(path) = ty else { return None };
    if path.qself.is_some() {
        return None;
    }
    let last = path.path.segments.last()?;
    if !last.arguments.is_none() {
        return None;
    }
    if last.ident == "PlayerId" {
        return Some(Wire::I64);
    }
    let name = path.path.get_ident()?.to_string();
    match name.as_str() {
        "bool" | "char" | "u8" | "u16" | "u32" | "i8" | "i16" | "i32" => Some(Wire::I32),
        "u64" | "i64" => Some(Wire::I64),
        "f32" => Some(Wire::F32),
        "f64" => Some(Wire::F64),
        _ => None,
    }
}

/// Whether the type is written `String`: clients then take `impl AsRef<str>`, which encodes the same.
pub(crate) fn is_string(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.qself.is_none() && path.path.is_ident("String"))
}

/// Whether the type is written `Vec<u8>`: it crosses in one piece, in the same encoding as byte by byte.
fn is_bytes(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.qself.is_none() && written(ty) == "Vec<u8>")
}

/// What is encoded of a value named `name`.
pub(crate) fn encoded(root: &Path, name: &TokenStream, ty: &Type) -> TokenStream {
    if is_bytes(ty) { quote!(#root::generated::Bytes(&#name)) } else { quote!(&#name) }
}

/// The type that is decoded for a value of type `ty`.
pub(crate) fn decoded_type(root: &Path, ty: &Type) -> TokenStream {
    if is_bytes(ty) { quote!(#root::generated::OwnedBytes) } else { quote!(#ty) }
}

/// The value of type `ty` in what was decoded for it.
pub(crate) fn from_decoded(decoded: &TokenStream, ty: &Type) -> TokenStream {
    if is_bytes(ty) { quote!(#decoded.0) } else { decoded.clone() }
}

/// The type as text for signatures, without the blanks that tokens print.
pub(crate) fn written(ty: &Type) -> String {
    let mut text = String::new();
    let tokens = ty.to_token_stream().to_string();
    for word in tokens.split_whitespace() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let separates = text.ends_with([',', ';']) || (text.ends_with(is_word) && word.starts_with(is_word));
        if separates {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// Refuses types that cannot cross the boundary, with the reason. Adds to `errors`.
pub(crate) fn refuse_type(ty: &Type, errors: &mut Vec<syn::Error>) {
    let mut refuse = |message: &str| errors.push(syn::Error::new(ty.span(), message));
    match ty {
        Type::Path(path) => {
            if let Some(name) = path.path.get_ident() {
                if name == "usize" || name == "isize" {
                    return refuse(&format!(
                        "`{name}` has 32 bits in a mod and 64 in the server; write `{}32` or `{}64`",
                        &name.to_string()[..1],
                        &name.to_string()[..1],
                    ));
                }
                if name == "Self" {
                    return refuse("`Self` is another type in every mod; name a payload type");
                }
            }
            let first = path.path.segments.first();
            if first.is_some_and(|first| first.ident == "self" || first.ident == "super") {
                refuse("the type is also named in a generated module; import it or start its path with `crate::`");
            }
            for segment in &path.path.segments {
                match &segment.arguments {
                    PathArguments::None => {}
                    PathArguments::AngleBracketed(list) => {
                        for argument in &list.args {
                            match argument {
                                GenericArgument::Type(inner) => refuse_type(inner, errors),
                                GenericArgument::Lifetime(lifetime) => {
                                    errors.push(syn::Error::new(
                                        lifetime.span(),
                                        "borrowed data cannot cross the boundary between two memories; use an owned type",
                                    ));
                                }
                                _ => {}
                            }
                        }
                    }
                    PathArguments::Parenthesized(_) => {
                        errors.push(syn::Error::new(
                            segment.span(),
                            "code cannot cross the boundary between server and mod; pass data",
                        ));
                    }
                }
            }
        }
        Type::Reference(_) => refuse(
            "borrowed data cannot cross the boundary between two memories; use an owned type \
             such as `String` or `Vec<T>` (the generated clients still take `&str` for `String`)",
        ),
        Type::Ptr(_) => refuse("a pointer means nothing in another memory; pass data"),
        Type::ImplTrait(_) => {
            refuse("the boundary carries one layout per method, so its types are concrete; name a payload type")
        }
        Type::TraitObject(_) | Type::BareFn(_) => {
            refuse("code cannot cross the boundary between server and mod; pass data")
        }
        Type::Never(_) => refuse("a call across the boundary returns"),
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|inner| refuse_type(inner, errors)),
        Type::Array(array) => refuse_type(&array.elem, errors),
        Type::Paren(inner) => refuse_type(&inner.elem, errors),
        Type::Group(inner) => refuse_type(&inner.elem, errors),
        _ => refuse("expected a payload type: a path, a tuple or an array"),
    }
}

/// The type behind `->`, `None` for no result or `()`.
pub(crate) fn result_type(output: &ReturnType) -> Option<&Type> {
    match output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => match &**ty {
            Type::Tuple(tuple) if tuple.elems.is_empty() => None,
            other => Some(other),
        },
    }
}
