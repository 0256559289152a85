//! Reasons, times and counts in plain English.

use agent_memory_host::{DropReason, NoIdentifier, Warning, WarningCode};
use jiff::Timestamp;

/// `Monday 2 March 2026, 10:20 UTC`, with seconds where there are any.
pub(crate) fn time(time: Timestamp) -> String {
    let form = if time.as_second() % 60 == 0 { "%A %-d %B %Y, %H:%M UTC" } else { "%A %-d %B %Y, %H:%M:%S UTC" };
    time.strftime(form).to_string()
}

/// Why there is nobody whom memory could be about.
pub(crate) fn no_identifier(reason: NoIdentifier) -> &'static str {
    match reason {
        NoIdentifier::MemoryOff => "memory is off: the configuration has no `memory.repeat_caller`",
        NoIdentifier::NoCallerNumber => "no memory: there is no caller's number",
        NoIdentifier::Withheld => "no memory: the caller withholds the number",
        NoIdentifier::SourceEmpty => "no memory: the configured `identifier_source` yields nothing",
        NoIdentifier::Blacklisted => "no memory: the caller is on the configuration's `identifier_blacklist`",
    }
}

/// Why a key is not remembered.
pub(crate) fn drop_reason(reason: DropReason) -> &'static str {
    match reason {
        DropReason::NoIdentifier => "there is nobody to remember it for",
        DropReason::Erased => "the caller's data was erased during the conversation",
        DropReason::NotInStateKeys => "it is not one of the configuration's `state_keys`",
        DropReason::Removed => "it was removed again",
        DropReason::Null => "its last value is null",
        DropReason::NotStorable => "every value was refused",
    }
}

/// What somebody should know of a stored value.
pub(crate) fn warning(warning: &Warning) -> String {
    match warning.code {
        WarningCode::FineTimestamp => format!(
            "{} holds a time finer than the hour, which could tie calls together; set `timestamps` to `round` or `keep`",
            plain(&warning.key)
        ),
        _ => format!("{}: {:?}", plain(&warning.key), warning.code),
    }
}

/// `1 field`, `2 fields`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A text without the control characters with which it could take over a terminal. Line breaks stay.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\n' {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_to_the_second_only_where_there_are_seconds() {
        assert_eq!(time("2026-03-02T10:20:00Z".parse().unwrap()), "Monday 2 March 2026, 10:20 UTC");
        assert_eq!(time("2026-03-02T10:20:05Z".parse().unwrap()), "Monday 2 March 2026, 10:20:05 UTC");
    }

    #[test]
    fn a_text_cannot_take_over_a_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc\r\u{9b}"), "a\\u{1b}[2Jb\nc\\r\\u{9b}");
    }
}
