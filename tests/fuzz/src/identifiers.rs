//! Identifiers, however they are written.

use agent_memory_rules::{
    Caller, Configuration, IdentifierKind, Identity, Json, Limits, OffReason, StateEntry, StateValue, Touch,
    canonicalize, identify,
};

use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "identifiers",
    run: identifiers,
    longest: 4 << 10,
    words: &[
        "tel:",
        "sip:",
        "sips:",
        "TEL:",
        "@",
        ";",
        ":",
        "+",
        "*",
        " ",
        "\u{a0}",
        "(",
        ")",
        "-",
        ".",
        "+44",
        "anonymous",
        "266696687",
        "464",
        "0",
        "\u{0}",
        "phone-context=",
    ],
};

/// 2026-03-02T10:20:00Z.
const NOW: i64 = 1_772_446_800;

/// Reads a text as an identifier of a kind, which the first byte chooses (I3, I4, I7).
///
/// - The canonical form is its own canonical form: who is told an identifier by an export can name it to an erasure.
/// - It has nothing in it that the canonical form is to be without, and its `Debug` does not show it (P3).
/// - What is on the blacklist, as it was written, in canonical form, or by the beginning of that, is blacklisted.
pub fn identifiers(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let kind = if kind % 2 == 0 { IdentifierKind::Phone } else { IdentifierKind::Custom };
    let Ok(named) = canonicalize(kind, text, NOW) else {
        assert_ne!(identity("[]", kind, text), None, "a caller goes by what is no identifier");
        return;
    };
    let identifier = named.identifier;
    let canonical = identifier.text();
    assert_eq!(identifier.kind(), kind);
    assert!(!canonical.is_empty() && canonical.trim() == canonical, "{canonical:?}");
    let again = canonicalize(kind, canonical, NOW).map(|again| again.identifier);
    assert!(
        again.as_ref() == Ok(&identifier),
        "the canonical form of {text:?} is {canonical:?}, and of that: {again:?}"
    );
    if kind == IdentifierKind::Phone {
        assert!(canonical.bytes().any(|byte| byte.is_ascii_digit()), "a number without a digit");
        assert!(!canonical.contains(|char: char| char.is_whitespace() || "-.()".contains(char)), "{canonical:?}");
    }
    if canonical.len() >= 6 && canonical.bytes().any(|byte| byte.is_ascii_digit()) {
        assert!(!format!("{identifier:?}").contains(canonical), "`Debug` shows an identifier");
    }

    assert_eq!(identity("[]", kind, text), None, "a caller does not go by what an administrator may name");
    let half =
        canonical.char_indices().nth(canonical.chars().count() / 2).map_or("", |(middle, _)| &canonical[..middle]);
    let entries = [text.to_owned(), canonical.to_owned(), format!("{canonical}*"), format!("{half}*")];
    for entry in entries.iter().filter(|entry| !entry.trim().is_empty()) {
        let list = serde_json::to_string(&[entry]).expect("a text is JSON");
        assert_eq!(identity(&list, kind, text), Some(OffReason::Blacklisted), "the blacklist has {entry:?}");
    }
}

/// Why a caller who is identified by a text has no memory, if so, where a blacklist is this JSON.
fn identity(blacklist: &str, kind: IdentifierKind, text: &str) -> Option<OffReason> {
    let source = if kind == IdentifierKind::Phone { "caller_number" } else { "state:id" };
    let source = format!(
        r#"{{"memory":{{"repeat_caller":{{"identifier_source":"{source}","identifier_blacklist":{blacklist}}}}}}}"#
    );
    let configured = Configuration::parse(&source, Limits::default()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let state = StateEntry {
        key: "id".into(),
        value: Some(StateValue::Json(Json(serde_json::to_string(text).expect("a text is JSON")))),
        touched: Touch::default(),
    };
    let caller = Caller { caller_number: Some(text.to_owned()), ..Caller::default() };
    let identified = identify(&configured.configuration.to_settings(), &caller, vec![state], NOW);
    match identified.expect("a caller with a number and a state of one key").identity {
        Identity::Known(_) => None,
        Identity::Off(reason) => Some(reason),
    }
}
