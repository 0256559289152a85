//! A parameter of a function, as a field of the struct that its arguments are read into.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Error, Expr, ExprLit, FnArg, Ident, Lit, Meta, Pat, Type};

/// What `serde` and `schemars` may be told of a field, but not of one that has a default: how that is read and described is
/// said already.
const NOT_WITH_DEFAULT: [&str; 8] =
    ["default", "deserialize_with", "flatten", "getter", "schema_with", "skip", "skip_deserializing", "with"];

/// A parameter that is not the conversation.
pub(crate) struct Argument<'a> {
    name: &'a Ident,
    ty: &'a Type,
    /// Comments, and what `serde` and `schemars` are told.
    attributes: Vec<&'a Attribute>,
    default: Option<Expr>,
}

impl<'a> Argument<'a> {
    pub(crate) fn read(input: &'a FnArg) -> syn::Result<Self> {
        let FnArg::Typed(input) = input else {
            return Err(Error::new_spanned(input, "a method cannot be called by an agent: write a function"));
        };
        let name = match &*input.pat {
            Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => &pattern.ident,
            pattern => {
                let message = "an argument needs a name: write `name: Type`, and take it apart in the function";
                return Err(Error::new_spanned(pattern, message));
            }
        };
        match &*input.ty {
            Type::Reference(ty) => {
                let message = match &*ty.elem {
                    Type::Path(path) if path.path.is_ident("str") => "an argument is owned: use `String`",
                    _ => "an argument is owned: leave out the `&`",
                };
                return Err(Error::new_spanned(ty, message));
            }
            Type::ImplTrait(ty) => {
                return Err(Error::new_spanned(ty, "an agent cannot choose types: name one"));
            }
            _ => {}
        }
        let mut attributes = Vec::new();
        let mut default = None;
        for attribute in &input.attrs {
            if attribute.path().is_ident("default") {
                if default.is_some() {
                    return Err(Error::new_spanned(attribute, "there is a default already"));
                }
                default = Some(default_of(attribute)?);
            } else if Self::is_ours(attribute) {
                attributes.push(attribute);
            } else if !is_for_the_compiler(attribute) {
                let message = "a parameter takes comments, `default`, `serde`, `schemars` and lints, and nothing else";
                return Err(Error::new_spanned(attribute, message));
            }
        }
        if default.is_some() {
            let mut told = attributes.iter().copied().flat_map(settings);
            if let Some(setting) = told.find(|setting| NOT_WITH_DEFAULT.iter().any(|name| setting == name)) {
                let message = format!(
                    "`{setting}` does not go with `#[default(...)]`: leave one of them out, or give the argument a type \
                     with a `Deserialize` and a `JsonSchema` of its own"
                );
                return Err(Error::new_spanned(setting, message));
            }
        }
        Ok(Self { name, ty: &input.ty, attributes, default })
    }

    /// Whether an attribute of a parameter is for this macro, and nothing that the compiler would take there.
    pub(crate) fn is_ours(attribute: &Attribute) -> bool {
        ["doc", "default", "serde", "schemars"].iter().any(|name| attribute.path().is_ident(name))
    }

    /// Whether its members stand among the arguments, in which case `serde` cannot tell which ones there are.
    pub(crate) fn is_flattened(&self) -> bool {
        let of_serde = self.attributes.iter().copied().filter(|attribute| attribute.path().is_ident("serde"));
        of_serde.flat_map(settings).any(|setting| setting == "flatten")
    }

    pub(crate) fn field(&self) -> TokenStream {
        let Self { name, ty, attributes, default } = self;
        let attributes = quote!(#(#attributes)*);
        if default.is_none() {
            return quote!(#attributes #name: #ty);
        }
        // Language models write `null` for what they leave out.
        let (shown, function) = (quote!(#ty).to_string(), self.default_name().to_string());
        quote! {
            #attributes
            #[serde(default)]
            #[schemars(with = #shown, default = #function)]
            #name: ::core::option::Option<#ty>
        }
    }

    /// The function that makes the default, if there is one.
    pub(crate) fn default_function(&self) -> Option<TokenStream> {
        let (ty, function) = (self.ty, self.default_name());
        let value = match self.default.as_ref()? {
            Expr::Lit(ExprLit { lit: lit @ Lit::Str(_), .. }) => quote!(::core::convert::From::from(#lit)),
            value => quote!(#value),
        };
        Some(quote!(fn #function() -> #ty { #value }))
    }

    /// Takes it out of the struct, as a pattern. The name is no other's: the function may be called like a parameter.
    pub(crate) fn pattern(&self) -> TokenStream {
        let (name, variable) = (self.name, self.variable());
        quote!(#name: #variable)
    }

    /// What the function is given.
    pub(crate) fn value(&self) -> TokenStream {
        let variable = self.variable();
        match self.default {
            None => quote!(#variable),
            Some(_) => {
                let function = self.default_name();
                quote!(#variable.unwrap_or_else(#function))
            }
        }
    }

    fn variable(&self) -> Ident {
        format_ident!("argument_{}", self.name.unraw(), span = Span::mixed_site())
    }

    fn default_name(&self) -> Ident {
        format_ident!("__default_{}", self.name.unraw())
    }
}

/// The names of what an attribute sets, as `a` and `b` in `#[serde(a, b = "c")]`.
fn settings(attribute: &Attribute) -> Vec<Ident> {
    let Meta::List(list) = &attribute.meta else { return Vec::new() };
    let mut is_first = true;
    let names = list.tokens.clone().into_iter().filter_map(|token| {
        let was_first =
            std::mem::replace(&mut is_first, matches!(&token, TokenTree::Punct(comma) if comma.as_char() == ','));
        match token {
            TokenTree::Ident(name) if was_first => Some(name),
            _ => None,
        }
    });
    names.collect()
}

fn default_of(attribute: &Attribute) -> syn::Result<Expr> {
    let value = match &attribute.meta {
        Meta::List(_) => attribute.parse_args().ok(),
        Meta::NameValue(given) => Some(given.value.clone()),
        Meta::Path(_) => None,
    };
    value.ok_or_else(|| Error::new_spanned(attribute, "say which value is the default: `#[default(2)]`"))
}

fn is_for_the_compiler(attribute: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"].iter().any(|name| attribute.path().is_ident(name))
}
