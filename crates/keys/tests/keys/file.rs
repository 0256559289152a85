//! Rings in files.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use agent_memory_keys::{Day, Keys, KeysError, Lifetime, Reach, SealError, Source};

use crate::{DAY, NOON, RING, open, ring_file};

fn create(path: &Path) -> Result<Keys, KeysError> {
    Keys::open(&Source::File(path.to_owned()), true)
}

fn refused(path: &Path) -> String {
    Keys::open(&Source::File(path.to_owned()), false).unwrap_err().to_string()
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_new_file_is_its_owners_alone_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ring.json");
    assert!(refused(&path).contains("give the path of a ring file, or have a new one made"));
    let keys = create(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(names(folder.path()), ["ring.json"]);
    let sealed = keys.seal(Lifetime::Permanent, b"", b"brie");
    // It is made once.
    for again in [create(&path).unwrap(), open(&path)] {
        assert_eq!(again.identification(), keys.identification());
        assert!(again.open_sealed(b"", &sealed).is_ok());
    }
    let no_folder = create(&folder.path().join("no/ring.json")).unwrap_err().to_string();
    assert!(no_folder.ends_with("make their folder first"), "{no_folder}");
}

#[test]
fn a_path_may_be_relative() {
    let folder = tempfile::tempdir_in(".").unwrap();
    let path = folder.path().strip_prefix(std::env::current_dir().unwrap()).unwrap_or(folder.path()).join("ring");
    let keys = create(&path).unwrap();
    keys.rotate().unwrap();
    assert_eq!(open(&path).identification(), keys.identification());
}

#[test]
fn a_file_that_others_may_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = ring_file(folder.path(), RING);
    for mode in [0o604, 0o640, 0o620, 0o602, 0o601, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(refused(&path).ends_with(&format!("`chmod 600 {}`", path.display())), "{mode:o}");
    }
    for mode in [0o600, 0o400] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        open(&path);
    }
    if is_root() {
        std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
        let error = refused(&path);
        assert!(error.contains("belong to user 12345") && error.contains("`chown 0 "), "{error}");
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = ring_file(folder.path(), RING);
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(refused(&link).contains("is a symbolic link"));
    assert!(create(&link).unwrap_err().to_string().contains("is a symbolic link"));
    assert!(refused(folder.path()).contains("is a folder"));
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg("-m600").arg(&pipe).status().unwrap().success());
    assert!(refused(&pipe).contains("is a pipe"));
    // A ring that is reached by other means is not changed through a prepared link either.
    let victim = folder.path().join("victim");
    fs::write(&victim, "text").unwrap();
    symlink(&victim, folder.path().join(".ring.json.new")).unwrap();
    assert!(open(&path).rotate().unwrap_err().to_string().contains("is a symbolic link"));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "text");
}

