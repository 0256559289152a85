//! Reads YAML 1.2 into a document, by the core schema.
//!
//! The parser's events are taken one by one, not its ready-made tree: so depth is limited before anything recurses,
//! aliases cannot multiply without end, and a key that stands twice is a mistake beside the others.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::document::{Data, MAX_DEPTH, Member, Node, Number, Position};
use crate::Mistake;

/// How many values aliases may add to a document.
const MAX_ALIASED: usize = 100_000;

/// Reads a YAML text of one document. None if it cannot be read to its end; mistakes say why.
pub(crate) fn read(text: &str, mistakes: &mut Vec<Mistake>) -> Option<Node> {
    let mut builder = Builder { mistakes, stack: Vec::new(), anchors: HashMap::new(), aliased: 0, root: None };
    let mut documents = 0_usize;
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                let position = position(span.start);
                if matches!(event, Event::DocumentStart(_)) {
                    documents += 1;
                    if documents > 1 {
                        builder.mistakes.push(position.mistake("a second document begins; one file is one scenario"));
                        return builder.root;
                    }
                }
                builder.take(event, position).map_err(|mistake| builder.mistakes.push(mistake)).ok()?;
            }
            Err(error) => {
                let message = format!("this is no YAML: {}", error.info());
                builder.mistakes.push(within(text, position(*error.marker())).mistake(message));
                return None;
            }
        }
    }
    Some(builder.root.unwrap_or(Node { position: Position::START, data: Data::Null }))
}

/// Puts a document together.
struct Builder<'m> {
    mistakes: &'m mut Vec<Mistake>,
    stack: Vec<Open>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
    root: Option<Node>,
}

/// A list or an object whose end has not been reached.
struct Open {
    position: Position,
    anchor: usize,
    members: OpenMembers,
}

enum OpenMembers {
    List(Vec<Node>),
    Object { members: Vec<Member>, key: Option<(String, Position)> },
}

