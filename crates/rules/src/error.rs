//! What the host was given and can do nothing with.

/// Why a question has no answer. No message holds an identifier or a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The settings were not made by this version of the rules.
    #[error("the settings are not of this version's making: configure again")]
    Settings,
    /// The state that the platform put there breaks a limit or is no JSON. The text names the key and the rule.
    #[error("{0}")]
    State(String),
    /// The attributes that integrations attached are no JSON object.
    #[error("the integration attributes are no JSON object: pass an object, or nothing")]
    IntegrationAttributes,
    /// A turn was begun twice in one sandbox, or finished without having begun.
    #[error("a sandbox takes one turn: begin it once, then finish it once")]
    OutOfOrder,
}
