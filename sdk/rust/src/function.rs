//! From plain functions to the component's exports.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor, value};
use serde_json::{Map, Value as Json};

use crate::bindings::exports::agent::memory::functions as contract;
use crate::conversation::Conversation;
use crate::error::Error;
use crate::json;
use crate::panics;

/// What a function may return, by itself or as the value of a `Result`: what `serde` can write as JSON, `()` for nothing.
#[diagnostic::on_unimplemented(
    message = "a function of an agent cannot return `{Self}`",
    label = "it has no `Serialize`",
    note = "derive `serde::Serialize` for it"
)]
pub trait Output {
    /// The JSON text.
    #[doc(hidden)]
    fn into_json(self) -> Result<String, Error>;
}

/// What a function may fail with: [`Error`].
///
/// `serde` can write a `Result` as well as any value. Without this, one of another error would be returned, and be no
/// failure.
#[diagnostic::on_unimplemented(
    message = "a function of an agent cannot fail with `{Self}`",
    label = "return a `Result` with `agent_memory_sdk::Error`",
    note = "`?` makes an `agent_memory_sdk::Error` of other errors, `agent_memory_sdk::Error::new(name, message)` of a text"
)]
pub trait Failure: Into<contract::Failure> {}

/// What a function has returned. If it is a `Result`, it has `answer` by itself, and otherwise by [`Answer`].
#[doc(hidden)]
pub struct Returned<T>(pub T);

/// What a function has returned that is no `Result`.
#[doc(hidden)]
pub trait Answer {
    /// The type that it returns.
    type Value;

    /// What it has returned, as the contract has it.
    fn answer(self) -> Result<String, contract::CallError>
    where
        Self::Value: Output;
}

/// The type that [`function`](macro@crate::function) puts beside a function.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no function of an agent",
    label = "`#[function]` is missing on it",
    note = "write `#[agent_memory_sdk::function]` before the function"
)]
pub trait Exported {
    /// The function, as the component's table has it.
    const ENTRY: Entry;
}

/// A function in the component's table.
#[doc(hidden)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// The flow that it belongs to.
    pub flow: Option<&'static str>,
    /// Its description.
    pub description: &'static str,
    /// What else was declared: a JSON object.
    pub annotations: Option<&'static str>,
    /// The file and line that it stands at.
    pub place: &'static str,
    /// The JSON Schema of its arguments.
    pub parameters: fn() -> String,
    /// Calls it with the JSON text of its arguments, and gives the JSON text of what it returned.
    pub call: fn(&Conversation, &str) -> Result<String, contract::CallError>,
}

/// Exports functions, in the order in which they should be listed: once in a crate, at its root.
///
/// Each of them has the attribute [`function`](macro@crate::function). Two names are special: `start_function` runs when
/// a conversation starts, `end_function` when it ends.
///
/// ```
/// use agent_memory_sdk::{Conversation, export, function};
///
/// /// Tells when the shop is open.
/// #[function]
/// fn opening_hours(_conv: &Conversation) -> &'static str {
///     "Nine to five."
/// }
///
/// mod payment {
///     # use agent_memory_sdk::{Conversation, function};
///     #[function]
///     pub fn pay(_conv: &Conversation) {}
/// }
///
/// export!(opening_hours, payment::pay);
/// ```
///
/// Two functions of one name do not compile:
///
/// ```compile_fail
/// # use agent_memory_sdk::{Conversation, export, function};
/// # #[function]
/// # fn opening_hours(_conv: &Conversation) {}
/// export!(opening_hours, opening_hours);
/// ```
#[macro_export]
macro_rules! export {
    ($($function:path),+ $(,)?) => {
        const _: () = {
            static FUNCTIONS: &[$crate::__private::Entry] =
                &[$(<$function as $crate::__private::Exported>::ENTRY),+];

            const _: () = ::core::assert!(
                $crate::__private::names_are_unique(FUNCTIONS),
                "two functions have the same name: give one another by `#[function(name = \"...\")]`",
            );

            struct Agent;

            impl $crate::bindings::exports::agent::memory::functions::Guest for Agent {
                fn describe() -> ::std::vec::Vec<$crate::bindings::exports::agent::memory::functions::Function> {
                    $crate::__private::describe(FUNCTIONS)
                }

                fn call(
                    name: ::std::string::String,
                    arguments: ::std::string::String,
                ) -> ::core::result::Result<
                    ::std::string::String,
                    $crate::bindings::exports::agent::memory::functions::CallError,
                > {
                    $crate::__private::call(FUNCTIONS, &name, &arguments)
                }
            }

            $crate::bindings::export!(Agent with_types_in $crate::bindings);
        };
    };
    () => {
        ::core::compile_error!("list the functions to export: `export!(start_function, book);`");
    };
}

