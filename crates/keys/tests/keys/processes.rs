//! Many who change one file at once.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::thread;

use agent_memory_keys::{Day, Keys, Lifetime, Source};
use proptest::prelude::*;

use crate::vectors::bytes;
use crate::{DAY, NOON, again, open, role};

const PATH: &str = "AGENT_MEMORY_KEYS_TEST_PATH";

fn create(path: &Path) -> Keys {
    Keys::open(&Source::File(path.to_owned()), true).unwrap()
}

fn versions(path: &Path) -> usize {
    fs::read_to_string(path).unwrap().matches("\"number\"").count()
}

#[test]
fn processes_that_change_one_file_lose_nothing() {
    let name = "processes::processes_that_change_one_file_lose_nothing";
    if let Some(role) = role() {
        let keys = create(Path::new(&std::env::var_os(PATH).unwrap()));
        let process: i64 = role.parse().unwrap();
        for round in 0..8 {
            println!("\nversion {}", keys.rotate().unwrap());
            keys.destroy_before(NOON + (4 * round + process) * DAY).unwrap();
            let sealed = keys.seal(Lifetime::Until(NOON + 90 * DAY), b"place", role.as_bytes());
            println!("\nsealed {}", sealed.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ring.json");
    let start =
        |process: i64| again(name, &process.to_string()).env(PATH, &path).stdout(Stdio::piped()).spawn().unwrap();
    let processes = [0, 1, 2, 3].map(start);
    let outputs = processes.map(|process| process.wait_with_output().unwrap());
    assert!(outputs.iter().all(|output| output.status.success()));
    let output = outputs.map(|output| String::from_utf8(output.stdout).unwrap()).concat();

    let mut made: Vec<u32> = output.lines().filter_map(|line| line.strip_prefix("version ")?.parse().ok()).collect();
    made.sort_unstable();
    assert_eq!(made, (2..=33).collect::<Vec<_>>());
    assert_eq!(versions(&path), 33);
    let keys = open(&path);
    let sealed: Vec<_> = output.lines().filter_map(|line| line.strip_prefix("sealed ")).collect();
    assert_eq!(sealed.len(), 32);
    for sealed in sealed {
        assert!(keys.open_sealed(b"place", &bytes(sealed)).is_ok());
    }
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches("\"day\": \"2024-11-04\"").count(), 33, "the latest of all sweeps: {}", text.len());
}

#[test]
fn a_process_that_is_killed_leaves_a_whole_ring_with_all_that_it_answered() {
    let name = "processes::a_process_that_is_killed_leaves_a_whole_ring_with_all_that_it_answered";
    if role().is_some() {
        let keys = create(Path::new(&std::env::var_os(PATH).unwrap()));
        for _ in 0..40 {
            println!("\nversion {}", keys.rotate().unwrap());
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ring.json");
    for answers in 1..=5 {
        let mut process = again(name, "killed").env(PATH, &path).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let made = lines.filter_map(|line| line.strip_prefix("version ")?.parse().ok());
        let last: u32 = made.take(answers).last().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        let keys = open(&path);
        assert!(keys.rotate().unwrap() > last);
        assert!(fs::read_dir(folder.path()).unwrap().count() == 1, "what was left over has been used");
    }
}

#[test]
fn who_makes_one_file_at_once_has_one_ring() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ring.json");
        let made = thread::scope(|scope| {
            let threads = [0; 8].map(|_| scope.spawn(|| create(&path).identification()));
            threads.map(|thread| thread.join().unwrap())
        });
        assert_eq!(made, [open(&path).identification(); 8]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Rotate,
    Destroy(i64),
    Seal(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![Just(Step::Rotate), (0..80_i64).prop_map(Step::Destroy), (80..90_i64).prop_map(Step::Seal)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_happens_at_once_is_all_in_the_file(
        threads in proptest::collection::vec(proptest::collection::vec(step(), 1..8), 2..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ring.json");
        let sealed: Vec<Vec<u8>> = thread::scope(|scope| {
            let run = |steps: Vec<Step>| {
                let keys = create(&path);
                let mut sealed = Vec::new();
                for step in steps {
                    match step {
                        Step::Rotate => drop(keys.rotate().unwrap()),
                        Step::Destroy(day) => drop(keys.destroy_before(NOON + day * DAY).unwrap()),
                        Step::Seal(day) => sealed.push(keys.seal(Lifetime::Until(NOON + day * DAY), b"", b"brie")),
                    }
                }
                sealed
            };
            let threads: Vec<_> = threads.iter().cloned().map(|steps| scope.spawn(move || run(steps))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let steps = || threads.iter().flatten();
        let rotations = steps().filter(|step| matches!(step, Step::Rotate)).count();
        prop_assert_eq!(versions(&path), 1 + rotations);
        let keys = open(&path);
        for sealed in sealed {
            prop_assert!(keys.open_sealed(b"", &sealed).is_ok());
        }
        let latest = steps().filter_map(|step| if let Step::Destroy(day) = step { Some(*day) } else { None }).max();
        if let Some(latest) = latest {
            let first_day = keys.destroy_before(NOON).unwrap().first_day;
            prop_assert_eq!(first_day, Day::of(NOON + latest * DAY));
        }
    }
}
