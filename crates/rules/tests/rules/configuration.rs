//! C1 to C7.

use agent_memory_rules::{Configuration, InputError, Limits, MAX_RETENTION_DAYS, Settings};
use proptest::prelude::*;

use crate::support::*;

/// The paths of all errors, in order.
fn paths(source: &str) -> Vec<String> {
    parse(source).unwrap_err().into_iter().map(|error| error.path).collect()
}

/// The only error, as people read it.
fn error(source: &str) -> String {
    let errors = parse(source).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].to_string()
}

fn warnings(source: &str) -> Vec<String> {
    parse(source).unwrap().warnings.into_iter().map(|warning| warning.path).collect()
}

#[test]
fn c1_all_members_are_read_and_other_top_level_keys_are_ignored() {
    let configured = parse(
        r#"{
            "asr": {"keywords": [1e999]},
            "memory": {
                "repeat_caller": {
                    "analytics_enabled": true,
                    "state_keys": ["cheese_type", "booking_day"],
                    "identifier_blacklist": ["+447777", "+4488*"],
                    "identifier_source": ["sip_header:X-Customer-Id", "state:customer_id"],
                    "retention_days": 30,
                    "retention_days_by_key": {"booking_day": 7},
                    "nested_values": true,
                    "timestamps": "round"
                }
            }
        }"#,
    )
    .unwrap();
    assert_eq!(configured.state_keys, ["cheese_type", "booking_day"], "in the order in which they were written");
    assert!(configured.configuration.memory_enabled());
    assert!(configured.configuration.analytics_enabled());
    assert!(configured.configuration.identifies_by_state());
    assert_eq!(configured.warnings, []);
}

