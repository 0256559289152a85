//! From a function to what makes it callable.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, FnArg, Lit, Meta, Safety, Signature, Type, Visibility};

use crate::arguments::Argument;
use crate::options::Options;

/// What the attribute stands on.
struct Function {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    signature: Signature,
    /// Never looked into, so that what is wrong in it is said by the compiler, and in its words.
    body: TokenStream,
}

/// Expands the attribute: the function as it stands, without what is said in its parameters' attributes, and beside it
/// a type of its name, by which `export!` finds how it is called.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => return with_error(item, &error),
    };
    match syn::parse2(options).and_then(|options| function.glue(&options)) {
        Ok(glue) => {
            let function = function.without_arguments_attributes();
            quote!(#function #glue)
        }
        // The function stays, so that whoever calls it is not told that it is missing.
        Err(error) => with_error(function.without_arguments_attributes(), &error),
    }
}

fn with_error(item: TokenStream, error: &Error) -> TokenStream {
    let error = error.to_compile_error();
    quote!(#item #error)
}

impl Function {
    /// The type that `export!` looks for.
    fn glue(&self, options: &Options) -> syn::Result<TokenStream> {
        let Signature { ident, .. } = &self.signature;
        let arguments = self.arguments()?;
        let name = options.name.clone().unwrap_or_else(|| ident.unraw().to_string());
        let description = text_of_comments(&self.attributes)?;
        let flow = option(options.flow.as_deref());
        let annotations = option(options.annotations().as_deref());

        let fields = arguments.iter().map(Argument::field);
        let defaults = arguments.iter().filter_map(Argument::default_function);
        let patterns = arguments.iter().map(Argument::pattern);
        let values = arguments.iter().map(Argument::value);
        let strictness = (!arguments.iter().any(Argument::is_flattened)).then(|| quote!(deny_unknown_fields));
        // What is wrong with the type that is returned is said where it stands.
        let output = match &self.signature.output {
            syn::ReturnType::Default => ident.span(),
            syn::ReturnType::Type(_, output) => output.span(),
        };
        let sdk = quote!(::agent_memory_sdk::__private);
        let conv = format_ident!("conv", span = Span::mixed_site());
        let text = format_ident!("text", span = Span::mixed_site());
        let called =
            quote_spanned!(output=> ::agent_memory_sdk::__private::Returned(#ident(#conv #(, #values)*)).answer());
        let (serde, schemars) = (sdk_path("serde"), sdk_path("schemars"));
        let visibility = &self.visibility;
        Ok(quote! {
            // An enum, because one that nobody names is reported by the compiler: the function is not exported.
            #[doc(hidden)]
            #[allow(non_camel_case_types, reason = "it has the function's name")]
            #visibility enum #ident {}

            const _: () = {
                #[derive(#sdk::serde::Deserialize, #sdk::schemars::JsonSchema)]
                #[serde(crate = #serde, #strictness)]
                #[schemars(crate = #schemars)]
                struct __Arguments {
                    #(#fields,)*
                }

                #(#defaults)*

                impl #sdk::Exported for #ident {
                    const ENTRY: #sdk::Entry = #sdk::Entry {
                        name: #name,
                        flow: #flow,
                        description: #description,
                        annotations: #annotations,
                        place: ::core::concat!(::core::file!(), ":", ::core::line!()),
                        parameters: #sdk::parameters::<__Arguments>,
                        call: |#conv, #text| {
                            #[allow(unused_imports, reason = "a `Result` does without it")]
                            use #sdk::Answer as _;

                            let __Arguments { #(#patterns),* } = #sdk::arguments(#text)?;
                            #called
                        },
                    };
                }
            };
        })
    }

    /// What the function takes beside the conversation.
    fn arguments(&self) -> syn::Result<Vec<Argument<'_>>> {
        let Signature { constness: _, asyncness, safety, abi, generics, inputs, variadic, .. } = &self.signature;
        if let Some(asyncness) = asyncness {
            return Err(Error::new_spanned(asyncness, "nothing is waited for in a turn: leave out `async`"));
        }
        if let Safety::Unsafe(token) = safety {
            return Err(Error::new_spanned(token, "an agent calls only what is safe: leave out `unsafe`"));
        }
        if let Some(abi) = abi {
            return Err(Error::new_spanned(abi, "leave out `extern`: the function is exported by `export!`"));
        }
        if let Some(variadic) = variadic {
            return Err(Error::new_spanned(variadic, "an argument needs a name and a type"));
        }
        if !generics.params.is_empty() {
            return Err(Error::new_spanned(generics, "an agent cannot choose types: leave out the generics"));
        }
        let mut inputs = inputs.iter();
        match inputs.next() {
            Some(FnArg::Typed(first)) if matches!(&*first.ty, Type::Reference(to) if to.mutability.is_none()) => {}
            Some(FnArg::Receiver(receiver)) => {
                return Err(Error::new_spanned(receiver, "a method cannot be called by an agent: write a function"));
            }
            Some(first) => {
                return Err(Error::new_spanned(
                    first,
                    "the first parameter is the conversation: `conv: &Conversation`",
                ));
            }
            None => {
                let message = "a function takes the conversation first: `conv: &Conversation`";
                return Err(Error::new(self.signature.paren_token.span.join(), message));
            }
        }
        let mut errors: Option<Error> = None;
        let mut arguments = Vec::new();
        for input in inputs {
            match Argument::read(input) {
                Ok(argument) => arguments.push(argument),
                Err(error) => match &mut errors {
                    Some(errors) => errors.combine(error),
                    None => errors = Some(error),
                },
            }
        }
        errors.map_or(Ok(arguments), Err)
    }

    /// The function as the compiler takes it, which would refuse comments and what it does not know on parameters.
    fn without_arguments_attributes(mut self) -> TokenStream {
        for input in &mut self.signature.inputs {
            if let FnArg::Typed(input) = input {
                input.attrs.retain(|attribute| !Argument::is_ours(attribute));
            }
        }
        let Self { attributes, visibility, signature, body } = self;
        quote!(#(#attributes)* #visibility #signature #body)
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse().map_err(|error: Error| {
            Error::new(error.span(), format!("only a function can be one of an agent: {error}"))
        })?;
        Ok(Self { attributes, visibility, signature, body: input.parse()? })
    }
}

/// The text of the comments among attributes.
fn text_of_comments(attributes: &[Attribute]) -> syn::Result<String> {
    let mut lines = Vec::new();
    let mut is_known = true;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let Meta::NameValue(comment) = &attribute.meta else { continue };
        match &comment.value {
            Expr::Lit(literal) if let Lit::Str(text) = &literal.lit => lines.push(text.value()),
            _ => is_known = false,
        }
    }
    if !is_known {
        return Err(Error::new(
            attributes.first().map_or_else(Span::call_site, Spanned::span),
            "a description is written as a comment: `/// Books a cheese.`",
        ));
    }
    let lines: Vec<&str> = lines.iter().flat_map(|text| text.split('\n')).map(str::trim).collect();
    Ok(lines.join("\n").trim().to_owned())
}

