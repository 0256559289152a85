//! The end of a conversation, and what it commits.

use std::sync::Arc;

use agent_memory_host::store::{ConversationKey, MemoryStore, Replaces, Revision, SavedSession, Sealed, Sessions};
use agent_memory_host::{
    CallError, CommitReport, CommitStatus, Conversation, DropReason, EndError, Handoff, IdentifierKind, Json,
    KeyOutcome, NewConversation, NoIdentifier, Outcome, SaveError, Session, StartError, TurnOutcome,
};
use agent_memory_tests::{Desk, Fault, FaultyStore, Trouble, call, configuration, scope, set, value};
use serde_json::json;

const CALLER: &str = "+441632960001";

async fn end(conversation: &mut Conversation) -> CommitReport {
    conversation.end(Outcome::default()).await.unwrap_or_else(|error| panic!("{error}")).report
}

/// What became of a key.
fn outcome(report: &CommitReport, key: &str) -> KeyOutcome {
    report.keys.iter().find(|(name, _)| name == key).unwrap_or_else(|| panic!("no {key} in {report:?}")).1
}

/// A conversation that the platform has told how to end.
fn ending(way: &str) -> NewConversation {
    NewConversation {
        caller_number: Some(CALLER.into()),
        state: vec![("probe_end".into(), Json::from_value(&way).unwrap())],
        ..Default::default()
    }
}

#[tokio::test]
async fn w1_the_commit_includes_what_end_function_set() {
    let desk = Desk::new("").await;
    let mut conversation = desk.start(ending("set")).await;
    set(&mut conversation, "mood", &json!("good")).await;
    let ended = conversation.end(Outcome::default()).await.unwrap();
    assert_eq!(ended.turn.unwrap().function, "end_function");
    assert_eq!(ended.report.keys.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["mood", "ended"]);
}

#[tokio::test]
async fn w1_a_failing_end_function_loses_nothing() {
    for (way, kept) in [("fail", true), ("trap", false), ("loop", false)] {
        let quick = |builder: agent_memory_host::RuntimeBuilder| {
            let mut limits = agent_memory_host::Limits::default();
            limits.turn_time = std::time::Duration::from_millis(100);
            builder.limits(limits)
        };
        let desk = Desk::with(Arc::new(FaultyStore::default()), &configuration(""), quick).await;
        let mut conversation = desk.start(ending(way)).await;
        set(&mut conversation, "mood", &json!("good")).await;
        let ended = conversation.end(Outcome::default()).await.unwrap();
        assert!(!matches!(ended.turn.unwrap().outcome, TurnOutcome::Returned(_)), "{way}");
        assert!(matches!(outcome(&ended.report, "mood"), KeyOutcome::Kept(_)), "{way}");
        assert_eq!(ended.report.keys.iter().any(|(key, _)| key == "ended"), kept, "{way}: W6");
    }
}

#[tokio::test]
async fn w2_a_patch_leaves_other_fields_and_their_expiry_alone() {
    let desk = Desk::new("").await;
    let mut first = desk.call_from(CALLER).await;
    set(&mut first, "cheese_type", &json!("gouda")).await;
    end(&mut first).await;
    desk.set_clock("2026-03-12T08:00:00Z");
    let mut second = desk.call_from(CALLER).await;
    set(&mut second, "booking_day", &json!("Friday")).await;
    end(&mut second).await;
    let held = desk.runtime.administration().get(&scope(), IdentifierKind::Phone, CALLER).await.unwrap();
    let held: Vec<_> =
        held.iter().map(|(key, field)| (key.as_str(), field.value.as_str(), field.expires_at.to_string())).collect();
    assert_eq!(
        held,
        [
            ("booking_day", "\"Friday\"", "2026-06-10T08:00:00Z".to_owned()),
            ("cheese_type", "\"gouda\"", "2026-05-31T10:00:00Z".to_owned()),
        ]
    );
}

