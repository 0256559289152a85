//! What administrators did, and by which keys the store is sealed.

use super::fixtures::*;
use crate::{Act, ActId, Sealed, Swept, Timestamp};

fn act(number: u64, at: Timestamp) -> Act {
    Act { id: ActId(half(bytes(number, 9))), at, expires: LATER, record: sealed(format!("act {number}")) }
}

async fn acts(store: &Subject, after: Option<&Act>, limit: usize, now: Timestamp) -> Vec<Act> {
    store.acts(after.map(|act| (act.at, act.id)), limit, now).await.unwrap()
}

pub async fn acts_are_listed_by_their_hour(store: Subject) {
    assert_eq!(acts(&store, None, 9, NOW).await, []);
    let expected = [act(2, NOW - HOUR), act(1, NOW), act(3, NOW), act(4, NOW + HOUR)];
    for position in [3, 0, 2, 1] {
        store.record_act(expected[position].clone()).await.unwrap();
    }
    assert_eq!(acts(&store, None, usize::MAX, NOW).await, expected);
    assert_eq!(acts(&store, None, 2, NOW).await, expected[..2]);
    assert_eq!(acts(&store, Some(&expected[1]), 1, NOW).await, expected[2..3]);
    assert_eq!(acts(&store, Some(&expected[3]), 9, NOW).await, []);
    assert_eq!(acts(&store, None, 0, NOW).await, []);
}

pub async fn an_act_that_is_recorded_again_has_the_new_record(store: Subject) {
    store.record_act(act(1, NOW)).await.unwrap();
    let again = Act { record: Sealed(vec![0, 255]), expires: LATER + HOUR, ..act(1, NOW + HOUR) };
    store.record_act(again.clone()).await.unwrap();
    assert_eq!(acts(&store, None, 9, NOW).await, [again]);
}

pub async fn e2_an_act_expires(store: Subject) {
    let short = Act { expires: NOW + HOUR, ..act(1, NOW) };
    store.record_act(short.clone()).await.unwrap();
    store.record_act(act(2, NOW)).await.unwrap();
    assert_eq!(acts(&store, None, 9, NOW + HOUR - 1).await, [short, act(2, NOW)]);
    assert_eq!(acts(&store, None, 9, NOW + HOUR).await, [act(2, NOW)]);
    // It is deleted and not counted.
    assert_eq!(store.sweep(NOW + HOUR).await.unwrap(), Swept::default());
    assert_eq!(acts(&store, None, 9, NOW).await, [act(2, NOW)]);
}

pub async fn the_keys_claimed_first_are_remembered(store: Subject) {
    assert_eq!(store.claim(sealed("these")).await.unwrap(), sealed("these"));
    assert_eq!(store.claim(sealed("others")).await.unwrap(), sealed("these"));
    store.sweep(Timestamp::MAX).await.unwrap();
    assert_eq!(store.claim(sealed("others")).await.unwrap(), sealed("these"));
}

pub async fn of_claims_at_once_one_counts(store: Subject) {
    let claims: Vec<_> = (0..16)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.claim(sealed(format!("keys {number}"))).await.unwrap() })
        })
        .collect();
    let mut answers = Vec::new();
    for claim in claims {
        answers.push(claim.await.unwrap());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}
