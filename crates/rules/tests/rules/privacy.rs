//! P1 to P4.

use agent_memory_rules::{Proposal, Sandbox, Settlement, StoredField, Turn, WarningCode, identify, settle};
use proptest::prelude::*;

use crate::support::*;

fn proposed(timestamps: &str, value: &str) -> Proposal {
    let members = format!(r#""state_keys": ["a"], "nested_values": true, "timestamps": "{timestamps}""#);
    let mut conversation = Conversation::new(&repeat_caller(&members));
    conversation.set("a", value).unwrap();
    conversation.propose()
}

fn rounded(value: &str) -> String {
    patch(&proposed("round", value))[0].1.to_owned()
}

fn is_warned_of(value: &str) -> bool {
    !proposed("warn", value).draft.warnings.is_empty()
}

#[test]
fn p1_every_time_that_is_kept_on_a_caller_is_a_full_hour() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.set("cheese_type", "1").unwrap();
    let proposal = conversation.propose_at(NOW + 61, NOW + 7_777);
    let (field, first) = (&proposal.patch[0], proposal.interaction.unwrap());
    for time in [
        field.written,
        field.expires,
        proposal.mark_expires,
        first.interaction.began,
        first.interaction.expires,
        first.stands_after,
    ] {
        assert_eq!(time % HOUR, 0);
    }
    let told = &first.interaction.metrics[1].value;
    assert_eq!(told, "2026-03-02T10:00:00Z");
}

#[test]
fn p2_a_date_time_finer_than_the_hour_is_warned_of_rounded_or_kept() {
    let value = "\"2026-03-02T10:20:30+01:00\"";
    let warned = proposed("warn", value);
    assert_eq!(patch(&warned), [("a", value)]);
    assert_eq!(warned.draft.warnings.len(), 1);
    assert_eq!(
        (warned.draft.warnings[0].code, warned.draft.warnings[0].key.as_str()),
        (WarningCode::FineTimestamp, "a")
    );
    let rounded = proposed("round", value);
    assert_eq!(patch(&rounded), [("a", "\"2026-03-02T10:00:00+01:00\"")]);
    assert_eq!(rounded.draft.warnings, []);
    let kept = proposed("keep", value);
    assert_eq!(patch(&kept), [("a", value)]);
    assert_eq!(kept.draft.warnings, []);
    let preview = settle(warned.draft, Settlement::Preview);
    assert_eq!(preview.warnings.len(), 1, "a preview warns too");
}

#[test]
fn p2_rounding_is_down_in_the_own_offset_and_keeps_the_form() {
    for (value, expected) in [
        ("2026-03-02T10:59:59Z", "2026-03-02T10:00:00Z"),
        ("2026-03-02T10:20:30+05:30", "2026-03-02T10:00:00+05:30"),
        ("2026-03-02T00:10:00-00:00", "2026-03-02T00:00:00-00:00"),
        ("2026-03-02t10:00:00.001z", "2026-03-02t10:00:00.000z"),
        ("2024-02-29 23:59:60.5+14:00", "2024-02-29 23:00:00.0+14:00"),
    ] {
        assert_eq!(rounded(&format!("\"{value}\"")), format!("\"{expected}\""));
        assert!(is_warned_of(&format!("\"{value}\"")), "{value}");
    }
}

#[test]
fn p2_what_is_no_date_time_or_not_finer_is_left_alone() {
    for value in [
        "2026-03-02T10:00:00Z",
        "2026-03-02T10:00:00.000+05:30",
        "2026-03-02",
        "10:20:30",
        "2026-03-02T10:20:30",
        "2026-03-02T10:20Z",
        "2026-02-29T10:20:30Z",
        "2026-13-02T10:20:30Z",
        "2026-00-02T10:20:30Z",
        "2026-03-00T10:20:30Z",
        "2026-03-02T24:20:30Z",
        "2026-03-02T10:60:30Z",
        "2026-03-02T10:20:61Z",
        "2026-03-02T10:20:30+24:00",
        "2026-03-02T10:20:30+01:60",
        "2026-03-02T10:20:30+0100",
        "2026-03-02T10:20:30.Z",
        "2026-03-02T10:20:30,5Z",
        "2026-03-02_10:20:30Z",
        "at 2026-03-02T10:20:30Z",
        "2026-03-02T10:20:30Z ",
        "+2026-03-02T10:20:30Z",
        "2026-3-02T10:20:30Z",
        "1900-02-29T10:20:30Z",
        "é026-03-02T10:20:30Z",
        "2026-03-0é10:20:30Z",
    ] {
        let value = format!("\"{value}\"");
        assert_eq!(rounded(&value), value);
        assert!(!is_warned_of(&value), "{value}");
    }
}