#[test]
fn a_file_without_a_ring_is_refused_and_left() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["", "hush", "{}", &RING[..RING.len() / 2], &RING.replace("\"id\"", "\"hush\"")] {
        let path = ring_file(folder.path(), text);
        for create in [false, true] {
            let error = Keys::open(&Source::File(path.clone()), create).unwrap_err().to_string();
            assert!(error.contains("is no ring of keys") && !error.contains("hush"), "{error}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::write(folder.path().join("ring.json"), [b'"', 0xff]).unwrap();
    assert!(refused(&folder.path().join("ring.json")).contains("it is not UTF-8"));
    let newer = ring_file(folder.path(), &RING.replacen("keys\": 1", "keys\": 2", 1));
    assert!(refused(&newer).ends_with("have format 2, which this version does not know: upgrade agent-memory"));
}

#[test]
fn e2_destroyed_days_are_unreadable_with_all_that_is_left_of_the_ring() {
    let folder = tempfile::tempdir().unwrap();
    let path = ring_file(folder.path(), RING);
    let mut former = File::open(&path).unwrap();
    let keys = open(&path);
    let [expired, alive] = [0, 4].map(|day| keys.seal(Lifetime::Until(NOON + day * DAY), b"", b"brie"));
    let report = keys.destroy_before(NOON + 3 * DAY).unwrap();
    assert_eq!((report.first_day, report.written, report.reach), (Day::of(NOON + 3 * DAY), true, Reach::Everywhere));
    assert!(!keys.destroy_before(NOON + 3 * DAY).unwrap().written, "once a day is enough");
    assert_eq!(names(folder.path()), ["ring.json"]);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);

    // Neither this process nor the file has the keys, and the blocks of the former file are wiped.
    for keys in [&keys, &open(&path)] {
        assert_eq!(keys.open_sealed(b"", &expired), Err(SealError::Destroyed { day: Day::of(NOON) }));
        assert!(keys.open_sealed(b"", &alive).is_ok());
    }
    let text = fs::read_to_string(&path).unwrap();
    for chain in ["QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8", "YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn8"] {
        assert!(RING.contains(chain) && !text.contains(chain));
    }
    let mut left = Vec::new();
    former.read_to_end(&mut left).unwrap();
    assert!(left.is_empty());

    // Who turns the day back by hand has the wrong key.
    let forged = ring_file(folder.path(), &text.replace("2024-10-07", "2024-10-04"));
    assert_eq!(open(&forged).open_sealed(b"", &expired), Err(SealError::Damaged));
}

#[test]
fn other_processes_follow() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ring.json");
    let [one, two] = [create(&path).unwrap(), create(&path).unwrap()];
    one.destroy_before(NOON).unwrap();
    assert_eq!(one.rotate().unwrap(), 2);
    // An unknown version is looked up.
    let sealed = one.seal(Lifetime::Until(NOON + DAY), b"", b"brie");
    assert!(two.open_sealed(b"", &sealed).is_ok());
    assert_eq!(two.seal(Lifetime::Until(NOON), b"", b"")[1..3], [0, 2]);
    // A sweep that finds nothing to do takes over what others did.
    one.rotate().unwrap();
    let known = one.seal(Lifetime::Until(NOON + DAY), b"", b"brie");
    one.destroy_before(NOON + 2 * DAY).unwrap();
    assert!(!two.destroy_before(NOON + 2 * DAY).unwrap().written);
    assert_eq!(two.open_sealed(b"", &known), Err(SealError::Destroyed { day: Day::of(NOON + DAY) }));
    assert_eq!(two.seal(Lifetime::Until(NOON), b"", b"")[1..3], [0, 3]);
}

#[test]
fn an_older_copy_of_the_file_neither_turns_back_the_day_nor_loses_a_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ring.json");
    let keys = create(&path).unwrap();
    let older = fs::read_to_string(&path).unwrap();
    keys.rotate().unwrap();
    keys.destroy_before(NOON).unwrap();
    let sealed = keys.seal(Lifetime::Until(NOON), b"", b"brie");
    let newer = fs::read_to_string(&path).unwrap();
    ring_file(folder.path(), &older);
    assert!(keys.destroy_before(NOON).unwrap().written);
    assert_eq!(fs::read_to_string(&path).unwrap(), newer);
    assert!(open(&path).open_sealed(b"", &sealed).is_ok());
    // Rotated apart, there is no telling which is right.
    ring_file(folder.path(), &older);
    open(&path).rotate().unwrap();
    let error = keys.destroy_before(NOON).unwrap_err();
    assert!(matches!(error, KeysError::Diverged { version: 2, .. }), "{error}");
}

#[test]
fn another_ring_in_the_same_place_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ring.json");
    let keys = create(&path).unwrap();
    let sealed = keys.seal(Lifetime::Permanent, b"", b"brie");
    let other = ring_file(folder.path(), Keys::create_text().expose());
    assert!(matches!(keys.destroy_before(NOON), Err(KeysError::Replaced { .. })));
    assert!(matches!(keys.rotate(), Err(KeysError::Replaced { .. })));
    assert!(keys.open_sealed(b"", &sealed).is_ok(), "what is known stays in use");
    let other = open(&other);
    assert_ne!(other.identification(), keys.identification());
    assert_eq!(other.open_sealed(b"", &sealed), Err(SealError::Damaged));
}

#[test]
fn a_ring_that_cannot_be_written_is_not_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ring.json");
    let keys = create(&path).unwrap();
    // A folder stands where the new file is to be.
    fs::create_dir(folder.path().join(".ring.json.new")).unwrap();
    assert!(keys.rotate().unwrap_err().to_string().contains("is a folder"));
    assert!(keys.destroy_before(NOON).is_err());
    assert_eq!(keys.seal(Lifetime::Until(NOON), b"", b"")[1..3], [0, 1]);
}
