//! What is said in the attribute itself.

use serde_json::{Map, Number, Value as Json, json};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, Lit, LitStr, Token, bracketed, parenthesized};

/// What is said in the attribute itself.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<String>,
    pub(crate) flow: Option<String>,
    latency_control: Option<LatencyControl>,
}

/// What the platform says while a function takes its time.
struct LatencyControl {
    delay_before_responses_start: Number,
    silence_after_each_response: Number,
    delay_responses: Vec<Json>,
}

impl Options {
    /// The annotations of the contract, as JSON.
    pub(crate) fn annotations(&self) -> Option<String> {
        let mut annotations = Map::new();
        annotations.extend(self.flow.as_ref().map(|flow| ("flow".to_owned(), json!(flow))));
        annotations.extend(self.latency_control.as_ref().map(|control| ("latency_control".to_owned(), control.json())));
        (!annotations.is_empty()).then(|| Json::from(annotations).to_string())
    }
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            let option: Ident = input.parse()?;
            let is_new = match &*option.to_string() {
                "name" => options.name.replace(name(input)?).is_none(),
                "flow" => options.flow.replace(name(input)?).is_none(),
                "latency_control" => options.latency_control.replace(input.parse()?).is_none(),
                _ => {
                    let message = "there is no such option: there are `name`, `flow` and `latency_control`";
                    return Err(Error::new_spanned(option, message));
                }
            };
            if !is_new {
                return Err(Error::new_spanned(option, "it is there twice"));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

impl LatencyControl {
    fn json(&self) -> Json {
        json!({
            "delay_before_responses_start": self.delay_before_responses_start,
            "silence_after_each_response": self.silence_after_each_response,
            "delay_responses": self.delay_responses,
        })
    }
}

impl Parse for LatencyControl {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut control = Self {
            delay_before_responses_start: 0.into(),
            silence_after_each_response: 0.into(),
            delay_responses: Vec::new(),
        };
        let content;
        parenthesized!(content in input);
        while !content.is_empty() {
            let setting: Ident = content.parse()?;
            content.parse::<Token![=]>()?;
            match &*setting.to_string() {
                "delay_before_responses_start" => control.delay_before_responses_start = seconds(&content)?,
                "silence_after_each_response" => control.silence_after_each_response = seconds(&content)?,
                "delay_responses" => control.delay_responses = responses(&content)?,
                _ => {
                    let message = "there is no such setting: there are `delay_before_responses_start`, \
                                   `silence_after_each_response` and `delay_responses`";
                    return Err(Error::new_spanned(setting, message));
                }
            }
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
        }
        Ok(control)
    }
}

fn name(input: ParseStream<'_>) -> syn::Result<String> {
    input.parse::<Token![=]>()?;
    let name: LitStr = input.parse()?;
    let text = name.value();
    // A dot stands between a flow's name and a function's.
    if text.is_empty() || text.contains('.') || text.contains(char::is_whitespace) {
        return Err(Error::new_spanned(name, "a name has at least one character, and neither dots nor spaces"));
    }
    Ok(text)
}

fn seconds(input: ParseStream<'_>) -> syn::Result<Number> {
    let literal: Lit = input.parse()?;
    let number = match &literal {
        Lit::Int(number) => number.base10_parse::<u64>().ok().map(Number::from),
        Lit::Float(number) => number.base10_parse().ok().and_then(Number::from_f64),
        _ => None,
    };
    number.ok_or_else(|| Error::new_spanned(literal, "seconds are a number, such as `2` or `0.5`"))
}

fn responses(input: ParseStream<'_>) -> syn::Result<Vec<Json>> {
    let list;
    bracketed!(list in input);
    let response = |input: ParseStream<'_>| {
        let pair;
        parenthesized!(pair in input);
        let text: LitStr = pair.parse()?;
        pair.parse::<Token![,]>()?;
        let seconds = seconds(&pair)?;
        pair.parse::<Option<Token![,]>>()?;
        Ok(json!([text.value(), seconds]))
    };
    let responses = Punctuated::<Json, Token![,]>::parse_terminated_with(&list, response)?;
    Ok(responses.into_iter().collect())
}
