//! Scenarios, in YAML and in JSON.

use agent_memory_rules::{Configuration, Limits};
use agent_memory_testing::{ConfigurationSource, Mistakes, Scenario};

use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "scenario",
    run: scenario,
    longest: 64 << 10,
    words: &[
        "conversations:",
        "\n",
        "\n  ",
        "\n    - ",
        "- ",
        "? ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"",
        "'",
        "functions:",
        "config:",
        "account:",
        "caller_number:",
        "at:",
        "turns:",
        "call:",
        "arguments:",
        "after: 30s",
        "expect:",
        "returns:",
        "say:",
        "state:",
        "error:",
        "commit:",
        "memory:",
        "metrics:",
        "outcome:",
        "handoff:",
        "&a ",
        "*a",
        "!!str ",
        "!x ",
        "|\n",
        ">-\n",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "#",
        "\t",
        "null",
        "~",
        ".inf",
        "0x1F",
        "0o7",
        "1.0",
        "1_000",
        "1e999",
        "\u{feff}",
        "\u{0}",
        "\u{85}",
        "\u{2028}",
        "<<: ",
        "\r\n",
        "\\ud83d",
        "\\ud83d\\ude00",
        "2026-03-02T10:20:00Z",
        "9999-12-31T23:59:59Z",
        "1000000000000d",
        "106751991167300d",
    ],
};

/// How long a mistake's message may be, in bytes, whatever the file holds.
const MESSAGE_BYTES: usize = 4 << 10;

/// Reads a text as a scenario, in both notations.
///
/// - Every mistake has a place within the text and a short message, and they are in the order of their places.
/// - What can be read as JSON means the same where it is read as YAML, if that takes it.
/// - A configuration that stands in the scenario can be handed to who reads configurations.
pub fn scenario(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let yaml = read(text, "folder/scenario.yaml");
    let json = read(text, "folder/scenario.json");
    // With a comment before it, nothing can take it for JSON.
    let commented = json.is_some().then(|| read(&format!("# YAML\n{text}"), "folder/scenario.yaml")).flatten();
    for other in [&yaml, &commented] {
        if let (Some(json), Some(other)) = (&json, other) {
            assert_eq!(without_places(other), without_places(json), "JSON means something else as YAML");
        }
    }
    for scenario in [yaml, json].into_iter().flatten() {
        if let Some(ConfigurationSource::Inline { configuration, .. }) = &scenario.configuration {
            // Its mistakes are told when it is used.
            let _ = Configuration::parse(configuration.as_str(), Limits::default());
        }
    }
}

fn read(text: &str, path: &str) -> Option<Scenario> {
    match Scenario::parse(text, path) {
        Ok(scenario) => Some(scenario),
        Err(mistakes) => {
            check(text, &mistakes);
            None
        }
    }
}

fn check(text: &str, mistakes: &Mistakes) {
    assert!(!mistakes.mistakes.is_empty(), "a scenario was refused without a reason");
    // Whatever ends a line for whoever counts most of them.
    let lines =
        1 + text.chars().filter(|char| matches!(char, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')).count();
    let mut before = (0, 0);
    for mistake in &mistakes.mistakes {
        let place = (mistake.line, mistake.column);
        assert!((1..=lines + 1).contains(&mistake.line), "line {} of {lines}", mistake.line);
        assert!((1..=text.chars().count() + 2).contains(&mistake.column), "column {}", mistake.column);
        assert!(place >= before, "{place:?} comes after {before:?}");
        assert!(!mistake.message.is_empty() && mistake.message.len() <= MESSAGE_BYTES, "{}", mistake.message.len());
        before = place;
    }
}

/// What a scenario says, without its lines and the names of its files.
fn without_places(scenario: &Scenario) -> String {
    let text = format!("{scenario:?}").replace("scenario.json", "scenario.yaml");
    let mut parts = text.split("line: ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "line: " + part.trim_start_matches(|char: char| char.is_ascii_digit()))
}
