//! From plain functions to the component's exports.

use std::marker::PhantomData;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::exports::agent::memory::functions as contract;
use crate::conversation::Conversation;
use crate::error::Error;
use crate::json;
use crate::panics;

/// What [`functions!`](crate::functions) takes: a function of the conversation, or of it and its arguments.
///
/// ```
/// # use agent_memory_sdk::{Conversation, Error};
/// # #[derive(serde::Deserialize, schemars::JsonSchema)]
/// # struct Order { cheese_type: String }
/// fn without_arguments(conv: &Conversation) {}
/// fn with_arguments(conv: &Conversation, order: Order) -> Result<String, Error> { Ok(order.cheese_type) }
/// ```
///
/// The arguments are a struct with one field for each parameter: its `Deserialize` reads them, its `JsonSchema` and the
/// comments on its fields tell a language model what they are.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be called as a function of an agent",
    label = "not a function of `&Conversation`, or of `&Conversation` and its arguments",
    note = "a function looks like `fn(&Conversation) -> R` or `fn(&Conversation, A) -> R`",
    note = "`A` needs `Deserialize` and `JsonSchema`; `R` is a value with `Serialize`, or `Result` of it and \
            `agent_memory_sdk::Error`"
)]
pub trait Function<Shape> {
    /// Calls the function with the JSON text of its arguments, and gives the JSON text of what it returned.
    #[doc(hidden)]
    fn invoke(&self, conv: &Conversation, arguments: &str) -> Result<String, contract::CallError>;

    /// The JSON Schema of its arguments.
    #[doc(hidden)]
    fn parameters(&self) -> String;
}

/// What a function may return: any value that `serde` can write as JSON, `()` for nothing, or a `Result` of such a
/// value and [`Error`].
pub trait Output<Kind> {
    /// The JSON text.
    #[doc(hidden)]
    fn into_json(self) -> Result<String, Error>;
}

/// Marks a function without arguments.
#[derive(Debug)]
pub enum NoArguments {}

/// Marks an output that cannot be a failure.
#[derive(Debug)]
pub enum Plain {}

/// Marks an output that can.
#[derive(Debug)]
pub enum Fallible {}

/// A function in the component's table.
#[doc(hidden)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// The lines of its description.
    pub description: &'static [&'static str],
    /// The function, behind [`adapt`].
    pub function: &'static dyn Callable,
}

/// A [`Function`] of whatever shape.
#[doc(hidden)]
pub trait Callable: Sync {
    /// See [`Function::invoke`].
    fn invoke(&self, conv: &Conversation, arguments: &str) -> Result<String, contract::CallError>;

    /// See [`Function::parameters`].
    fn parameters(&self) -> String;
}

/// A function of a certain shape.
#[doc(hidden)]
pub struct Shaped<F, Shape> {
    function: F,
    shape: PhantomData<fn() -> Shape>,
}

