//! Values to JSON texts and back.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor, value};
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::error::Category;
use thiserror::Error;

use crate::RawValue;

/// Why a value of the conversation could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadError {
    /// The value does not fit the type that was asked for.
    #[error("`{key}` in {place} does not fit: {problem}")]
    Mismatch {
        /// Where the value stands, such as `memory`.
        place: &'static str,
        /// Its key.
        key: String,
        /// What does not fit.
        problem: JsonProblem,
    },
    /// The value is opaque.
    #[error("`{key}` in state is an opaque `{type_name}`: read it with `State::value`")]
    Opaque {
        /// The value's key.
        key: String,
        /// Its type's name.
        type_name: String,
    },
}

/// Why a value could not be made from JSON or written as JSON: the member that it is about and what `serde` says,
/// without the value itself.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct JsonProblem(String);

impl ReadError {
    pub(crate) fn mismatch(place: &'static str, key: &str, problem: JsonProblem) -> Self {
        Self::Mismatch { place, key: key.to_owned(), problem }
    }
}

/// Writes a value as JSON.
pub(crate) fn encode(value: &(impl Serialize + ?Sized)) -> Result<String, JsonProblem> {
    serde_json::to_string(value).map_err(|problem| JsonProblem(problem.to_string()))
}

/// Reads a value from JSON.
pub(crate) fn decode<T: DeserializeOwned>(text: &str) -> Result<T, JsonProblem> {
    // To keep track of the path takes longer than the reading itself, and only a problem needs it.
    serde_json::from_str(text).or_else(|_| decode_with_path(text))
}

/// Reads a value from a text that is JSON by the contract. Nearly all are plain strings, of which there is nothing to
/// understand.
pub(crate) fn decode_valid<T: DeserializeOwned>(text: &str) -> Result<T, JsonProblem> {
    let plain = plain_string(text).and_then(|plain| T::deserialize(Plain(plain)).ok());
    plain.map_or_else(|| decode(text), Ok)
}

/// What a valid JSON text says, if it is a string without an escape.
fn plain_string(valid: &str) -> Option<&str> {
    let inner = valid.strip_prefix('"')?.strip_suffix('"')?;
    (!has_backslash(inner.as_bytes())).then_some(inner)
}

/// Whether there is a backslash among bytes. Eight are looked at at a time: a byte becomes zero that is one, and the
/// highest bit of a zero byte, and of no other before the first, becomes set.
fn has_backslash(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let (eights, rest) = bytes.as_chunks::<8>();
    let has = |eight: &[u8; 8]| {
        let difference = u64::from_ne_bytes(*eight) ^ (ONES * u64::from(b'\\'));
        difference.wrapping_sub(ONES) & !difference & (ONES << 7) != 0
    };
    eights.iter().any(has) || rest.contains(&b'\\')
}

/// A string without an escape, as `serde` wants to be given it. Of all that asks for something else `serde_json` has to
/// say what it makes of a string.
struct Plain<'a>(&'a str);

impl<'de> Deserializer<'de> for Plain<'de> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, _: V) -> Result<V::Value, Self::Error> {
        Err(value::Error::custom(name))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        Err(value::Error::custom(name))
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(value::Error::custom("bytes"))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(value::Error::custom("bytes"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string unit unit_struct seq tuple tuple_struct map
        struct identifier ignored_any
    }
}

fn decode_with_path<T: DeserializeOwned>(text: &str) -> Result<T, JsonProblem> {
    let mut source = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut source).map_err(|problem| {
        let path = problem.path().to_string();
        match problem.into_inner() {
            problem if problem.classify() != Category::Data => JsonProblem(problem.to_string()),
            problem if path == "." => JsonProblem(without_the_value(&problem)),
            problem => JsonProblem(format!("`{path}`: {}", without_the_value(&problem))),
        }
    })?;
    source.end().map_err(|problem| JsonProblem(problem.to_string()))?;
    Ok(value)
}

/// An object of members that cannot fail to be written.
pub(crate) fn object(members: &BTreeMap<String, impl Serialize>) -> String {
    encode(members).unwrap_or_else(|_| "{}".to_owned())
}

/// A member of an object, or none of that name.
pub(crate) fn member<T: DeserializeOwned>(
    object: &RawValue,
    name: &str,
    place: &'static str,
) -> Result<Option<T>, ReadError> {
    let mismatch = |problem| ReadError::mismatch(place, name, problem);
    let members: BTreeMap<String, Box<RawValue>> = decode(object.get()).map_err(mismatch)?;
    members.get(name).map(|value| decode(value.get()).map_err(mismatch)).transpose()
}

/// A text of the contract that is JSON by the contract.
#[expect(clippy::panic, reason = "the host broke the contract, and nothing that the author wrote can go on")]
pub(crate) fn raw(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|_| panic!("the host sent a text that is no JSON"))
}

