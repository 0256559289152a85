//! Who is there, and how much is held.

use super::fixtures::*;
use crate::{Commit, Field, Health, IdentityKey, SavedSession, Timestamp};

async fn listed(store: &Subject, after: Option<IdentityKey>, limit: usize, now: Timestamp) -> Vec<IdentityKey> {
    store.identities(after, limit, now).await.unwrap()
}

async fn health(store: &Subject, now: Timestamp) -> Health {
    store.health(now).await.unwrap()
}

fn lasting(key: &str, expires: Timestamp) -> Field {
    Field { expires, ..field(key, "x") }
}

pub async fn callers_are_listed_by_key(store: Subject) {
    assert_eq!(listed(&store, None, 9, NOW).await, []);
    for number in [3, 1, 2, 300] {
        committed(&store, patch(number, number, vec![field("a", "1")])).await;
    }
    let all = [1, 2, 3, 300].map(identity);
    assert_eq!(listed(&store, None, usize::MAX, NOW).await, all);
    assert_eq!(listed(&store, None, 2, NOW).await, all[..2]);
    assert_eq!(listed(&store, Some(all[1]), 2, NOW).await, all[2..]);
    assert_eq!(listed(&store, Some(all[3]), 2, NOW).await, []);
    assert_eq!(listed(&store, None, 0, NOW).await, []);
    // Where to go on need not be a caller any more.
    store.erase(erasure(2, None)).await.unwrap();
    assert_eq!(listed(&store, Some(all[1]), 1, NOW).await, all[2..3]);
    assert_eq!(listed(&store, Some(IdentityKey([0; 32])), 1, NOW).await, all[..1]);
}

pub async fn callers_are_listed_page_by_page(store: Subject) {
    const CALLERS: u64 = 500;
    let tasks: Vec<_> = (0..CALLERS)
        .map(|number| {
            let store = store.clone();
            // Every third has nothing that counts.
            let patch = if number % 3 == 0 { vec![] } else { vec![field("a", "1")] };
            tokio::spawn(async move { committed(&store, Commit { patch, ..commit(number, number) }).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let expected: Vec<IdentityKey> = (0..CALLERS).filter(|number| number % 3 != 0).map(identity).collect();
    for limit in [1, 7, 333, 334] {
        let mut found: Vec<IdentityKey> = Vec::new();
        loop {
            let page = listed(&store, found.last().copied(), limit, NOW).await;
            found.extend(&page);
            if page.len() < limit {
                break;
            }
        }
        assert_eq!(found, expected, "{limit} at a time");
    }
}

pub async fn m4_only_callers_on_whom_something_is_held_are_listed(store: Subject) {
    committed(&store, patch(1, 1, vec![lasting("a", NOW + HOUR), lasting("b", NOW + 2 * HOUR)])).await;
    // The interaction lasts longest.
    committed(&store, Commit { patch: vec![lasting("a", NOW + HOUR)], ..counted(2, 2, NOW - 89 * DAY) }).await;
    // Nothing but a mark.
    committed(&store, commit(3, 3)).await;
    committed(&store, patch(4, 4, vec![field("a", "1")])).await;
    store.erase(erasure(4, Some("a"))).await.unwrap();

    let everybody = async |now| listed(&store, None, 9, now).await;
    for swept in [false, true] {
        assert_eq!(everybody(NOW + 2 * HOUR - 1).await, [1, 2].map(identity), "swept: {swept}");
        store.sweep(NOW + 2 * HOUR - 1).await.unwrap();
    }
    assert_eq!(everybody(NOW + 2 * HOUR).await, [identity(2)]);
    assert_eq!(everybody(NOW + DAY - 1).await, [identity(2)]);
    assert_eq!(everybody(NOW + DAY).await, []);
}

pub async fn an_empty_store_holds_nothing(store: Subject) {
    assert_eq!(health(&store, NOW).await, Health::default());
}

pub async fn m4_what_has_not_expired_is_counted(store: Subject) {
    let fields = vec![lasting("a", NOW + HOUR), lasting("b", NOW + DAY), lasting("c", NOW + DAY + 23 * HOUR)];
    committed(&store, Commit { patch: fields, ..counted(1, 1, NOW) }).await;
    committed(&store, counted(2, 1, NOW)).await;
    committed(&store, patch(3, 2, vec![lasting("a", NOW + DAY + HOUR)])).await;
    // A caller of whom only a mark is left counts for nothing.
    committed(&store, commit(4, 3)).await;
    save(&store, session(1, "x")).await;
    save(&store, SavedSession { expires: NOW + 1, ..session(2, "x") }).await;

    let at_first = Health {
        identities: 2,
        fields: 4,
        interactions: 1,
        metrics: 2,
        sessions: 2,
        expiring: vec![(NOW, 1), (NOW + DAY, 3)],
        swept: None,
    };
    assert_eq!(health(&store, NOW).await, at_first);
    let an_hour_later = Health { fields: 3, sessions: 1, expiring: vec![(NOW + DAY, 3)], ..at_first.clone() };
    assert_eq!(health(&store, NOW + HOUR).await, an_hour_later);
    // Sweeping what has expired changes nothing but that.
    store.sweep(NOW + HOUR).await.unwrap();
    assert_eq!(health(&store, NOW + HOUR).await, Health { swept: Some(NOW + HOUR), ..an_hour_later });
    let left = health(&store, NOW + 2 * DAY).await;
    assert_eq!((left.identities, left.fields, left.interactions, left.expiring), (1, 0, 1, vec![]));
    let left = health(&store, NOW + 90 * DAY).await;
    assert_eq!(left, Health { swept: Some(NOW + HOUR), ..Health::default() });
}

pub async fn any_number_of_callers_is_counted(store: Subject) {
    let tasks: Vec<_> = (0..600)
        .map(|number| {
            let store = store.clone();
            let patch = vec![lasting("a", NOW + DAY), lasting("b", NOW + (number % 7) as Timestamp * DAY + 2 * DAY)];
            tokio::spawn(async move { committed(&store, Commit { patch, ..counted(number, number, NOW) }).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let counted = health(&store, NOW).await;
    assert_eq!((counted.identities, counted.fields, counted.interactions, counted.metrics), (600, 1200, 600, 600));
    let days: Vec<Timestamp> = counted.expiring.iter().map(|(day, _)| *day).collect();
    assert_eq!(days, (1..=8).map(|day| NOW + day * DAY).collect::<Vec<_>>());
    assert_eq!(counted.expiring[0].1, 600);
    assert_eq!(counted.expiring[1..].iter().map(|(_, fields)| fields).sum::<u64>(), 600);
}

pub async fn p1_the_last_sweep_is_known_to_the_hour(store: Subject) {
    for (now, hour) in [(NOW + 1, NOW), (NOW + 2 * HOUR - 1, NOW + HOUR), (NOW + 5, NOW), (-1, -HOUR)] {
        store.sweep(now).await.unwrap();
        assert_eq!(health(&store, NOW).await.swept, Some(hour), "at {now}");
    }
}