impl Builder<'_> {
    /// Takes the next event. A mistake that is given back ends the reading.
    fn take(&mut self, event: Event<'_>, position: Position) -> Result<(), Mistake> {
        match event {
            Event::SequenceStart(anchor, tag) => {
                self.check_collection_tag(tag.as_deref(), "seq", position);
                self.open(Open { position, anchor, members: OpenMembers::List(Vec::new()) })
            }
            Event::MappingStart(anchor, tag) => {
                self.check_collection_tag(tag.as_deref(), "map", position);
                self.open(Open { position, anchor, members: OpenMembers::Object { members: Vec::new(), key: None } })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.stack.pop() {
                    let data = match open.members {
                        OpenMembers::List(items) => Data::List(items),
                        OpenMembers::Object { members, .. } => Data::Object(members),
                    };
                    self.close(Node { position: open.position, data }, open.anchor);
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                if self.awaits_key() {
                    if anchor > 0 {
                        self.anchors.insert(anchor, Node { position, data: Data::Text(text.to_string()) });
                    }
                    self.key(text.into_owned(), style, position);
                } else {
                    let data = self.scalar(&text, style, tag.as_deref(), position);
                    self.close(Node { position, data }, anchor);
                }
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, position),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn open(&mut self, open: Open) -> Result<(), Mistake> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(open.position.mistake(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.stack.push(open);
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn close(&mut self, node: Node, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return;
        };
        match &mut open.members {
            OpenMembers::List(items) => items.push(node),
            OpenMembers::Object { members, key } => match key.take() {
                Some((key, position)) => members.push(Member { key, position, value: node }),
                None => {
                    self.mistakes.push(node.position.mistake("a list or an object cannot be a key; write a text"));
                    *key = Some((String::new(), node.position));
                }
            },
        }
    }

    fn alias(&mut self, anchor: usize, position: Position) -> Result<(), Mistake> {
        if self.awaits_key() {
            return Err(position.mistake("an alias cannot be a key; write the text"));
        }
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(position.mistake("this alias refers to what it is itself a part of"));
        };
        self.aliased += node.data.size();
        if self.aliased > MAX_ALIASED || self.stack.len() + node.data.depth() > MAX_DEPTH {
            return Err(position.mistake("aliases make this document too large; write out less"));
        }
        let node = Node { position, data: node.data.clone() };
        self.close(node, 0);
        Ok(())
    }

    fn awaits_key(&self) -> bool {
        matches!(self.stack.last(), Some(Open { members: OpenMembers::Object { key: None, .. }, .. }))
    }

    fn key(&mut self, text: String, style: ScalarStyle, position: Position) {
        if text == "<<" && style == ScalarStyle::Plain {
            self.mistakes.push(position.mistake("YAML 1.2 has no merge key `<<`; write the members out"));
        }
        if let Some(Open { members: OpenMembers::Object { key, .. }, .. }) = self.stack.last_mut() {
            *key = Some((text, position));
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, position: Position) -> Data {
        let resolved = |text| if style == ScalarStyle::Plain { resolve(text) } else { Ok(Data::Text(text.to_owned())) };
        let data = match tag {
            None => resolved(text),
            Some(tag) if tag.is_yaml_core_schema() => match (tag.suffix.as_str(), resolve(text)) {
                ("str", _) => Ok(Data::Text(text.to_owned())),
                ("null", Ok(data @ Data::Null)) => Ok(data),
                ("bool", Ok(data @ Data::Boolean(_))) => Ok(data),
                ("int" | "float", data @ (Ok(Data::Number(_)) | Err(_))) => data,
                (suffix, _) => Err(format!("the tag `!!{suffix}` does not fit {:?}", shortened(text))),
            },
            Some(tag) if tag.suffix.is_empty() => Ok(Data::Text(text.to_owned())),
            Some(tag) => Err(unknown_tag(tag)),
        };
        data.unwrap_or_else(|message| {
            self.mistakes.push(position.mistake(message));
            Data::Reported
        })
    }

    fn check_collection_tag(&mut self, tag: Option<&Tag>, own: &str, position: Position) {
        if let Some(tag) = tag.filter(|tag| !(tag.is_yaml_core_schema() && tag.suffix == own)) {
            self.mistakes.push(position.mistake(unknown_tag(tag)));
        }
    }
}

/// What a plain scalar means by the core schema.
fn resolve(text: &str) -> Result<Data, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Ok(Data::Null),
        "true" | "True" | "TRUE" => Ok(Data::Boolean(true)),
        "false" | "False" | "FALSE" => Ok(Data::Boolean(false)),
        ".nan" | ".NaN" | ".NAN" => Err(format!("`{text}` has no counterpart in JSON")),
        _ if matches!(text.trim_start_matches(['-', '+']), ".inf" | ".Inf" | ".INF") => {
            Err(format!("`{text}` has no counterpart in JSON"))
        }
        _ => match number(text) {
            Some(json) => Ok(Data::Number(Number { json: json?, source: text.to_owned() })),
            None => Ok(Data::Text(text.to_owned())),
        },
    }
}

/// A number in JSON's notation, every digit kept. None if it is no number by the core schema.
fn number(text: &str) -> Option<Result<String, String>> {
    let radix = |digits: &str, radix: u32| {
        (!digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix))).then(|| {
            let number = u128::from_str_radix(digits, radix);
            number.map(|number| number.to_string()).map_err(|_| "this number is too long; write it in decimal".into())
        })
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    decimal(text).map(Ok)
}

fn decimal(text: &str) -> Option<String> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, rest) = digits(rest);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => {
            let (fraction, rest) = digits(rest);
            (Some(fraction), rest)
        }
        None => (None, rest),
    };
    if whole.is_empty() && fraction.unwrap_or_default().is_empty() {
        return None;
    }
    if !rest.is_empty() {
        let exponent = rest.strip_prefix(['e', 'E'])?;
        let (exponent, rest) = digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
        if exponent.is_empty() || !rest.is_empty() {
            return None;
        }
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let fraction = fraction.map(|digits| format!(".{}", if digits.is_empty() { "0" } else { digits }));
    Some(format!("{sign}{whole}{}{rest}", fraction.unwrap_or_default()))
}

