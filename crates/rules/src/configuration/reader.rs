//! Walks over a JSON text, remembers where it is, and collects what is wrong.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::{ConfigurationError, ConfigurationWarning};
use crate::json;

/// A place in the text.
pub(super) struct Node<'a> {
    pub(super) path: String,
    raw: &'a RawValue,
}

/// What has been found so far.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) errors: Vec<ConfigurationError>,
    /// How many there are beside those.
    more_errors: usize,
    pub(super) warnings: Vec<ConfigurationWarning>,
}

/// How much of what was found is shown, in characters.
const SHOWN: usize = 60;

/// How many mistakes are told one by one: nobody reads more, and each takes more room than what it is about.
const ERRORS: usize = 1_000;

/// For how many mistakes the nearest name is looked for, which takes long.
const SUGGESTIONS: usize = 50;

impl<'a> Node<'a> {
    /// The whole of a text, or why it is no JSON.
    pub(super) fn root(source: &'a str) -> Result<Self, serde_json::Error> {
        Ok(Self { path: String::new(), raw: serde_json::from_str(source)? })
    }

    /// What stands there, as far as it can be shown: `a list`, `"text"`, `12`.
    pub(super) fn found(&self) -> String {
        match self.json().as_bytes().first() {
            Some(b'{') => "an object".to_owned(),
            Some(b'[') => "a list".to_owned(),
            _ => shorten(self.json()),
        }
    }

    /// What stands there, by its type alone, where nobody but its author should see more.
    pub(super) fn found_type(&self) -> &'static str {
        match self.json().as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b'"') if text(self).is_none() => "an empty text",
            Some(b'"') => "a text",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        }
    }

    fn json(&self) -> &'a str {
        self.raw.get()
    }

    fn member_path(&self, name: &str) -> String {
        let is_plain = !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || "_-".contains(char));
        match (is_plain, self.path.as_str()) {
            (true, "") => shorten(name),
            (true, path) => format!("{path}.{}", shorten(name)),
            (false, "") => format!("$[{}]", shorten(&json::encode(name))),
            (false, path) => format!("{path}[{}]", shorten(&json::encode(name))),
        }
    }
}

impl Reader {
    /// Notes a mistake.
    pub(super) fn error(&mut self, path: &str, found: impl Into<String>, allowed: impl Into<String>) {
        if self.errors.len() >= ERRORS {
            self.more_errors += 1;
            return;
        }
        let path = if path.is_empty() { "$" } else { path };
        self.errors.push(ConfigurationError { path: path.to_owned(), found: found.into(), allowed: allowed.into() });
    }

    /// All mistakes. The last one counts those that are not told.
    pub(super) fn into_errors(mut self) -> Vec<ConfigurationError> {
        if self.more_errors > 0 {
            let (path, found) = ("$".to_owned(), format!("{} more mistakes", self.more_errors));
            self.errors.push(ConfigurationError { path, found, allowed: "mend those above first".to_owned() });
        }
        self.errors
    }

    /// Of some names the one that looks most like another. None among very many mistakes.
    pub(super) fn nearest<'a>(&self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        if self.errors.len() >= SUGGESTIONS {
            return None;
        }
        // Beyond this, likeness means nothing, and working it out takes long.
        let name: String = name.chars().take(128).collect();
        let likeness = |known| strsim::normalized_damerau_levenshtein(&name, known);
        known.into_iter().max_by(|left, right| likeness(left).total_cmp(&likeness(right)))
    }

    /// Notes what looks wrong.
    pub(super) fn warning(&mut self, path: &str, message: impl Into<String>) {
        self.warnings.push(ConfigurationWarning { path: path.to_owned(), message: message.into() });
    }

    /// The members of an object, each name once.
    pub(super) fn members<'a>(&mut self, node: &Node<'a>, allowed: &str) -> Option<Vec<(String, Node<'a>)>> {
        self.members_where(node, allowed, |_| true)
    }

    /// The members of an object whose names are wanted, each name once. The others are not looked at.
    pub(super) fn members_where<'a>(
        &mut self,
        node: &Node<'a>,
        allowed: &str,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Option<Vec<(String, Node<'a>)>> {
        if !node.json().starts_with('{') {
            self.error(&node.path, node.found(), allowed);
            return None;
        }
        let Some(members) = json::object_members(node.json()) else {
            self.error(&node.path, "a name that is no text (a lone surrogate)", allowed);
            return None;
        };
        let mut names = HashSet::new();
        let mut unique = Vec::new();
        for (name, raw) in members.into_iter().filter(|(name, _)| is_wanted(name)) {
            let member = Node { path: node.member_path(&name), raw };
            if names.insert(name.clone()) {
                unique.push((name, member));
            } else {
                self.error(&member.path, "the same name once more", "give each name once: delete one of them");
            }
        }
        Some(unique)
    }

    /// The elements of a list.
    pub(super) fn elements<'a>(&mut self, node: &Node<'a>, allowed: &str) -> Option<Vec<Node<'a>>> {
        let elements = elements(node);
        if elements.is_none() {
            self.error(&node.path, node.found(), allowed);
        }
        elements
    }

    /// The elements of a list that are not to be shown.
    pub(super) fn secret_elements<'a>(&mut self, node: &Node<'a>, allowed: &str) -> Option<Vec<Node<'a>>> {
        let elements = elements(node);
        if elements.is_none() {
            self.error(&node.path, node.found_type(), allowed);
        }
        elements
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, node: &Node<'_>, allowed: &str) -> Option<String> {
        let text = text(node);
        if text.is_none() {
            self.error(&node.path, node.found(), allowed);
        }
        text
    }

    /// A text that is not empty and is not to be shown.
    pub(super) fn secret_text(&mut self, node: &Node<'_>, allowed: &str) -> Option<String> {
        let text = text(node);
        if text.is_none() {
            self.error(&node.path, node.found_type(), allowed);
        }
        text
    }

    /// A boolean.
    pub(super) fn boolean(&mut self, node: &Node<'_>) -> Option<bool> {
        match node.json() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.error(&node.path, node.found(), "allowed are true and false");
                None
            }
        }
    }

    /// An integer from 1 to a largest.
    pub(super) fn integer(&mut self, node: &Node<'_>, largest: u8, allowed: &str) -> Option<u8> {
        let integer = node.json().parse().ok().filter(|integer| (1..=largest).contains(integer));
        if integer.is_none() {
            self.error(&node.path, node.found(), allowed);
        }
        integer
    }
}

/// A text, cut where it gets too long to be shown.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn elements<'a>(node: &Node<'a>) -> Option<Vec<Node<'a>>> {
    let elements: Vec<&'a RawValue> = serde_json::from_str(node.json()).ok()?;
    let place = |(index, raw)| Node { path: format!("{}[{index}]", node.path), raw };
    Some(elements.into_iter().enumerate().map(place).collect())
}

/// A text that is neither empty nor white space alone.
fn text(node: &Node<'_>) -> Option<String> {
    serde_json::from_str::<String>(node.json()).ok().filter(|text| !text.trim().is_empty())
}
