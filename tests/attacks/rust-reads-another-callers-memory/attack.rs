//! It tries to read what another caller, another project and another environment remember, by every name that it can think
//! of. `+441632960999` is such a caller, and has something under `cheese_type`.

use agent_memory_sdk::{Conversation, function};

/// Returns all that it found: keys and texts.
#[function]
pub(crate) fn rust_reads_another_callers_memory(conv: &Conversation) -> Vec<String> {
    let (memory, state) = (conv.memory(), conv.state());
    let mut found: Vec<String> = memory.fields().into_keys().collect();
    for caller in ["+441632960999", "441632960999", "phone:+441632960999", "tel:+441632960999", "*", "%", ""] {
        for scope in ["", "local/local/sandbox/", "local/local/live/", "local/other/sandbox/", "../", "../../live/", "\0"] {
            for joint in ["", "/", ":", ".", "\0", "#", "' OR '1'='1"] {
                for key in ["cheese_type", "mood", "*", "__proto__", ""] {
                    let name = format!("{scope}{caller}{joint}{key}");
                    let remembered = memory.get::<String>(&name).ok().flatten();
                    let kept = state.get::<String>(&name).ok().flatten();
                    found.extend(remembered.into_iter().chain(kept).filter(|text| text.contains("canary")));
                    if memory.contains(&name) && name != "mood" {
                        found.push(name);
                    }
                }
            }
        }
    }
    found.retain(|key| key != "mood");
    found
}
