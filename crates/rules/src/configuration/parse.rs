//! Reads what people write (C1 to C6).

use std::collections::HashMap;

use indexmap::IndexSet;

use super::reader::{Node, Reader, shorten};
use super::{
    Configuration, ConfigurationError, Configured, KeyRules, Limits, MAX_RETENTION_DAYS, MemoryRules, RememberedKey,
    Timestamps,
};
use crate::identifier::{Blacklist, BlacklistEntry, Source};

/// The largest source, in bytes.
const MAX_SOURCE_BYTES: usize = 1024 * 1024;

const REPEAT_CALLER_KEYS: [&str; 8] = [
    "analytics_enabled",
    "state_keys",
    "identifier_blacklist",
    "identifier_source",
    "retention_days",
    "retention_days_by_key",
    "nested_values",
    "timestamps",
];

/// Keys of the state that the platform sets for its own purposes.
const PLATFORM_KEYS: [&str; 13] = [
    "from_",
    "to",
    "call_sid",
    "asr_lang_code",
    "tts_lang_code",
    "shared_id",
    "handoff",
    "disable_recordings",
    "stop_recording",
    "use_tts_for_responses",
    "asr_provider",
    "asr_config",
    "listen_for_sms",
];

pub(super) fn parse(source: &str, limits: Limits) -> Result<Configured, Vec<ConfigurationError>> {
    let mut reader = Reader::default();
    let configured = read(&mut reader, source, limits);
    match configured {
        Some((configuration, state_keys)) if reader.errors.is_empty() => {
            Ok(Configured { configuration, state_keys, warnings: reader.warnings })
        }
        _ => Err(reader.into_errors()),
    }
}

/// Reads the whole. None only if an error was noted.
fn read(reader: &mut Reader, source: &str, limits: Limits) -> Option<(Configuration, Vec<String>)> {
    if source.len() > MAX_SOURCE_BYTES {
        let allowed = format!("allowed are at most {MAX_SOURCE_BYTES} bytes");
        reader.error("", format!("{} bytes", source.len()), allowed);
        return None;
    }
    let root = match Node::root(source) {
        Ok(root) => root,
        Err(error) => {
            reader.error("", format!("no JSON: {error}"), "write JSON, such as {\"memory\": {\"repeat_caller\": {}}}");
            return None;
        }
    };
    // What stands beside `memory` belongs to other systems.
    let allowed = "allowed is an object, such as {\"memory\": {\"repeat_caller\": {}}}";
    let members = reader.members_where(&root, allowed, |name| name == "memory")?;
    let off = Configuration { keys: KeyRules::new(limits, false, Vec::new()), memory: None };
    let Some(memory) = take(&members, "memory") else { return Some((off, Vec::new())) };
    let members = reader.members(memory, "allowed is an object; without it, memory is off")?;
    for (name, node) in &members {
        if !matches!(name.as_str(), "repeat_caller" | "identifier_source") {
            unknown_memory_key(reader, name, node);
        }
    }
    let outer_sources = take(&members, "identifier_source").map(|node| (node, read_sources(reader, node)));
    let Some(repeat_caller) = take(&members, "repeat_caller") else { return Some((off, Vec::new())) };
    read_repeat_caller(reader, repeat_caller, outer_sources, limits)
}

fn take<'a, 'b>(members: &'b [(String, Node<'a>)], wanted: &str) -> Option<&'b Node<'a>> {
    members.iter().find_map(|(name, node)| (name == wanted).then_some(node))
}

fn unknown_memory_key(reader: &mut Reader, name: &str, node: &Node<'_>) {
    let found = format!("the unknown key `{}`", shorten(name));
    let known = ["repeat_caller", "identifier_source"];
    if REPEAT_CALLER_KEYS.contains(&name) {
        reader.error(&node.path, found, format!("`{name}` belongs one level down: `memory.repeat_caller.{name}`"));
    } else {
        reader.error(&node.path, found, known_keys(reader, name, &known));
    }
}