/// What `serde` says of a value that does not fit, without its quotation of the value: that may be personal, and error
/// messages are logged and shown to others.
///
/// `serde` tells these things apart in the text alone: `invalid type: string "brie", expected u64`.
fn without_the_value(problem: &serde_json::Error) -> String {
    let message = problem.to_string();
    let place = format!(" at line {} column {}", problem.line(), problem.column());
    let message = message.strip_suffix(&place).unwrap_or(&message);
    let quotes_the_value =
        ["invalid type: ", "invalid value: ", "unknown variant "].iter().any(|start| message.starts_with(start));
    match message.rsplit_once(", expected ") {
        Some((found, expected)) if quotes_the_value => {
            let found = found.split(['`', '"']).next().unwrap_or_default().trim_end();
            format!("{found}, expected {expected}")
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only reading is tested")]
    struct Order {
        cheese: Cheese,
        slices: Vec<u8>,
        note: Option<String>,
        exact: Option<Box<RawValue>>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only reading is tested")]
    #[serde(rename_all = "snake_case")]
    enum Cheese {
        Brie,
        Stilton { months: u32 },
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only reading is tested")]
    struct Flat {
        #[serde(flatten)]
        order: Order,
    }

    fn problem<T: DeserializeOwned + Debug>(text: &str) -> String {
        decode::<T>(text).unwrap_err().to_string()
    }

    #[test]
    fn p3_a_problem_names_the_member_and_what_was_expected_but_not_the_value() {
        let cases = [
            (r#"{"cheese":"brie"}"#, "missing field `slices`"),
            (r#"{"cheese":"SECRET","slices":[]}"#, "`cheese`: unknown variant, expected `brie` or `stilton`"),
            (
                r#"{"cheese":{"stilton":{"months":"SECRET"}},"slices":[]}"#,
                "`cheese.stilton.months`: invalid type: string, expected u32",
            ),
            (r#"{"cheese":"brie","slices":[1,4711]}"#, "`slices[1]`: invalid value: integer, expected u8"),
            (r#"{"cheese":"brie","slices":47.11}"#, "`slices`: invalid type: floating point, expected a sequence"),
            (r#"{"cheese":"brie","slices":[],"note":true}"#, "`note`: invalid type: boolean, expected a string"),
            (
                r#"{"cheese":"brie","slices":"\", expected SECRET"}"#,
                "`slices`: invalid type: string, expected a sequence",
            ),
            (r#"{"cheese":"#, "EOF while parsing a value at line 1 column 10"),
            (r#"{"cheese":"brie","slices":[]} {}"#, "trailing characters at line 1 column 31"),
            ("4711", "invalid type: integer, expected struct Order"),
        ];
        for (text, expected) in cases {
            assert_eq!(problem::<Order>(text), expected, "{text}");
        }
    }

    #[test]
    fn v4_a_raw_value_keeps_its_text() {
        let text = r#"{"cheese":"brie","slices":[],"exact":[1.0, 12345678901234567890123]}"#;
        assert_eq!(decode::<Order>(text).unwrap().exact.unwrap().get(), "[1.0, 12345678901234567890123]");
    }

    #[test]
    fn a_member_is_found_by_its_name() {
        let object = raw(r#"{"customer_id": 42}"#.to_owned());
        assert_eq!(member(&object, "customer_id", "here"), Ok(Some(42)));
        assert_eq!(member::<u8>(&object, "customer", "here"), Ok(None));
        assert_eq!(
            member::<String>(&object, "customer_id", "the settings").unwrap_err().to_string(),
            "`customer_id` in the settings does not fit: invalid type: integer, expected a string"
        );
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(untagged)]
    enum Loose {
        Text(String),
        Other(serde_json::Value),
    }

    #[derive(Debug, Deserialize, PartialEq)]
    enum Mood {
        #[serde(rename = "happy")]
        Happy,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Name(String);

    fn same<T: DeserializeOwned + Debug + PartialEq>(text: &str) {
        assert_eq!(decode_valid::<T>(text), decode::<T>(text), "{text}");
    }

    #[test]
    fn what_is_valid_is_read_as_all_json_is() {
        for text in
            [r#""happy""#, r#""""#, r#""h\u0061ppy""#, r#""\"""#, "4", "null", "[\"happy\"]", r#"{"a":"b"}"#, r#""x""#]
        {
            same::<String>(text);
            same::<Option<String>>(text);
            same::<serde_json::Value>(text);
            same::<Loose>(text);
            same::<Mood>(text);
            same::<Name>(text);
            same::<Vec<u8>>(text);
            same::<Vec<String>>(text);
            same::<BTreeMap<String, String>>(text);
            same::<u8>(text);
            same::<char>(text);
            same::<()>(text);
            assert_eq!(decode_valid::<Box<RawValue>>(text).unwrap().get(), text);
        }
    }

    proptest! {
        #[test]
        fn a_string_is_read_as_it_was_written(text in "[a-zé\\\\\"\n]{0,40}") {
            prop_assert_eq!(decode_valid::<String>(&encode(&text).unwrap()).unwrap(), text);
        }

        #[test]
        fn a_backslash_is_found_wherever_it_is(bytes in prop::collection::vec(0_u8..=255, 0..40)) {
            prop_assert_eq!(has_backslash(&bytes), bytes.contains(&b'\\'));
        }

        #[test]
        fn p3_a_problem_never_quotes_a_text(around in any::<(String, String)>(), wrong_for in 0..3) {
            let secret = format!("{}SECRET{}", around.0, around.1);
            let cheese = if wrong_for == 0 { secret.clone() } else { "brie".to_owned() };
            let slices = if wrong_for == 1 { secret.clone().into() } else { serde_json::json!([1]) };
            let text = match wrong_for {
                2 => serde_json::json!({ "cheese": { "stilton": { "months": secret } }, "slices": slices }),
                _ => serde_json::json!({ "cheese": cheese, "slices": slices }),
            }
            .to_string();
            prop_assert!(!problem::<Order>(&text).contains("SECRET"));
            prop_assert!(!problem::<Flat>(&text).contains("SECRET"));
        }
    }
}