/// The decimal digits at the beginning, and what follows them.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len()))
}

fn unknown_tag(tag: &Tag) -> String {
    format!("the tag `{tag}` is not understood; write the value without it")
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

fn position(marker: Marker) -> Position {
    Position { line: marker.line().max(1), column: marker.col() + 1 }
}

/// The position in the text. The parser counts a comment in bytes, so a byte order mark within one, which is an error, may
/// seem to be behind the end of its line.
fn within(text: &str, Position { line, column }: Position) -> Position {
    let line_text = text.split('\n').flat_map(|text| text.strip_suffix('\r').unwrap_or(text).split('\r')).nth(line - 1);
    let end = line_text.map_or(0, |text| text.chars().count()) + 1;
    Position { line, column: column.min(end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(yaml: &str) -> String {
        let mut mistakes = Vec::new();
        let node = read(yaml, &mut mistakes);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        node.unwrap().data.to_json()
    }

    #[test]
    fn an_error_behind_other_letters_has_its_place_in_the_line() {
        let texts = [("# ⚍⚍ \u{feff}", 1, 6..=7), ("a: 1\r\nb: ⚍⚍⚍ # ⚍ \u{feff}x", 2, 12..=13)];
        for (yaml, line, columns) in texts {
            let mut mistakes = Vec::new();
            assert!(read(yaml, &mut mistakes).is_none(), "{yaml:?}");
            let [mistake] = mistakes.as_slice() else { panic!("{mistakes:?}") };
            assert_eq!(mistake.line, line, "{mistake:?}");
            assert!(columns.contains(&mistake.column), "{mistake:?}");
        }
    }

    #[test]
    fn v4_numbers_keep_their_digits() {
        for (yaml, expected) in [
            ("1.0", "1.0"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("1.10e5", "1.10e5"),
            ("-0", "-0"),
            ("+7", "7"),
            ("007", "7"),
            (".5", "0.5"),
            ("1.", "1.0"),
            ("0x1F", "31"),
            ("0o17", "15"),
        ] {
            assert_eq!(json(yaml), expected, "{yaml}");
        }
    }

    #[test]
    fn the_core_schema_decides_what_is_a_text() {
        for text in ["yes", "no", "on", "1_000", "12:30", "2026-03-02T10:20:00Z", "0b1", "1e", "-a", ".", "e5", "0x"] {
            assert_eq!(json(text), format!("{text:?}"), "{text}");
        }
        assert_eq!(json("[null, ~, true, 'true', \"1\", !!str 1, !!int 1]"), r#"[null,null,true,"true","1","1",1]"#);
    }

    #[test]
    fn aliases_stand_for_what_they_name() {
        assert_eq!(json("a: &x {k: 1.0}\nb: *x"), r#"{"a":{"k":1.0},"b":{"k":1.0}}"#);
    }

    #[test]
    fn aliases_cannot_multiply_without_end() {
        let mut yaml = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let previous = format!("*a{}, ", level - 1).repeat(10);
            yaml.push_str(&format!("a{level}: &a{level} [{previous}]\n"));
        }
        let mut mistakes = Vec::new();
        assert!(read(&yaml, &mut mistakes).is_none());
        assert!(mistakes[0].message.contains("aliases make this document too large"), "{mistakes:?}");
    }

    #[test]
    fn depth_is_limited_in_both_styles() {
        for yaml in ["[".repeat(200), "- ".repeat(200) + "x", "{a: ".repeat(200), "- ".repeat(100_000)] {
            let mut mistakes = Vec::new();
            assert!(read(&yaml, &mut mistakes).is_none());
            assert!(mistakes[0].message.contains("nested deeper than 128 levels"), "{mistakes:?}");
        }
        // Here the scanner's own limit comes first.
        let mut mistakes = Vec::new();
        assert!(read(&"[".repeat(100_000), &mut mistakes).is_none());
        assert!(mistakes[0].message.contains("recursion limit"), "{mistakes:?}");
    }
}
