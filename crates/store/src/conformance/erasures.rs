//! Erasing, what is remembered of it, and exporting.

use super::fixtures::*;
use crate::{
    Amendment, Commit, Ended, Erased, ErasedSince, Erasure, Field, Held, Interaction, MetricRow, Recorded, Settled,
};

pub async fn e3_erasing_a_caller_leaves_nothing(store: Subject) {
    for caller in [1, 2] {
        let with_fields = |commit| Commit { patch: vec![field("a", "1"), field("b", "2")], ..commit };
        committed(&store, with_fields(counted(caller * 10, caller, NOW))).await;
        committed(&store, counted(caller * 10 + 1, caller, NOW)).await;
    }
    let other = store.export(identity(2), NOW).await.unwrap();

    let erased = store.erase(erasure(1, None)).await.unwrap();
    assert_eq!(erased, Erased { fields: 2, interactions: 1, metrics: 2 });
    assert_eq!(store.export(identity(1), NOW).await.unwrap(), Held::default());
    assert_eq!(fields(&store, 1, NOW).await, []);
    let amendment = Amendment { identity: identity(1), from: interaction(10, NOW), record: sealed("x") };
    assert!(!store.amend(amendment).await.unwrap());

    assert_eq!(store.export(identity(2), NOW).await.unwrap(), other);
    assert_eq!(store.metric_rows(NOW).await.unwrap(), other.metric_rows);
    assert_eq!(store.erase(erasure(1, None)).await.unwrap(), Erased::default());
}

pub async fn e3_erasing_a_key_removes_that_field_alone(store: Subject) {
    let first = Commit { patch: vec![field("a", "1"), field("b", "2")], ..counted(1, 1, NOW) };
    committed(&store, first).await;
    committed(&store, patch(2, 2, vec![field("a", "3")])).await;
    let before = store.export(identity(1), NOW).await.unwrap();

    let erased = store.erase(erasure(1, Some("a"))).await.unwrap();
    assert_eq!(erased, Erased { fields: 1, ..Erased::default() });
    let expected = Held { fields: vec![field("b", "2")], ..before };
    assert_eq!(store.export(identity(1), NOW).await.unwrap(), expected);
    assert_eq!(values(&store, 2, NOW).await, pairs(&[("a", "3")]));
    assert_eq!(store.erase(erasure(1, Some("a"))).await.unwrap(), Erased::default());
}

pub async fn e3_erasing_counts_what_had_not_expired(store: Subject) {
    let expires = NOW + 90 * DAY;
    let expired = Field { expires, ..field("a", "1") };
    let alive = Field { expires: expires + HOUR, ..field("b", "2") };
    let only_key = Field { expires, ..field("c", "3") };
    committed(&store, Commit { patch: vec![expired, alive, only_key], ..counted(1, 1, NOW) }).await;

    let at_expiry = |key| Erasure { now: expires, expires: expires + DAY, ..erasure(1, key) };
    assert_eq!(store.erase(at_expiry(Some("c"))).await.unwrap(), Erased::default());
    let erased = store.erase(at_expiry(None)).await.unwrap();
    assert_eq!(erased, Erased { fields: 1, interactions: 0, metrics: 0 });
    // What had expired is gone all the same: no clock that goes back brings it to light.
    assert_eq!(store.export(identity(1), NOW).await.unwrap(), Held::default());
    assert_eq!(store.metric_rows(NOW).await.unwrap(), []);
}

pub async fn e3_erasing_nothing_is_no_error(store: Subject) {
    assert_eq!(store.erase(erasure(1, None)).await.unwrap(), Erased::default());
    assert_eq!(store.erase(erasure(1, Some("a"))).await.unwrap(), Erased::default());
    assert_eq!(erasures(&store).await, 2);
}

pub async fn e3_a_conversation_that_began_before_writes_nothing(store: Subject) {
    let began = erasures(&store).await;
    store.erase(erasure(1, None)).await.unwrap();
    let written = |number| Commit { patch: vec![field("a", "1")], ..counted(number, 1, NOW) };

    let settled = committed(&store, Commit { erasures: began, ..written(1) }).await;
    assert_eq!(settled, Settled { erased: ErasedSince::Everything, standing: None, first: false });
    assert_eq!(store.export(identity(1), NOW).await.unwrap(), Held::default());
    assert_eq!(store.metric_rows(NOW).await.unwrap(), []);
    // It is committed nevertheless, and its mark leads to nobody.
    let ended = Ended { recorded: None };
    assert_eq!(store.ended(conversation(1), NOW).await.unwrap(), Some(ended.clone()));
    assert_eq!(repeated(&store, Commit { erasures: began + 1, ..written(1) }).await, ended);

    let settled = committed(&store, Commit { erasures: began + 1, ..written(2) }).await;
    assert_eq!((settled.erased, settled.first), (ErasedSince::Nothing, true));
    assert_eq!(values(&store, 1, NOW).await, pairs(&[("a", "1")]));
    let settled = committed(&store, Commit { identity: identity(2), erasures: began, ..written(3) }).await;
    assert_eq!(settled.erased, ErasedSince::Nothing, "another caller was not erased");
}

