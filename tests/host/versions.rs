//! Versions of an agent, and what runs on which.

use std::sync::Arc;

use agent_memory_host::store::{MemoryStore, SqliteStore, StoreError};
use agent_memory_host::{AgentDefinition, LoadError, Outcome, ResumeError, Scope, Session};
use agent_memory_tests::{Desk, component, configuration, scope, set, value};
use serde_json::json;

const CALLER: &str = "+441632960001";

#[tokio::test]
async fn c7_a_changed_configuration_holds_at_once_for_what_is_stored() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    set(&mut conversation, "cheese_type", &json!("brie")).await;
    conversation.end(Outcome::default()).await.unwrap();

    let only_mood = r#"{"memory": {"repeat_caller": {"state_keys": ["mood"], "retention_days": 3}}}"#;
    desk.agent.replace(component("probe"), only_mood.into()).await.unwrap();
    let mut next = desk.call_from(CALLER).await;
    assert_eq!(value(&mut next, "memory_fields", &json!({})).await, json!({"mood": "good"}));
    desk.set_clock("2026-03-05T10:00:00Z");
    assert_eq!(value(&mut next, "memory_fields", &json!({})).await, json!({}), "shorter retention holds");
}

#[tokio::test]
async fn c7_a_running_conversation_keeps_what_it_began_with() {
    let desk = Desk::new("").await;
    let mut running = desk.call_from(CALLER).await;
    set(&mut running, "mood", &json!("good")).await;
    desk.agent.replace(component("probe"), "{}".into()).await.unwrap();
    let session = Session::from_bytes(&running.session().to_bytes()).unwrap();
    let report = desk.agent.resume(session).unwrap().end(Outcome::default()).await.unwrap().report;
    assert_eq!(report.identifier, Ok(()), "memory was on when it began");
    assert_eq!(report.keys.len(), 1);
    let mut new = desk.call_from(CALLER).await;
    assert!(new.end(Outcome::default()).await.unwrap().report.identifier.is_err(), "and is off now");
}

#[tokio::test]
async fn an_agent_runs_no_component_and_in_no_scope_but_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.db");
    let desk = Desk::with(Arc::new(SqliteStore::open(&path).unwrap()), &configuration(""), |builder| builder).await;
    let (ours, theirs) = (scope(), Scope { account: "other".into(), ..scope() });
    let catalogue = desk.runtime.catalogue();
    let functions = component("probe");
    for (scope, configuration) in [(&ours, configuration("")), (&theirs, "{}".to_owned())] {
        let definition = AgentDefinition { scope: scope.clone(), functions: functions.clone(), configuration };
        catalogue.publish(&definition).await.unwrap();
    }
    let current = async |scope| catalogue.current(scope).await.map(|agent| agent.unwrap().scope);
    assert_eq!(current(&ours).await.unwrap(), ours);

    // Somebody else can write to the file.
    let change = |statement: &str| {
        let database = rusqlite::Connection::open(&path).unwrap();
        database.execute_batch(&format!(
            "BEGIN; CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM agents; {statement}; COMMIT"
        ))
    };
    let undo = "DELETE FROM agents; INSERT INTO agents SELECT * FROM kept";
    for (what, statement) in [
        ("other functions", "UPDATE agents SET component = zeroblob(32)"),
        (
            "each other's agents",
            "UPDATE agents SET agent = zeroblob(32) WHERE rowid = 1;
            UPDATE agents SET agent = (SELECT agent FROM kept LIMIT 1) WHERE rowid <> 1;
            UPDATE agents SET agent = (SELECT agent FROM kept ORDER BY rowid DESC LIMIT 1) WHERE rowid = 1",
        ),
    ] {
        change(statement).unwrap();
        for scope in [&ours, &theirs] {
            let error = current(scope).await.unwrap_err();
            assert!(matches!(error, StoreError::Damaged { .. }), "{what}: {error}");
        }
        let found = desk.runtime.administration().verify(|_| ()).await.unwrap();
        assert!(found.problems.iter().any(|problem| problem.what == "agent"), "{what}: {found:?}");
        change(undo).unwrap();
        assert_eq!(current(&ours).await.unwrap(), ours);
    }
}

/// The policy with a custom section, which makes it another component with the same behaviour.
fn policy_named(name: u8) -> Vec<u8> {
    let mut policy = std::fs::read(agent_memory_tests::policy()).unwrap();
    policy.extend([0, 2, 1, name]);
    policy
}

