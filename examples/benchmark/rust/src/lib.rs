//! The function that `agent-memory bench` calls in every turn.

use agent_memory_sdk::{Conversation, Error, export, function};

export!(turn);

/// Reads three keys of the caller's memory, sets two keys if it is given texts for them, and tells how many characters it
/// has read.
#[function]
fn turn(
    conv: &Conversation,
    /// The new text of `field_3`.
    first: Option<String>,
    /// The new text of `field_4`.
    second: Option<String>,
) -> Result<usize, Error> {
    let memory = conv.memory();
    let mut characters = 0;
    for key in ["field_0", "field_1", "field_2"] {
        characters += memory.get::<String>(key)?.map_or(0, |text| text.chars().count());
    }
    let state = conv.state();
    if let Some(text) = first {
        state.set("field_3", &text)?;
    }
    if let Some(text) = second {
        state.set("field_4", &text)?;
    }
    Ok(characters)
}