pub async fn e3_a_conversation_that_began_before_leaves_an_erased_key(store: Subject) {
    committed(&store, patch(1, 1, vec![field("a", "1"), field("b", "1"), field("c", "1")])).await;
    for key in ["c", "a", "unused"] {
        store.erase(erasure(1, Some(key))).await.unwrap();
    }
    let written = vec![field("a", "2"), field("b", "2"), field("c", "2"), field("d", "2")];
    let settled = committed(&store, Commit { patch: written.clone(), ..counted(2, 1, NOW) }).await;
    let keys = ["a", "c", "unused"].map(str::to_owned).to_vec();
    assert_eq!(settled.erased, ErasedSince::Keys(keys));
    assert!(settled.first, "what has no key is written");
    assert_eq!(values(&store, 1, NOW).await, pairs(&[("b", "2"), ("d", "2")]));
    assert_eq!(recorded(&store, 2, NOW).await.settled, settled);

    // This one began between the erasures: of the first key it knows.
    let between = Commit { erasures: 1, ..patch(3, 1, written) };
    let settled = committed(&store, between).await;
    assert_eq!(settled.erased, ErasedSince::Keys(["a", "unused"].map(str::to_owned).to_vec()));
    assert_eq!(values(&store, 1, NOW).await, pairs(&[("b", "2"), ("c", "2"), ("d", "2")]));
}

pub async fn e3_of_commits_around_an_erase_nothing_is_left(store: Subject) {
    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                if task == 32 {
                    store.erase(erasure(1, None)).await.unwrap();
                } else {
                    committed(&store, Commit { patch: vec![field("a", "1")], ..counted(task, 1, NOW) }).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.export(identity(1), NOW).await.unwrap(), Held::default());
    assert_eq!(store.metric_rows(NOW).await.unwrap(), []);
    for task in (0..64).filter(|task| *task != 32) {
        assert_eq!(store.ended(conversation(task), NOW).await.unwrap(), Some(Ended { recorded: None }));
    }
}

pub async fn e3_an_erasure_is_remembered_until_it_expires(store: Subject) {
    store.erase(erasure(1, None)).await.unwrap();
    store.erase(erasure(2, Some("a"))).await.unwrap();
    let expires = erasure(1, None).expires;
    for swept in [false, true] {
        let number = |number: u64| number + if swept { 100 } else { 0 };
        let before = Commit { now: expires - 1, ..patch(number(1), 1, vec![field("a", "1")]) };
        assert_eq!(committed(&store, before).await.erased, ErasedSince::Everything);
        let before = Commit { now: expires - 1, ..patch(number(2), 2, vec![field("a", "1")]) };
        assert_eq!(committed(&store, before).await.erased, ErasedSince::Keys(vec!["a".to_owned()]));
        store.sweep(expires - 1).await.unwrap();
    }
    for caller in [1, 2] {
        let after = Commit { now: expires, ..patch(caller + 10, caller, vec![field("a", "1")]) };
        assert_eq!(committed(&store, after).await.erased, ErasedSince::Nothing);
    }
}

pub async fn e3_a_later_erasure_shortens_none(store: Subject) {
    let until = |hours, identity, key| Erasure { expires: NOW + hours * HOUR, ..erasure(identity, key) };
    store.erase(until(9, 1, None)).await.unwrap();
    store.erase(until(2, 1, None)).await.unwrap();
    store.erase(until(9, 2, Some("a"))).await.unwrap();
    store.erase(until(2, 2, Some("a"))).await.unwrap();
    // To erase everything is to erase every key.
    store.erase(until(9, 3, Some("a"))).await.unwrap();
    store.erase(until(2, 3, None)).await.unwrap();
    for caller in [1, 2, 3] {
        let commit = Commit { now: NOW + 9 * HOUR - 1, ..patch(caller, caller, vec![field("a", "1")]) };
        assert_ne!(committed(&store, commit).await.erased, ErasedSince::Nothing, "{caller}");
    }
}

