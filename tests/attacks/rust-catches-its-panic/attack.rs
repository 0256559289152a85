//! It panics within its own net, to go on after the abort.

use agent_memory_sdk::{Conversation, function};

#[function]
pub(crate) fn rust_catches_its_panic(conv: &Conversation) -> bool {
    conv.say("said before");
    std::panic::catch_unwind(|| panic!("caught")).is_err()
}