fn known_keys(reader: &Reader, name: &str, known: &[&str]) -> String {
    let all = known.join(", ");
    match reader.nearest(name, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`? Known here: {all}"),
        None => format!("known here: {all}"),
    }
}

type Sources = Option<Vec<Source>>;

fn read_repeat_caller(
    reader: &mut Reader,
    repeat_caller: &Node<'_>,
    outer_sources: Option<(&Node<'_>, Sources)>,
    limits: Limits,
) -> Option<(Configuration, Vec<String>)> {
    let members = reader.members(repeat_caller, "allowed is an object; without it, memory is off")?;
    for (name, node) in &members {
        if !REPEAT_CALLER_KEYS.contains(&name.as_str()) {
            let found = format!("the unknown key `{}`", shorten(name));
            reader.error(&node.path, found, known_keys(reader, name, &REPEAT_CALLER_KEYS));
        }
    }
    let boolean =
        |reader: &mut Reader, name| take(&members, name).is_some_and(|node| reader.boolean(node) == Some(true));
    let analytics_enabled = boolean(reader, "analytics_enabled");
    let nested_values = boolean(reader, "nested_values");
    let timestamps = take(&members, "timestamps").map_or(Timestamps::Warn, |node| read_timestamps(reader, node));
    let retention_days = take(&members, "retention_days").and_then(|node| {
        let allowed = format!("allowed is a number of days from 1 to {MAX_RETENTION_DAYS}, without quotation marks");
        reader.integer(node, MAX_RETENTION_DAYS, &allowed)
    });
    let retention_days = retention_days.unwrap_or(MAX_RETENTION_DAYS);
    let state_keys = match take(&members, "state_keys") {
        Some(node) => read_state_keys(reader, node, limits),
        None => Some(Vec::new()),
    };
    let retention_by_key = take(&members, "retention_days_by_key")
        .map_or_else(HashMap::new, |node| read_retention_by_key(reader, node, state_keys.as_deref(), retention_days));
    let inner_sources = take(&members, "identifier_source").map(|node| (node, read_sources(reader, node)));
    let sources = merge_sources(reader, outer_sources, inner_sources);
    let entries = take(&members, "identifier_blacklist").map_or_else(Vec::new, |node| read_blacklist(reader, node));
    let blacklist = compile_blacklist(reader, &entries, &sources);

    let state_keys = state_keys.unwrap_or_default();
    let remember = |name: &String| RememberedKey {
        name: name.clone(),
        retention_days: retention_by_key.get(name).copied().unwrap_or(retention_days),
    };
    let keys = KeyRules::new(limits, nested_values, state_keys.iter().map(remember).collect());
    let memory = MemoryRules { analytics_enabled, sources, blacklist, retention_days, timestamps };
    Some((Configuration { keys, memory: Some(memory) }, state_keys))
}

fn read_timestamps(reader: &mut Reader, node: &Node<'_>) -> Timestamps {
    let allowed = "allowed are \"warn\", \"round\" and \"keep\"";
    match reader.text(node, allowed).as_deref() {
        Some("warn") | None => Timestamps::Warn,
        Some("round") => Timestamps::Round,
        Some("keep") => Timestamps::Keep,
        Some(other) => {
            let allowed = match reader.nearest(other, ["warn", "round", "keep"]) {
                Some(nearest) => format!("did you mean \"{nearest}\"? {allowed}"),
                None => allowed.to_owned(),
            };
            reader.error(&node.path, node.found(), allowed);
            Timestamps::Warn
        }
    }
}

/// The keys without mistakes. None if there is no list of so many keys as are allowed.
fn read_state_keys(reader: &mut Reader, node: &Node<'_>, limits: Limits) -> Option<Vec<String>> {
    let elements = reader.elements(node, "allowed is a list of keys, such as [\"cheese_type\"]")?;
    let (count, largest) = (elements.len(), limits.state_keys);
    let is_too_long = u32::try_from(count).map_or(true, |count| count > largest);
    if is_too_long {
        reader.error(&node.path, format!("{count} keys"), format!("allowed are at most {largest}: list fewer"));
    }
    let mut keys = Vec::new();
    let mut paths = HashMap::new();
    for element in elements {
        let Some(key) = reader.text(&element, "allowed is a key of the state: a text that is not empty") else {
            continue;
        };
        if u32::try_from(key.len()).map_or(true, |length| length > limits.key_bytes) {
            let allowed = format!("allowed are at most {} bytes: choose a shorter key", limits.key_bytes);
            reader.error(&element.path, format!("a key of {} bytes", key.len()), allowed);
            continue;
        }
        if let Some(first) = paths.get(&key) {
            let found = format!("{} once more", element.found());
            reader.error(&element.path, found, format!("it stands at {first} already: delete one of them"));
            continue;
        }
        if PLATFORM_KEYS.contains(&key.as_str()) {
            let message = format!("`{key}` is one of the platform's own keys of the state: remember a key of your own");
            reader.warning(&element.path, message);
        }
        paths.insert(key.clone(), element.path);
        keys.push(key);
    }
    (!is_too_long).then_some(keys)
}

/// Retention by key, without mistakes. `state_keys` is none where it is not known what is in it.
fn read_retention_by_key(
    reader: &mut Reader,
    node: &Node<'_>,
    state_keys: Option<&[String]>,
    retention_days: u8,
) -> HashMap<String, u8> {
    let mut by_key = HashMap::new();
    let allowed = "allowed is an object of keys and days, such as {\"cheese_type\": 30}";
    for (key, days) in reader.members(node, allowed).unwrap_or_default() {
        if let Some(state_keys) = state_keys.filter(|state_keys| !state_keys.contains(&key)) {
            let allowed = match reader.nearest(&key, state_keys.iter().map(String::as_str)) {
                Some(nearest) => {
                    format!("did you mean `{}`? List the key in `state_keys`, or drop it", shorten(nearest))
                }
                None => "list the key in `state_keys`, or drop it".to_owned(),
            };
            reader.error(&days.path, format!("`{}`, which is not in `state_keys`", shorten(&key)), allowed);
            continue;
        }
        let allowed = format!("allowed is a number of days from 1 to {retention_days}, which is `retention_days`");
        if let Some(days) = reader.integer(&days, retention_days, &allowed) {
            by_key.insert(key, days);
        }
    }
    by_key
}

const SOURCES: &str = "allowed are \"caller_number\", \"sip_header:NAME\", \"integration_attribute:NAME\", \
                       \"state:KEY\", or a list of these";

/// One source, or a list. None if there was a mistake.
fn read_sources(reader: &mut Reader, node: &Node<'_>) -> Sources {
    if node.found_type() != "a list" {
        return Some(vec![read_source(reader, node)?]);
    }
    let elements = reader.elements(node, SOURCES)?;
    if elements.is_empty() {
        reader.error(&node.path, "an empty list", format!("{SOURCES}; without it, the caller's number identifies"));
        return None;
    }
    let mut sources = IndexSet::new();
    let mut is_whole = true;
    for element in elements {
        match read_source(reader, &element) {
            Some(source) if sources.contains(&source) => {
                let found = format!("{} once more", element.found());
                reader.error(&element.path, found, "name each source once: delete one of them");
                is_whole = false;
            }
            Some(source) => drop(sources.insert(source)),
            None => is_whole = false,
        }
    }
    is_whole.then(|| sources.into_iter().collect())
}

fn read_source(reader: &mut Reader, node: &Node<'_>) -> Option<Source> {
    let text = reader.text(node, SOURCES)?;
    let (kind, name) = text.split_once(':').map_or((text.as_str(), None), |(kind, name)| (kind, Some(name)));
    let source = match (kind, name) {
        ("caller_number", None) => Some(Source::CallerNumber),
        ("sip_header" | "sip_headers", Some(name)) if is_header_name(name) => {
            Some(Source::SipHeader(name.to_ascii_lowercase()))
        }
        ("integration_attribute" | "integration_attributes", Some(name)) if !name.trim().is_empty() => {
            Some(Source::IntegrationAttribute(name.to_owned()))
        }
        ("state", Some(name)) if !name.trim().is_empty() => Some(Source::State(name.to_owned())),
        _ => None,
    };
    if source.is_none() {
        let known = ["caller_number", "sip_header", "integration_attribute", "state"];
        let allowed = match reader.nearest(kind, known).unwrap_or_default() {
            "" => SOURCES.to_owned(),
            "caller_number" => format!("did you mean \"caller_number\"? {SOURCES}"),
            "sip_header" => format!("did you mean \"sip_header:NAME\", with the name of a SIP header? {SOURCES}"),
            "integration_attribute" => {
                format!("did you mean \"integration_attribute:NAME\", with an attribute's name? {SOURCES}")
            }
            _ => format!("did you mean \"state:KEY\", with a key of the state? {SOURCES}"),
        };
        reader.error(&node.path, node.found(), allowed);
    }
    source
}

/// Whether a text can be the name of a SIP header: a token of RFC 3261.
fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || "-.!%*_+`'~".contains(char))
}

/// The sources of both places, which have to mean the same (C2).
fn merge_sources(
    reader: &mut Reader,
    outer: Option<(&Node<'_>, Sources)>,
    inner: Option<(&Node<'_>, Sources)>,
) -> Vec<Source> {
    if let (Some((outer_node, Some(outer))), Some((inner_node, Some(inner)))) = (&outer, &inner)
        && outer != inner
    {
        let found = format!("another source than at {}", outer_node.path);
        reader.error(&inner_node.path, found, "name the source in one place: delete one of them");
    }
    let given = inner.or(outer).and_then(|(_, sources)| sources);
    given.unwrap_or_else(|| vec![Source::CallerNumber])
}

fn read_blacklist(reader: &mut Reader, node: &Node<'_>) -> Vec<(String, String)> {
    let allowed = "allowed is a list of identifiers, such as [\"+447777\", \"+4488*\"]";
    let mut entries = Vec::new();
    for element in reader.secret_elements(node, allowed).unwrap_or_default() {
        let allowed = "allowed is an identifier as a text that is not empty, with a trailing * for a prefix";
        if let Some(entry) = reader.secret_text(&element, allowed) {
            entries.push((element.path, entry));
        }
    }
    entries
}

fn compile_blacklist(reader: &mut Reader, entries: &[(String, String)], sources: &[Source]) -> Blacklist {
    let (blacklist, uses) = Blacklist::new(entries.iter().map(|(_, entry)| entry.as_str()), sources);
    for ((path, _), found) in entries.iter().zip(uses) {
        match found {
            BlacklistEntry::Useful => {}
            BlacklistEntry::MatchesNothing => reader.warning(
                path,
                "this entry never matches, for no identifier of the configured source looks like it: delete it",
            ),
            BlacklistEntry::MatchesEverything => {
                reader.warning(path, "this entry matches every identifier, so that nobody is remembered");
            }
        }
    }
    blacklist
}
