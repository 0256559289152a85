//! Sealing, opening, and days that have passed.

use agent_memory_keys::{Day, Destroyed, Keys, Lifetime, Reach, SealError};
use proptest::prelude::*;

use crate::{DAY, NOON};

fn lifetime() -> impl Strategy<Value = Lifetime> {
    prop_oneof![
        Just(Lifetime::Permanent),
        any::<i64>().prop_map(Lifetime::Until),
        (0..4_000_000_000_i64).prop_map(Lifetime::Until)
    ]
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_is_opened_at_its_place_and_by_its_keys_only(
        lifetime in lifetime(), place in bytes(40), other in bytes(40), plain in bytes(200),
    ) {
        let keys = Keys::ephemeral();
        let sealed = keys.seal(lifetime, &place, &plain);
        prop_assert_eq!(sealed.len(), plain.len() + 45);
        prop_assert_eq!(keys.clone().open_sealed(&place, &sealed), Ok(plain.clone()));
        if place != other {
            prop_assert_eq!(keys.open_sealed(&other, &sealed), Err(SealError::Damaged));
        }
        prop_assert_eq!(Keys::ephemeral().open_sealed(&place, &sealed), Err(SealError::Damaged));
        prop_assert_eq!(Keys::plaintext().open_sealed(&place, &sealed), Err(SealError::Sealed));
        let stored = Keys::plaintext().seal(lifetime, &place, &plain);
        prop_assert_eq!(Keys::plaintext().open_sealed(&place, &stored), Ok(plain));
        prop_assert_eq!(keys.open_sealed(&place, &stored), Err(SealError::NotSealed));
    }

    #[test]
    fn e2_a_sweep_destroys_the_days_before_it_and_no_other(
        days in proptest::collection::vec(0..200_i64, 1..20), sweep in 0..200_i64,
    ) {
        let keys = Keys::ephemeral();
        let expiry = |day: &i64| NOON + day * DAY;
        let sealed: Vec<_> = days.iter().map(|day| keys.seal(Lifetime::Until(expiry(day)), b"", b"brie")).collect();
        keys.destroy_before(expiry(&sweep)).unwrap();
        for (day, sealed) in days.iter().zip(&sealed) {
            let destroyed = SealError::Destroyed { day: Day::of(expiry(day)) };
            let expected = if *day < sweep { Err(destroyed) } else { Ok(b"brie".to_vec()) };
            prop_assert_eq!(keys.open_sealed(b"", sealed), expected);
        }
    }

    #[test]
    fn i8_other_accounts_and_parts_have_other_pseudonyms(
        one in (".{0,3}", proptest::collection::vec(bytes(4), 0..4)),
        two in (".{0,3}", proptest::collection::vec(bytes(4), 0..4)),
    ) {
        for keys in [Keys::ephemeral(), Keys::plaintext()] {
            let pseudonym = |(account, parts): &(String, Vec<Vec<u8>>)| {
                keys.pseudonym(account, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
            };
            prop_assert_eq!(pseudonym(&one) == pseudonym(&two), one == two);
        }
    }
}

proptest! {
    // Each case tries every bit.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn whatever_is_changed_is_damaged(
        lifetime in prop_oneof![
            Just(Lifetime::Permanent),
            (0..90 * DAY).prop_map(|after| Lifetime::Until(NOON + after)),
        ],
        place in bytes(20), plain in bytes(40),
    ) {
        let keys = Keys::ephemeral();
        keys.destroy_before(NOON).unwrap();
        let sealed = keys.seal(lifetime, &place, &plain);
        for bit in 0..8 * sealed.len() {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let error = keys.open_sealed(&place, &changed).unwrap_err();
            match bit / 8 {
                // Other versions and days may not exist.
                1..=4 => prop_assert!(!matches!(error, SealError::NotSealed | SealError::Sealed)),
                _ => prop_assert_eq!(error, SealError::Damaged),
            }
        }
        for bit in 0..8 * place.len() {
            let mut changed = place.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(keys.open_sealed(&changed, &sealed), Err(SealError::Damaged));
        }
        for length in 0..sealed.len() {
            prop_assert_eq!(keys.open_sealed(&place, &sealed[..length]), Err(SealError::Damaged));
        }
        let longer = [&sealed[..], &[0]].concat();
        prop_assert_eq!(keys.open_sealed(&place, &longer), Err(SealError::Damaged));
    }
}