/// A text that may be missing, as an expression.
fn option(text: Option<&str>) -> TokenStream {
    text.map_or_else(|| quote!(::core::option::Option::None), |text| quote!(::core::option::Option::Some(#text)))
}

/// How a crate that the SDK brings along is named in attributes of derives.
fn sdk_path(name: &str) -> String {
    format!("::agent_memory_sdk::__private::{name}")
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenTree;

    use super::*;

    fn expanded(options: &str, item: &str) -> TokenStream {
        expand(options.parse().unwrap(), item.parse().unwrap())
    }

    /// The messages of the `compile_error!`s among tokens.
    fn errors(tokens: TokenStream) -> Vec<String> {
        let mut errors = Vec::new();
        let mut is_next = false;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if name == "compile_error" => is_next = true,
                TokenTree::Group(group) if is_next => {
                    let message: syn::LitStr = syn::parse2(group.stream()).unwrap();
                    errors.push(message.value());
                    is_next = false;
                }
                TokenTree::Group(group) => errors.extend(self::errors(group.stream())),
                _ => {}
            }
        }
        errors
    }

    #[test]
    fn what_cannot_be_called_is_refused_with_what_to_write_instead() {
        for (item, expected) in [
            ("struct Book;", "only a function can be one of an agent: "),
            ("fn book() {}", "a function takes the conversation first: `conv: &Conversation`"),
            ("fn book(cheese: String) {}", "the first parameter is the conversation: `conv: &Conversation`"),
            ("fn book(conv: &mut Conversation) {}", "the first parameter is the conversation: `conv: &Conversation`"),
            ("fn book(&self) {}", "a method cannot be called by an agent: write a function"),
            ("async fn book(conv: &C) {}", "nothing is waited for in a turn: leave out `async`"),
            ("unsafe fn book(conv: &C) {}", "an agent calls only what is safe: leave out `unsafe`"),
            ("extern \"C\" fn book(conv: &C) {}", "leave out `extern`: the function is exported by `export!`"),
            ("fn book<T>(conv: &C, t: T) {}", "an agent cannot choose types: leave out the generics"),
            ("fn book(conv: &C, t: impl Copy) {}", "an agent cannot choose types: name one"),
            ("fn book(conv: &C, cheese: &str) {}", "an argument is owned: use `String`"),
            ("fn book(conv: &C, cheeses: &[u8]) {}", "an argument is owned: leave out the `&`"),
            ("fn book(conv: &C, (a, b): (u8, u8)) {}", "an argument needs a name: write `name: Type`"),
            ("fn book(conv: &C, _: u8) {}", "an argument needs a name: write `name: Type`"),
            ("fn book(conv: &C, #[default] a: u8) {}", "say which value is the default: `#[default(2)]`"),
            ("fn book(conv: &C, #[default(1)] #[default(2)] a: u8) {}", "there is a default already"),
            (
                "fn book(conv: &C, #[default(1)] #[serde(default)] a: u8) {}",
                "`default` does not go with `#[default(...)]`",
            ),
            (
                "fn book(conv: &C, #[serde(alias = \"b\", deserialize_with = \"f\")] #[default(1)] a: u8) {}",
                "`deserialize_with` does not go with `#[default(...)]`",
            ),
            (
                "fn book(conv: &C, #[default(1)] #[serde(flatten)] a: A) {}",
                "`flatten` does not go with `#[default(...)]`",
            ),
            ("fn book(conv: &C, #[default(1)] #[schemars(with = \"u8\")] a: u8) {}", "`with` does not go with "),
            ("fn book(conv: &C, #[cfg(x)] a: u8) {}", "a parameter takes comments, `default`, `serde`, `schemars`"),
            ("#[doc = include_str!(\"a\")] fn book(conv: &C) {}", "a description is written as a comment"),
        ] {
            let errors = errors(expanded("", item));
            assert!(matches!(&errors[..], [error] if error.starts_with(expected)), "{item}: {errors:?}");
        }
    }

    #[test]
    fn options_that_do_not_exist_or_say_nothing_are_refused() {
        for (options, expected) in [
            ("names = \"a\"", "there is no such option: there are `name`, `flow` and `latency_control`"),
            ("name = \"a\", name = \"b\"", "it is there twice"),
            ("name = \"a.b\"", "a name has at least one character, and neither dots nor spaces"),
            ("flow = \"\"", "a name has at least one character, and neither dots nor spaces"),
            ("name = 1", "expected string literal"),
            ("latency_control(delay = 1)", "there is no such setting: there are `delay_before_responses_start`, "),
            ("latency_control(delay_responses = [(\"a\", \"b\")])", "seconds are a number, such as `2` or `0.5`"),
        ] {
            let errors = errors(expanded(options, "fn book(conv: &C) {}"));
            assert!(matches!(&errors[..], [error] if error.starts_with(expected)), "{options}: {errors:?}");
        }
    }

    #[test]
    fn all_parameters_that_are_wrong_are_told_at_once() {
        let errors = errors(expanded("", "fn book(conv: &C, a: &str, (b, c): (u8, u8)) {}"));
        assert_eq!(errors.len(), 2, "{errors:?}");
    }

    #[test]
    fn a_function_stays_as_it_is_but_for_what_its_parameters_are_told() {
        let item = "/** Books. */ #[inline] pub(crate) fn book(conv: &C, #[default(1)] #[allow(unused)] \
                    #[serde(rename = \"b\")] /** A. */ mut a: u8) -> u8 { no = syntax; }";
        let function = "/** Books. */ #[inline] pub(crate) fn book(conv: &C, #[allow(unused)] mut a: u8) -> u8 \
                        { no = syntax; }";
        let function: TokenStream = function.parse().unwrap();
        assert!(expanded("", item).to_string().starts_with(&function.to_string()));
        // Also where something is wrong with the options.
        assert!(expanded("nonsense", item).to_string().starts_with(&function.to_string()));
    }
}