#[tokio::test]
async fn w4_ending_again_returns_the_first_report() {
    let desk = Desk::new(r#""analytics_enabled": true"#).await;
    let mut conversation = desk.start(ending("set")).await;
    set(&mut conversation, "mood", &json!("good")).await;
    let before = conversation.session().to_bytes();
    let first = end(&mut conversation).await;
    assert!(first.first_interaction);
    desk.set_clock("2026-03-03T10:20:00Z");
    assert_eq!(end(&mut conversation).await, first);

    // Somebody who has kept the session from before the end.
    let mut copy = desk.agent.resume(Session::from_bytes(&before).unwrap()).unwrap();
    let again = copy.end(Outcome { qa: Some("other".into()), handoff: None }).await.unwrap();
    assert!(again.turn.is_none(), "end_function does not run again");
    assert_eq!(again.report, first);
    let error = copy.call("memory_len", Json::empty_object()).await.unwrap_err();
    assert!(matches!(error, CallError::Ended), "{error}");
}

#[tokio::test]
async fn w4_an_id_is_used_once() {
    let desk = Desk::new("").await;
    let start =
        || NewConversation { id: Some("call-1".into()), caller_number: Some(CALLER.into()), ..Default::default() };
    end(&mut desk.start(start()).await).await;
    let error = desk.agent.start(start()).await.err().unwrap();
    assert!(matches!(error, StartError::AlreadyEnded), "{error}");
    for id in [String::new(), "x".repeat(257)] {
        let error = desk.agent.start(NewConversation { id: Some(id), ..Default::default() }).await.err().unwrap();
        assert!(matches!(error, StartError::BadId(_)), "{error}");
    }
}

#[tokio::test]
async fn w4_after_an_erase_the_report_has_no_keys() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    let before = conversation.session().to_bytes();
    set(&mut conversation, "mood", &json!("good")).await;
    end(&mut conversation).await;
    desk.runtime.administration().erase(&scope(), IdentifierKind::Phone, CALLER, None).await.unwrap();
    let mut copy = desk.agent.resume(Session::from_bytes(&before).unwrap()).unwrap();
    let report = end(&mut copy).await;
    assert_eq!((report.status, report.keys), (CommitStatus::Committed, vec![]));
}

