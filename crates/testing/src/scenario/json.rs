//! Reads JSON into a document.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::document::{Data, MAX_DEPTH, Member, Node, Number, Position};
use crate::Mistake;

/// Whether the text is JSON from its beginning to its end.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Reads a JSON text. None if it is none or nests too deep; mistakes say why.
pub(crate) fn read(text: &str, mistakes: &mut Vec<Mistake>) -> Option<Node> {
    let mut reader = Reader { text, lines: line_starts(text), mistakes };
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => reader.node(raw, 0),
        Err(error) => {
            let position = reader.position_of(&error);
            let message = error.to_string();
            // Where it is stands before the message already.
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
            reader.mistakes.push(position.mistake(format!("this is no JSON: {message}")));
            None
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    lines: Vec<usize>,
    mistakes: &'a mut Vec<Mistake>,
}

/// The members of an object, as texts that are parts of the whole and so have a place in it.
struct RawMembers<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'a> Reader<'a> {
    fn node(&mut self, raw: &'a RawValue, depth: usize) -> Option<Node> {
        let position = self.position(raw);
        let text = raw.get();
        if depth > MAX_DEPTH {
            self.mistakes.push(position.mistake(format!("nested deeper than {MAX_DEPTH} levels")));
            return None;
        }
        let data = match text.as_bytes().first() {
            Some(b'n') => Data::Null,
            Some(b't') => Data::Boolean(true),
            Some(b'f') => Data::Boolean(false),
            Some(b'"') => self.text(raw).map_or(Data::Reported, Data::Text),
            Some(b'[') => {
                let items = serde_json::from_str::<Vec<&RawValue>>(text).ok()?;
                Data::List(items.into_iter().map(|item| self.node(item, depth + 1)).collect::<Option<_>>()?)
            }
            Some(b'{') => {
                let RawMembers(members) = serde_json::from_str(text).ok()?;
                Data::Object(self.members(members, depth)?)
            }
            _ => Data::Number(Number { json: text.to_owned(), source: text.to_owned() }),
        };
        Some(Node { position, data })
    }

    fn members(&mut self, raw: Vec<(&'a RawValue, &'a RawValue)>, depth: usize) -> Option<Vec<Member>> {
        let mut members = Vec::with_capacity(raw.len());
        for (key, value) in raw {
            let position = self.position(key);
            let value = self.node(value, depth + 1)?;
            if let Some(key) = self.text(key) {
                members.push(Member { key, position, value });
            }
        }
        Some(members)
    }

    fn text(&mut self, raw: &RawValue) -> Option<String> {
        let text = serde_json::from_str(raw.get());
        if text.is_err() {
            let message = "this text holds half of a UTF-16 surrogate pair, which stands for no character";
            self.mistakes.push(self.position(raw).mistake(message));
        }
        text.ok()
    }

    /// Where an error is, in characters: it counts the bytes of its line.
    fn position_of(&self, error: &serde_json::Error) -> Position {
        let line = error.line().max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let end = self.text.floor_char_boundary(start + error.column().saturating_sub(1));
        let column = self.text.get(start..end).map_or(0, |before| before.chars().count()) + 1;
        Position { line, column }
    }

    fn position(&self, raw: &RawValue) -> Position {
        let offset = (raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|line| self.lines.get(line)).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Position { line, column }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawMembers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(&'de RawValue, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Members).map(RawMembers)
    }
}

/// The offset at which each line begins.
fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(offset, _)| offset + 1)).collect()
}