impl<T: Serialize> Output for T {
    fn into_json(self) -> Result<String, Error> {
        Ok(json::encode(&self)?)
    }
}

impl Failure for Error {}

impl<T, E> Returned<Result<T, E>> {
    /// What it has returned, as the contract has it.
    pub fn answer(self) -> Result<String, contract::CallError>
    where
        T: Output,
        E: Failure,
    {
        let value = self.0.map_err(|error| contract::CallError::Failed(error.into()))?;
        Returned(value).answer_of_value()
    }
}

impl<T> Answer for Returned<T> {
    type Value = T;

    fn answer(self) -> Result<String, contract::CallError>
    where
        T: Output,
    {
        self.answer_of_value()
    }
}

impl<T: Output> Returned<T> {
    fn answer_of_value(self) -> Result<String, contract::CallError> {
        self.0.into_json().map_err(|error| contract::CallError::Failed(error.into()))
    }
}

impl Entry {
    /// The name by which it is called: with its flow where others, of other flows or of none, have the same.
    fn full_name(&self, functions: &[Self]) -> String {
        match self.flow {
            Some(flow) if functions.iter().filter(|other| other.name == self.name).count() > 1 => {
                format!("{flow}.{}", self.name)
            }
            _ => self.name.to_owned(),
        }
    }
}

/// The contract's `describe`.
pub fn describe(functions: &[Entry]) -> Vec<contract::Function> {
    let function = |entry: &Entry| contract::Function {
        name: entry.full_name(functions),
        description: entry.description.to_owned(),
        parameters: (entry.parameters)(),
        annotations: entry.annotations.map(str::to_owned),
    };
    functions.iter().map(function).collect()
}

/// The contract's `call`.
pub fn call(functions: &[Entry], name: &str, arguments: &str) -> Result<String, contract::CallError> {
    panics::log_panics();
    let entry = find(functions, name).ok_or(contract::CallError::UnknownFunction)?;
    let result = if arguments.trim_start().starts_with('{') {
        (entry.call)(&Conversation::new(), arguments)
    } else {
        Err(contract::CallError::InvalidArguments("the arguments are no JSON object".to_owned()))
    };
    result.map_err(|error| match error {
        contract::CallError::InvalidArguments(problem) => contract::CallError::InvalidArguments(format!(
            "`{name}` ({place}) cannot be called like that: {problem}",
            place = entry.place
        )),
        error => error,
    })
}

fn find<'a>(functions: &'a [Entry], name: &str) -> Option<&'a Entry> {
    let mut named = functions.iter().filter(|entry| entry.name == name);
    let first = match name.split_once('.') {
        Some((flow, name)) => functions.iter().find(|entry| entry.name == name && entry.flow == Some(flow))?,
        None => named.find(|entry| entry.flow.is_none() || entry.full_name(functions) == name)?,
    };
    Some(first)
}

/// The arguments of a call.
pub fn arguments<A: DeserializeOwned>(text: &str) -> Result<A, contract::CallError> {
    json::decode(text).map_err(|problem| contract::CallError::InvalidArguments(problem.to_string()))
}

/// The JSON Schema of arguments, which lists them in the order of the function's parameters.
pub fn parameters<A: DeserializeOwned + JsonSchema>() -> String {
    in_order(schema_generator().into_root_schema_for::<A>(), names_of_fields::<A>())
}

fn schema_generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        // A language model is shown one function's schema at a time, with no document around it.
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.into_generator()
}

/// The text of an object's schema, with these properties before all others. `serde_json` by itself sorts them.
fn in_order(mut schema: Schema, names: &[&str]) -> String {
    schema.remove("title");
    let mut properties = match schema.remove("properties") {
        Some(Json::Object(properties)) => properties,
        _ => Map::new(),
    };
    let first: Vec<(String, Json)> = names.iter().filter_map(|name| properties.remove_entry(*name)).collect();
    let text_of = |(name, value): (String, Json)| format!("{}:{value}", Json::from(name));
    let properties: Vec<String> = first.into_iter().chain(properties).map(text_of).collect();
    let properties = format!("\"properties\":{{{}}}", properties.join(","));
    let others = schema.as_object_mut().map(std::mem::take).unwrap_or_default();
    let members: Vec<String> = others.into_iter().map(text_of).chain([properties]).collect();
    format!("{{{}}}", members.join(","))
}