#[tokio::test]
async fn w4_a_failing_store_never_loses_or_doubles_a_commit() {
    for fault in [Fault::SaveSession, Fault::SaveSessionUnknown, Fault::CommitRejected, Fault::CommitUnknown] {
        let store = Arc::new(FaultyStore::default());
        let desk = Desk::with(store.clone(), &configuration(r#""analytics_enabled": true"#), |builder| builder).await;
        let mut conversation = desk.start(ending("set")).await;
        set(&mut conversation, "mood", &json!("good")).await;
        store.fail(&[fault]);
        let error = conversation.end(Outcome::default()).await.unwrap_err();
        match fault {
            Fault::CommitUnknown => assert!(matches!(error, EndError::Unknown(_)), "{error}"),
            _ => assert!(matches!(error, EndError::Rejected(_)), "{error}"),
        }
        store.fail(&[]);
        let ended = conversation.end(Outcome::default()).await.unwrap();
        assert!(ended.turn.is_none(), "{fault:?}: end_function has run");
        assert!(matches!(outcome(&ended.report, "mood"), KeyOutcome::Kept(_)), "{fault:?}");
        assert!(ended.report.first_interaction, "{fault:?}");
        let analytics = desk.runtime.administration().analytics().await.unwrap();
        assert_eq!(analytics.totals.conversations, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn w4_after_a_crash_a_retry_only_commits() {
    let store = Arc::new(FaultyStore::default());
    let desk = Desk::with(store.clone(), &configuration(""), |builder| builder).await;
    let mut conversation = desk.start(ending("set")).await;
    set(&mut conversation, "mood", &json!("good")).await;
    conversation.save().await.unwrap();
    let id = conversation.id().to_owned();
    store.fail(&[Fault::CommitRejected]);
    conversation.end(Outcome::default()).await.unwrap_err();
    drop(conversation);

    // Another process, later: it has the store and nothing else.
    store.fail(&[]);
    let other = Desk::with(store.clone(), &configuration(""), |builder| builder).await;
    other.set_clock("2026-03-02T23:00:00Z");
    let mut resumed = other.agent.open(&id).await.unwrap();
    let ended = resumed.end(Outcome::default()).await.unwrap();
    assert!(ended.turn.is_none());
    assert_eq!(ended.report.keys.len(), 2, "mood, and what end_function set: {:?}", ended.report);
    let gone = other.agent.open(&id).await.err().unwrap();
    assert!(gone.to_string().contains("no session"), "{gone}");
}

#[tokio::test]
async fn w5_the_report_says_what_became_of_each_key() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "cheese_type", &json!("brie")).await;
    set(&mut conversation, "colour", &json!("blue")).await;
    set(&mut conversation, "booking_day", &json!(null)).await;
    call(&mut conversation, "set", &json!({"key": "mood", "value": [[1]]})).await;
    let preview = conversation.preview(Outcome::default()).await.unwrap();
    let report = end(&mut conversation).await;
    assert_eq!((preview.status, report.status), (CommitStatus::Preview, CommitStatus::Committed));
    assert_eq!(preview.keys, report.keys, "nothing happened in between");
    assert!(matches!(outcome(&report, "cheese_type"), KeyOutcome::Kept(_)));
    assert_eq!(outcome(&report, "colour"), KeyOutcome::Dropped(DropReason::NotInStateKeys));
    assert_eq!(outcome(&report, "booking_day"), KeyOutcome::Dropped(DropReason::Null));
    assert_eq!(outcome(&report, "mood"), KeyOutcome::Dropped(DropReason::NotStorable));

    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["keys"]["cheese_type"], json!({"kept": true, "expires_at": "2026-05-31T10:00:00Z"}));
    assert_eq!(json["keys"]["mood"], json!({"kept": false, "reason": "not-storable"}));
    assert_eq!((&json["status"], &json["identifier"]), (&json!("committed"), &json!("known")));
}

#[tokio::test]
async fn i5_i7_i9_without_an_identifier_nothing_is_written_and_the_reason_is_told() {
    let desk = Desk::new(r#""identifier_blacklist": ["+447777*"], "analytics_enabled": true"#).await;
    for (number, reason) in [
        (None, NoIdentifier::NoCallerNumber),
        (Some("Restricted"), NoIdentifier::Withheld),
        (Some("+44 7777 000000"), NoIdentifier::Blacklisted),
    ] {
        let start = NewConversation { caller_number: number.map(Into::into), ..Default::default() };
        let mut conversation = desk.start(start).await;
        set(&mut conversation, "mood", &json!("good")).await;
        let report = end(&mut conversation).await;
        assert_eq!((report.status, report.identifier), (CommitStatus::NoIdentifier, Err(reason)));
        assert_eq!(outcome(&report, "mood"), KeyOutcome::Dropped(DropReason::NoIdentifier));
        assert_eq!(conversation.remembered().await.unwrap(), []);
        assert_eq!(end(&mut conversation).await, report);
    }
    assert_eq!(desk.runtime.administration().analytics().await.unwrap().totals.conversations, 0);
}

#[tokio::test]
async fn i6_a_state_source_is_looked_up_in_every_turn_and_for_the_commit() {
    let desk = Desk::new(r#""identifier_source": "state:customer""#).await;
    let mut conversation = desk.call_from(CALLER).await;
    let turn = call(&mut conversation, "memory_len", &json!({})).await;
    assert_eq!(turn.identifier, Err(NoIdentifier::SourceEmpty));
    set(&mut conversation, "customer", &json!(42)).await;
    set(&mut conversation, "mood", &json!("good")).await;
    assert_eq!(call(&mut conversation, "memory_len", &json!({})).await.identifier, Ok(()));
    end(&mut conversation).await;

    let state = vec![("customer".to_owned(), Json::parse("\"42\"").unwrap())];
    let mut next = desk.start(NewConversation { state, ..Default::default() }).await;
    assert_eq!(value(&mut next, "memory_fields", &json!({})).await, json!({"mood": "good"}));
    set(&mut next, "customer", &json!(43)).await;
    assert_eq!(value(&mut next, "memory_fields", &json!({})).await, json!({}), "somebody else now");
}

#[tokio::test]
async fn a2_a3_later_conversations_point_at_the_first_and_only_in_the_window() {
    let desk = Desk::new(r#""analytics_enabled": true"#).await;
    let talk = async |id: &str, qa: &str| {
        let start = NewConversation { id: Some(id.into()), caller_number: Some(CALLER.into()), ..Default::default() };
        let mut conversation = desk.start(start).await;
        let handoff = json!({"destination": "billing", "reason": "refund"});
        call(&mut conversation, "handoff", &handoff).await;
        conversation.end(Outcome { qa: Some(qa.into()), handoff: None }).await.unwrap().report
    };
    let first = talk("call-1", "resolved").await;
    assert!(first.first_interaction && first.metrics.is_empty());
    desk.set_clock("2026-05-31T09:59:59Z");
    let second = talk("call-2", "open").await;
    assert!(!second.first_interaction);
    let metrics: Vec<_> = second.metrics.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        metrics,
        [
            ("REPEAT_CALLER_CONV_ID", "call-1"),
            ("REPEAT_CALLER_DATETIME", "2026-03-02T10:00:00Z"),
            ("REPEAT_CALLER_HANDOFF_REASON", "refund"),
            ("REPEAT_CALLER_HANDOFF_TO", "billing"),
            ("REPEAT_CALLER_QA", "resolved"),
        ]
    );
    desk.set_clock("2026-05-31T10:00:00Z");
    let third = talk("call-3", "open").await;
    assert!(third.first_interaction && third.metrics.is_empty(), "the second has extended nothing: {third:?}");
}

#[tokio::test]
async fn a6_analytics_count_and_list_without_an_identifier() {
    let desk = Desk::new(r#""analytics_enabled": true"#).await;
    for (id, number) in [("call-1", CALLER), ("call-2", CALLER), ("call-3", "+441632960002")] {
        let start = NewConversation { id: Some(id.into()), caller_number: Some(number.into()), ..Default::default() };
        end(&mut desk.start(start).await).await;
    }
    let analytics = serde_json::to_value(desk.runtime.administration().analytics().await.unwrap()).unwrap();
    assert_eq!(analytics["totals"], json!({"conversations": 3, "repeat_conversations": 1}));
    assert_eq!(analytics["by_day"], json!([{"day": "2026-03-02", "conversations": 3, "repeat_conversations": 1}]));
    assert_eq!(analytics["rows"].as_array().unwrap().len(), 1);
    assert_eq!(analytics["rows"][0]["conversation"], "call-2");
    assert_eq!(analytics["rows"][0]["REPEAT_CALLER_CONV_ID"], "call-1");
    assert!(!analytics.to_string().contains("1632960"), "{analytics}");
}

#[tokio::test]
async fn a8_an_outcome_can_be_added_later() {
    let desk = Desk::new(r#""analytics_enabled": true"#).await;
    let start =
        |id: &str| NewConversation { id: Some(id.into()), caller_number: Some(CALLER.into()), ..Default::default() };
    end(&mut desk.start(start("call-1")).await).await;
    end(&mut desk.start(start("call-2")).await).await;
    let administration = desk.runtime.administration();
    let outcome =
        Outcome { qa: Some("resolved".into()), handoff: Some(Handoff { reason: Some("late".into()), to: None }) };
    assert!(!administration.add_outcome(&scope(), "call-2", outcome.clone()).await.unwrap(), "it is a repeat");
    assert!(administration.add_outcome(&scope(), "call-1", outcome.clone()).await.unwrap());
    administration.add_outcome(&scope(), "call-9", outcome).await.unwrap_err();
    let report = end(&mut desk.start(start("call-3")).await).await;
    assert_eq!(report.metrics["REPEAT_CALLER_QA"], "resolved");
    assert_eq!(report.metrics["REPEAT_CALLER_HANDOFF_REASON"], "late");
}

#[tokio::test]
async fn e3_a_conversation_that_began_before_an_erase_commits_nothing() {
    let desk = Desk::new(r#""analytics_enabled": true"#).await;
    let administration = desk.runtime.administration();
    let mut before = desk.call_from(CALLER).await;
    set(&mut before, "mood", &json!("good")).await;
    let erased = administration.erase(&scope(), IdentifierKind::Phone, CALLER, None).await.unwrap().deleted;
    assert_eq!(erased.fields, 0);
    // The clock stands still: what counts is the order, not the time.
    let mut after = desk.call_from(CALLER).await;
    set(&mut after, "cheese_type", &json!("brie")).await;

    let report = end(&mut before).await;
    assert_eq!(report.status, CommitStatus::Committed);
    assert_eq!(outcome(&report, "mood"), KeyOutcome::Dropped(DropReason::Erased));
    assert!(!report.first_interaction);
    let report = end(&mut after).await;
    assert!(matches!(outcome(&report, "cheese_type"), KeyOutcome::Kept(_)));
    assert!(report.first_interaction);

    let export = administration.export(&scope(), IdentifierKind::Phone, "tel:+44 1632 960001").await.unwrap();
    assert_eq!(export.fields.keys().collect::<Vec<_>>(), ["cheese_type"]);
    assert_eq!(export.first_interaction.unwrap()["REPEAT_CALLER_CONV_ID"], after.id());
    let erased = administration.erase(&scope(), IdentifierKind::Phone, CALLER, None).await.unwrap().deleted;
    assert_eq!((erased.fields, erased.interactions, erased.metrics), (1, 1, 1));
    let export = administration.export(&scope(), IdentifierKind::Phone, CALLER).await.unwrap();
    assert!(export.fields.is_empty() && export.first_interaction.is_none() && export.conversations.is_empty());
}

#[tokio::test]
async fn e3_erasing_a_key_leaves_the_others() {
    let desk = Desk::new("").await;
    let administration = desk.runtime.administration();
    let mut running = desk.call_from(CALLER).await;
    set(&mut running, "mood", &json!("good")).await;
    set(&mut running, "cheese_type", &json!("brie")).await;
    administration.erase(&scope(), IdentifierKind::Phone, CALLER, Some("mood")).await.unwrap();
    let report = end(&mut running).await;
    assert_eq!(outcome(&report, "mood"), KeyOutcome::Dropped(DropReason::Erased));
    assert!(matches!(outcome(&report, "cheese_type"), KeyOutcome::Kept(_)));
    let remembered = running.remembered().await.unwrap();
    assert_eq!(remembered.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["cheese_type"]);
}

#[tokio::test]
async fn e2_a_sweep_deletes_what_has_expired_and_says_how_much() {
    let desk = Desk::new(r#""analytics_enabled": true, "retention_days": 2"#).await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    end(&mut conversation).await;
    let mut running = desk.call_from("+441632960002").await;
    running.save().await.unwrap();
    let administration = desk.runtime.administration();
    assert_eq!(administration.sweep().await.unwrap().deleted, Default::default());
    desk.set_clock("2026-03-04T10:00:00Z");
    let swept = administration.sweep().await.unwrap().deleted;
    assert_eq!((swept.fields, swept.identifiers, swept.interactions, swept.metrics, swept.sessions), (1, 1, 1, 1, 1));
}

#[tokio::test]
async fn of_two_that_go_on_with_one_session_only_the_first_can_save_it() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    conversation.save().await.unwrap();
    let mut slow = desk.agent.open(conversation.id()).await.unwrap();
    let mut fast = desk.agent.open(conversation.id()).await.unwrap();
    set(&mut slow, "mood", &json!("bad")).await;
    set(&mut fast, "mood", &json!("good")).await;
    fast.save().await.unwrap();
    assert!(matches!(slow.save().await.unwrap_err(), SaveError::Conflict));
    assert!(matches!(slow.end(Outcome::default()).await.unwrap_err(), EndError::Conflict));
    set(&mut fast, "mood", &json!("better")).await;
    fast.save().await.unwrap();
    end(&mut fast).await;
    let remembered = desk.call_from(CALLER).await.remembered().await.unwrap();
    assert_eq!(remembered[0].1.as_str(), "\"better\"");
    assert!(desk.agent.open(fast.id()).await.is_err(), "the session has gone with the commit");
}

#[tokio::test]
async fn of_two_conversations_of_one_id_only_the_first_can_be_saved() {
    let desk = Desk::new("").await;
    let start = || desk.start(NewConversation { id: Some("one".into()), ..Default::default() });
    let (mut first, mut second) = (start().await, start().await);
    first.save().await.unwrap();
    assert!(matches!(second.save().await.unwrap_err(), SaveError::Conflict));
}

#[tokio::test]
async fn a_session_whose_save_was_not_answered_can_be_saved_again() {
    let store = Arc::new(FaultyStore::default());
    let desk = Desk::with(store.clone(), &configuration(""), |builder| builder).await;
    let mut conversation = desk.call_from(CALLER).await;
    for mood in ["good", "better"] {
        set(&mut conversation, "mood", &json!(mood)).await;
        store.fail(&[Fault::SaveSessionUnknown]);
        assert!(matches!(conversation.save().await.unwrap_err(), SaveError::Store(_)));
        store.fail(&[]);
        set(&mut conversation, "more", &json!(mood)).await;
        conversation.save().await.unwrap();
    }
    end(&mut conversation).await;
}

#[tokio::test]
async fn a_save_or_an_end_that_nobody_waited_for_can_be_repeated() {
    let store = Arc::new(FaultyStore::default());
    let desk = Desk::with(store.clone(), &configuration(""), |builder| builder).await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    conversation.save().await.unwrap();
    // The store has it, and no answer comes; then one is lost; then nothing is done.
    for trouble in [Trouble::HangsAfter, Trouble::LostAfter, Trouble::LostBefore, Trouble::HangsAfter] {
        store.trouble(0, trouble);
        tokio::select! {
            biased;
            saved = conversation.save() => assert!(matches!(saved, Err(SaveError::Store(_)))),
            () = store.stuck() => {}
        }
    }
    conversation.save().await.unwrap();
    // An end asks for the session, reads memory, and saves its proposal: that is where it hangs first. The next one saves
    // again, in place of what it has loaded, which fails, and then of what it has tried: it hangs there. The third
    // hangs where it commits.
    for after in [2, 1, 2] {
        store.trouble(after, Trouble::HangsAfter);
        tokio::select! {
            biased;
            _ = conversation.end(Outcome::default()) => panic!("it hangs"),
            () = store.stuck() => {}
        }
    }
    assert_eq!(end(&mut conversation).await.status, CommitStatus::Committed);
    assert_eq!(store.commits(), 2);
    let held = desk.runtime.administration().export(&scope(), IdentifierKind::Phone, CALLER).await.unwrap();
    assert_eq!((held.fields.len(), held.conversations.len()), (1, 1));
}

#[tokio::test]
async fn an_abandoned_conversation_is_found_when_it_is_overdue() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    conversation.keep(b"a note".to_vec());
    conversation.overdue_at(Some("2026-03-02T10:50:00Z".parse().unwrap()));
    conversation.save().await.unwrap();
    let administration = desk.runtime.administration();
    desk.set_clock("2026-03-02T10:49:59Z");
    assert!(administration.overdue(10).await.unwrap().is_empty());
    desk.set_clock("2026-03-02T10:50:00Z");
    let overdue = administration.overdue(10).await.unwrap();
    assert_eq!((overdue[0].id(), overdue[0].note()), (conversation.id(), &b"a note"[..]));
    let mut resumed = desk.agent.resume(overdue[0].clone()).unwrap();
    end(&mut resumed).await;
    assert!(administration.overdue(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_overdue_and_cannot_be_read_stops_nobody() {
    let store = Arc::new(MemoryStore::new());
    let desk = Desk::with(store.clone(), &configuration(""), |builder| builder).await;
    // Longer overdue than all others, and more than are asked for.
    for number in 0..5 {
        let damaged = SavedSession {
            conversation: ConversationKey([number; 32]),
            expires: i64::MAX,
            overdue: Some(0),
            revision: Revision([number; 16]),
            session: Sealed(vec![255, number]),
        };
        assert!(store.save_session(damaged, Replaces::Nothing, 0).await.unwrap());
    }
    let mut ids = Vec::new();
    for minute in 0..3 {
        let mut conversation = desk.call_from(CALLER).await;
        conversation.overdue_at(Some(format!("2026-03-02T10:0{minute}:00Z").parse().unwrap()));
        conversation.save().await.unwrap();
        ids.push(conversation.id().to_owned());
    }
    let administration = desk.runtime.administration();
    for limit in [0, 1, 2, 3, 9] {
        let overdue = administration.overdue(limit).await.unwrap();
        let found: Vec<_> = overdue.iter().map(Session::id).collect();
        assert_eq!(found, ids[..limit.min(3)], "{limit}");
    }
}

#[tokio::test]
async fn a_conversation_that_cannot_be_ended_is_put_off_unless_it_goes_on() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    conversation.overdue_at(Some("2026-03-02T10:20:00Z".parse().unwrap()));
    conversation.save().await.unwrap();
    let administration = desk.runtime.administration();
    let until = "2026-03-02T10:25:00Z".parse().unwrap();
    let [session] = &administration.overdue(9).await.unwrap()[..] else { panic!("one is overdue") };
    assert!(administration.put_off(session, until).await.unwrap());
    assert!(!administration.put_off(session, until).await.unwrap(), "it has changed since");
    assert!(administration.overdue(9).await.unwrap().is_empty());
    desk.set_clock("2026-03-02T10:25:00Z");
    let [session] = &administration.overdue(9).await.unwrap()[..] else { panic!("it is overdue again") };
    assert_eq!(session.overdue(), Some(until));

    let mut resumed = desk.agent.resume(session.clone()).unwrap();
    set(&mut resumed, "mood", &json!("good")).await;
    resumed.save().await.unwrap();
    assert!(!administration.put_off(session, until).await.unwrap(), "it goes on");
    end(&mut resumed).await;
    assert!(!administration.put_off(session, until).await.unwrap(), "it has ended");
    assert_eq!(desk.call_from(CALLER).await.remembered().await.unwrap().len(), 1);
}

#[tokio::test]
async fn p4_a_session_is_gone_24_hours_after_its_last_turn() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    desk.set_clock("2026-03-02T20:00:00Z");
    set(&mut conversation, "mood", &json!("good")).await;
    conversation.save().await.unwrap();
    desk.set_clock("2026-03-03T19:59:59Z");
    desk.agent.open(conversation.id()).await.unwrap();
    desk.set_clock("2026-03-03T20:00:00Z");
    assert!(desk.agent.open(conversation.id()).await.is_err());
}

#[tokio::test]
async fn p3_neither_debug_nor_an_error_shows_an_identifier_or_a_value() {
    let store = Arc::new(FaultyStore::default());
    let desk = Desk::with(store.clone(), &configuration(""), |builder| builder).await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("canary-value")).await;
    store.fail(&[Fault::CommitRejected, Fault::Load]);
    let texts = [
        format!("{:?}", conversation.session()),
        format!("{:?}", conversation.call("memory_len", Json::empty_object()).await.unwrap_err()),
        format!("{:?}", conversation.end(Outcome::default()).await.unwrap_err()),
    ];
    for text in texts {
        assert!(!text.contains("canary") && !text.contains("1632"), "{text}");
    }
}
