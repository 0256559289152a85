//! Arguments, made of bytes: as a rule such as mean something, and now and then any at all.

use arbitrary::{Result, Unstructured};

use super::joined::{policy as wit, state};

/// 2026-03-02T10:20:00Z.
const NOW: i64 = 1_772_446_800;

const KEYS: [&str; 8] = ["cheese_type", "mood", "id", "", "from_", "ключ", "a/b~c", "\u{0}"];

const VALUES: [&str; 20] = [
    "\"brie\"",
    "null",
    "1.0",
    "12345678901234567890123",
    "true",
    "{}",
    "[]",
    "{\"a\":1,\"b\":null}",
    "{\"a\":[1]}",
    "[[]]",
    " \t1\n",
    "",
    "{",
    "\"\\ud83d\"",
    "\"\\ud83d\\ude00\"",
    "\"2026-03-02T10:20:30Z\"",
    "[\"2026-03-02t23:59:60.9+05:30\"]",
    "\"+441632960001\"",
    "7",
    "{\"2026-03-02T10:20:30Z\":0}",
];

const IDENTIFIERS: [&str; 12] = [
    "+441632960001",
    "+44 (1632) 960-001",
    "tel:+441632960001;ext=1",
    "sip:+441632960001@host",
    "sips:1:2@x",
    "anonymous",
    "266696687",
    "",
    " ",
    "tel:",
    "sip:@",
    "customer-1",
];

const MEMBERS: [&str; 22] = [
    r#""state_keys":["cheese_type","mood","id"]"#,
    r#""state_keys":[]"#,
    r#""state_keys":["a/b~c","ключ",""]"#,
    r#""analytics_enabled":true"#,
    r#""nested_values":true"#,
    r#""timestamps":"round""#,
    r#""timestamps":"keep""#,
    r#""timestamps":"rounded""#,
    r#""retention_days":1"#,
    r#""retention_days":91"#,
    r#""retention_days":"1""#,
    r#""retention_days_by_key":{"cheese_type":1}"#,
    r#""retention_days_by_key":{"mod":1}"#,
    r#""identifier_source":"state:id""#,
    r#""identifier_source":["sip_header:X-Id","caller_number"]"#,
    r#""identifier_source":"integration_attributes:id""#,
    r#""identifier_source":"sip_headers:""#,
    r#""identifier_blacklist":["+4416*"]"#,
    r#""identifier_blacklist":["customer-1","*",""]"#,
    r#""unknown":{}"#,
    r#""state_keys":["mood"]"#,
    r#""nested_values":"yes""#,
];

/// Makes arguments of bytes.
pub(super) struct Generate<'a>(pub(super) Unstructured<'a>);

