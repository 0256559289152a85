//! What an administrator puts into a caller's memory: by the rules that hold for functions.

use crate::commit::{DraftReport, DropReason, KeyOutcome, KeyReport, PatchField, Proposal, draft};
use crate::configuration::{Configuration, MAX_RETENTION_DAYS, Settings};
use crate::error::InputError;
use crate::identifier::{IdentifierKind, Identity, named};
use crate::json::Json;
use crate::state::{State, StateValue};
use crate::timestamp::{Timestamp, expiry, floor_to_hour};

/// What an administrator gives.
#[derive(Clone)]
pub struct Patch {
    /// The configuration.
    pub settings: Settings,
    /// What the identifier is.
    pub kind: IdentifierKind,
    /// The identifier.
    pub text: String,
    /// The fields. Of two with one key the later counts.
    pub fields: Vec<GivenField>,
    /// The time.
    pub now: Timestamp,
}

/// A field that an administrator gives.
#[derive(Clone, Debug)]
pub struct GivenField {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Json,
    /// When it is to expire, if before its retention is over. One that has expired already cannot be stored.
    pub expires: Option<Timestamp>,
}

/// What is to be written of an administrator's fields. There is no first interaction in it: nobody has called.
pub fn patch(patch: Patch) -> Result<Proposal, InputError> {
    let Patch { settings, kind, text, fields, now } = patch;
    let Configuration { keys, memory } = Configuration::from_settings(&settings)?;
    let identity = named(memory.as_ref(), kind, &text);
    let (memory, off) = match identity {
        Identity::Known(_) => (memory, None),
        Identity::Off(reason) => (None, Some(reason)),
    };
    let mut state = State::empty(keys);
    for field in &fields {
        // The state remembers what it refuses, and the report says so.
        let _ = state.set(field.key.clone(), StateValue::Json(field.value.clone()));
    }
    let (patch, mut draft) = draft(memory.as_ref(), off, &state, now);
    let given = |key: &str| fields.iter().rfind(|field| field.key == key).and_then(|field| field.expires);
    let patch = patch.into_iter().filter_map(|field| {
        let expires = given(&field.key).map_or(field.expires, |given| field.expires.min(floor_to_hour(given)));
        if expires > now {
            draft.outcome(&field.key, KeyOutcome::Kept(expires));
            Some(PatchField { expires, ..field })
        } else {
            draft.outcome(&field.key, KeyOutcome::Dropped(DropReason::NotStorable));
            None
        }
    });
    let patch = patch.collect();
    Ok(Proposal { identity, patch, interaction: None, mark_expires: expiry(now, MAX_RETENTION_DAYS), draft })
}

impl DraftReport {
    /// Changes what becomes of a key.
    fn outcome(&mut self, key: &str, outcome: KeyOutcome) {
        let reports: &mut [KeyReport] = &mut self.keys;
        for report in reports.iter_mut().filter(|report| report.key == key) {
            report.outcome = outcome;
        }
    }
}
