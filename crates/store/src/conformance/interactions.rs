//! First interactions, and the metric rows that are tied to them.

use super::fixtures::*;
use crate::{Amendment, Commit, Interaction, MetricRow, Sealed, Settled, Timestamp};

fn first(number: u64, began: Timestamp) -> Settled {
    Settled { erased: crate::ErasedSince::Nothing, standing: Some(interaction(number, began)), first: true }
}

fn repeat_of(number: u64, began: Timestamp) -> Settled {
    Settled { first: false, ..first(number, began) }
}

fn row(number: u64, began: Timestamp, standing: &Interaction, repeat_of: Option<&Sealed>) -> MetricRow {
    MetricRow {
        id: row_id(number),
        interaction: standing.id,
        began,
        details: sealed(format!("details {number}")),
        repeat_of: repeat_of.cloned(),
    }
}

pub async fn a2_it_is_inserted_only_if_none_stands(store: Subject) {
    assert_eq!(committed(&store, counted(1, 1, NOW)).await, first(1, NOW));
    assert_eq!(committed(&store, counted(2, 1, NOW + DAY)).await, repeat_of(1, NOW));
    assert_eq!(committed(&store, counted(3, 2, NOW + DAY)).await, first(3, NOW + DAY), "another caller");

    let standing = interaction(1, NOW);
    let held = store.export(identity(1), NOW + DAY).await.unwrap();
    assert_eq!(held.interaction.as_ref(), Some(&standing));
    let rows = [row(1, NOW, &standing, None), row(2, NOW + DAY, &standing, Some(&standing.record))];
    assert_eq!(held.metric_rows, rows);
}

pub async fn a2_one_that_has_expired_does_not_stand(store: Subject) {
    committed(&store, counted(1, 1, NOW)).await;
    let began = NOW + 90 * DAY;
    let ends_early = Commit { now: began - 1, ..counted(2, 1, began - HOUR) };
    assert_eq!(committed(&store, ends_early).await, repeat_of(1, NOW));
    // Whether it stands is judged at the commit: this conversation began while it stood.
    let mut ends_late = counted(3, 1, began - HOUR);
    ends_late.now = began;
    assert_eq!(committed(&store, ends_late).await, first(3, began - HOUR));
    assert_eq!(committed(&store, counted(4, 1, began)).await, repeat_of(3, began - HOUR));
}

pub async fn a2_one_that_began_too_early_does_not_stand(store: Subject) {
    committed(&store, counted(1, 1, NOW)).await;
    let with = |number, stands_after| {
        let mut commit = counted(number, 1, NOW + DAY);
        commit.interaction.as_mut().unwrap().stands_after = stands_after;
        commit
    };
    assert_eq!(committed(&store, with(2, NOW - 1)).await, repeat_of(1, NOW));
    assert_eq!(committed(&store, with(3, NOW)).await, first(3, NOW + DAY));
}

pub async fn a2_no_later_contact_extends_it(store: Subject) {
    for number in 0..10 {
        let began = NOW + DAY * number as Timestamp;
        let settled = committed(&store, counted(number, 1, began)).await;
        assert_eq!(settled.standing, Some(interaction(0, NOW)));
    }
    let expires = NOW + 90 * DAY;
    assert!(store.export(identity(1), expires - 1).await.unwrap().interaction.is_some());
    assert_eq!(store.export(identity(1), expires).await.unwrap().interaction, None);
}

pub async fn a4_of_commits_at_once_one_is_first(store: Subject) {
    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move { committed(&store, counted(task, 1, NOW)).await })
        })
        .collect();
    let mut settled = Vec::new();
    for task in tasks {
        settled.push(task.await.unwrap());
    }
    assert_eq!(settled.iter().filter(|settled| settled.first).count(), 1);
    let standing = settled[0].standing.clone().unwrap();
    assert!(settled.iter().all(|settled| settled.standing.as_ref() == Some(&standing)));

    let rows = store.metric_rows(NOW).await.unwrap();
    assert_eq!(rows.len(), 64);
    assert!(rows.iter().all(|row| row.interaction == standing.id));
    let repeats: Vec<&Sealed> = rows.iter().filter_map(|row| row.repeat_of.as_ref()).collect();
    assert_eq!(repeats, vec![&standing.record; 63]);
}

pub async fn a5_without_one_nothing_is_recorded(store: Subject) {
    committed(&store, patch(1, 1, vec![field("a", "1")])).await;
    let held = store.export(identity(1), NOW).await.unwrap();
    assert_eq!((held.interaction, held.metric_rows), (None, Vec::new()));
    assert_eq!(store.metric_rows(NOW).await.unwrap(), []);

    // Nor is one shown to a conversation that asks for none.
    committed(&store, counted(2, 1, NOW)).await;
    assert_eq!(committed(&store, commit(3, 1)).await.standing, None);
    assert_eq!(store.metric_rows(NOW).await.unwrap().len(), 1);
}

pub async fn a6_metric_rows_expire_with_it(store: Subject) {
    committed(&store, counted(1, 1, NOW)).await;
    committed(&store, counted(2, 1, NOW + 89 * DAY)).await;
    committed(&store, counted(3, 2, NOW + DAY)).await;
    let numbers =
        async |now| -> Vec<_> { store.metric_rows(now).await.unwrap().into_iter().map(|row| row.id).collect() };
    assert_eq!(numbers(NOW + 90 * DAY - 1).await, [1, 3, 2].map(row_id));
    assert_eq!(numbers(NOW + 90 * DAY).await, [3].map(row_id));
    assert_eq!(numbers(NOW + 91 * DAY).await, []);
}

