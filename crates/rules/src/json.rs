//! JSON as text. Values are never parsed into numbers, so that each keeps its exact digits (V4).

use std::fmt;
use std::ops::Range;

use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How many objects and arrays may stand inside one another.
pub const MAX_LEVELS: usize = 128;

/// A JSON text, as somebody else says. What takes one checks it.
///
/// Its `Debug` shows only the length, for the text may be a remembered value.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(pub String);

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({} bytes)", self.0.len())
    }
}

impl<T: Into<String>> From<T> for Json {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

/// Takes the white space from around a JSON text, or says what is wrong with it, without quoting it.
pub(crate) fn check(Json(mut text): Json) -> Result<Json, String> {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(&text) {
        return Err(error.to_string());
    }
    let mut levels = 0_usize;
    for token in tokens(&text) {
        match token {
            Token::Open => {
                levels += 1;
                if levels > MAX_LEVELS {
                    return Err(format!("more than {MAX_LEVELS} levels of objects and arrays"));
                }
            }
            Token::Close => levels = levels.saturating_sub(1),
            // The check above lets pass what stands for half a character; such a text can be read by few.
            Token::Text { raw, .. } if raw.contains('\\') && decode(raw).is_none() => {
                return Err("a text has an escape that stands for half a character (a lone surrogate)".to_owned());
            }
            Token::Text { .. } | Token::Comma => {}
        }
    }
    let end = text.trim_end_matches(WHITE_SPACE).len();
    text.truncate(end);
    let start = text.len() - text.trim_start_matches(WHITE_SPACE).len();
    text.drain(..start);
    Ok(Json(text))
}

/// The JSON Pointer of the first member that is itself an object or an array.
pub(crate) fn nested_member(valid: &str) -> Option<String> {
    let mut is_inside = false;
    let mut index = 0_usize;
    let mut member = None;
    for token in tokens(valid) {
        match token {
            Token::Open if is_inside => {
                let name = member.and_then(decode).unwrap_or_else(|| index.to_string());
                return Some(format!("/{}", name.replace('~', "~0").replace('/', "~1")));
            }
            Token::Open => is_inside = true,
            Token::Comma => index += 1,
            Token::Text { raw, is_name: true, .. } => member = Some(raw),
            Token::Text { .. } | Token::Close => {}
        }
    }
    None
}

/// The text with every string in it replaced for which `replace` has something else. None if it has for none. Names
/// of members are left alone, and all else stays byte for byte.
pub(crate) fn replace_strings(valid: &str, replace: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut replaced = String::new();
    let mut copied = 0;
    for token in tokens(valid) {
        let Token::Text { raw, range, is_name: false } = token else { continue };
        let Some(text) = decode(raw).and_then(|text| replace(&text)) else { continue };
        replaced.push_str(valid.get(copied..range.start).unwrap_or_default());
        replaced.push_str(&encode(&text));
        copied = range.end;
    }
    (copied > 0).then(|| {
        replaced.push_str(valid.get(copied..).unwrap_or_default());
        replaced
    })
}

/// What a JSON text or integer says, as text. None for anything else.
pub(crate) fn text_or_integer(valid: &str) -> Option<String> {
    if valid.starts_with('"') {
        return decode(valid);
    }
    let digits = valid.strip_prefix('-').unwrap_or(valid);
    let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_integer.then(|| valid.to_owned())
}

/// The members of a JSON object, in their order. None if the text is no JSON object.
pub(crate) fn object_members(text: &str) -> Option<Vec<(String, &RawValue)>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer.deserialize_map(Members).ok()?;
    deserializer.end().ok()?;
    Some(members)
}

/// A text as JSON, with its quotation marks.
pub(crate) fn encode(text: &str) -> String {
    // Only a writer can fail, and this one is a string.
    serde_json::to_string(text).unwrap_or_default()
}

const WHITE_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// What a string with its quotation marks says. None if it has an escape for half a character.
fn decode(raw: &str) -> Option<String> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(raw).ok() } else { Some(inner.to_owned()) }
}

/// Reads an object's members, and all of them where a name is given twice.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, &'de RawValue)>;

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

enum Token<'a> {
    Open,
    Close,
    Comma,
    Text { raw: &'a str, range: Range<usize>, is_name: bool },
}

/// The tokens of a valid JSON text that matter here: all but colons, numbers, `true`, `false` and `null`.
fn tokens(valid: &str) -> Tokens<'_> {
    Tokens { text: valid, position: 0 }
}

struct Tokens<'a> {
    text: &'a str,
    position: usize,
}

impl Tokens<'_> {
    fn byte(&self, position: usize) -> Option<u8> {
        self.text.as_bytes().get(position).copied()
    }

    /// Where the string ends whose quotation mark stands at `start`.
    fn end_of_string(&self, start: usize) -> usize {
        let mut position = start + 1;
        while let Some(byte) = self.byte(position) {
            match byte {
                b'"' => return position + 1,
                b'\\' => position += 2,
                _ => position += 1,
            }
        }
        self.text.len()
    }

    /// Whether what ends here is a member's name: in valid JSON nothing else is followed by a colon.
    fn is_name(&self, end: usize) -> bool {
        let rest = self.text.as_bytes().get(end..).unwrap_or_default();
        rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let start = self.position;
            let byte = self.byte(start)?;
            self.position = start + 1;
            match byte {
                b'{' | b'[' => return Some(Token::Open),
                b'}' | b']' => return Some(Token::Close),
                b',' => return Some(Token::Comma),
                b'"' => {
                    let end = self.end_of_string(start);
                    self.position = end;
                    let raw = self.text.get(start..end).unwrap_or_default();
                    return Some(Token::Text { raw, range: start..end, is_name: self.is_name(end) });
                }
                _ => {}
            }
        }
    }
}