/// The names of a struct's fields, in its order: what its `Deserialize` asks for.
fn names_of_fields<A: DeserializeOwned>() -> &'static [&'static str] {
    struct Asked(&'static [&'static str]);

    impl<'de> Deserializer<'de> for &mut Asked {
        type Error = value::Error;

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            self.0 = fields;
            self.deserialize_any(visitor)
        }

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(value::Error::custom("nothing is read"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut asked = Asked(&[]);
    // It fails in any case.
    let _ = A::deserialize(&mut asked);
    asked.0
}

/// Whether no name is there twice in one flow, or outside of them.
pub const fn names_are_unique(functions: &[Entry]) -> bool {
    let mut functions = functions;
    while let [first, others @ ..] = functions {
        let mut rest = others;
        while let [second, after @ ..] = rest {
            let is_same_flow = match (first.flow, second.flow) {
                (None, None) => true,
                (Some(one), Some(other)) => are_equal(one.as_bytes(), other.as_bytes()),
                _ => false,
            };
            if is_same_flow && are_equal(first.name.as_bytes(), second.name.as_bytes()) {
                return false;
            }
            rest = after;
        }
        functions = others;
    }
    true
}

/// Comparing texts with `==` is not possible in a constant.
const fn are_equal(left: &[u8], right: &[u8]) -> bool {
    match (left, right) {
        ([], []) => true,
        ([a, left @ ..], [b, right @ ..]) => *a == *b && are_equal(left, right),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::function;

    #[derive(Deserialize, JsonSchema)]
    struct Right {
        value: i64,
    }

    /// Adds two numbers.
    ///
    /// The sum may be negative.
    #[function]
    fn add(
        _conv: &Conversation,
        /// The first number.
        left: i64,
        right: Right,
    ) -> i64 {
        left + right.value
    }

    #[function]
    fn divide(_: &Conversation, left: i64, right: i64) -> Result<i64, Error> {
        left.checked_div(right).ok_or_else(|| Error::new("DivisionByZero", "the right side is zero"))
    }

    #[function]
    fn nothing(_: &Conversation) {}

    /// Its name is that of an argument, and another argument is called like a variable of the macro's.
    #[function(latency_control(delay_before_responses_start = 0.5, delay_responses = [("One moment.", 2)]))]
    fn slices(
        _conv: &Conversation,
        /// How many.
        #[default(2)]
        #[schemars(range(min = 1))]
        mut slices: u32,
        #[default("brie")] conv: String,
        #[serde(rename = "for")] guest: Option<String>,
    ) -> String {
        slices += 1;
        format!("{slices} {conv} {}", guest.unwrap_or_default())
    }

    mod first {
        #[crate::function(flow = "first")]
        pub(super) fn confirm(_: &crate::Conversation) -> u8 {
            1
        }
    }

    mod second {
        #[crate::function(flow = "second")]
        pub(super) fn confirm(_: &crate::Conversation) -> u8 {
            2
        }

        #[crate::function(flow = "second", name = "alone")]
        pub(super) fn on_its_own(_: &crate::Conversation) -> u8 {
            3
        }
    }

    static FUNCTIONS: &[Entry] = &[
        add::ENTRY,
        divide::ENTRY,
        nothing::ENTRY,
        slices::ENTRY,
        first::confirm::ENTRY,
        second::confirm::ENTRY,
        second::on_its_own::ENTRY,
    ];

    fn schema(name: &str) -> Json {
        let functions = describe(FUNCTIONS);
        functions.iter().find(|function| function.name == name).unwrap().parameters.parse().unwrap()
    }

    #[test]
    fn a_function_is_called_by_its_name_with_its_arguments() {
        let value = |name, arguments| call(FUNCTIONS, name, arguments).unwrap();
        assert_eq!(value("add", r#"{"left":1,"right":{"value":2}}"#), "3");
        assert_eq!(value("divide", r#"{"left":6,"right":2}"#), "3");
        assert_eq!(value("nothing", " {}"), "null");
        assert_eq!(value("slices", r#"{"slices":3,"conv":"feta","for":"two"}"#), r#""4 feta two""#);
    }

    #[test]
    fn what_may_be_left_out_may_be_null_too() {
        assert_eq!(call(FUNCTIONS, "slices", "{}").unwrap(), r#""3 brie ""#);
        assert_eq!(call(FUNCTIONS, "slices", r#"{"slices":null,"conv":null,"for":null}"#).unwrap(), r#""3 brie ""#);
    }

    #[test]
    fn functions_of_one_name_in_two_flows_are_called_with_the_flows_name() {
        let value = |name| call(FUNCTIONS, name, "{}").unwrap();
        assert_eq!([value("first.confirm"), value("second.confirm"), value("alone")], ["1", "2", "3"]);
        assert_eq!(value("second.alone"), "3");
        for name in ["confirm", "third.confirm", "first.alone", "first.add"] {
            let error = call(FUNCTIONS, name, "{}").unwrap_err();
            assert!(matches!(error, contract::CallError::UnknownFunction), "{name}");
        }
        assert!(names_are_unique(FUNCTIONS));
        assert!(!names_are_unique(&[add::ENTRY, nothing::ENTRY, add::ENTRY]));
        assert!(!names_are_unique(&[first::confirm::ENTRY, first::confirm::ENTRY]));
    }

    #[test]
    fn a_call_that_has_no_value_says_why() {
        let error = |name, arguments| call(FUNCTIONS, name, arguments).unwrap_err();
        assert!(matches!(error("subtract", "{}"), contract::CallError::UnknownFunction));
        for (name, arguments, expected) in [
            ("add", "[1,{\"value\":2}]", "the arguments are no JSON object"),
            ("add", r#"{"left":1}"#, "missing field `right`"),
            ("add", r#"{"left":1,"right":{"value":"x"}}"#, "`right.value`: invalid type: string, expected i64"),
            ("add", r#"{"lift":1}"#, "`lift`: unknown field `lift`, expected `left` or `right`"),
            ("nothing", r#"{"left":1}"#, "`left`: unknown field `left`, there are no fields"),
            ("slices", r#"{"slices":"x"}"#, "`slices`: invalid type: string, expected u32"),
        ] {
            let contract::CallError::InvalidArguments(problem) = error(name, arguments) else {
                panic!("{arguments} was not refused");
            };
            let start = format!("`{name}` ({}:", file!());
            assert!(problem.starts_with(&start), "{problem}");
            assert!(problem.ends_with(&format!("cannot be called like that: {expected}")), "{problem}");
        }
        let contract::CallError::Failed(failure) = error("divide", r#"{"left":6,"right":0}"#) else {
            panic!("the function did not fail");
        };
        assert_eq!((&*failure.name, &*failure.message), ("DivisionByZero", "the right side is zero"));
        assert!(failure.trace.starts_with(file!()), "{}", failure.trace);
    }

    #[test]
    fn functions_are_described_in_their_order() {
        let described = describe(FUNCTIONS);
        let names: Vec<&str> = described.iter().map(|function| &*function.name).collect();
        assert_eq!(names, ["add", "divide", "nothing", "slices", "first.confirm", "second.confirm", "alone"]);
        assert_eq!(described[0].description, "Adds two numbers.\n\nThe sum may be negative.");
        assert_eq!(described[1].description, "");
    }

    #[test]
    fn parameters_are_described_as_a_json_schema() {
        assert_eq!(
            schema("add"),
            json!({
                "type": "object",
                "properties": {
                    "left": { "type": "integer", "format": "int64", "description": "The first number." },
                    "right": {
                        "type": "object",
                        "properties": { "value": { "type": "integer", "format": "int64" } },
                        "required": ["value"],
                    },
                },
                "required": ["left", "right"],
                "additionalProperties": false,
            })
        );
        let slices = json!({
            "type": "integer", "format": "uint32", "minimum": 1, "default": 2, "description": "How many.",
        });
        assert_eq!(
            schema("slices"),
            json!({
                "type": "object",
                "properties": {
                    "slices": slices,
                    "conv": { "type": "string", "default": "brie" },
                    "for": { "type": ["string", "null"] },
                },
                "additionalProperties": false,
            })
        );
        assert_eq!(schema("nothing"), json!({ "type": "object", "properties": {}, "additionalProperties": false }));
    }

    #[test]
    fn parameters_are_listed_in_their_order() {
        let functions = describe(FUNCTIONS);
        let text = &functions.iter().find(|function| function.name == "slices").unwrap().parameters;
        let places: Vec<usize> =
            [r#""slices":{"#, r#""conv":{"#, r#""for":{"#].map(|name| text.find(name).unwrap()).into();
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn what_else_was_declared_is_an_annotation() {
        let annotations: Vec<Option<Json>> = describe(FUNCTIONS)
            .into_iter()
            .map(|function| function.annotations.map(|annotations| annotations.parse().unwrap()))
            .collect();
        let latency_control = json!({
            "delay_before_responses_start": 0.5, "silence_after_each_response": 0, "delay_responses": [["One moment.", 2]],
        });
        assert_eq!(annotations[0], None);
        assert_eq!(annotations[3], Some(json!({ "latency_control": latency_control })));
        assert_eq!(annotations[4], Some(json!({ "flow": "first" })));
    }
}
