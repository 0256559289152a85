//! All that is held on one caller, in one record.

use serde::{Deserialize, Serialize};

use crate::{
    ErasedSince, Erasures, Field, IdentityKey, Interaction, InteractionId, KeptCaller, NewInteraction, Remembered,
    Sealed, Swept, Timestamp,
};

/// All that is held on a caller but for marks and metric rows.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Caller {
    /// The identifier. None if only erasures are remembered.
    pub(super) identifier: Option<Sealed>,
    /// The fields, ordered by key.
    fields: Vec<Field>,
    pub(super) interaction: Option<Interaction>,
    /// The interactions that another took the place of, and when their metric rows expire.
    former: Vec<(InteractionId, Timestamp)>,
    /// When the last of the caller's marks expires.
    marks_until: Option<Timestamp>,
    /// The last erasure of all that was held on the caller.
    erased: Option<Remembered>,
    /// The last erasure of each key, ordered by key.
    erased_keys: Vec<(String, Remembered)>,
}

impl Caller {
    /// The fields that have not expired, ordered by key.
    pub(super) fn into_fields(self, now: Timestamp) -> Vec<Field> {
        let mut fields = self.fields;
        fields.retain(|field| field.expires > now);
        fields
    }

    /// Whether a field or an interaction is held that has not expired.
    pub(super) fn is_held(&self, now: Timestamp) -> bool {
        self.fields.iter().any(|field| field.expires > now)
            || self.interaction.as_ref().is_some_and(|interaction| interaction.expires > now)
    }

    /// All interactions that metric rows of this caller may be tied to.
    pub(super) fn interactions(&self) -> impl Iterator<Item = InteractionId> {
        let standing = self.interaction.iter().map(|interaction| interaction.id);
        standing.chain(self.former.iter().map(|(id, _)| *id))
    }

    /// What was erased after the given number of erasures.
    pub(super) fn erased_since(&self, erasures: Erasures, now: Timestamp) -> ErasedSince {
        let counts = |remembered: &Remembered| remembered.number > erasures && remembered.expires > now;
        if self.erased.as_ref().is_some_and(counts) {
            return ErasedSince::Everything;
        }
        let erased = self.erased_keys.iter().filter(|(_, remembered)| counts(remembered));
        let keys: Vec<String> = erased.map(|(key, _)| key.clone()).collect();
        if keys.is_empty() { ErasedSince::Nothing } else { ErasedSince::Keys(keys) }
    }

    /// Notes that the caller has a mark.
    pub(super) fn mark(&mut self, identifier: Sealed, expires: Timestamp) {
        self.identifier = Some(identifier);
        self.marks_until = self.marks_until.max(Some(expires));
    }

    /// Puts a field in the place of the one with the same key.
    pub(super) fn put(&mut self, field: Field) {
        match self.fields.binary_search_by(|held| held.key.cmp(&field.key)) {
            Ok(index) => {
                if let Some(held) = self.fields.get_mut(index) {
                    *held = field;
                }
            }
            Err(index) => self.fields.insert(index, field),
        }
    }

    /// Inserts an interaction if none stands. Answers which one stands then, and whether it is the new one.
    pub(super) fn interact(&mut self, new: &NewInteraction, now: Timestamp) -> (Interaction, bool) {
        match &self.interaction {
            Some(old) if old.expires > now && old.began > new.stands_after => (old.clone(), false),
            _ => {
                let replaced = self.interaction.replace(new.interaction.clone());
                self.former.extend(replaced.map(|old| (old.id, old.expires)));
                self.former.retain(|(id, _)| *id != new.interaction.id);
                (new.interaction.clone(), true)
            }
        }
    }

    /// Removes a key, and remembers that. Answers how many fields that had not expired are gone.
    pub(super) fn erase_key(&mut self, key: String, number: Erasures, now: Timestamp, expires: Timestamp) -> u64 {
        let mut remembered = Remembered { number, expires };
        match self.erased_keys.binary_search_by(|(erased, _)| erased.cmp(&key)) {
            Ok(index) => {
                if let Some((_, earlier)) = self.erased_keys.get_mut(index) {
                    remembered.expires = remembered.expires.max(earlier.expires);
                    *earlier = remembered;
                }
            }
            Err(index) => self.erased_keys.insert(index, (key.clone(), remembered)),
        }
        self.fields.extract_if(.., |field| field.key == key).filter(|field| field.expires > now).count() as u64
    }

    /// Removes everything, and remembers that. Answers how many fields and interactions that had not expired are
    /// gone.
    pub(super) fn erase(&mut self, number: Erasures, now: Timestamp, expires: Timestamp) -> (u64, u64) {
        let before = std::mem::take(self);
        // It covers what was erased before it, for as long as that had to be remembered.
        let earlier = before.erased.iter().chain(before.erased_keys.iter().map(|(_, remembered)| remembered));
        let expires = earlier.map(|remembered| remembered.expires).fold(expires, Timestamp::max);
        self.erased = Some(Remembered { number, expires });
        let interactions = before.interaction.iter().filter(|interaction| interaction.expires > now).count();
        (before.into_fields(now).len() as u64, interactions as u64)
    }

    /// Gives an erasure that is remembered under one number another. Answers whether there is such an erasure.
    pub(super) fn renumber(&mut self, key: Option<&str>, from: Erasures, to: Erasures) -> bool {
        let remembered = match key {
            Some(key) => {
                self.erased_keys.iter_mut().find(|(erased, _)| erased == key).map(|(_, remembered)| remembered)
            }
            None => self.erased.as_mut(),
        };
        match remembered.filter(|remembered| remembered.number == from) {
            Some(remembered) => {
                remembered.number = to;
                true
            }
            None => false,
        }
    }

