//! I1 to I9.

use agent_memory_rules::{
    Caller, IdentifierKind, Identity, InputError, Json, OffReason, canonicalize, floor_to_hour, identify,
};
use proptest::prelude::*;

use crate::support::*;

fn with_source(source: &str) -> String {
    repeat_caller(&format!(r#""identifier_source": {source}"#))
}

fn with_blacklist(entries: &str) -> String {
    repeat_caller(&format!(r#""identifier_blacklist": {entries}"#))
}

fn with_header(name: &str, value: &str) -> Caller {
    Caller { sip_headers: vec![(name.to_owned(), value.to_owned())], ..calling_from(NUMBER) }
}

fn with_attributes(attributes: &str) -> Caller {
    Caller { integration_attributes: Some(Json(attributes.to_owned())), ..calling_from(NUMBER) }
}

#[test]
fn i1_the_callers_number_is_the_default() {
    assert_eq!(who(CHEESE, &calling_from(NUMBER)), Ok(NUMBER.to_owned()));
}

#[test]
fn i2_a_sip_header_an_attribute_or_a_key_of_the_state_can_be_the_source() {
    let header = with_source(r#""sip_header:X-Customer-Id""#);
    assert_eq!(who(&header, &with_header("x-customer-ID", "42")), Ok("42".to_owned()));

    let sip_headers = [("X-Customer-Id", " "), ("X-Customer-Id", "42"), ("X-Customer-Id", "43")];
    let sip_headers = sip_headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let caller = Caller { sip_headers, ..Caller::default() };
    assert_eq!(who(&header, &caller), Ok("42".to_owned()), "the first that is not empty");

    let attribute = with_source(r#""integration_attribute:customer_id""#);
    for (attributes, expected) in [
        (r#"{"customer_id": "c-42"}"#, Ok("c-42")),
        (r#"{"customer_id": 42}"#, Ok("42")),
        (r#"{"customer_id": 123456789012345678901234567890}"#, Ok("123456789012345678901234567890")),
        (r#"{"customer_id": 41, "customer_id": 42}"#, Ok("42")),
        (r#"{"customer_id": 42.0}"#, Err(OffReason::SourceEmpty)),
        (r#"{"customer_id": 4e2}"#, Err(OffReason::SourceEmpty)),
        (r#"{"customer_id": true}"#, Err(OffReason::SourceEmpty)),
        (r#"{"customer_id": null}"#, Err(OffReason::SourceEmpty)),
        (r#"{"customer_id": ["42"]}"#, Err(OffReason::SourceEmpty)),
        (r#"{"Customer_Id": "42"}"#, Err(OffReason::SourceEmpty)),
    ] {
        assert_eq!(who(&attribute, &with_attributes(attributes)), expected.map(str::to_owned), "{attributes}");
    }

    let state = with_source(r#""state:customer_id""#);
    let in_state = |value| vec![from_platform("customer_id", value)];
    assert_eq!(who_with_state(&state, &Caller::default(), in_state("\"c\\u002d42\"")), Ok("c-42".to_owned()));
    assert_eq!(who_with_state(&state, &Caller::default(), in_state("-42")), Ok("-42".to_owned()));
    assert_eq!(who_with_state(&state, &Caller::default(), in_state("{}")), Err(OffReason::SourceEmpty));
}

#[test]
fn i3_a_number_that_has_another_address_in_it_is_none() {
    for number in
        ["tel:tel:+441632960001", "tel:sip:+441632960001@host", "t el:+441632960001", "(sip:+441632960001@host"]
    {
        assert_eq!(who(CHEESE, &calling_from(number)), Err(OffReason::NoCallerNumber), "{number}");
    }
}

#[test]
fn i3_one_number_has_one_canonical_form() {
    for number in [
        "+44 1632 960001",
        " +44-1632-960001 ",
        "+44 (1632) 960.001",
        " tel:+44-1632-960001",
        "TEL:+441632960001;phone-context=example.com",
        "sip:+441632960001@sip.example.com",
        "sips:+441632960001:secret@sip.example.com;transport=tls",
        "sip:+441632960001;user=phone@10.0.0.1",
    ] {
        assert_eq!(who(CHEESE, &calling_from(number)), Ok(NUMBER.to_owned()), "{number}");
    }
    assert_eq!(who(CHEESE, &calling_from("sip:reception.2@example.com")), Ok("reception2".to_owned()));
    let header = with_source(r#""sip_header:X-Id""#);
    assert_eq!(
        who(&header, &with_header("X-Id", "\t a-1 (b) ")),
        Ok("a-1 (b)".to_owned()),
        "only phone numbers have separators"
    );
}

#[test]
fn i4_a_withheld_number_is_no_identifier() {
    for number in [
        "anonymous",
        "Restricted",
        "unknown",
        "+",
        "sip:anonymous@anonymous.invalid",
        "+266696687",
        "+7378742833",
        "+2562533",
        "+86282452253",
        "+464",
        "+8656696",
        "+1 266 696 687",
        "266696687",
        "tel:+266-696-687",
        "0000000000",
        "+0",
    ] {
        assert_eq!(who(CHEESE, &calling_from(number)), Err(OffReason::Withheld), "{number}");
    }
    assert_eq!(who(CHEESE, &calling_from("sip:10.0.0.1")), Err(OffReason::NoCallerNumber), "a host is no caller");
    assert_eq!(who(CHEESE, &calling_from("+4641632960001")), Ok("+4641632960001".to_owned()));
}

#[test]
fn i5_a_source_that_yields_nothing_never_falls_back_to_the_number() {
    let header = with_source(r#""sip_header:X-Id""#);
    assert_eq!(who(&header, &calling_from(NUMBER)), Err(OffReason::SourceEmpty));
    assert_eq!(who(&header, &with_header("X-Id", "  ")), Err(OffReason::SourceEmpty));
    let listed = with_source(r#"["sip_header:X-Id", "caller_number"]"#);
    assert_eq!(who(&listed, &calling_from(NUMBER)), Ok(NUMBER.to_owned()));
    assert_eq!(who(&listed, &with_header("X-Id", "7")), Ok("7".to_owned()));
}

#[test]
fn i6_a_key_of_the_state_is_looked_up_again_for_the_commit() {
    let mut conversation = Conversation::new(&repeat_caller(r#""identifier_source": "state:id", "state_keys": ["a"]"#));
    conversation.set("a", "1").unwrap();
    assert_eq!(conversation.propose().identity, Identity::Off(OffReason::SourceEmpty));
    conversation.set("id", "\"c-1\"").unwrap();
    assert!(matches!(conversation.propose().identity, Identity::Known(identifier) if identifier.text() == "c-1"));
    conversation.remove("id");
    assert_eq!(conversation.propose().identity, Identity::Off(OffReason::SourceEmpty));
}

#[test]
fn i7_a_blacklisted_identifier_is_nobodys() {
    let blacklist = with_blacklist(r#"["+44 1632-960001", " tel:+4488* ", "sip:+4499*"]"#);
    for number in ["+441632960001", "sip:+441632960001@example.com", "+44881", "+44 88", "+44990"] {
        assert_eq!(who(&blacklist, &calling_from(number)), Err(OffReason::Blacklisted), "{number}");
    }
    for number in ["+4416329600011", "+44871", "4488"] {
        assert!(who(&blacklist, &calling_from(number)).is_ok(), "{number}");
    }
    let mut conversation = Conversation::new(&repeat_caller(
        r#""identifier_blacklist": ["+441632960001"], "state_keys": ["a"], "analytics_enabled": true"#,
    ));
    conversation.set("a", "1").unwrap();
    let proposal = conversation.propose();
    assert_eq!(patch(&proposal), [], "nothing is written");
    assert_eq!(proposal.interaction, None, "nothing is counted");
}

#[test]
fn i7_a_blacklisted_identifier_is_not_replaced_by_the_next_source() {
    let source = repeat_caller(
        r#""identifier_blacklist": ["test-*"], "identifier_source": ["sip_header:X-Id", "caller_number"]"#,
    );
    assert_eq!(who(&source, &with_header("X-Id", "test-1")), Err(OffReason::Blacklisted));
}

#[test]
fn i8_a_phone_number_and_the_same_text_from_elsewhere_are_two() {
    let kind_of = |source: &str, caller: &Caller| match identify(&settings(source), caller, Vec::new(), NOW) {
        Ok(identified) => match identified.identity {
            Identity::Known(identifier) => (identifier.kind(), identifier.into_text()),
            Identity::Off(reason) => panic!("{reason:?}"),
        },
        Err(error) => panic!("{error}"),
    };
    let phone = kind_of(CHEESE, &calling_from(NUMBER));
    let custom = kind_of(&with_source(r#""sip_header:X-Id""#), &with_header("X-Id", NUMBER));
    assert_eq!(phone, (IdentifierKind::Phone, NUMBER.to_owned()));
    assert_eq!(custom, (IdentifierKind::Custom, NUMBER.to_owned()));
    let named = |kind| canonicalize(kind, NUMBER, NOW).unwrap().identifier;
    assert_ne!(named(IdentifierKind::Phone), named(IdentifierKind::Custom));
}

#[test]
fn i9_without_an_identifier_there_is_a_reason() {
    for (source, caller, reason) in [
        ("{}".to_owned(), calling_from(NUMBER), OffReason::MemoryOff),
        (CHEESE.to_owned(), Caller::default(), OffReason::NoCallerNumber),
        (CHEESE.to_owned(), calling_from(" "), OffReason::NoCallerNumber),
        (CHEESE.to_owned(), calling_from("anonymous"), OffReason::Withheld),
        (with_source(r#""state:id""#), calling_from(NUMBER), OffReason::SourceEmpty),
        (with_blacklist(r#"["+44*"]"#), calling_from(NUMBER), OffReason::Blacklisted),
        (with_source(r#"["caller_number", "state:id"]"#), calling_from("anonymous"), OffReason::SourceEmpty),
        (with_source(r#"["state:id", "caller_number"]"#), calling_from("anonymous"), OffReason::Withheld),
    ] {
        assert_eq!(who(&source, &caller), Err(reason), "{source}");
    }
}

#[test]
fn i9_attributes_that_are_no_object_are_the_hosts_mistake() {
    for attributes in ["[]", "null", "{", "{} {}", ""] {
        let answer = identify(&settings(CHEESE), &with_attributes(attributes), Vec::new(), NOW);
        assert_eq!(answer, Err(InputError::IntegrationAttributes), "{attributes}");
    }
}

#[test]
fn e3_an_erasure_is_remembered_for_as_long_as_anything_is_retained() {
    let named = canonicalize(IdentifierKind::Phone, "+44 1632 960001", NOW).unwrap();
    assert_eq!(named.identifier.text(), NUMBER);
    assert_eq!(named.erasure_expires, HOUR_OF_NOW + 90 * DAY);
    assert_eq!(canonicalize(IdentifierKind::Phone, "anonymous", NOW), Err(OffReason::Withheld));
    assert_eq!(canonicalize(IdentifierKind::Phone, "", NOW), Err(OffReason::NoCallerNumber));
    assert_eq!(canonicalize(IdentifierKind::Custom, " ", NOW), Err(OffReason::SourceEmpty));
}

#[test]
fn p3_identifiers_are_not_shown() {
    let named = canonicalize(IdentifierKind::Phone, NUMBER, NOW).unwrap();
    let caller = Caller { sip_headers: vec![("X-Id".to_owned(), NUMBER.to_owned())], ..calling_from(NUMBER) };
    let blacklist = configuration(&with_blacklist(r#"["+441632960001", "+4416*"]"#));
    let settings = blacklist.to_settings();
    for shown in [format!("{named:?}"), format!("{caller:?}"), format!("{blacklist:?}"), format!("{settings:?}")] {
        assert!(!shown.contains("4416"), "{shown}");
        assert!(!shown.contains("52, 52, 49, 54"), "{shown}");
    }
    for (blacklist, count) in [
        (r#"["+441632960001", {"number": "+441632960001"}, 441632960001, ""]"#, 3),
        (r#""+441632960001""#, 1),
        ("441632960001", 1),
    ] {
        let errors = parse(&with_blacklist(blacklist)).unwrap_err();
        assert_eq!(errors.len(), count);
        assert!(errors.iter().all(|error| !error.to_string().contains("4416")), "{errors:?}");
    }
}

proptest! {
    #[test]
    fn i_the_canonical_form_of_a_canonical_form_is_itself(text in "[ +0-9a-z.()@:;*-]{0,12}", is_phone: bool) {
        let kind = if is_phone { IdentifierKind::Phone } else { IdentifierKind::Custom };
        if let Ok(named) = canonicalize(kind, &text, NOW) {
            let again = canonicalize(kind, named.identifier.text(), NOW);
            // `sip:` in the user part of an address would be taken for a scheme again; no telephone has such a user.
            prop_assume!(!named.identifier.text().contains(':'));
            prop_assert_eq!(again, Ok(named));
        }
    }

    #[test]
    fn i_separators_and_schemes_do_not_make_another_caller(
        digits in "[1-9][0-9]{6,12}", separators in prop::collection::vec("[ .()-]{0,2}", 14), form in 0..4,
    ) {
        let written: String = digits.chars().zip(&separators).map(|(digit, separator)| format!("{separator}{digit}")).collect();
        let written = match form {
            0 => written,
            1 => format!("tel:{written}"),
            2 => format!("Tel:{written};ext=1"),
            _ => format!("sip:{written}@host.example"),
        };
        let expected = who(CHEESE, &calling_from(&digits));
        prop_assert_eq!(who(CHEESE, &calling_from(&written)), expected);
    }

    #[test]
    fn i_what_is_known_has_a_digit_other_than_zero(number in ".{0,12}") {
        if let Ok(text) = who(CHEESE, &calling_from(&number)) {
            prop_assert!(text.chars().any(|char| ('1'..='9').contains(&char)));
            prop_assert!(!text.chars().any(|char| char.is_whitespace() || "-.()".contains(char)));
        }
    }

    #[test]
    fn i_a_blacklist_is_exact_or_by_prefix(
        number in "[1-3]{2,3}", entries in prop::collection::vec(("[1-3]{1,3}", any::<bool>()), 0..6),
    ) {
        let is_listed = entries.iter().any(|(entry, is_prefix)| {
            if *is_prefix { number.starts_with(entry) } else { number == *entry }
        });
        let star = |is_prefix| if is_prefix { "*" } else { "" };
        let entries: Vec<_> = entries.iter().map(|(entry, is_prefix)| format!("{entry}{}", star(*is_prefix))).collect();
        let answer = who(&with_blacklist(&format!("{entries:?}")), &calling_from(&number));
        prop_assert_eq!(answer, if is_listed { Err(OffReason::Blacklisted) } else { Ok(number) });
    }

    #[test]
    fn i_of_several_sources_the_first_that_yields_something_wins(
        sources in Just(vec!["caller_number", "sip_header:a", "integration_attribute:b", "state:c"]).prop_shuffle(),
        count in 1..=4_usize, yields in any::<[bool; 4]>(),
    ) {
        let [number, header, attribute, in_state] = yields;
        let caller = Caller {
            caller_number: number.then(|| "1".to_owned()),
            sip_headers: if header { vec![("A".to_owned(), "2".to_owned())] } else { Vec::new() },
            integration_attributes: Some(Json(if attribute { r#"{"b": 3}"# } else { "{}" }.to_owned())),
        };
        let state = if in_state { vec![from_platform("c", "4")] } else { Vec::new() };
        let sources = &sources[..count];
        let yielded = |source: &str| match source {
            "caller_number" => number.then_some("1").ok_or(OffReason::NoCallerNumber),
            "sip_header:a" => header.then_some("2").ok_or(OffReason::SourceEmpty),
            "integration_attribute:b" => attribute.then_some("3").ok_or(OffReason::SourceEmpty),
            _ => in_state.then_some("4").ok_or(OffReason::SourceEmpty),
        };
        let first = sources.iter().map(|source| yielded(source)).find(Result::is_ok);
        let expected = first.unwrap_or_else(|| yielded(sources[count - 1])).map(str::to_owned);
        prop_assert_eq!(who_with_state(&with_source(&format!("{sources:?}")), &caller, state), expected);
    }

    #[test]
    fn i_an_erasure_outlives_whatever_a_conversation_that_runs_now_may_write(now in -1_000_000_000_000..1_000_000_000_000_i64) {
        let named = canonicalize(IdentifierKind::Custom, "x", now).unwrap();
        prop_assert_eq!(named.erasure_expires, floor_to_hour(named.erasure_expires));
        prop_assert_eq!(named.erasure_expires, floor_to_hour(now) + 90 * DAY);
    }
}