#[test]
fn p2_members_are_looked_at_and_all_else_stays_byte_for_byte() {
    let value = r#"{"2026-03-02T10:20:30Z" : 1.50, "at":[ "2026-03-02T10:20:30Z" ,{"x":"\u0032026-03-02T11:30:00Z","y":"\u00e9"}], "n":12345678901234567890}"#;
    let expected = r#"{"2026-03-02T10:20:30Z" : 1.50, "at":[ "2026-03-02T10:00:00Z" ,{"x":"2026-03-02T11:00:00Z","y":"\u00e9"}], "n":12345678901234567890}"#;
    assert_eq!(rounded(value), expected);
    assert!(is_warned_of(value));
    assert!(!is_warned_of(r#"{"2026-03-02T10:20:30Z": 1}"#), "a member's name is no value");
}

#[test]
fn p3_values_are_not_shown() {
    let secret = "\"secret\"";
    let turn = Turn {
        settings: settings(CHEESE),
        fields: vec![stored("cheese_type", secret, NOW)],
        state: vec![from_platform("x", secret)],
        now: NOW,
    };
    let turn_shown = format!("{turn:?}");
    let mut sandbox = Sandbox::new();
    sandbox.begin(turn).unwrap();
    sandbox.state_mut().set("cheese_type".to_owned(), json(secret)).unwrap();
    let sandbox_shown = format!("{sandbox:?}");
    let mut conversation = Conversation::new(CHEESE);
    conversation.set("cheese_type", secret).unwrap();
    let field = StoredField { key: "cheese_type".to_owned(), ..stored("", secret, NOW) };
    for shown in [turn_shown, sandbox_shown, format!("{:?}", conversation.propose()), format!("{field:?}")] {
        assert!(!shown.contains("secret"), "{shown}");
    }
    let error = conversation.set("cheese_type", r#"{"a": {"b": "secret"}}"#).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[test]
fn p4_a_session_is_deleted_24_hours_after_its_last_activity() {
    let identified = identify(&settings(CHEESE), &calling_from(NUMBER), Vec::new(), NOW).unwrap();
    assert_eq!(identified.session_expires, NOW + 24 * HOUR, "to the second");
    let turn = Turn { settings: settings(CHEESE), fields: Vec::new(), state: Vec::new(), now: NOW + 5 };
    assert_eq!(Sandbox::new().begin(turn), Ok(NOW + 5 + 24 * HOUR));
}

proptest! {
    #[test]
    fn p_nothing_that_is_rounded_is_warned_of_and_rounding_again_changes_nothing(value in any_json()) {
        prop_assume!(value != "null");
        let once = rounded(&value);
        prop_assert_eq!(once != value, is_warned_of(&value));
        prop_assert!(!is_warned_of(&once));
        prop_assert_eq!(rounded(&once), once);
    }

    #[test]
    fn p_rounding_changes_nothing_but_minutes_seconds_and_fraction(
        year in 0..=9999, month in 1..=12, day in 1..=28, hour in 0..=23, minute in 0..=59, second in 0..=60,
        fraction in "(\\.[0-9]{1,9})?", offset in "Z|z|[+-](0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]", separator in "[Tt ]",
    ) {
        let start = format!("{year:04}-{month:02}-{day:02}{separator}{hour:02}");
        let value = format!("\"{start}:{minute:02}:{second:02}{fraction}{offset}\"");
        let zeros: String = fraction.chars().map(|char| if char == '.' { '.' } else { '0' }).collect();
        prop_assert_eq!(rounded(&value), format!("\"{start}:00:00{zeros}{offset}\""));
    }

    #[test]
    fn p_the_hour_of_an_interaction_reads_as_the_calendar_says(hours in 0..876_000_i64) {
        let conversation = Conversation::new(CHEESE);
        let began = hours * HOUR;
        let told = conversation.propose_at(began + 59, began + 59).interaction.unwrap().interaction.metrics.remove(1).value;
        prop_assert_eq!(told, by_counting(hours));
    }
}

/// An hour since 1970 as RFC 3339, found by counting years and months.
fn by_counting(hours: i64) -> String {
    let (mut days, mut year, mut month) = (hours / 24, 1970, 1);
    loop {
        let is_leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + i64::from(is_leap_year),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if days < length {
            return format!("{year:04}-{month:02}-{:02}T{:02}:00:00Z", days + 1, hours % 24);
        }
        days -= length;
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
}
