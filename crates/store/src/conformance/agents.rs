//! Agents, their versions and their components.

use super::fixtures::*;
use crate::{AGENT_KEPT, AgentKey, AgentVersion, ComponentKey, Published, Sealed, Swept, Timestamp, VersionKey};

fn agent(number: u64) -> AgentKey {
    AgentKey(bytes(number, 6))
}

fn component(number: u64) -> ComponentKey {
    ComponentKey(bytes(number, 8))
}

/// A version of an agent, which runs the component of the same number.
fn version(agent_number: u64, number: u64) -> AgentVersion {
    AgentVersion {
        agent: agent(agent_number),
        version: VersionKey(bytes(number, 7)),
        component: component(number),
        record: sealed(format!("record {agent_number} {number}")),
    }
}

fn code(number: u64) -> Vec<u8> {
    format!("code {number}").into_bytes()
}

async fn publish(store: &Subject, version: &AgentVersion, bytes: Option<Vec<u8>>, now: Timestamp) {
    assert_eq!(store.publish_agent(version.clone(), bytes, now).await.unwrap(), Published::Done);
}

async fn is_kept(store: &Subject, version: &AgentVersion) -> bool {
    let kept = store.agent_version(version.agent, version.version).await.unwrap();
    assert!(kept.is_none() || kept.as_ref() == Some(version));
    kept.is_some()
}

async fn has_component(store: &Subject, number: u64) -> bool {
    let bytes = store.component(component(number)).await.unwrap();
    assert!(bytes.is_none() || bytes == Some(code(number)));
    bytes.is_some()
}

pub async fn c7_the_version_published_last_is_current_and_the_one_before_is_kept(store: Subject) {
    let [first, second] = [version(1, 1), version(1, 2)];
    assert_eq!(store.current_agent(agent(1)).await.unwrap(), None);
    publish(&store, &first, Some(code(1)), NOW).await;
    assert_eq!(store.current_agent(agent(1)).await.unwrap(), Some(first.clone()));
    publish(&store, &second, Some(code(2)), NOW).await;
    assert_eq!(store.current_agent(agent(1)).await.unwrap(), Some(second.clone()));
    assert_eq!(store.agents().await.unwrap(), std::slice::from_ref(&second));
    assert!(is_kept(&store, &first).await && is_kept(&store, &second).await);
    assert!(has_component(&store, 1).await && has_component(&store, 2).await);
    assert!(!is_kept(&store, &version(1, 3)).await);

    // What was replaced can become current again.
    publish(&store, &first, None, NOW).await;
    assert_eq!(store.agents().await.unwrap(), [first]);
    assert!(is_kept(&store, &second).await);
}

pub async fn agents_are_kept_apart_and_listed_by_key(store: Subject) {
    for number in [2, 1, 3] {
        publish(&store, &version(number, number), Some(code(number)), NOW).await;
    }
    // One version key of two agents is two versions.
    publish(&store, &version(2, 1), None, NOW).await;
    assert_eq!(store.agents().await.unwrap(), [version(1, 1), version(2, 1), version(3, 3)]);
    assert!(store.withdraw_agent(agent(1), NOW).await.unwrap());
    assert_eq!(store.agents().await.unwrap(), [version(2, 1), version(3, 3)]);
    assert!(is_kept(&store, &version(1, 1)).await);
}

pub async fn a_version_that_is_published_again_gets_the_new_record(store: Subject) {
    publish(&store, &version(1, 1), Some(code(1)), NOW).await;
    let sealed_anew = AgentVersion { record: sealed("sealed anew"), ..version(1, 1) };
    publish(&store, &sealed_anew, None, NOW).await;
    assert_eq!(store.agents().await.unwrap(), std::slice::from_ref(&sealed_anew));
    publish(&store, &version(1, 2), Some(code(2)), NOW).await;
    publish(&store, &version(1, 1), None, NOW).await;
    assert_eq!(store.agents().await.unwrap(), [version(1, 1)]);
}

pub async fn a_component_that_is_not_there_has_to_be_given(store: Subject) {
    publish(&store, &version(1, 1), Some(code(1)), NOW).await;
    let refused = store.publish_agent(version(1, 2), None, NOW).await.unwrap();
    assert_eq!(refused, Published::UnknownComponent);
    assert_eq!(store.agents().await.unwrap(), [version(1, 1)], "nothing was written");
    assert!(!is_kept(&store, &version(1, 2)).await);
    assert!(!has_component(&store, 2).await);
    // What the store has it keeps.
    publish(&store, &version(2, 1), Some(b"other code".to_vec()), NOW).await;
    assert!(has_component(&store, 1).await);
}

