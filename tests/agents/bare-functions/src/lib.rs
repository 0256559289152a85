//! Functions that do nothing: what a turn is measured against.
//!
//! They import what the smallest agent of the SDK does, and are compiled and joined in the same way. Nothing is imported
//! that is never called, so that there is a name under which all of it would be.

use bindings::agent::memory::{conversation, memory, state};
use bindings::exports::agent::memory::functions;

#[allow(unsafe_code, unreachable_pub, missing_docs, reason = "generated from the contract")]
mod bindings {
    #[cfg(target_family = "wasm")]
    use super::Nothing;

    wit_bindgen::generate!({ path: "../../../wit", world: "functions-component" });

    // Only wasm has linkers that take the names of such exports.
    #[cfg(target_family = "wasm")]
    export!(Nothing with_types_in self);
}

#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: agent_memory_arena::Arena<{ 128 << 10 }> = agent_memory_arena::Arena::new();

struct Nothing;

impl functions::Guest for Nothing {
    fn describe() -> Vec<functions::Function> {
        Vec::new()
    }

    fn call(name: String, arguments: String) -> Result<String, functions::CallError> {
        if name == "everything" {
            let value = state::Value::Json(memory::get(&arguments).unwrap_or_default());
            if state::set(&arguments, &value).is_err() {
                conversation::say(&arguments);
            }
        }
        Ok(String::new())
    }
}
