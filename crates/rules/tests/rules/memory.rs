//! M2, M3, M4, M6 and C7.

use agent_memory_rules::{HOUR, InputError, Sandbox, Settings, StoredField, Turn, floor_to_hour};
use proptest::prelude::*;

use crate::support::*;

#[test]
fn m2_a_field_can_be_read_and_all_can_be_listed() {
    let fields = vec![stored("cheese_type", "\"brie\"", NOW), stored("booking_day", "{\"day\": 1.0}", NOW)];
    Conversation::new(CHEESE).turn(fields, |sandbox| {
        let memory = sandbox.memory();
        assert_eq!(memory.get("cheese_type").unwrap().0, "\"brie\"");
        assert_eq!(memory.get("booking_day").unwrap().0, "{\"day\": 1.0}", "as it was stored");
        assert_eq!(memory.get("mood"), None);
        assert!(memory.contains("booking_day") && !memory.contains("mood"));
        assert_eq!(memory.len(), 2);
        let keys: Vec<_> = memory.fields().map(|(key, _)| key).collect();
        assert_eq!(keys, ["booking_day", "cheese_type"], "ordered by key");
    });
}

#[test]
fn m3_a_value_set_in_this_conversation_is_not_in_memory() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.turn(vec![stored("cheese_type", "\"brie\"", NOW)], |sandbox| {
        sandbox.state_mut().set("cheese_type".to_owned(), json("\"gouda\"")).unwrap();
        sandbox.state_mut().set("booking_day".to_owned(), json("\"Friday\"")).unwrap();
        assert_eq!(sandbox.memory().get("cheese_type").unwrap().0, "\"brie\"");
        assert!(!sandbox.memory().contains("booking_day"));
    });
    conversation.turn(Vec::new(), |sandbox| assert!(sandbox.memory().is_empty(), "nor in a later turn"));
}

#[test]
fn m4_an_expired_field_is_invisible_from_the_second_it_expires() {
    let field = |expires| StoredField { expires, ..stored("cheese_type", "1", NOW - DAY) };
    let is_seen =
        |field| Conversation::new(CHEESE).turn(vec![field], |sandbox| sandbox.memory().contains("cheese_type"));
    assert!(is_seen(field(NOW + 1)));
    assert!(!is_seen(field(NOW)));
    let conversation = || Conversation::new(&repeat_caller(r#""state_keys": ["cheese_type"], "retention_days": 1"#));
    let written = || vec![stored("cheese_type", "1", HOUR_OF_NOW - DAY)];
    let is_seen_at = |now| {
        Conversation { now, ..conversation() }.turn(written(), |sandbox| sandbox.memory().contains("cheese_type"))
    };
    assert!(is_seen_at(HOUR_OF_NOW - 1), "a shorter retention counts from the hour of the commit");
    assert!(!is_seen_at(HOUR_OF_NOW));
}

#[test]
fn m6_only_keys_in_state_keys_are_exposed() {
    let fields = vec![stored("cheese_type", "1", NOW), stored("mood", "2", NOW)];
    Conversation::new(CHEESE).turn(fields, |sandbox| {
        assert_eq!(sandbox.memory().get("mood"), None);
        assert_eq!(sandbox.memory().len(), 1);
    });
}

#[test]
fn a_sandbox_takes_one_turn() {
    let turn =
        || Turn { settings: settings(CHEESE), fields: vec![stored("cheese_type", "1", NOW)], state: vec![], now: NOW };
    let mut sandbox = Sandbox::new();
    assert_eq!(sandbox.finish(), Err(InputError::OutOfOrder));
    assert!(sandbox.memory().is_empty());
    assert!(sandbox.state_mut().set("a".to_owned(), json("1")).is_err(), "it takes nothing before its turn");
    assert_eq!(sandbox.begin(Turn { settings: Settings(vec![]), ..turn() }), Err(InputError::Settings));
    assert!(sandbox.begin(turn()).is_ok());
    assert_eq!(sandbox.begin(turn()), Err(InputError::OutOfOrder));
    assert!(sandbox.state_mut().set("a".to_owned(), json("1")).is_ok());
    assert_eq!(sandbox.finish().map(|state| state.len()), Ok(1));
    assert_eq!(sandbox.finish(), Err(InputError::OutOfOrder));
    assert_eq!(sandbox.begin(turn()), Err(InputError::OutOfOrder));
    assert!(sandbox.memory().is_empty(), "nothing outlives its turn");
}

proptest! {
    #[test]
    fn m_what_is_seen_is_listed_and_has_expired_under_no_configuration(
        fields in prop::collection::btree_map("[a-f]", (any_json(), -100..5_i64, 1..100_i64), 0..6),
        state_keys in prop::collection::btree_set("[a-f]", 0..6),
        retention_days in 1..=90_i64,
        now in prop::sample::select(vec![HOUR_OF_NOW, NOW]),
    ) {
        let source = repeat_caller(&format!(r#""retention_days": {retention_days}, "state_keys": {:?}"#,
            Vec::from_iter(&state_keys)));
        let fields: Vec<_> = fields
            .into_iter()
            .map(|(key, (value, age_in_days, days))| {
                let written = floor_to_hour(NOW) + age_in_days * DAY;
                StoredField { expires: written + days * DAY, ..stored(&key, &value, written) }
            })
            .collect();
        let expected: Vec<_> = fields
            .iter()
            .filter(|field| state_keys.contains(&field.key))
            .filter(|field| now < field.expires && now < field.written + retention_days * 24 * HOUR)
            .map(|field| (field.key.clone(), field.value.clone()))
            .collect();
        let mut given = fields.clone();
        given.reverse();
        Conversation { now, ..Conversation::new(&source) }.turn(given, |sandbox| {
            let memory = sandbox.memory();
            let seen: Vec<_> = memory.fields().map(|(key, value)| (key.to_owned(), value.clone())).collect();
            prop_assert_eq!(&seen, &expected);
            prop_assert_eq!(memory.len(), expected.len());
            for field in &fields {
                let value = expected.iter().find_map(|(key, value)| (*key == field.key).then_some(value));
                prop_assert_eq!(memory.get(&field.key), value);
                prop_assert_eq!(memory.contains(&field.key), value.is_some());
            }
            Ok(())
        })?;
    }
}