pub async fn e3_erasures_are_counted_for_ever(store: Subject) {
    assert_eq!(erasures(&store).await, 0);
    for expected in 1..=5 {
        let key = (expected % 2 == 0).then_some("a");
        store.erase(erasure(expected, key)).await.unwrap();
        assert_eq!(erasures(&store).await, expected);
    }
    store.sweep(LATER).await.unwrap();
    assert_eq!(erasures(&store).await, 5);
    store.erase(erasure(1, None)).await.unwrap();
    assert_eq!(erasures(&store).await, 6);
}

pub async fn e3_what_an_interaction_replaced_is_erased_too(store: Subject) {
    committed(&store, counted(1, 1, NOW)).await;
    // A shorter retention replaces an interaction whose rows have not expired.
    let mut second = counted(2, 1, NOW + DAY);
    second.interaction.as_mut().unwrap().stands_after = NOW;
    assert!(committed(&store, second).await.first);
    assert_eq!(store.export(identity(1), NOW + DAY).await.unwrap().metric_rows.len(), 2);

    let erased = store.erase(Erasure { now: NOW + DAY, ..erasure(1, None) }).await.unwrap();
    assert_eq!(erased, Erased { fields: 0, interactions: 1, metrics: 2 });
    assert_eq!(store.metric_rows(NOW + DAY).await.unwrap(), []);
}

pub async fn e3_an_export_has_everything(store: Subject) {
    let second = Commit { patch: vec![field("b", "2"), field("a", "1")], ..counted(2, 1, NOW) };
    let first = Commit { patch: vec![field("c", "3")], ..counted(1, 1, NOW + HOUR) };
    let of_second = committed(&store, second).await;
    let of_first = committed(&store, first).await;
    committed(&store, counted(3, 2, NOW)).await;

    let row = |number, began, repeat_of: Option<&Interaction>| MetricRow {
        id: row_id(number),
        interaction: interaction(2, NOW).id,
        began,
        details: sealed(format!("details {number}")),
        repeat_of: repeat_of.map(|interaction| interaction.record.clone()),
    };
    let recorded = |number, settled| Recorded { identity: identity(1), report: report(number), settled };
    let expected = Held {
        identifier: Some(identifier(1)),
        fields: vec![field("a", "1"), field("b", "2"), field("c", "3")],
        interaction: Some(interaction(2, NOW)),
        conversations: vec![(conversation(1), recorded(1, of_first)), (conversation(2), recorded(2, of_second))],
        metric_rows: vec![row(2, NOW, None), row(1, NOW + HOUR, Some(&interaction(2, NOW)))],
    };
    assert_eq!(store.export(identity(1), NOW + HOUR).await.unwrap(), expected);
}

pub async fn e3_an_export_has_nothing_that_has_expired(store: Subject) {
    let expires = NOW + 90 * DAY;
    let fields = vec![Field { expires, ..field("a", "1") }, Field { expires: expires + HOUR, ..field("b", "2") }];
    committed(&store, Commit { patch: fields, ..counted(1, 1, NOW) }).await;
    let expected = Held {
        identifier: Some(identifier(1)),
        fields: vec![Field { expires: expires + HOUR, ..field("b", "2") }],
        ..Held::default()
    };
    assert_eq!(store.export(identity(1), expires).await.unwrap(), expected);
    assert_eq!(store.export(identity(1), expires + HOUR).await.unwrap(), Held::default());
}

pub async fn e3_an_export_of_a_stranger_is_empty(store: Subject) {
    committed(&store, patch(1, 1, vec![field("a", "1")])).await;
    store.erase(erasure(3, Some("a"))).await.unwrap();
    assert_eq!(store.export(identity(2), NOW).await.unwrap(), Held::default());
    assert_eq!(store.export(identity(3), NOW).await.unwrap(), Held::default());
}

pub async fn w4_an_erase_empties_the_marks(store: Subject) {
    for (number, caller) in [(1, 1), (2, 1), (3, 2)] {
        committed(&store, counted(number, caller, NOW)).await;
    }
    store.erase(erasure(1, None)).await.unwrap();
    for number in [1, 2] {
        assert_eq!(store.ended(conversation(number), NOW).await.unwrap(), Some(Ended { recorded: None }));
        assert_eq!(repeated(&store, counted(number, 1, NOW)).await, Ended { recorded: None });
    }
    assert_eq!(recorded(&store, 3, NOW).await.identity, identity(2));
    // They are kept as long as before.
    assert!(store.ended(conversation(1), NOW + 90 * DAY - 1).await.unwrap().is_some());
    assert_eq!(store.ended(conversation(1), NOW + 90 * DAY).await.unwrap(), None);
}
