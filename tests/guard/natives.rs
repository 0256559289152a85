//! The instructions that native parts take, counted by callgrind.
//!
//! This program is run under callgrind to do each part a number of times, and once for each part to do that one twice as
//! often: the difference is what the part takes, without starting and filling.

use std::env;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use agent_memory_host::keys::{Keys, Lifetime};
use agent_memory_host::store::{Committed, Read, SqliteStore, Store, Transfer};

use crate::callers;
use crate::expected::{Costs, assert_costs};

/// The parts, and how often each is done.
const PARTS: [(&str, u64); 4] = [("store load", 400), ("store commit", 200), ("seal", 2_000), ("open", 2_000)];

/// How many callers are in the store.
const CALLERS: u64 = 100;

/// Tells the program under callgrind which part to do twice as often.
const DOUBLED: &str = "AGENT_MEMORY_GUARD_DOUBLED";

/// How long what is sealed is, and where it stands: as a field's value does.
const VALUE: [u8; 62] = [b'a'; 62];
const PLACE: [u8; 64] = [7; 64];

#[test]
fn what_runs_natively_takes_the_instructions_that_are_expected() {
    if !is_such_a_processor() || !is_there() {
        return;
    }
    let all: Vec<&str> = std::iter::once("nothing").chain(PARTS.map(|(name, _)| name)).collect();
    let counts: Vec<u64> = thread::scope(|scope| {
        let running: Vec<_> = all.iter().map(|doubled| scope.spawn(|| instructions(doubled))).collect();
        running.into_iter().map(|running| running.join().unwrap()).collect()
    });
    let costs = PARTS.iter().zip(&counts[1..]);
    let costs = costs.map(|((name, times), count)| ((*name).to_owned(), (count - counts[0]) / times));
    assert_costs("instructions", &costs.collect::<Costs>());
}

/// Does the parts, in the process that was started for it.
#[test]
fn the_parts_are_done() {
    let Ok(doubled) = env::var(DOUBLED) else { return };
    let times = |part: &str| {
        let (_, times) = PARTS.iter().find(|(name, _)| *name == part).unwrap();
        0..if doubled == part { 2 * times } else { *times }
    };
    let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("memory.db")).unwrap();
    tokio.block_on(store.restore((0..CALLERS).flat_map(callers::kept).collect())).unwrap();

    for number in times("store load") {
        let identity = Some(callers::identity(number % CALLERS));
        let loaded = tokio.block_on(store.load(Read { identity, conversation: None, now: callers::NOW })).unwrap();
        assert_eq!(loaded.fields.len(), 5);
    }
    // What a commit is made of is made beforehand, as often in every run: that is no part of it.
    let most = 2 * PARTS.iter().map(|(_, times)| times).max().unwrap();
    let commits: Vec<_> = (0..most).map(|number| callers::commit(number % CALLERS, number)).collect();
    for (_, commit) in times("store commit").zip(commits) {
        assert!(matches!(tokio.block_on(store.commit(commit)).unwrap(), Committed::Now(_)));
    }

    let keys = Keys::ephemeral();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let expires = i64::try_from(now.as_secs()).unwrap() + 30 * 24 * 3600;
    let sealed = keys.seal(Lifetime::Until(expires), &PLACE, &VALUE);
    for _ in times("seal") {
        assert_eq!(keys.seal(Lifetime::Until(expires), &PLACE, &VALUE).len(), sealed.len());
    }
    for _ in times("open") {
        assert_eq!(keys.open_sealed(&PLACE, &sealed).unwrap(), VALUE);
    }
}

/// How many instructions this program takes to do all parts, one of them twice as often.
fn instructions(doubled: &str) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let counted = folder.path().join("counted");
    let mut out = std::ffi::OsString::from("--callgrind-out-file=");
    out.push(&counted);
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(out)
        .arg(env::current_exe().unwrap())
        .args(["--exact", "natives::the_parts_are_done", "--nocapture", "--test-threads", "1"])
        .env(DOUBLED, doubled)
        .stdout(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counted = std::fs::read_to_string(counted).unwrap();
    let totals = counted.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap();
    totals.trim().parse().unwrap()
}

/// Whether the processor is one of those whose instructions were counted: others take more or fewer.
fn is_such_a_processor() -> bool {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        return true;
    }
    println!("skipped: the instructions that are expected are those of x86-64 with AVX2");
    false
}

/// Whether there is a valgrind. Under CI, it is missing only where `cargo xtask test` has tried to fetch it, and names it
/// among what was skipped.
fn is_there() -> bool {
    if Command::new("valgrind").arg("--version").output().is_ok() {
        return true;
    }
    let excused = env::var("AGENT_MEMORY_TEST_WITHOUT").unwrap_or_default();
    let is_excused = excused.split(',').any(|name| name == "valgrind");
    let is_ci = env::var_os("CI").is_some_and(|value| !value.is_empty());
    let advice = "there is no valgrind: `apt-get install valgrind`";
    assert!(!is_ci || is_excused, "{advice}");
    println!("skipped: {advice}");
    false
}
