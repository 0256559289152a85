//! The ring as text: JSON, whose secrets are base64 (URL-safe, not padded).

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{MAX_VERSIONS, Ring, Version};
use crate::Day;
use crate::secret::{Secret, SecretText};

/// The newest format that is known.
const FORMAT: u32 = 1;

/// No ring has a longer text, in bytes.
pub(crate) const MAX_TEXT: usize = 64 * 1024;

/// Why a text is no ring. No message quotes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoRing {
    /// It has a newer format.
    TooNew(u32),
    /// It makes no sense, and why.
    Malformed(String),
}

/// Texts are borrowed, so that reading leaves no copies of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRing<'a> {
    agent_memory_keys: u32,
    id: &'a str,
    root: &'a str,
    #[serde(borrow)]
    versions: Vec<StoredVersion<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredVersion<'a> {
    number: u16,
    day: &'a str,
    chain: &'a str,
    retired: Option<&'a str>,
}

/// What is looked at first, because a newer format may have more.
#[derive(Deserialize)]
struct Format {
    agent_memory_keys: u32,
}

impl Ring {
    pub(crate) fn from_text(text: &str) -> Result<Self, NoRing> {
        if text.len() > MAX_TEXT {
            return Err(malformed("it is too long"));
        }
        let Format { agent_memory_keys } = serde_json::from_str(text).map_err(|error| not_json(&error))?;
        if agent_memory_keys > FORMAT {
            return Err(NoRing::TooNew(agent_memory_keys));
        }
        let stored: StoredRing<'_> = serde_json::from_str(text).map_err(|error| not_json(&error))?;
        if stored.agent_memory_keys != FORMAT {
            return Err(malformed("`agent_memory_keys` has to be 1"));
        }
        let mut id = [0; 16];
        decode(stored.id, &mut id).ok_or_else(|| malformed("`id` is not 16 bytes in base64"))?;
        let root = secret(stored.root).ok_or_else(|| malformed("`root` is not 32 bytes in base64"))?;
        let versions = stored.versions.iter().enumerate();
        let versions = versions.map(|(index, stored)| version(index, stored)).collect::<Result<Vec<_>, _>>()?;
        check(&versions)?;
        Ok(Self { id, root, versions })
    }

    pub(crate) fn to_text(&self) -> SecretText {
        // Never too short: a longer text would be moved, and what it was moved from is not wiped.
        let mut text = Zeroizing::new(String::with_capacity(256 + 192 * self.versions.len()));
        let _ = write!(text, "{{\n  \"agent_memory_keys\": {FORMAT},\n  \"id\": \"");
        URL_SAFE_NO_PAD.encode_string(self.id, &mut text);
        text.push_str("\",\n  \"root\": \"");
        encode(&self.root, &mut text);
        text.push_str("\",\n  \"versions\": [");
        for (index, version) in self.versions.iter().enumerate() {
            text.push_str(if index == 0 { "\n" } else { ",\n" });
            let Version { number, day, chain, retired } = version;
            let _ = write!(text, "    {{\"number\": {number}, \"day\": \"{day}\", \"chain\": \"");
            encode(chain, &mut text);
            let _ = match retired {
                Some(retired) => write!(text, "\", \"retired\": \"{retired}\"}}"),
                None => write!(text, "\", \"retired\": null}}"),
            };
        }
        text.push_str("\n  ]\n}\n");
        SecretText::new(text)
    }
}

fn version(index: usize, stored: &StoredVersion<'_>) -> Result<Version, NoRing> {
    let wrong = |name: &str, what: &str| malformed(&format!("`versions[{index}].{name}` is not {what}"));
    let day = |name, text| Day::from_text(text).ok_or_else(|| wrong(name, "a day like \"2026-01-31\""));
    let retired = stored.retired.map(|text| day("retired", text)).transpose()?;
    let day = day("day", stored.day)?;
    let chain = secret(stored.chain).ok_or_else(|| wrong("chain", "32 bytes in base64"))?;
    Ok(Version { number: stored.number, day, chain, retired })
}

/// The invariant of [`Ring`].
fn check(versions: &[Version]) -> Result<(), NoRing> {
    let Some((newest, _)) = versions.split_last() else { return Err(malformed("it has no versions")) };
    if versions.len() > MAX_VERSIONS {
        return Err(malformed("it has too many versions"));
    }
    let follows = |pair: &[Version]| matches!(pair, [one, two] if one.number.checked_add(1) == Some(two.number));
    if !versions.windows(2).all(follows) || versions.first().is_some_and(|version| version.number == 0) {
        return Err(malformed("the numbers of its versions do not follow each other"));
    }
    if newest.retired.is_some() {
        return Err(malformed("its newest version is retired"));
    }
    Ok(())
}

