//! The attribute of `agent-memory-sdk`. Use it from there: what it expands to is for that crate alone.

mod arguments;
mod function;
mod options;

use proc_macro::TokenStream;

/// Makes a function one that an agent can call, once `export!` lists it.
///
/// The function stays what it is: others call it as they call any function.
///
/// - Its first parameter is the conversation, `conv: &Conversation`. Every other one is an argument of that name.
/// - Comments on it and on its parameters describe it to a language model.
/// - The type of an argument has `Deserialize` and `JsonSchema`. An `Option` may be left out, and so may what has a
///   `#[default(...)]`. `null` is the same as left out. Attributes of `serde` and `schemars` on a parameter are passed
///   on to theirs for fields.
/// - It returns a value that has `Serialize`, `()` for nothing, or a `Result` of such a value and
///   `agent_memory_sdk::Error`. A `Result` of another error does not compile.
///
/// ```
/// use agent_memory_sdk::{Conversation, export, function};
///
/// /// Slices a cheese.
/// #[function]
/// fn slice(
///     _conv: &Conversation,
///     /// The cheese, such as brie.
///     cheese_type: String,
///     /// How many slices.
///     #[default(2)]
///     #[schemars(range(min = 1))]
///     slices: u32,
///     /// For whom, if the caller says so.
///     guest: Option<String>,
/// ) -> String {
///     let guest = guest.unwrap_or("you".to_owned());
///     format!("{slices} slices of {cheese_type} for {guest}.")
/// }
///
/// export!(slice);
/// ```
///
/// # Options
///
/// | Option | What it says |
/// |---|---|
/// | `name = "..."` | By which name it is called. Not there: by the function's own. |
/// | `flow = "..."` | The flow that it belongs to. Where functions of several flows have one name, each is called `FLOW.NAME`. |
/// | `latency_control(...)` | What the platform says while the function takes its time: `delay_before_responses_start` and `silence_after_each_response` in seconds, `delay_responses` as a list of texts with seconds each. |
///
/// ```
/// use agent_memory_sdk::{Conversation, export, function};
///
/// #[function(flow = "payment", latency_control(
///     delay_before_responses_start = 1,
///     delay_responses = [("One moment.", 2), ("Nearly there.", 3)],
/// ))]
/// fn pay(_conv: &Conversation) {}
///
/// export!(pay);
/// ```
///
/// # Errors
///
/// What cannot be called is refused where it stands:
///
/// ```compile_fail
/// # use agent_memory_sdk::{Conversation, function};
/// #[function]
/// fn slice(_conv: &Conversation, cheese_type: &str) {} // Arguments are owned: use `String`.
/// ```
///
/// ```compile_fail
/// # use agent_memory_sdk::{Conversation, function};
/// #[function]
/// async fn slice(_conv: &Conversation) {} // Nothing is waited for in a turn: leave out `async`.
/// ```
///
/// ```compile_fail
/// # use agent_memory_sdk::{Conversation, function};
/// #[function]
/// fn slice(_conv: &Conversation) -> Result<u32, String> { // The error is an `agent_memory_sdk::Error`.
///     Err("no brie".to_owned())
/// }
/// ```
///
/// Beside a function there is a type of its name, which `export!` looks for. So there can be no type and no module of that
/// name beside it:
///
/// ```compile_fail
/// # use agent_memory_sdk::{Conversation, function};
/// mod book {}
///
/// #[function]
/// fn book(_conv: &Conversation) {}
/// ```
///
/// Write it inside of the module, and leave it there:
///
/// ```
/// # use agent_memory_sdk::{Conversation, export, function};
/// mod book {
///     # use agent_memory_sdk::{Conversation, function};
///     #[function]
///     pub fn book(_conv: &Conversation) {}
/// }
///
/// export!(book::book);
/// ```
#[proc_macro_attribute]
pub fn function(options: TokenStream, item: TokenStream) -> TokenStream {
    function::expand(options.into(), item.into()).into()
}