#[test]
fn c1_an_unknown_key_is_an_error_that_names_the_nearest_known_one() {
    assert_eq!(
        error(r#"{"memory": {"repeat_caler": {}}}"#),
        "memory.repeat_caler: found the unknown key `repeat_caler`; did you mean `repeat_caller`? Known here: \
         repeat_caller, identifier_source",
    );
    let message = error(&repeat_caller(r#""state_key": []"#));
    assert!(
        message.starts_with(
            "memory.repeat_caller.state_key: found the unknown key `state_key`; did you mean `state_keys`?"
        )
    );
    let message = error(r#"{"memory": {"state_keys": []}}"#);
    assert!(message.ends_with("`state_keys` belongs one level down: `memory.repeat_caller.state_keys`"));
}

#[test]
fn c1_a_name_given_twice_is_an_error() {
    assert_eq!(paths(r#"{"memory": {}, "memory": {}}"#), ["memory"]);
    assert_eq!(paths(r#"{"memory": {"repeat_caller": {}, "repeat_caller": {}}}"#), ["memory.repeat_caller"]);
    let source = repeat_caller(r#""state_keys": ["a"], "retention_days_by_key": {"a": 1, "a": 2}"#);
    assert_eq!(paths(&source), ["memory.repeat_caller.retention_days_by_key.a"]);
    assert!(parse(r#"{"asr": 1, "asr": 2}"#).is_ok(), "what belongs to other systems is not looked at");
}

#[test]
fn c1_what_is_no_json_is_one_error_with_its_line() {
    assert_eq!(
        error("{\"memory\":\n  {\"repeat_caller\": }}"),
        "$: found no JSON: expected value at line 2 column 21; write JSON, such as {\"memory\": {\"repeat_caller\": {}}}",
    );
    assert_eq!(paths("[]"), ["$"]);
    let of_size = |size: usize| format!("{{}}{}", " ".repeat(size - 2));
    assert!(parse(&of_size(1024 * 1024)).is_ok());
    assert_eq!(paths(&of_size(1024 * 1024 + 1)), ["$"], "larger than a configuration may be");
}

#[test]
fn c2_the_source_may_stand_one_level_up_and_in_the_plural() {
    let inner = repeat_caller(r#""identifier_source": "sip_header:X-Customer-Id""#);
    let same = [
        r#"{"memory": {"repeat_caller": {}, "identifier_source": "sip_header:X-Customer-Id"}}"#,
        r#"{"memory": {"repeat_caller": {"identifier_source": ["sip_headers:x-customer-id"]}}}"#,
        r#"{"memory": {"repeat_caller": {"identifier_source": "sip_header:X-Customer-Id"},
            "identifier_source": ["sip_headers:X-CUSTOMER-ID"]}}"#,
    ];
    for source in same {
        assert_eq!(settings(source), settings(&inner), "{source}");
    }
    let attribute = repeat_caller(r#""identifier_source": "integration_attribute:id""#);
    assert_eq!(settings(&repeat_caller(r#""identifier_source": "integration_attributes:id""#)), settings(&attribute));
}

#[test]
fn c1_the_order_of_keys_and_of_the_blacklist_means_nothing() {
    let one = repeat_caller(r#""state_keys": ["a", "b"], "identifier_blacklist": ["1", "2", "3*", "4*"]"#);
    let other = repeat_caller(r#""identifier_blacklist": ["4*", "3*", "2", "1", "(1)"], "state_keys": ["b", "a"]"#);
    assert_eq!(settings(&one), settings(&other));
}

#[test]
fn c2_different_sources_in_both_places_are_an_error() {
    let source = r#"{"memory": {"identifier_source": "caller_number",
                     "repeat_caller": {"identifier_source": ["caller_number", "state:id"]}}}"#;
    assert_eq!(
        error(source),
        "memory.repeat_caller.identifier_source: found another source than at memory.identifier_source; \
         name the source in one place: delete one of them",
    );
}

#[test]
fn c2_an_unknown_source_is_an_error_that_names_the_nearest_known_one() {
    for (source, meant) in [
        ("callernumber", "\"caller_number\""),
        ("caller_number:x", "\"caller_number\""),
        ("sip_heder:X-Id", "\"sip_header:NAME\""),
        ("sip_header:", "\"sip_header:NAME\""),
        ("sip_header: X-Id", "\"sip_header:NAME\""),
        ("integration:id", "\"integration_attribute:NAME\""),
        ("integration_attribute: ", "\"integration_attribute:NAME\""),
        ("state", "\"state:KEY\""),
        ("state: ", "\"state:KEY\""),
    ] {
        let message = error(&repeat_caller(&format!(r#""identifier_source": "{source}""#)));
        assert!(message.contains(&format!("did you mean {meant}")), "{source}: {message}");
    }
    let source = repeat_caller(r#""identifier_source": ["caller_number", 7, "caller_number"]"#);
    assert_eq!(
        paths(&source),
        ["memory.repeat_caller.identifier_source[1]", "memory.repeat_caller.identifier_source[2]"]
    );
    assert_eq!(paths(&repeat_caller(r#""identifier_source": []"#)), ["memory.repeat_caller.identifier_source"]);
    let source = r#"{"memory": {"identifier_source": ["caller_number", "phone"],
                     "repeat_caller": {"identifier_source": "caller_number"}}}"#;
    assert_eq!(paths(source), ["memory.identifier_source[1]"], "the other may be just what was meant");
}

#[test]
fn c3_retention_is_1_to_90_days_and_no_key_is_retained_longer() {
    for days in ["1", "90"] {
        assert!(parse(&repeat_caller(&format!(r#""retention_days": {days}"#))).is_ok());
    }
    for days in ["0", "91", "-1", "300", "30.0", "3e1", "\"30\"", "null", "[]"] {
        let source = repeat_caller(&format!(r#""retention_days": {days}"#));
        assert_eq!(paths(&source), ["memory.repeat_caller.retention_days"], "{days}");
    }
    let by_key = |days| {
        repeat_caller(&format!(
            r#""state_keys": ["a"], "retention_days": 30, "retention_days_by_key": {{"a": {days}}}"#
        ))
    };
    assert!(parse(&by_key(30)).is_ok());
    assert_eq!(
        error(&by_key(31)),
        "memory.repeat_caller.retention_days_by_key.a: found 31; allowed is a number of days from 1 to 30, which is \
         `retention_days`",
    );
    let unlisted = error(&repeat_caller(r#""state_keys": ["cheese"], "retention_days_by_key": {"chese": 3}"#));
    assert!(unlisted.contains("did you mean `cheese`?"), "{unlisted}");
}

#[test]
fn c4_nested_values_and_timestamps_have_defaults() {
    let defaults = settings(&repeat_caller(""));
    assert_eq!(settings(&repeat_caller(r#""nested_values": false, "timestamps": "warn""#)), defaults);
    for other in [r#""nested_values": true"#, r#""timestamps": "round""#, r#""timestamps": "keep""#] {
        assert_ne!(settings(&repeat_caller(other)), defaults, "{other}");
    }
    assert!(error(&repeat_caller(r#""timestamps": "rounded""#)).contains("did you mean \"round\"?"));
    assert_eq!(paths(&repeat_caller(r#""nested_values": "true""#)), ["memory.repeat_caller.nested_values"]);
}

#[test]
fn c5_without_a_section_memory_is_off() {
    for source in ["{}", r#"{"asr": {}}"#, r#"{"memory": {}}"#, r#"{"memory": {"identifier_source": "state:id"}}"#] {
        let configured = parse(source).unwrap();
        assert!(!configured.configuration.memory_enabled(), "{source}");
        assert!(!configured.configuration.analytics_enabled());
        assert!(!configured.configuration.identifies_by_state());
    }
    let mut conversation = Conversation::new("{}");
    conversation.turn(vec![stored("cheese_type", "\"brie\"", NOW)], |sandbox| {
        assert!(sandbox.memory().is_empty(), "every read is empty");
        sandbox.state_mut().set("cheese_type".to_owned(), json("[[1]]")).unwrap();
    });
    assert_eq!(patch(&conversation.propose()), [], "nothing is written");
}

#[test]
fn c6_all_errors_are_reported_at_once_with_place_finding_and_remedy() {
    let source = repeat_caller(
        r#""analytics_enabled": "yes", "state_keys": ["a", "a", ""], "retention_days": 120, "colour": 1,
           "identifier_blacklist": ["+4477", 441632960001, "", {}, null]"#,
    );
    let errors = parse(&source).unwrap_err();
    let mut found: Vec<_> = errors.iter().map(|error| (error.path.as_str(), error.found.as_str())).collect();
    found.sort_unstable();
    let place = |name: &str| format!("memory.repeat_caller.{name}");
    let expected = [
        ("analytics_enabled", "\"yes\""),
        ("colour", "the unknown key `colour`"),
        ("identifier_blacklist[1]", "a number"),
        ("identifier_blacklist[2]", "an empty text"),
        ("identifier_blacklist[3]", "an object"),
        ("identifier_blacklist[4]", "null"),
        ("retention_days", "120"),
        ("state_keys[1]", "\"a\" once more"),
        ("state_keys[2]", "\"\""),
    ];
    let expected = expected.map(|(name, found)| (place(name), found));
    assert_eq!(found, expected.each_ref().map(|(path, found)| (path.as_str(), *found)));
    assert!(errors.iter().all(|error| !error.allowed.is_empty()));
}

#[test]
fn c6_very_many_mistakes_are_counted_and_take_no_long_time() {
    let list = |count| repeat_caller(&format!(r#""state_keys": [{}]"#, vec!["1"; count].join(",")));
    // One of the mistakes is that there are so many keys.
    assert_eq!(parse(&list(999)).unwrap_err().len(), 1_000);
    let errors = parse(&list(400_000)).unwrap_err();
    assert_eq!(
        (errors.len(), errors[1_000].to_string().as_str()),
        (1_001, "$: found 399001 more mistakes; mend those above first")
    );

    // To look for the nearest name for all of them took minutes.
    let key = |number: usize| format!("{number:0>126}");
    let keys: Vec<_> = (0..64).map(|number| format!("\"{}\"", key(number))).collect();
    let retained: Vec<_> = (100..7_000).map(|number| format!("\"{}\": 1", key(number))).collect();
    let members = format!(r#""state_keys": [{}], "retention_days_by_key": {{{}}}"#, keys.join(","), retained.join(","));
    let errors = parse(&repeat_caller(&members)).unwrap_err();
    assert_eq!(errors.iter().filter(|error| error.allowed.contains("did you mean")).count(), 50);
    let sources: Vec<_> = (0..60_000).map(|number| format!("\"state:{number}\"")).collect();
    parse(&repeat_caller(&format!(r#""identifier_source": [{}]"#, sources.join(",")))).unwrap();
}

#[test]
fn c6_a_long_name_is_cut_in_its_path_too() {
    let errors = parse(&repeat_caller(&format!(r#""{}": 1"#, "a".repeat(100_000)))).unwrap_err();
    assert!(errors[0].to_string().len() < 1_000);
}

#[test]
fn c6_what_looks_wrong_is_a_warning() {
    let state_keys = repeat_caller(r#""state_keys": ["cheese_type", "call_sid", "to"]"#);
    assert_eq!(warnings(&state_keys), ["memory.repeat_caller.state_keys[1]", "memory.repeat_caller.state_keys[2]"]);
    let blacklist = r#""identifier_blacklist": ["+4477", "anonymous", "+266696687", "*", "withheld*"]"#;
    let place = |index| format!("memory.repeat_caller.identifier_blacklist[{index}]");
    assert_eq!(warnings(&repeat_caller(blacklist)), [place(1), place(2), place(3)]);
    let custom = repeat_caller(&format!(r#"{blacklist}, "identifier_source": "state:id""#));
    assert_eq!(warnings(&custom), [place(3)], "any text can be such an identifier");
}

#[test]
fn c7_a_changed_configuration_holds_at_once_for_what_is_stored() {
    let fields = || vec![stored("cheese_type", "\"brie\"", NOW - 8 * DAY), stored("booking_day", "1", NOW)];
    let seen = |source: &str| {
        Conversation::new(source)
            .turn(fields(), |sandbox| sandbox.memory().fields().map(|(key, _)| key.to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(seen(CHEESE), ["booking_day", "cheese_type"]);
    assert_eq!(seen(&repeat_caller(r#""state_keys": ["cheese_type"]"#)), ["cheese_type"]);
    let shorter = repeat_caller(r#""state_keys": ["cheese_type", "booking_day"], "retention_days": 8"#);
    assert_eq!(seen(&shorter), ["booking_day"]);
}

#[test]
fn v5_limits_hold_for_state_keys_too() {
    let limits = Limits { key_bytes: 3, state_keys: 2, ..Limits::default() };
    let parse = |keys| Configuration::parse(&repeat_caller(&format!(r#""state_keys": {keys}"#)), limits);
    assert!(parse(r#"["abc", "é"]"#).is_ok());
    let errors = parse(r#"["abc", "éé", "c"]"#).unwrap_err();
    let messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "memory.repeat_caller.state_keys: found 3 keys; allowed are at most 2: list fewer",
            "memory.repeat_caller.state_keys[1]: found a key of 4 bytes; allowed are at most 3 bytes: choose a shorter key",
        ],
    );
}

#[test]
fn settings_of_another_version_are_refused() {
    let mut settings = settings(CHEESE);
    assert!(Configuration::from_settings(&settings).is_ok());
    settings.0[0] += 1;
    assert_eq!(Configuration::from_settings(&settings), Err(InputError::Settings));
    assert_eq!(Configuration::from_settings(&Settings(Vec::new())), Err(InputError::Settings));
}

/// The members of a `repeat_caller` section without mistakes.
fn any_members() -> impl Strategy<Value = Vec<String>> {
    let keys = prop::collection::btree_set("[a-e]{1,2}", 0..6).prop_map(Vec::from_iter);
    let retention = (1..=MAX_RETENTION_DAYS).prop_flat_map(|days| (Just(days), 1..=days));
    let sources = prop::sample::subsequence(vec!["caller_number", "sip_header:X-A", "state:a", "state:b"], 1..=4);
    let blacklist = prop::collection::vec("[+0-9a*]{1,5}", 0..5);
    (keys, retention, sources, blacklist, any::<[bool; 2]>(), prop::sample::select(vec!["warn", "round", "keep"]))
        .prop_map(|(keys, (days, days_by_key), sources, blacklist, [analytics, nested], timestamps)| {
            let by_key = keys.first().map_or_else(String::new, |key| format!("{key:?}: {days_by_key}"));
            vec![
                format!(r#""analytics_enabled": {analytics}"#),
                format!(r#""nested_values": {nested}"#),
                format!(r#""timestamps": "{timestamps}""#),
                format!(r#""retention_days": {days}"#),
                format!(r#""state_keys": {keys:?}"#),
                format!(r#""retention_days_by_key": {{{by_key}}}"#),
                format!(r#""identifier_source": {sources:?}"#),
                format!(r#""identifier_blacklist": {blacklist:?}"#),
            ]
        })
}

proptest! {
    #[test]
    fn c_settings_give_back_the_configuration_whatever_the_order_of_its_members(
        (members, shuffled) in any_members().prop_flat_map(|members| (Just(members.clone()), Just(members).prop_shuffle())),
    ) {
        let configured = parse(&repeat_caller(&members.join(", "))).unwrap();
        let settings = configured.configuration.to_settings();
        prop_assert_eq!(Configuration::from_settings(&settings).unwrap(), configured.configuration);
        prop_assert_eq!(parse(&repeat_caller(&shuffled.join(",\n"))).unwrap().configuration.to_settings(), settings);
    }

    #[test]
    fn c_every_broken_member_is_found_at_its_own_place(
        members in any_members(),
        broken in prop::sample::subsequence((0..8_usize).collect::<Vec<_>>(), 1..=8),
    ) {
        let mut members = members;
        for index in &broken {
            let (name, _) = members[*index].split_once(':').unwrap();
            members[*index] = format!("{name}: null");
        }
        let mut expected: Vec<_> = broken
            .iter()
            .map(|index| ["analytics_enabled", "nested_values", "timestamps", "retention_days", "state_keys",
                "retention_days_by_key", "identifier_source", "identifier_blacklist"][*index])
            .map(|name| format!("memory.repeat_caller.{name}"))
            .collect();
        let mut found = paths(&repeat_caller(&members.join(", ")));
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn c_no_text_and_no_bytes_bring_the_rules_down(
        value in any_json(), text in ".{0,40}", bytes in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let sources = [value.clone(), text.clone(), format!(r#"{{"memory": {value}}}"#), repeat_caller(&text)];
        for source in sources.into_iter().chain([
            format!(r#"{{"memory": {{"repeat_caller": {value}, "identifier_source": {value}}}}}"#),
            repeat_caller(&format!(r#""state_keys": {value}, "identifier_blacklist": {value}, "retention_days_by_key": {value}"#)),
        ]) {
            if let Err(errors) = parse(&source) {
                prop_assert!(!errors.is_empty());
                let is_whole = |text: &String| !text.is_empty();
                prop_assert!(errors.iter().all(|e| is_whole(&e.path) && is_whole(&e.found) && is_whole(&e.allowed)));
            }
        }
        let _ = Configuration::from_settings(&Settings(bytes.clone()));
        let _ = Configuration::from_settings(&Settings([&[1], bytes.as_slice()].concat()));
    }
}