/// Makes functions callable by an agent, in this order: once in a crate, at its root.
///
/// A comment before a name describes that function to a language model. Functions named `start_function` and
/// `end_function` run when a conversation starts and ends.
///
/// ```
/// use agent_memory_sdk::{Conversation, functions};
///
/// fn opening_hours(_: &Conversation) -> &'static str {
///     "Nine to five."
/// }
///
/// functions! {
///     /// Tells when the shop is open.
///     opening_hours,
/// }
/// ```
///
/// A function that is listed twice does not compile:
///
/// ```compile_fail
/// # use agent_memory_sdk::{Conversation, functions};
/// # fn opening_hours(_: &Conversation) {}
/// functions! { opening_hours, opening_hours }
/// ```
#[macro_export]
macro_rules! functions {
    ($($(#[doc = $description:literal])* $name:ident),+ $(,)?) => {
        const _: () = {
            static FUNCTIONS: &[$crate::__private::Entry] = &[$($crate::__private::Entry {
                name: ::core::stringify!($name),
                description: &[$($description),*],
                function: &$crate::__private::adapt($name),
            }),+];

            const _: () = ::core::assert!(
                $crate::__private::names_are_unique(&[$(::core::stringify!($name)),+]),
                "a function is listed twice",
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
}

impl<F, R, Kind> Function<(NoArguments, Kind)> for F
where
    F: Fn(&Conversation) -> R,
    R: Output<Kind>,
{
    fn invoke(&self, conv: &Conversation, _: &str) -> Result<String, contract::CallError> {
        answer(self(conv))
    }

    fn parameters(&self) -> String {
        r#"{"type":"object","properties":{}}"#.to_owned()
    }
}

impl<F, A, R, Kind> Function<(A, Kind)> for F
where
    F: Fn(&Conversation, A) -> R,
    A: DeserializeOwned + JsonSchema,
    R: Output<Kind>,
{
    fn invoke(&self, conv: &Conversation, arguments: &str) -> Result<String, contract::CallError> {
        let arguments =
            json::decode(arguments).map_err(|problem| contract::CallError::InvalidArguments(problem.to_string()))?;
        answer(self(conv, arguments))
    }

    fn parameters(&self) -> String {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            // A language model is shown one function's schema at a time, with no document around it.
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        });
        let mut schema = settings.into_generator().into_root_schema_for::<A>();
        schema.remove("title");
        schema.to_value().to_string()
    }
}

impl<T: Serialize> Output<Plain> for T {
    fn into_json(self) -> Result<String, Error> {
        Ok(json::encode(&self)?)
    }
}

impl<T: Serialize> Output<Fallible> for Result<T, Error> {
    fn into_json(self) -> Result<String, Error> {
        self?.into_json()
    }
}

impl<Shape, F: Function<Shape> + Sync> Callable for Shaped<F, Shape> {
    fn invoke(&self, conv: &Conversation, arguments: &str) -> Result<String, contract::CallError> {
        self.function.invoke(conv, arguments)
    }

    fn parameters(&self) -> String {
        self.function.parameters()
    }
}

/// Makes functions of different shapes fit into one table.
pub const fn adapt<Shape, F: Function<Shape> + Sync>(function: F) -> Shaped<F, Shape> {
    Shaped { function, shape: PhantomData }
}

/// The contract's `describe`.
pub fn describe(functions: &[Entry]) -> Vec<contract::Function> {
    let function = |entry: &Entry| contract::Function {
        name: entry.name.to_owned(),
        description: entry.description.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n").trim().to_owned(),
        parameters: entry.function.parameters(),
        annotations: None,
    };
    functions.iter().map(function).collect()
}

/// The contract's `call`.
pub fn call(functions: &[Entry], name: &str, arguments: &str) -> Result<String, contract::CallError> {
    panics::log_panics();
    let entry = functions.iter().find(|entry| entry.name == name).ok_or(contract::CallError::UnknownFunction)?;
    if !arguments.trim_start().starts_with('{') {
        return Err(contract::CallError::InvalidArguments("the arguments are no JSON object".to_owned()));
    }
    entry.function.invoke(&Conversation::new(), arguments)
}

/// Whether no name is there twice.
pub const fn names_are_unique(names: &[&str]) -> bool {
    let mut names = names;
    while let [first, others @ ..] = names {
        let mut rest = others;
        while let [second, after @ ..] = rest {
            if are_equal(first.as_bytes(), second.as_bytes()) {
                return false;
            }
            rest = after;
        }
        names = others;
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

fn answer<Kind>(output: impl Output<Kind>) -> Result<String, contract::CallError> {
    output.into_json().map_err(|error| contract::CallError::Failed(error.into()))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Value as Json, json};

    use super::*;

    /// What to add.
    #[derive(Deserialize, JsonSchema)]
    struct Sum {
        /// The first number.
        left: i64,
        right: Right,
    }

    #[derive(Deserialize, JsonSchema)]
    struct Right {
        value: i64,
    }

    fn add(_: &Conversation, sum: Sum) -> i64 {
        sum.left + sum.right.value
    }

    fn divide(_: &Conversation, sum: Sum) -> Result<i64, Error> {
        sum.left.checked_div(sum.right.value).ok_or_else(|| Error::new("DivisionByZero", "the right side is zero"))
    }

    fn nothing(_: &Conversation) {}

    static FUNCTIONS: &[Entry] = &[
        Entry {
            name: "add",
            description: &[" Adds two numbers.", "", " The sum may be negative."],
            function: &adapt(add),
        },
        Entry { name: "divide", description: &[], function: &adapt(divide) },
        Entry { name: "nothing", description: &[], function: &adapt(nothing) },
    ];

    #[test]
    fn a_function_is_called_by_its_name_with_its_arguments() {
        assert_eq!(call(FUNCTIONS, "add", r#"{"left":1,"right":{"value":2}}"#).unwrap(), "3");
        assert_eq!(call(FUNCTIONS, "divide", r#"{"left":6,"right":{"value":2}}"#).unwrap(), "3");
        assert_eq!(call(FUNCTIONS, "nothing", " {}").unwrap(), "null");
    }

    #[test]
    fn a_call_that_has_no_value_says_why() {
        let error = |name, arguments| call(FUNCTIONS, name, arguments).unwrap_err();
        assert!(matches!(error("subtract", "{}"), contract::CallError::UnknownFunction));
        for (arguments, expected) in [
            ("[1,{\"value\":2}]", "the arguments are no JSON object"),
            (r#"{"left":1}"#, "missing field `right`"),
            (r#"{"left":1,"right":{"value":"x"}}"#, "`right.value`: invalid type: string, expected i64"),
        ] {
            let contract::CallError::InvalidArguments(problem) = error("add", arguments) else {
                panic!("{arguments} was not refused");
            };
            assert_eq!(problem, expected);
        }
        let contract::CallError::Failed(failure) = error("divide", r#"{"left":6,"right":{"value":0}}"#) else {
            panic!("the function did not fail");
        };
        assert_eq!((&*failure.name, &*failure.message), ("DivisionByZero", "the right side is zero"));
        assert!(failure.trace.starts_with(file!()), "{}", failure.trace);
    }

    #[test]
    fn functions_are_described_in_their_order_with_their_parameters() {
        let described = describe(FUNCTIONS);
        assert_eq!(described.iter().map(|function| &*function.name).collect::<Vec<_>>(), ["add", "divide", "nothing"]);
        assert_eq!(described[0].description, "Adds two numbers.\n\nThe sum may be negative.");
        assert_eq!(
            described[0].parameters.parse::<Json>().unwrap(),
            json!({
                "type": "object",
                "description": "What to add.",
                "properties": {
                    "left": { "type": "integer", "format": "int64", "description": "The first number." },
                    "right": {
                        "type": "object",
                        "properties": { "value": { "type": "integer", "format": "int64" } },
                        "required": ["value"],
                    },
                },
                "required": ["left", "right"],
            })
        );
        assert_eq!(described[2].parameters.parse::<Json>().unwrap(), json!({ "type": "object", "properties": {} }));
    }
}
