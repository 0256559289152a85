//! Why a function was stopped.

use std::panic::PanicHookInfo;
use std::sync::Once;

use crate::conversation::Conversation;

/// Logs every panic before the sandbox ends, because a trap carries no message. Outside of a sandbox there is nowhere
/// to log it to, and the message is printed as usual.
pub(crate) fn log_panics() {
    static INSTALLED: Once = Once::new();
    if cfg!(target_arch = "wasm32") {
        INSTALLED.call_once(|| std::panic::set_hook(Box::new(log)));
    }
}

/// The entry is marked as personal: what a panic quotes, such as the value that an `unwrap` met, nobody chose to log.
fn log(panic: &PanicHookInfo<'_>) {
    Conversation::new().log().personal_data().error(&describe(panic));
}

fn describe(panic: &PanicHookInfo<'_>) -> String {
    let message = panic.payload_as_str().unwrap_or("with a value that is no text");
    match panic.location() {
        Some(place) => format!("panicked at {place}: {message}"),
        None => format!("panicked: {message}"),
    }
}
