//! A JSON document whose parts know where they stand in their file.
//!
//! Both YAML and JSON are read into it. Numbers keep the text that they were written with, because memory does (V4).

use std::fmt;

use agent_memory_host::Json;

use super::{json, yaml};
use crate::Mistake;

/// How many objects and arrays may stand inside one another.
pub(crate) const MAX_DEPTH: usize = 128;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Where it begins.
    pub(crate) position: Position,
    /// The value.
    pub(crate) data: Data,
}

/// A value as JSON knows it.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
    /// Something that has been reported as a mistake already. Whoever meets it says nothing more.
    Reported,
}

/// A number, digit by digit.
#[derive(Clone, Debug)]
pub(crate) struct Number {
    /// In JSON's notation.
    pub(crate) json: String,
    /// As its author wrote it, such as `+44`.
    pub(crate) source: String,
}

/// A member of an object.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Its key.
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) position: Position,
    /// Its value.
    pub(crate) value: Node,
}

/// A place in a text, counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// JSON and nothing else.
    Json,
    /// YAML 1.2. What is JSON from beginning to end is read as JSON all the same, which YAML understands a little
    /// differently.
    Yaml,
}

/// Reads a document. None if it cannot be read to its end; mistakes say why.
pub(crate) fn read(text: &str, notation: Notation, mistakes: &mut Vec<Mistake>) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if notation == Notation::Json || json::is_json(text) {
        json::read(text, mistakes)
    } else {
        yaml::read(text, mistakes)
    }
}

/// Reads a JSON text for comparing it. None if it nests deeper than [`MAX_DEPTH`].
pub(crate) fn of_json(json: &Json) -> Option<Data> {
    json::read(json.as_str(), &mut Vec::new()).map(|node| node.data)
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// A mistake at this place.
    pub(crate) fn mistake(self, message: impl Into<String>) -> Mistake {
        Mistake { line: self.line, column: self.column, message: message.into() }
    }
}

impl Data {
    /// Whether both are the same: objects by key, numbers by their exact text.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Boolean(one), Self::Boolean(two)) => one == two,
            (Self::Number(one), Self::Number(two)) => one.json == two.json,
            (Self::Text(one), Self::Text(two)) => one == two,
            (Self::List(one), Self::List(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.data.same(&two.data))
            }
            (Self::Object(one), Self::Object(two)) => {
                let (one, two) = (sorted(one), sorted(two));
                one.len() == two.len()
                    && one.iter().zip(&two).all(|(one, two)| one.key == two.key && one.value.data.same(&two.value.data))
            }
            _ => false,
        }
    }

    /// As JSON on one line.
    pub(crate) fn to_json(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, None);
        text
    }

    /// As JSON with a line for each member, and the members of objects ordered by key.
    pub(crate) fn to_pretty_json(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, Some(0));
        text
    }

    /// What it is, in words, with the value where that is short.
    pub(crate) fn described(&self) -> String {
        match self {
            Self::Null => "nothing".into(),
            Self::Boolean(value) => format!("`{value}`"),
            Self::Number(number) => format!("the number {}", number.source),
            Self::Text(text) if text.chars().count() <= 60 => format!("the text {text:?}"),
            Self::Text(_) => "a long text".into(),
            Self::List(_) => "a list".into(),
            Self::Object(_) => "an object".into(),
            Self::Reported => "something else".into(),
        }
    }

    /// How deep it nests: 0 for what has no members.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::List(items) => 1 + items.iter().map(|item| item.data.depth()).max().unwrap_or(0),
            Self::Object(members) => 1 + members.iter().map(|member| member.value.data.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// How many values it has, itself included.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::List(items) => 1 + items.iter().map(|item| item.data.size()).sum::<usize>(),
            Self::Object(members) => 1 + members.iter().map(|member| member.value.data.size()).sum::<usize>(),
            _ => 1,
        }
    }

    /// Writes it on one line, or in lines that are indented from this level on.
    fn write(&self, out: &mut String, level: Option<usize>) {
        match self {
            Self::Null | Self::Reported => out.push_str("null"),
            Self::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => out.push_str(&number.json),
            Self::Text(text) => out.push_str(&quoted(text)),
            Self::List(items) => {
                let items = items.iter().map(|item| (None, &item.data));
                write_members(out, level, ['[', ']'], items);
            }
            Self::Object(members) => {
                let ordered = if level.is_some() { sorted(members) } else { members.iter().collect() };
                let members = ordered.into_iter().map(|member| (Some(member.key.as_str()), &member.value.data));
                write_members(out, level, ['{', '}'], members);
            }
        }
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

/// A text in JSON's notation.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The members ordered by key. Of members with the same key the last one counts, as everywhere in JSON.
fn sorted(members: &[Member]) -> Vec<&Member> {
    let by_key: std::collections::BTreeMap<_, _> = members.iter().map(|member| (&member.key, member)).collect();
    by_key.into_values().collect()
}

fn write_members<'a>(
    out: &mut String,
    level: Option<usize>,
    [open, close]: [char; 2],
    members: impl Iterator<Item = (Option<&'a str>, &'a Data)>,
) {
    let line = |out: &mut String, level: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", level));
    };
    out.push(open);
    let mut first = true;
    for (key, data) in members {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        if let Some(level) = level {
            line(out, level + 1);
        }
        if let Some(key) = key {
            out.push_str(&quoted(key));
            out.push_str(if level.is_some() { ": " } else { ":" });
        }
        data.write(out, level.map(|level| level + 1));
    }
    if let Some(level) = level.filter(|_| !first) {
        line(out, level);
    }
    out.push(close);
}