pub async fn a6_metric_rows_are_ordered(store: Subject) {
    let began = [(4, 3), (2, 1), (9, 2), (1, 3), (3, 2), (8, 1)];
    for (number, hours) in began {
        committed(&store, counted(number, number, NOW + hours * HOUR)).await;
    }
    let ids: Vec<_> = store.metric_rows(NOW).await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(ids, [2, 8, 3, 9, 1, 4].map(row_id));
}

pub async fn a7_it_is_no_field(store: Subject) {
    committed(&store, counted(1, 1, NOW)).await;
    committed(&store, counted(2, 1, NOW)).await;
    assert_eq!(fields(&store, 1, NOW).await, []);
}

pub async fn a8_an_amendment_shows_in_later_repeats(store: Subject) {
    committed(&store, counted(1, 1, NOW)).await;
    committed(&store, counted(2, 1, NOW + HOUR)).await;
    let from = interaction(1, NOW);
    let amendment = Amendment { identity: identity(1), from: from.clone(), record: sealed("resolved") };
    assert!(store.amend(amendment).await.unwrap());

    let amended = Interaction { record: sealed("resolved"), ..from.clone() };
    assert_eq!(committed(&store, counted(3, 1, NOW + DAY)).await.standing, Some(amended.clone()));
    let held = store.export(identity(1), NOW + DAY).await.unwrap();
    assert_eq!(held.interaction.as_ref(), Some(&amended));
    let rows = [
        row(1, NOW, &from, None),
        row(2, NOW + HOUR, &from, Some(&from.record)),
        row(3, NOW + DAY, &from, Some(&amended.record)),
    ];
    assert_eq!(held.metric_rows, rows);
}

pub async fn a8_an_amendment_of_what_has_changed_is_refused(store: Subject) {
    let from = interaction(1, NOW);
    let amend = async |from: Interaction, number| {
        let amendment = Amendment { identity: identity(number), from, record: sealed("resolved") };
        store.amend(amendment).await.unwrap()
    };
    assert!(!amend(from.clone(), 1).await, "nothing is known of the caller");
    committed(&store, commit(9, 1)).await;
    assert!(!amend(from.clone(), 1).await, "the caller has no interaction");

    committed(&store, counted(1, 1, NOW)).await;
    committed(&store, counted(2, 2, NOW)).await;
    assert!(!amend(from.clone(), 2).await, "it is another caller's");
    assert!(!amend(Interaction { record: sealed("other"), ..from.clone() }, 1).await);
    assert!(!amend(Interaction { began: NOW - HOUR, ..from.clone() }, 1).await);
    assert!(!amend(Interaction { expires: LATER + HOUR, ..from.clone() }, 1).await);
    assert!(!amend(Interaction { id: interaction(2, NOW).id, ..from.clone() }, 1).await);
    assert_eq!(store.export(identity(1), NOW).await.unwrap().interaction, Some(from.clone()));
    assert_eq!(store.export(identity(2), NOW).await.unwrap().interaction, Some(interaction(2, NOW)));

    assert!(amend(from.clone(), 1).await);
    assert!(!amend(from, 1).await, "it was amended meanwhile");
}

pub async fn a8_of_amendments_at_once_one_counts(store: Subject) {
    committed(&store, counted(1, 1, NOW)).await;
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let store = store.clone();
            let record = sealed(format!("amended by {task}"));
            let amendment = Amendment { identity: identity(1), from: interaction(1, NOW), record: record.clone() };
            tokio::spawn(async move { store.amend(amendment).await.unwrap().then_some(record) })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        winners.extend(task.await.unwrap());
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(store.export(identity(1), NOW).await.unwrap().interaction.unwrap().record, winners[0]);
}

pub async fn w4_a_mark_keeps_it_as_it_was(store: Subject) {
    let of_first = committed(&store, counted(1, 1, NOW)).await;
    let of_second = committed(&store, counted(2, 1, NOW)).await;
    let amendment = Amendment { identity: identity(1), from: interaction(1, NOW), record: sealed("resolved") };
    assert!(store.amend(amendment).await.unwrap());
    assert_eq!(recorded(&store, 1, NOW).await.settled, of_first);
    assert_eq!(recorded(&store, 2, NOW).await.settled, of_second);
    assert_eq!(repeated(&store, counted(2, 1, NOW)).await.recorded.unwrap().settled, of_second);
}

pub async fn w4_a_mark_loses_it_when_it_expires(store: Subject) {
    committed(&store, counted(1, 1, NOW)).await;
    let settled = committed(&store, counted(2, 1, NOW + DAY)).await;
    let expires = NOW + 90 * DAY;
    assert_eq!(recorded(&store, 2, expires - 1).await.settled, settled);
    for swept in [false, true] {
        let read = recorded(&store, 2, expires).await;
        assert_eq!(read.settled, Settled { standing: None, ..settled.clone() }, "swept: {swept}");
        let held = store.export(identity(1), expires).await.unwrap();
        assert_eq!(held.conversations, [(conversation(2), read)], "swept: {swept}");
        store.sweep(expires).await.unwrap();
    }
}