impl Generate<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A number below another.
    pub(super) fn number(&mut self, end: usize) -> Result<usize> {
        Ok(usize::from(self.0.arbitrary::<u8>()?) % end)
    }

    /// Yes, one time in eight.
    pub(super) fn is_rare(&mut self) -> Result<bool> {
        Ok(self.number(8)? == 7)
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>> {
        let length = self.number(48)?;
        Ok(self.0.bytes(length.min(self.0.len()))?.to_vec())
    }

    pub(super) fn text(&mut self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.bytes()?).into_owned())
    }

    pub(super) fn key(&mut self) -> Result<String> {
        self.one_of(&KEYS)
    }

    pub(super) fn identifier(&mut self) -> Result<String> {
        self.one_of(&IDENTIFIERS)
    }

    pub(super) fn configuration(&mut self) -> Result<String> {
        if self.is_rare()? {
            return self.text();
        }
        let mut members = Vec::new();
        for _ in 0..self.number(8)? {
            members.push(MEMBERS[self.number(MEMBERS.len())?]);
        }
        let outer = ["", r#""identifier_source":"caller_number","#, r#""state_keys":["mood"],"#][self.number(3)?];
        Ok(format!(r#"{{"memory":{{{outer}"repeat_caller":{{{}}}}},"other":[1]}}"#, members.join(",")))
    }

    pub(super) fn limits(&mut self) -> Result<wit::Limits> {
        if !self.is_rare()? {
            return Ok(wit::Limits { key_bytes: 128, value_bytes: 8_192, state_keys: 64, state_bytes: 262_144 });
        }
        let [key_bytes, value_bytes, state_keys, state_bytes] = self.0.arbitrary::<[u8; 4]>()?.map(u32::from);
        Ok(wit::Limits { key_bytes, value_bytes, state_keys, state_bytes })
    }

    /// A time around [`NOW`], or any.
    pub(super) fn time(&mut self) -> Result<i64> {
        if self.is_rare()? { self.0.arbitrary() } else { Ok(NOW + i64::from(self.0.arbitrary::<i16>()?) * 1_800) }
    }

    pub(super) fn kind(&mut self) -> Result<wit::IdentifierKind> {
        Ok([wit::IdentifierKind::Phone, wit::IdentifierKind::Custom][self.number(2)?])
    }

    pub(super) fn state_value(&mut self) -> Result<state::Value> {
        if self.is_rare()? {
            return Ok(state::Value::Opaque(state::OpaqueValue { type_name: self.text()?, bytes: self.bytes()? }));
        }
        Ok(state::Value::Json(self.json()?))
    }

    pub(super) fn state(&mut self) -> Result<Vec<wit::StateEntry>> {
        self.some_of(|input| {
            let value = match input.number(4)? {
                0 => None,
                1 => {
                    Some(wit::StateValue::Opaque(wit::OpaqueValue { type_name: input.text()?, bytes: input.bytes()? }))
                }
                _ => Some(wit::StateValue::Json(input.json()?)),
            };
            let flags = [wit::Touch::ASSIGNED, wit::Touch::REFUSED, wit::Touch::REMOVED];
            let bits = input.number(8)?;
            let chosen = flags.into_iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
            let touched = chosen.fold(wit::Touch::empty(), |all, (_, flag)| all | flag);
            Ok(wit::StateEntry { key: input.key()?, value, touched })
        })
    }

    pub(super) fn fields(&mut self) -> Result<Vec<wit::StoredField>> {
        self.some_of(|input| {
            let (key, value) = (input.key()?, input.json()?);
            Ok(wit::StoredField { key, value, written: input.time()?, expires: input.time()? })
        })
    }

    pub(super) fn given_fields(&mut self) -> Result<Vec<wit::GivenField>> {
        self.some_of(|input| {
            let expires = if input.is_rare()? { Some(input.time()?) } else { None };
            Ok(wit::GivenField { key: input.key()?, value: input.json()?, expires })
        })
    }

    pub(super) fn caller(&mut self) -> Result<wit::Caller> {
        let caller_number = if self.is_rare()? { None } else { Some(self.identifier()?) };
        let sip_headers =
            self.some_of(|input| Ok((["X-Id", "x-id", "To"][input.number(3)?].to_owned(), input.identifier()?)))?;
        let integration_attributes = match self.number(4)? {
            0 => Some(format!(r#"{{"id":{}}}"#, self.json()?)),
            1 => Some(self.json()?),
            _ => None,
        };
        Ok(wit::Caller { caller_number, sip_headers, integration_attributes })
    }

    pub(super) fn outcome(&mut self) -> Result<wit::Outcome> {
        let qa = if self.number(2)? == 0 { Some(self.text()?) } else { None };
        Ok(wit::Outcome { qa, handoff: self.handoff()? })
    }

    pub(super) fn handoff(&mut self) -> Result<Option<wit::Handoff>> {
        let bits = self.number(6)?;
        if bits > 3 {
            return Ok(None);
        }
        let reason = if bits & 1 == 0 { Some(self.text()?) } else { None };
        let destination = if bits & 2 == 0 { Some(self.text()?) } else { None };
        Ok(Some(wit::Handoff { reason, destination }))
    }

    pub(super) fn settlement(&mut self, standing: Option<wit::Interaction>) -> Result<wit::Settlement> {
        let erased = match self.number(4)? {
            0 => return Ok(wit::Settlement::Preview),
            1 => wit::Erased::Nothing,
            2 => wit::Erased::Keys(self.some_of(Self::key)?),
            _ => wit::Erased::Everything,
        };
        Ok(wit::Settlement::Committed(wit::Commitment { erased, standing, first: self.number(2)? == 0 }))
    }

    fn json(&mut self) -> Result<String> {
        self.one_of(&VALUES)
    }

    fn one_of(&mut self, texts: &[&str]) -> Result<String> {
        if self.is_rare()? { self.text() } else { Ok(texts[self.number(texts.len())?].to_owned()) }
    }

    fn some_of<T>(&mut self, mut make: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        (0..self.number(5)?).map(|_| make(self)).collect()
    }
}
