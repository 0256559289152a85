//! Rings that a program keeps: here a small script.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use agent_memory_keys::{Keys, KeysError, Lifetime, Reach, SealError, Source};

use crate::{DAY, NOON, RING};

/// Keeps the ring in a file as a careful program would, and writes down what it was asked for.
const KEEPER: &str = r#"
folder=$1
echo "$2" >> "$folder/asked"
case $2 in
get) cat "$folder/ring" ;;
put)
    cat > "$folder/new.$$"
    exec 9> "$folder/lock"
    flock 9
    if [ "$(sha256sum < "$folder/ring" | cut -d' ' -f1)" = "$AGENT_MEMORY_KEYS_REPLACES" ]; then
        mv "$folder/new.$$" "$folder/ring"
    else
        rm "$folder/new.$$"
        echo "somebody was faster" >&2
        exit 3
    fi ;;
esac
"#;

/// A source whose program is this script, and which is given the folder.
fn source(folder: &Path, script: &str) -> Source {
    let path = folder.join("the keeper.sh");
    fs::write(&path, script).unwrap();
    format!("command:sh '{}' '{}'", path.display(), folder.display()).parse().unwrap()
}

fn keeper(folder: &Path) -> (Source, PathBuf) {
    let ring = folder.join("ring");
    fs::write(&ring, RING).unwrap();
    (source(folder, KEEPER), ring)
}

fn asked(folder: &Path) -> Vec<String> {
    fs::read_to_string(folder.join("asked")).unwrap().lines().map(String::from).collect()
}

#[test]
fn a_program_gives_and_takes_the_ring() {
    let folder = tempfile::tempdir().unwrap();
    let (source, ring) = keeper(folder.path());
    let keys = Keys::open(&source, true).unwrap();
    let sealed = keys.seal(Lifetime::Until(NOON), b"", b"brie");
    assert_eq!(keys.rotate().unwrap(), 3);
    let report = keys.destroy_before(NOON + DAY).unwrap();
    assert_eq!((report.written, report.reach), (true, Reach::Everywhere));
    assert_eq!(asked(folder.path()), ["get", "get", "put", "get", "get", "put", "get"]);
    assert!(!keys.destroy_before(NOON + DAY).unwrap().written);
    assert_eq!(asked(folder.path()).len(), 8, "what needs no change is not written");
    assert_eq!(fs::read_to_string(ring).unwrap(), keys.moved_on(NOON).unwrap().expose());
    let again = Keys::open(&source, false).unwrap();
    assert!(matches!(again.open_sealed(b"", &sealed), Err(SealError::Destroyed { .. })));
    assert_eq!(format!("{again:?}"), "Keys(the program `sh`, [redacted])");
}

#[test]
fn of_many_who_change_the_ring_at_once_none_loses_anything() {
    let folder = tempfile::tempdir().unwrap();
    let (source, _) = keeper(folder.path());
    let mut made: Vec<u32> = thread::scope(|scope| {
        let rotate = || scope.spawn(|| Keys::open(&source, false).unwrap().rotate().unwrap());
        let threads = [rotate(), rotate(), rotate()];
        threads.map(|thread| thread.join().unwrap()).to_vec()
    });
    made.sort_unstable();
    assert_eq!(made, [3, 4, 5]);
}

#[test]
fn an_unknown_version_asks_the_program_at_most_once_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let (source, _) = keeper(folder.path());
    let keys = Keys::open(&source, false).unwrap();
    let sealed = keys.seal(Lifetime::Until(NOON), b"", b"brie");
    let unknown = [&sealed[..1], &[0, 9], &sealed[3..]].concat();
    let began = Instant::now();
    for _ in 0..100 {
        assert_eq!(keys.open_sealed(b"", &unknown), Err(SealError::UnknownVersion { version: 9 }));
    }
    let most = 1 + 1 + usize::try_from(began.elapsed().as_secs()).unwrap();
    assert!((2..=most).contains(&asked(folder.path()).len()));
}

#[test]
fn p3_what_a_program_writes_to_standard_error_is_shown_and_its_output_never() {
    let folder = tempfile::tempdir().unwrap();
    let fails = source(folder.path(), "echo hush; echo the vault is sealed >&2; exit 7");
    let error = Keys::open(&fails, false).unwrap_err().to_string();
    assert_eq!(error, "the program `sh` that has the keys failed at `get` (exit status: 7): the vault is sealed");
    let no_ring = source(folder.path(), "echo hush");
    let error = Keys::open(&no_ring, false).unwrap_err().to_string();
    assert!(
        error.starts_with("what is at the program `sh` is no ring of keys: ") && !error.contains("hush"),
        "{error}"
    );
    let endless = source(folder.path(), "yes hush | head -c 1000000");
    let error = Keys::open(&endless, false).unwrap_err().to_string();
    assert!(error.contains("it is too long"), "{error}");
    let talkative = source(folder.path(), "yes words | head -c 1000000 >&2; exit 1");
    let error = Keys::open(&talkative, false).unwrap_err().to_string();
    assert!(error.contains(": words words") && error.len() < 600, "{error}");
    let missing =
        Keys::open(&"command:agent-memory-no-such-program hush".parse().unwrap(), false).unwrap_err().to_string();
    assert!(missing.contains("`agent-memory-no-such-program` that has the keys cannot be started: "), "{missing}");
    assert!(!missing.contains("hush"));
}

#[test]
fn a_program_that_refuses_or_forgets_the_ring_leaves_the_keys_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ring"), RING).unwrap();
    let get = "echo $2 >> $1/asked; [ $2 = get ] && exec cat $1/ring\n";
    let refuses = Keys::open(&source(folder.path(), &format!("{get} echo no >&2; exit 1")), false).unwrap();
    let error = refuses.rotate().unwrap_err().to_string();
    assert_eq!(error, "the program `sh` that has the keys failed at `put` (exit status: 1): no");
    assert!(asked(folder.path()).iter().filter(|asked| *asked == "put").count() > 2, "somebody might have been faster");
    let forgets = Keys::open(&source(folder.path(), &format!("{get} cat > /dev/null")), false).unwrap();
    for error in [forgets.rotate().map(|_| ()), forgets.destroy_before(NOON + DAY).map(|_| ())] {
        assert!(matches!(error, Err(KeysError::NotKept { .. })));
    }
    for keys in [refuses, forgets] {
        assert_eq!(keys.seal(Lifetime::Until(NOON), b"", b"")[1..3], [0, 2]);
    }
}