#[tokio::test]
async fn a_new_policy_is_taken_into_use_without_a_pause() {
    let desk = Desk::new("").await;
    let mut running = desk.call_from(CALLER).await;
    set(&mut running, "mood", &json!("good")).await;
    desk.runtime.replace_policy(policy_named(b'x')).await.unwrap();
    let mut new = desk.call_from("+441632960002").await;
    assert_eq!(value(&mut new, "memory_len", &json!({})).await, json!(0));
    set(&mut running, "cheese_type", &json!("brie")).await;
    assert_eq!(running.end(Outcome::default()).await.unwrap().report.keys.len(), 2);

    let error = desk.runtime.replace_policy(component("probe")).await.unwrap_err();
    assert!(matches!(error, LoadError::Component(_)), "{error}");
    desk.call_from(CALLER).await;
}

#[tokio::test]
async fn a_component_that_is_left_to_the_catalogue_is_read_from_there_for_a_new_policy() {
    let desk = Desk::new("").await;
    let (catalogue, administration) = (desk.runtime.catalogue(), desk.runtime.administration());
    let definition =
        AgentDefinition { scope: scope(), functions: component("probe"), configuration: configuration("") };
    catalogue.publish(&definition).await.unwrap();
    desk.agent.leave_component_to_catalogue();
    desk.runtime.replace_policy(policy_named(b'x')).await.unwrap();
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;

    // Once it is not published any more.
    catalogue.withdraw(&scope()).await.unwrap();
    desk.set_clock("2026-04-05T10:00:00Z");
    administration.sweep().await.unwrap();
    let error = desk.runtime.replace_policy(policy_named(b'y')).await.unwrap_err();
    assert!(matches!(error, LoadError::NotInCatalogue(_)), "{error}");
    desk.call_from(CALLER).await.end(Outcome::default()).await.unwrap();
}

#[tokio::test]
async fn a_session_resumes_with_its_own_agent_and_no_other() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    let bytes = conversation.session().to_bytes();

    let mut resumed = desk.agent.resume(Session::from_bytes(&bytes).unwrap()).unwrap();
    assert_eq!(value(&mut resumed, "get", &json!({"key": "mood"})).await, json!("good"));

    let other_configuration =
        Desk::with(Arc::new(MemoryStore::new()), &configuration(r#""retention_days": 9"#), |builder| builder).await;
    let other_scope = AgentDefinition {
        scope: Scope { project: "other".into(), ..scope() },
        functions: component("probe"),
        configuration: configuration(""),
    };
    let other_scope = desk.runtime.load_agent(other_scope).await.unwrap();
    for agent in [&other_configuration.agent, &other_scope] {
        let error = agent.resume(Session::from_bytes(&bytes).unwrap()).err().unwrap();
        assert!(matches!(error, ResumeError::UnknownVersion), "{error}");
    }
    for damage in [&[][..], &[9], &bytes[..bytes.len() / 2]] {
        assert!(matches!(Session::from_bytes(damage), Err(ResumeError::Unreadable(_))));
    }
}

#[tokio::test]
async fn i8_scopes_never_meet() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    conversation.end(Outcome::default()).await.unwrap();
    let other = |scope| AgentDefinition { scope, functions: component("probe"), configuration: configuration("") };
    for scope in [
        Scope { account: "other".into(), ..scope() },
        Scope { project: "other".into(), ..scope() },
        Scope { environment: "live".into(), ..scope() },
    ] {
        let agent = desk.runtime.load_agent(other(scope)).await.unwrap();
        let call = agent_memory_host::NewConversation { caller_number: Some(CALLER.into()), ..Default::default() };
        let mut conversation = agent.start(call).await.unwrap().conversation;
        assert_eq!(value(&mut conversation, "memory_len", &json!({})).await, json!(0));
    }
}

#[tokio::test]
async fn c6_every_mistake_of_a_configuration_is_reported_at_once() {
    let desk = Desk::new("").await;
    let five = r#"{"memory": {"repeat_caller": {
        "state_keys": ["a", 7, "a"], "retention_days": 91, "analytics_enabled": "yes", "statekeys": []}}}"#;
    let error = desk.agent.replace(component("probe"), five.into()).await.unwrap_err();
    let LoadError::Configuration(errors) = &error else { panic!("{error}") };
    assert_eq!(errors.len(), 5, "{error}");
    let at = |path: &str| errors.iter().any(|error| error.path == format!("memory.repeat_caller.{path}"));
    for path in ["state_keys[1]", "state_keys[2]", "retention_days", "analytics_enabled", "statekeys"] {
        assert!(at(path), "{path} in {error}");
    }
}