fn secret(text: &str) -> Option<Secret> {
    Secret::filled(|bytes| decode(text, bytes).ok_or(())).ok()
}

/// Decodes a text that has exactly as many bytes as `bytes`.
fn decode<const N: usize>(text: &str, bytes: &mut [u8; N]) -> Option<()> {
    // Room for what a text of a wrong length might hold.
    let mut room = Zeroizing::new([0; 48]);
    let length = URL_SAFE_NO_PAD.decode_slice(text, room.as_mut_slice()).ok()?;
    let decoded: &[u8; N] = room.get(..length)?.try_into().ok()?;
    *bytes = *decoded;
    Some(())
}

fn encode(secret: &Secret, text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(secret.expose(), text);
}

/// What the JSON library says may quote the text, so only the place is told.
fn not_json(error: &serde_json::Error) -> NoRing {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Data => "a field is missing, unknown or of another kind",
        _ => "it is not JSON",
    };
    let place = match error.line() {
        0 => String::new(),
        line => format!(" (line {line}, column {})", error.column()),
    };
    NoRing::Malformed(format!("{what}{place}"))
}

fn malformed(what: &str) -> NoRing {
    NoRing::Malformed(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> Ring {
        Ring::random().rotated().unwrap().moved_on(Day::from_number(20_000).unwrap())
    }

    #[test]
    fn a_ring_comes_back_from_its_text() {
        let ring = ring();
        assert_eq!(Ring::from_text(ring.to_text().expose()), Ok(ring));
    }

    #[test]
    fn the_text_of_the_largest_ring_fits() {
        let mut ring = ring();
        let newest = Version { number: u16::MAX, ..ring.versions[1].clone() };
        let oldest = u16::MAX - u16::try_from(MAX_VERSIONS).unwrap() + 1;
        let older = |number| Version { number, retired: Some(Day::LAST), ..newest.clone() };
        ring.versions = (oldest..u16::MAX).map(older).chain([newest.clone()]).collect();
        let text = ring.to_text();
        assert!(text.expose().len() <= 256 + 192 * MAX_VERSIONS, "its room was enough from the beginning");
        assert_eq!(Ring::from_text(text.expose()), Ok(ring));
    }

    #[test]
    fn every_truncated_text_is_refused() {
        let text = ring().to_text();
        let text = text.expose().trim_end();
        for length in 0..text.len() {
            assert!(matches!(Ring::from_text(&text[..length]), Err(NoRing::Malformed(_))), "{length}");
        }
    }

    #[test]
    fn whatever_is_wrong_is_named_and_never_quoted() {
        let text = ring().to_text();
        let text = text.expose();
        let stored: StoredRing<'_> = serde_json::from_str(text).unwrap();
        let [one, two] = &stored.versions[..] else { panic!("two versions") };
        for (from, to, what) in [
            ("\"root\"", "\"toor\"", "a field is missing, unknown or of another kind (line 4, column 8)"),
            ("\"id\"", "\"more\": 1, \"id\"", "a field is missing, unknown or of another kind (line 3, column 8)"),
            ("\"agent_memory_keys\": 1", "\"agent_memory_keys\": 0", "`agent_memory_keys` has to be 1"),
            (stored.id, "QUJD", "`id` is not 16 bytes in base64"),
            (stored.root, "QUJD", "`root` is not 32 bytes in base64"),
            (stored.root, "!!!!", "`root` is not 32 bytes in base64"),
            (stored.root, &"QUJD".repeat(30), "`root` is not 32 bytes in base64"),
            (two.chain, "QUJD", "`versions[1].chain` is not 32 bytes in base64"),
            (one.day, "yesterday", "`versions[0].day` is not a day like \"2026-01-31\""),
            ("retired\": null", "retired\": \"\"", "`versions[1].retired` is not a day like \"2026-01-31\""),
            ("retired\": null", "retired\": \"2026-01-31\"", "its newest version is retired"),
            ("\"number\": 1", "\"number\": 3", "the numbers of its versions do not follow each other"),
            (
                "\"number\": 1",
                "\"number\": 70000",
                "a field is missing, unknown or of another kind (line 6, column 20)",
            ),
            ("\"id\":", "\"id\"", "it is not JSON (line 3, column 8)"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{what}");
            assert_eq!(Ring::from_text(&changed), Err(NoRing::Malformed(what.to_owned())));
        }
        let newer = text.replacen("keys\": 1", "keys\": 2, \"more\": true", 1);
        assert_eq!(Ring::from_text(&newer), Err(NoRing::TooNew(2)));
        assert_eq!(Ring::from_text(&" ".repeat(MAX_TEXT + 1)), Err(malformed("it is too long")));
    }
}
