//! Every numbered rule of Agent Memory is held by a test that carries its number in its name.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The families of rules, and how many each has.
const FAMILIES: [(char, u32); 9] =
    [('c', 7), ('i', 9), ('m', 6), ('s', 2), ('v', 5), ('w', 6), ('e', 3), ('a', 8), ('p', 4)];

/// Rules that nothing holds yet, each with what it waits for.
const LATER: [(&str, &str); 0] = [];

#[test]
fn every_rule_has_a_test_that_is_named_by_it() {
    let tests = tests_by_rule();
    let rules: Vec<String> = FAMILIES
        .into_iter()
        .flat_map(|(family, count)| (1..=count).map(move |number| format!("{family}{number}")))
        .collect();
    let is_later = |rule: &str| LATER.iter().any(|(later, _)| *later == rule);

    let untested: Vec<String> = rules
        .iter()
        .filter(|rule| !tests.contains_key(*rule) && !is_later(rule))
        .map(|rule| format!("rule {}: no test is named {rule}_...", rule.to_uppercase()))
        .collect();
    assert!(untested.is_empty(), "{}", untested.join("\n"));

    let unknown: Vec<String> = tests
        .iter()
        .filter(|(rule, _)| !rules.contains(rule))
        .map(|(rule, (path, name))| format!("{}: {name}: there is no rule {}", path.display(), rule.to_uppercase()))
        .collect();
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));

    let no_longer_later: Vec<&str> =
        LATER.iter().map(|(rule, _)| *rule).filter(|rule| tests.contains_key(*rule)).collect();
    assert!(no_longer_later.is_empty(), "these have tests now: {}", no_longer_later.join(", "));
}

#[test]
fn only_test_functions_count() {
    let source = "
        #[test]
        fn m1_one() {}

        #[tokio::test(flavor = \"multi_thread\")]
        // Why it is so.
        async fn w4_two() {}

        proptest! {
            #[test]
            fn v2_three(value in any()) {}
        }

        fn m3_no_test() {}
        #[cfg(test)]
        fn m4_no_test() {}
        // #[test] fn m5_no_test() {}
        #[test]
        fn m_no_rule() {}
        #[test]
        fn other2_no_rule() {}
    ";
    assert_eq!(test_functions(source).filter_map(rule_of).collect::<Vec<_>>(), ["m1", "w4", "v2"]);
}

/// For each rule, a test that is named by it.
fn tests_by_rule() -> BTreeMap<String, (PathBuf, String)> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).canonicalize().unwrap();
    let mut files = Vec::new();
    collect(&root, &mut files);
    let mut tests = BTreeMap::new();
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        for name in test_functions(&source) {
            if let Some(rule) = rule_of(name) {
                tests.insert(rule, (file.strip_prefix(&root).unwrap().to_owned(), name.to_owned()));
            }
        }
    }
    tests
}

/// All Rust files of the repository, this one aside, which has tests in a text.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("xtask/tests/rules.rs")
        {
            files.push(path);
        }
    }
}

/// The names of functions that have an attribute which makes them tests.
fn test_functions(source: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    source.lines().map(str::trim).filter_map(move |line| {
        if line.starts_with("#[") {
            let attribute = line.trim_start_matches("#[").split(['(', ']', '=']).next().unwrap_or_default();
            is_test |= attribute.trim().rsplit("::").next() == Some("test");
            return None;
        }
        if line.is_empty() || line.starts_with("//") {
            return None;
        }
        let name = line.split_once("fn ").map(|(_, rest)| rest.split(['(', '<']).next().unwrap_or_default());
        name.filter(|_| std::mem::take(&mut is_test))
    })
}

/// The rule that a test is named by: `m3` of `m3_a_value_...`.
fn rule_of(test: &str) -> Option<String> {
    let (rule, _) = test.split_once('_')?;
    let mut characters = rule.chars();
    let is_family = characters.next()?.is_ascii_lowercase();
    let number = characters.as_str();
    (is_family && !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())).then(|| rule.to_owned())
}