#[test]
fn e2_a_day_ends_at_midnight_in_utc() {
    let keys = Keys::ephemeral();
    let midnight = 20_001 * DAY;
    let sealed = keys.seal(Lifetime::Until(midnight - 1), b"", b"brie");
    keys.destroy_before(midnight - 1).unwrap();
    assert!(keys.open_sealed(b"", &sealed).is_ok());
    keys.destroy_before(midnight).unwrap();
    assert_eq!(keys.open_sealed(b"", &sealed), Err(SealError::Destroyed { day: Day::of(midnight - 1) }));
}

#[test]
fn a_clock_that_is_behind_seals_under_the_first_day() {
    let keys = Keys::ephemeral();
    let report = keys.destroy_before(NOON).unwrap();
    assert_eq!(report.first_day, Day::of(NOON));
    let sealed = keys.seal(Lifetime::Until(NOON - 10 * DAY), b"", b"brie");
    assert!(keys.open_sealed(b"", &sealed).is_ok());
    // Nor does a sweep go back.
    assert_eq!(keys.destroy_before(NOON - 10 * DAY).unwrap(), report);
    assert!(keys.open_sealed(b"", &sealed).is_ok());
    keys.destroy_before(NOON + DAY).unwrap();
    assert_eq!(keys.open_sealed(b"", &sealed), Err(SealError::Destroyed { day: Day::of(NOON) }));
}

#[test]
fn older_versions_open_until_all_that_they_sealed_has_expired() {
    let keys = Keys::ephemeral();
    keys.destroy_before(NOON).unwrap();
    let last = Lifetime::Until(NOON + 90 * DAY);
    let [expires, stays] = [last, Lifetime::Permanent].map(|lifetime| keys.seal(lifetime, b"", b"brie"));
    let identification = keys.identification();
    let pseudonym = keys.pseudonym("account", &[b"part"]);
    assert_eq!(keys.rotate().unwrap(), 2);
    assert_eq!(keys.seal(last, b"", b"brie")[1..3], [0, 2]);
    for day in 0..=90 {
        let Destroyed { dropped_versions, .. } = keys.destroy_before(NOON + day * DAY).unwrap();
        assert_eq!(dropped_versions, 0, "{day}");
        assert!(keys.open_sealed(b"", &expires).is_ok(), "{day}");
    }
    assert_eq!(keys.destroy_before(NOON + 91 * DAY).unwrap().dropped_versions, 1);
    assert_eq!(keys.open_sealed(b"", &expires), Err(SealError::Destroyed { day: Day::of(NOON + 90 * DAY) }));
    assert!(keys.open_sealed(b"", &stays).is_ok());
    assert_eq!(keys.identification(), identification);
    assert_eq!(keys.pseudonym("account", &[b"part"]), pseudonym);
}

#[test]
fn plaintext_has_nothing_to_destroy_or_rotate_and_says_so() {
    let keys = Keys::plaintext();
    assert!(keys.is_plaintext() && !Keys::ephemeral().is_plaintext());
    let sealed = keys.seal(Lifetime::Until(NOON), b"", b"brie");
    assert_eq!(keys.destroy_before(NOON + 10 * DAY).unwrap().reach, Reach::NothingSealed);
    assert!(keys.open_sealed(b"", &sealed).is_ok());
    assert_eq!(
        keys.rotate().unwrap_err().to_string(),
        "the keys at plaintext cannot be rotated: there are none; give a source of keys"
    );
    assert!(keys.moved_on(NOON).is_none());
    assert_ne!(keys.identification(), Keys::ephemeral().identification());
}

#[test]
fn many_threads_seal_and_open_while_days_pass_and_keys_rotate() {
    let keys = Keys::ephemeral();
    keys.destroy_before(NOON).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let keys = &keys;
            scope.spawn(move || {
                for round in 0..2_000_i64 {
                    let place = [thread, round.to_be_bytes()[7]];
                    let sealed = keys.seal(Lifetime::Until(NOON + (50 + round % 40) * DAY), &place, b"brie");
                    assert!(keys.open_sealed(&place, &sealed).is_ok());
                }
            });
        }
        for day in 1..40 {
            keys.destroy_before(NOON + day * DAY).unwrap();
            keys.rotate().unwrap();
        }
    });
}

#[test]
fn p3_nothing_shows_a_key() {
    let text = Keys::create_text();
    assert_eq!(format!("{text:?}"), "SecretText([redacted])");
    assert_eq!(format!("{:?}", Keys::ephemeral()), "Keys(this process, [redacted])");
    assert_eq!(format!("{:?}", Keys::plaintext()), "Keys(plaintext)");
}
