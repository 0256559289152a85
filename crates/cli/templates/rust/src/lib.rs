//! A coffee bar that remembers what its callers order.

use agent_memory_sdk::{Conversation, Error, export, function};

// What an agent can call, in the order in which it is listed.
export!(start_function, order);

/// Greets the caller. Runs by itself when a conversation starts.
#[function]
fn start_function(conv: &Conversation) -> Result<(), Error> {
    // What earlier conversations of this caller left. It is read here, and set in `conv.state()`.
    let drink: Option<String> = conv.memory().get("drink")?;
    match drink {
        Some(drink) => conv.say(&format!("Welcome back. A {drink} again?")),
        None => conv.say("Welcome to the coffee bar. What can I get you?"),
    }
    Ok(())
}

// A language model is told these types and comments, so that it knows when to call the function and with what.
/// Orders a drink for the caller.
#[function]
fn order(
    conv: &Conversation,
    /// The drink, such as a flat white.
    drink: String,
    /// Whether the caller takes it away.
    #[default(false)]
    to_go: bool,
) -> Result<String, Error> {
    // `drink` is one of the `state_keys` in config.json: the caller's next conversation finds it in `conv.memory()`.
    conv.state().set("drink", &drink)?;
    // `to_go` is none of them: it lasts until this conversation ends.
    conv.state().set("to_go", &to_go)?;
    Ok(if to_go { format!("One {drink} to go.") } else { format!("One {drink}.") })
}
