//! What expires when, and what a sweep does about it.

use super::fixtures::*;
use crate::{Commit, Field, Held, SavedSession, Swept, Timestamp};

fn lasting(key: &str, expires: Timestamp) -> Field {
    Field { expires, ..field(key, "x") }
}

fn lasting_session(number: u64, expires: Timestamp) -> SavedSession {
    SavedSession { expires, ..session(number, "session") }
}

pub async fn e1_each_field_expires_on_its_own(store: Subject) {
    let patched: Vec<Field> =
        (1..=5).map(|hours| lasting(&hours.to_string(), NOW + Timestamp::from(hours as i8) * HOUR)).collect();
    committed(&store, patch(1, 1, patched.clone())).await;
    for hours in 0..=5 {
        let left = fields(&store, 1, NOW + hours as Timestamp * HOUR).await;
        assert_eq!(left, patched[hours..]);
    }
}

pub async fn e2_a_sweep_counts_what_it_deletes(store: Subject) {
    let expires = NOW + 90 * DAY;
    let fields = |number| vec![lasting("a", expires), lasting("b", expires + number * HOUR)];
    committed(&store, Commit { patch: fields(0), ..counted(1, 1, NOW) }).await;
    committed(&store, Commit { patch: fields(1), ..counted(2, 2, NOW) }).await;
    committed(&store, counted(3, 2, NOW)).await;
    committed(&store, patch(4, 3, vec![lasting("a", expires + DAY)])).await;
    save(&store, lasting_session(1, expires)).await;
    save(&store, lasting_session(2, expires + 1)).await;

    assert_eq!(store.sweep(expires - 1).await.unwrap(), Swept::default());
    let swept = Swept { fields: 3, identifiers: 1, interactions: 2, metrics: 3, sessions: 1, undecodable: 0 };
    assert_eq!(store.sweep(expires).await.unwrap(), swept);
    assert_eq!(store.sweep(expires).await.unwrap(), Swept::default());
    let swept = Swept { fields: 1, identifiers: 1, sessions: 1, ..Swept::default() };
    assert_eq!(store.sweep(expires + HOUR).await.unwrap(), swept);
    let swept = Swept { fields: 1, identifiers: 1, ..Swept::default() };
    assert_eq!(store.sweep(expires + 9 * DAY).await.unwrap(), swept);
}

pub async fn e2_a_sweep_deletes_any_number(store: Subject) {
    let tasks: Vec<_> = (0..600)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let patch = vec![lasting("a", NOW + 90 * DAY), lasting("b", NOW + 91 * DAY)];
                committed(&store, Commit { patch, ..counted(number, number, NOW) }).await;
                save(&store, lasting_session(number, NOW + number as Timestamp)).await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let swept = Swept { fields: 600, identifiers: 0, interactions: 600, metrics: 600, sessions: 600, undecodable: 0 };
    assert_eq!(store.sweep(NOW + 90 * DAY).await.unwrap(), swept);
    assert_eq!(fields(&store, 17, NOW).await, [lasting("b", NOW + 91 * DAY)]);
    let swept = Swept { fields: 600, identifiers: 600, ..Swept::default() };
    assert_eq!(store.sweep(NOW + 91 * DAY).await.unwrap(), swept);
    assert_eq!(store.sweep(Timestamp::MAX).await.unwrap(), Swept::default());
}

pub async fn e2_a_sweep_leaves_what_has_not_expired(store: Subject) {
    let now = NOW + 80 * DAY;
    committed(&store, Commit { patch: vec![lasting("a", now), lasting("b", now + HOUR)], ..counted(1, 1, NOW) }).await;
    committed(&store, counted(2, 1, NOW + DAY)).await;
    save(&store, lasting_session(1, now + 1)).await;
    let before = store.export(identity(1), now).await.unwrap();
    let rows = store.metric_rows(now).await.unwrap();

    store.sweep(now).await.unwrap();
    assert_eq!(store.export(identity(1), now).await.unwrap(), before);
    assert_eq!(store.metric_rows(now).await.unwrap(), rows);
    assert!(stored(&store, 1, now).await.is_some());
    // What had expired is really gone: a clock that goes back shows.
    assert_eq!(fields(&store, 1, NOW).await, [lasting("b", now + HOUR)]);
}

pub async fn e2_an_identifier_stays_as_long_as_anything_is_held(store: Subject) {
    let expires = NOW + 90 * DAY;
    // Its mark is the last that goes.
    committed(&store, Commit { patch: vec![lasting("a", NOW + DAY)], ..commit(1, 1) }).await;
    let swept = Swept { fields: 1, ..Swept::default() };
    assert_eq!(store.sweep(expires - 1).await.unwrap(), swept);
    let held = store.export(identity(1), expires - 1).await.unwrap();
    assert_eq!((held.identifier, held.conversations.len()), (Some(identifier(1)), 1));
    assert_eq!(store.export(identity(1), expires).await.unwrap(), Held::default());
    let swept = Swept { identifiers: 1, ..Swept::default() };
    assert_eq!(store.sweep(expires).await.unwrap(), swept);
}

pub async fn e2_an_identifier_goes_with_its_last_field(store: Subject) {
    let mut brief = patch(1, 1, vec![lasting("a", NOW + DAY)]);
    brief.mark.expires = NOW + HOUR;
    committed(&store, brief).await;
    store.erase(erasure(1, Some("a"))).await.unwrap();
    let swept = Swept { identifiers: 1, ..Swept::default() };
    assert_eq!(store.sweep(NOW + HOUR).await.unwrap(), swept);
    // The erasure that is still remembered is no identifier.
    assert_eq!(store.sweep(NOW + 9 * DAY).await.unwrap(), Swept::default());
}

pub async fn m4_a_field_is_gone_from_the_second_it_expires(store: Subject) {
    committed(&store, patch(1, 1, vec![lasting("a", NOW + HOUR)])).await;
    for (now, left) in [(NOW + HOUR - 1, 1), (NOW + HOUR, 0), (NOW + HOUR + 1, 0)] {
        assert_eq!(fields(&store, 1, now).await.len(), left);
        assert_eq!(store.export(identity(1), now).await.unwrap().fields.len(), left);
    }
}

pub async fn p1_times_come_back_as_they_were_given(store: Subject) {
    // A store that rounded or stamped anything by a time of its own would show it here.
    let odd = Field { written: NOW + 5 * HOUR, expires: NOW + 77 * HOUR, ..field("a", "1") };
    let ages = Field { written: -HOUR, expires: Timestamp::MAX, ..field("b", "1") };
    let commit = Commit { now: NOW + 1234, patch: vec![odd.clone(), ages.clone()], ..counted(1, 1, NOW) };
    committed(&store, commit).await;
    let held = store.export(identity(1), NOW + 4321).await.unwrap();
    assert_eq!(held.fields, [odd, ages]);
    assert_eq!(held.interaction, Some(interaction(1, NOW)));
    assert_eq!(held.metric_rows[0].began, NOW);
}
