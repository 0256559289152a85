//! Takes a document apart and collects every mistake on the way.
//!
//! A method that finds a mistake records it and answers `None`, so that reading goes on behind it.

use agent_memory_host::Json;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use super::document::{Data, Member, Node, Position};
use crate::Mistake;

/// Collects mistakes.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) mistakes: Vec<Mistake>,
}

/// The members of an object of known keys.
pub(crate) struct Members<'n> {
    members: &'n [Member],
    /// Whether a key was not known: it may be a misspelt one that is then missed elsewhere.
    pub(crate) has_unknown: bool,
}

impl<'n> Members<'n> {
    /// The value under a key. `null` counts as not given.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.get_or_null(key).filter(|node| !matches!(node.data, Data::Null))
    }

    /// The value under a key, `null` included.
    pub(crate) fn get_or_null(&self, key: &str) -> Option<&'n Node> {
        self.members.iter().find(|member| member.key == key).map(|member| &member.value)
    }
}

impl Reader {
    /// Records a mistake.
    pub(crate) fn mistake(&mut self, position: Position, message: impl Into<String>) {
        self.mistakes.push(position.mistake(message));
    }

    /// Records that something else was found than what is allowed.
    pub(crate) fn unexpected(&mut self, node: &Node, what: &str, allowed: &str) {
        if !matches!(node.data, Data::Reported) {
            self.mistake(node.position, format!("{what}: found {}; allowed: {allowed}", node.data.described()));
        }
    }

    /// An object that has no other keys than these, each at most once.
    pub(crate) fn object<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Option<Members<'n>> {
        let members = self.members(node, what)?;
        let mut has_unknown = false;
        for member in members {
            if !known.contains(&member.key.as_str()) {
                let allowed = known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
                let message = match nearest(&member.key, known) {
                    Some(nearest) => {
                        format!("unknown key `{}`; did you mean `{nearest}`? allowed here: {allowed}", member.key)
                    }
                    None => format!("unknown key `{}`; allowed here: {allowed}", member.key),
                };
                self.mistake(member.position, message);
                has_unknown = true;
            }
        }
        Some(Members { members, has_unknown })
    }

    /// An object of any keys, each at most once.
    pub(crate) fn members<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Member]> {
        let Data::Object(members) = &node.data else {
            self.unexpected(node, what, "an object");
            return None;
        };
        self.report_duplicates(node);
        Some(members)
    }

    /// A list.
    pub(crate) fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        let Data::List(items) = &node.data else {
            self.unexpected(node, what, "a list");
            return None;
        };
        Some(items)
    }

    /// A text.
    pub(crate) fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.data {
            Data::Text(text) => return Some(text.clone()),
            Data::Number(number) => {
                self.unexpected(node, what, &format!("text; write it in quotes: \"{}\"", number.source));
            }
            Data::Boolean(value) => self.unexpected(node, what, &format!("text; write it in quotes: \"{value}\"")),
            _ => self.unexpected(node, what, "text"),
        }
        None
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, node: &Node, what: &str) -> Option<Vec<String>> {
        let items = self.list(node, what)?;
        items.iter().map(|item| self.text(item, what)).collect::<Vec<_>>().into_iter().collect()
    }

    /// An object whose values are texts, in its own order.
    pub(crate) fn text_members(&mut self, node: &Node, what: &str) -> Option<Vec<(String, String)>> {
        let members = self.members(node, what)?;
        let texts = members.iter().map(|member| {
            let text = self.text(&member.value, &format!("{what} `{}`", member.key))?;
            Some((member.key.clone(), text))
        });
        texts.collect::<Vec<_>>().into_iter().collect()
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        let Data::Boolean(value) = node.data else {
            self.unexpected(node, what, "`true` or `false`");
            return None;
        };
        Some(value)
    }

    /// Any value, as JSON.
    pub(crate) fn json(&mut self, node: &Node) -> Option<Json> {
        self.report_duplicates_within(node);
        match Json::parse(node.data.to_json()) {
            Ok(json) => Some(json),
            Err(error) => {
                self.mistake(node.position, format!("this cannot be written as JSON: {error}"));
                None
            }
        }
    }

    /// An object of any values, as JSON.
    pub(crate) fn json_object(&mut self, node: &Node, what: &str) -> Option<Json> {
        let Data::Object(_) = node.data else {
            self.unexpected(node, what, "an object");
            return None;
        };
        self.json(node)
    }

    /// An object of any values, member by member.
    pub(crate) fn json_members(&mut self, node: &Node, what: &str) -> Option<Vec<(String, Json)>> {
        let members = self.members(node, what)?;
        let values = members.iter().map(|member| Some((member.key.clone(), self.json(&member.value)?)));
        values.collect::<Vec<_>>().into_iter().collect()
    }

    /// A time.
    pub(crate) fn time(&mut self, node: &Node, what: &str) -> Option<Timestamp> {
        const ALLOWED: &str = "a time as in RFC 3339, such as 2026-03-02T10:20:00Z";
        match &node.data {
            Data::Text(text) => {
                let time = text.parse().ok();
                if time.is_none() {
                    self.unexpected(node, what, ALLOWED);
                }
                time
            }
            _ => {
                self.unexpected(node, what, ALLOWED);
                None
            }
        }
    }

    /// A length of time that is not negative. A day has 24 hours.
    pub(crate) fn duration(&mut self, node: &Node, what: &str) -> Option<SignedDuration> {
        let Data::Text(text) = &node.data else {
            self.unexpected(node, what, "a length of time with its unit, such as 30s, 5m, 1h30m or 2d");
            return None;
        };
        let duration = text.parse::<Span>().ok();
        let duration = duration.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
        match duration.filter(|duration| !duration.is_negative()) {
            Some(duration) => Some(duration),
            None => {
                self.unexpected(node, what, "a length of time such as 500ms, 30s, 5m, 1h30m or 2d");
                None
            }
        }
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let found = match &node.data {
            Data::Text(text) => words.iter().find(|(word, _)| word == text),
            _ => None,
        };
        if found.is_none() {
            let allowed = words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let hint = match &node.data {
                Data::Text(text) => nearest(text, &known).map(|word| format!(" (did you mean `{word}`?)")),
                _ => None,
            };
            self.unexpected(node, what, &format!("{allowed}{}", hint.unwrap_or_default()));
        }
        found.map(|(_, value)| *value)
    }

    fn report_duplicates_within(&mut self, node: &Node) {
        self.report_duplicates(node);
        match &node.data {
            Data::List(items) => items.iter().for_each(|item| self.report_duplicates_within(item)),
            Data::Object(members) => members.iter().for_each(|member| self.report_duplicates_within(&member.value)),
            _ => {}
        }
    }

    fn report_duplicates(&mut self, node: &Node) {
        let Data::Object(members) = &node.data else { return };
        let mut first = std::collections::HashMap::new();
        for member in members {
            if let Some(line) = first.insert(&member.key, member.position.line) {
                let message = format!("the key `{}` stands here twice, first in line {line}", member.key);
                self.mistake(member.position, message);
            }
        }
    }
}

/// The known word that somebody most probably meant.
fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let normal = |word: &str| word.to_lowercase().replace('-', "_");
    let word = normal(word);
    let scored = known.iter().map(|known| (strsim::normalized_damerau_levenshtein(&word, &normal(known)), *known));
    let best = scored.max_by(|(one, _), (two, _)| one.total_cmp(two))?;
    (best.0 >= 0.5).then_some(best.1)
}