    /// Removes what has expired, and the identifier if nothing else is left.
    pub(super) fn sweep(&mut self, now: Timestamp, swept: &mut Swept) {
        let fields = self.fields.len();
        self.fields.retain(|field| field.expires > now);
        swept.fields += (fields - self.fields.len()) as u64;
        if self.interaction.take_if(|interaction| interaction.expires <= now).is_some() {
            swept.interactions += 1;
        }
        self.former.retain(|(_, expires)| *expires > now);
        self.erased.take_if(|remembered| remembered.expires <= now);
        self.erased_keys.retain(|(_, remembered)| remembered.expires > now);

        let marked = self.marks_until.is_some_and(|expires| expires > now);
        if self.has_only_marks() && !marked {
            self.marks_until = None;
            swept.identifiers += u64::from(self.identifier.take().is_some());
        }
    }

    /// When a sweep first has something to do here. None if nothing is left, not even a remembered erasure.
    pub(super) fn sweep_at(&self) -> Option<Timestamp> {
        let identifier = if self.has_only_marks() { self.marks_until } else { None };
        let fields = self.fields.iter().map(|field| field.expires);
        let interactions = self.interaction.iter().map(|interaction| interaction.expires);
        let former = self.former.iter().map(|(_, expires)| *expires);
        let erasures = self.erased.iter().chain(self.erased_keys.iter().map(|(_, remembered)| remembered));
        let erasures = erasures.map(|remembered| remembered.expires);
        fields.chain(interactions).chain(former).chain(erasures).chain(identifier).min()
    }

    /// The record in the form that belongs to no store.
    pub(super) fn into_kept(self, identity: IdentityKey) -> KeptCaller {
        let Self { identifier, fields, interaction, former, marks_until, erased, erased_keys } = self;
        KeptCaller { identity, identifier, fields, interaction, former, marks_until, erased, erased_keys }
    }

    /// The record of another store's caller.
    pub(super) fn from_kept(kept: KeptCaller) -> Self {
        let KeptCaller { identity: _, identifier, fields, interaction, former, marks_until, erased, erased_keys } =
            kept;
        Self { identifier, fields, interaction, former, marks_until, erased, erased_keys }
    }

    /// Whether nothing but marks can be held on the caller.
    fn has_only_marks(&self) -> bool {
        self.fields.is_empty() && self.interaction.is_none() && self.former.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::record::{decode, encode};

    const HOUR: Timestamp = 3600;

    fn field(key: &str, expires: Timestamp) -> Field {
        Field { key: key.to_owned(), written: 0, expires, value: Sealed(vec![1]) }
    }

    #[test]
    fn e2_a_sweep_is_due_when_the_first_thing_expires() {
        let mut caller = Caller::default();
        assert_eq!(caller.sweep_at(), None);
        caller.mark(Sealed(vec![0]), 9 * HOUR);
        assert_eq!(caller.sweep_at(), Some(9 * HOUR));
        caller.put(field("a", 12 * HOUR));
        assert_eq!(caller.sweep_at(), Some(12 * HOUR), "the identifier stays as long as the field");
        caller.erase_key("b".to_owned(), 1, 0, 3 * HOUR);
        assert_eq!(caller.sweep_at(), Some(3 * HOUR));
    }

    #[test]
    fn e2_every_sweep_of_what_is_due_gets_somewhere() {
        let mut caller = Caller::default();
        caller.mark(Sealed(vec![0]), 9 * HOUR);
        caller.put(field("a", 4 * HOUR));
        caller.put(field("b", 12 * HOUR));
        caller.erase_key("c".to_owned(), 1, 0, 20 * HOUR);
        let mut seen = Vec::new();
        while let Some(due) = caller.sweep_at() {
            seen.push(due / HOUR);
            caller.sweep(due, &mut Swept::default());
        }
        assert_eq!(seen, [4, 12, 20]);
        assert_eq!(caller, Caller::default());
    }

    /// Whatever was written once can always be read: these bytes never change.
    #[test]
    fn a_record_of_the_first_format_is_read() {
        let mut expected = Caller {
            former: vec![(InteractionId([6; 16]), 5)],
            interaction: Some(Interaction {
                id: InteractionId([4; 16]),
                began: 1,
                expires: 2,
                record: Sealed(vec![3]),
            }),
            erased: Some(Remembered { number: 300, expires: 8 }),
            erased_keys: vec![("b".to_owned(), Remembered { number: 301, expires: 9 })],
            ..Caller::default()
        };
        expected.mark(Sealed(vec![1]), HOUR);
        expected.put(field("a", 2 * HOUR));

        let fields: &[u8] = &[1, 1, b'a', 0, 0xc0, 0x70, 1, 1];
        let interaction: &[u8] = &[&[1][..], &[4; 16], &[2, 4, 1, 3]].concat();
        let former: &[u8] = &[&[1][..], &[6; 16], &[10]].concat();
        let rest: &[u8] = &[1, 0xa0, 0x38, 1, 0xac, 2, 16, 1, 1, b'b', 0xad, 2, 18];
        let bytes = [&[1, 1, 1, 1], fields, interaction, former, rest].concat();
        assert_eq!(decode::<Caller>(&bytes).unwrap(), expected);
        assert_eq!(encode(&expected).unwrap(), bytes);
    }

    #[test]
    fn fields_stay_ordered_by_key() {
        let mut caller = Caller::default();
        for key in ["b", "", "c", "a", "b"] {
            caller.put(field(key, HOUR));
        }
        let keys: Vec<String> = caller.into_fields(0).into_iter().map(|field| field.key).collect();
        assert_eq!(keys, ["", "a", "b", "c"]);
    }
}