pub async fn a_withdrawn_agent_is_not_current(store: Subject) {
    assert!(!store.withdraw_agent(agent(1), NOW).await.unwrap());
    publish(&store, &version(1, 1), Some(code(1)), NOW).await;
    assert!(store.withdraw_agent(agent(1), NOW).await.unwrap());
    assert!(!store.withdraw_agent(agent(1), NOW).await.unwrap());
    assert_eq!(store.current_agent(agent(1)).await.unwrap(), None);
    assert!(is_kept(&store, &version(1, 1)).await);
    publish(&store, &version(1, 1), None, NOW).await;
    assert_eq!(store.current_agent(agent(1)).await.unwrap(), Some(version(1, 1)));
}

pub async fn e2_a_sweep_deletes_versions_that_were_replaced_long_ago(store: Subject) {
    publish(&store, &version(1, 1), Some(code(1)), NOW).await;
    publish(&store, &version(2, 1), None, NOW).await;
    publish(&store, &version(1, 2), Some(code(2)), NOW + HOUR).await;
    store.withdraw_agent(agent(2), NOW + 2 * HOUR).await.unwrap();
    let sweep = async |now| assert_eq!(store.sweep(now).await.unwrap(), Swept::default(), "they are not counted");

    sweep(NOW + HOUR + AGENT_KEPT - 1).await;
    assert!(is_kept(&store, &version(1, 1)).await);
    sweep(NOW + HOUR + AGENT_KEPT).await;
    assert!(!is_kept(&store, &version(1, 1)).await);
    assert!(is_kept(&store, &version(2, 1)).await);
    assert!(has_component(&store, 1).await, "the other agent's version refers to it");
    sweep(NOW + 2 * HOUR + AGENT_KEPT).await;
    assert!(!is_kept(&store, &version(2, 1)).await);
    assert!(!has_component(&store, 1).await);

    // What is current stays for ever.
    sweep(Timestamp::MAX).await;
    assert_eq!(store.agents().await.unwrap(), [version(1, 2)]);
    assert!(has_component(&store, 2).await);
    // What is gone can be published anew.
    publish(&store, &version(2, 1), Some(code(1)), NOW).await;
    assert_eq!(store.agents().await.unwrap(), [version(1, 2), version(2, 1)]);
}

pub async fn p1_a_version_is_replaced_at_the_full_hour(store: Subject) {
    publish(&store, &version(1, 1), Some(code(1)), NOW).await;
    publish(&store, &version(1, 2), Some(code(2)), NOW + HOUR + 3599).await;
    store.sweep(NOW + HOUR + AGENT_KEPT - 1).await.unwrap();
    assert!(is_kept(&store, &version(1, 1)).await);
    store.sweep(NOW + HOUR + AGENT_KEPT).await.unwrap();
    assert!(!is_kept(&store, &version(1, 1)).await);
}

pub async fn what_is_current_again_is_not_swept(store: Subject) {
    publish(&store, &version(1, 1), Some(code(1)), NOW).await;
    store.withdraw_agent(agent(1), NOW).await.unwrap();
    publish(&store, &version(1, 1), None, NOW + DAY).await;
    store.sweep(NOW + 9 * AGENT_KEPT).await.unwrap();
    assert_eq!(store.agents().await.unwrap(), [version(1, 1)]);
    assert!(has_component(&store, 1).await);
}

pub async fn e2_a_sweep_deletes_any_number_of_versions(store: Subject) {
    for number in 0..300 {
        publish(&store, &version(1, number), Some(code(number)), NOW).await;
    }
    store.sweep(NOW + AGENT_KEPT).await.unwrap();
    for number in 0..300 {
        assert_eq!(is_kept(&store, &version(1, number)).await, number == 299);
        assert_eq!(has_component(&store, number).await, number == 299);
    }
}

pub async fn of_publications_at_once_one_is_current(store: Subject) {
    let tasks: Vec<_> = (0..32)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { publish(&store, &version(1, number), Some(code(number)), NOW).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let current = store.agents().await.unwrap();
    assert_eq!(current.len(), 1);
    assert_eq!(store.current_agent(agent(1)).await.unwrap().as_ref(), current.first());
    for number in 0..32 {
        assert!(is_kept(&store, &version(1, number)).await);
    }
}

pub async fn a_large_component_comes_back(store: Subject) {
    for size in [0, 1, 4096, 5_000_000] {
        let bytes: Vec<u8> = (0..size).map(|index: usize| (index * 7 + index / 256) as u8).collect();
        let large = AgentVersion { component: component(100 + size as u64), ..version(1, 1) };
        publish(&store, &large, Some(bytes.clone()), NOW).await;
        assert!(store.component(large.component).await.unwrap() == Some(bytes), "{size} bytes");
    }
    // Versions of any record, too.
    let record = Sealed((0..=255).cycle().take(70_000).collect());
    publish(&store, &AgentVersion { record, ..version(1, 1) }, Some(code(1)), NOW).await;
    store.sweep(NOW).await.unwrap();
    assert!(store.component(component(5_000_100)).await.unwrap().is_none(), "nothing refers to it");
    assert!(has_component(&store, 1).await);
}
