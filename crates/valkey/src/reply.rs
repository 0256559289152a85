//! What a server answers.

use redis::Value;

use crate::bytes::{Damaged, Decoded};

const UNEXPECTED: Damaged = Damaged("a server gave an answer of an unexpected kind");

pub(crate) fn bytes(value: Value) -> Decoded<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        _ => Err(UNEXPECTED),
    }
}

/// Nothing if there is nothing.
pub(crate) fn optional(value: Value) -> Decoded<Option<Vec<u8>>> {
    match value {
        Value::Nil | Value::Boolean(false) => Ok(None),
        value => bytes(value).map(Some),
    }
}

pub(crate) fn list(value: Value) -> Decoded<Vec<Value>> {
    match value {
        Value::Array(values) | Value::Set(values) => Ok(values),
        _ => Err(UNEXPECTED),
    }
}

/// A list of a known length.
pub(crate) fn fixed<const N: usize>(value: Value) -> Decoded<[Value; N]> {
    list(value)?.try_into().map_err(|_| UNEXPECTED)
}

pub(crate) fn byte_list(value: Value) -> Decoded<Vec<Vec<u8>>> {
    list(value)?.into_iter().map(bytes).collect()
}

/// What stands alternately in a list, or in a map.
pub(crate) fn pairs(value: Value) -> Decoded<Vec<(Vec<u8>, Vec<u8>)>> {
    match value {
        Value::Map(pairs) => pairs.into_iter().map(|(name, value)| Ok((bytes(name)?, bytes(value)?))).collect(),
        value => {
            let mut flat = byte_list(value)?.into_iter();
            let mut pairs = Vec::with_capacity(flat.len() / 2);
            while let Some(name) = flat.next() {
                pairs.push((name, flat.next().ok_or(UNEXPECTED)?));
            }
            Ok(pairs)
        }
    }
}

pub(crate) fn number(value: &Value) -> Decoded<i64> {
    match value {
        Value::Int(number) => Ok(*number),
        Value::BulkString(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(UNEXPECTED),
        Value::Nil => Ok(0),
        _ => Err(UNEXPECTED),
    }
}

/// A number that counts something.
pub(crate) fn count(value: &Value) -> Decoded<u64> {
    number(value)?.try_into().map_err(|_| UNEXPECTED)
}
