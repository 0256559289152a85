//! Rings in environment variables.

use agent_memory_keys::{Day, Keys, KeysError, Lifetime, Reach, SealError};

use crate::{DAY, NOON, RING, again, open, ring_file, role};

const VARIABLE: &str = "AGENT_MEMORY_KEYS_TEST_RING";

#[test]
fn a_variable_is_read_and_what_cannot_be_done_with_it_is_said() {
    let source = format!("env:{VARIABLE}").parse().unwrap();
    if role().is_none() {
        let missing = Keys::open(&source, true).unwrap_err().to_string();
        assert!(
            missing.starts_with(&format!("there are no keys at the environment variable {VARIABLE}: ")),
            "{missing}"
        );
        let test = "environment::a_variable_is_read_and_what_cannot_be_done_with_it_is_said";
        assert!(again(test, "reader").env(VARIABLE, RING).status().unwrap().success());
        return;
    }
    let keys = Keys::open(&source, false).unwrap();
    let sealed = keys.seal(Lifetime::Until(NOON), b"", b"brie");
    let report = keys.destroy_before(NOON + DAY).unwrap();
    assert_eq!((report.first_day, report.written, report.reach), (Day::of(NOON + DAY), false, Reach::ThisProcess));
    assert_eq!(keys.open_sealed(b"", &sealed), Err(SealError::Destroyed { day: Day::of(NOON) }));
    // The variable is as it was, and what is read again from it does not turn back the day.
    let unknown = { [&sealed[..1], &[0, 3], &sealed[3..]].concat() };
    assert_eq!(keys.open_sealed(b"", &unknown), Err(SealError::UnknownVersion { version: 3 }));
    assert_eq!(keys.open_sealed(b"", &sealed), Err(SealError::Destroyed { day: Day::of(NOON) }));
    assert!(matches!(keys.rotate(), Err(KeysError::NotRotatable { .. })));
    // What is to be installed has passed the day too.
    let folder = tempfile::tempdir().unwrap();
    let installed = open(&ring_file(folder.path(), keys.moved_on(NOON + DAY).unwrap().expose()));
    assert_eq!(installed.identification(), keys.identification());
    assert_eq!(installed.open_sealed(b"", &sealed), Err(SealError::Destroyed { day: Day::of(NOON) }));
    assert_eq!(installed.rotate().unwrap(), 3);
}
