//! From columns to types and back.

use agent_memory_store::{
    ConversationKey, Erasures, IdentityKey, Interaction, InteractionId, Remembered, Sealed, Timestamp,
};
use tokio_postgres::{Row, types::FromSql};

use crate::{
    failure::{Attempt, Failure},
    schema::{PARTITIONS, SLOTS},
};

/// Where what belongs to a key is: its slot, and the partition that has the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) slot: i16,
    pub(crate) partition: usize,
}

impl Place {
    pub(crate) fn of_caller(identity: &IdentityKey) -> Self {
        Self::of(&identity.0)
    }

    pub(crate) fn of_conversation(conversation: &ConversationKey) -> Self {
        Self::of(&conversation.0)
    }

    pub(crate) fn of_interaction(interaction: &InteractionId) -> Self {
        Self::of(&interaction.0)
    }

    /// Keys are hashes or random: their first 12 bits are spread evenly.
    fn of(key: &[u8]) -> Self {
        let [first, second] = key.first_chunk().copied().unwrap_or_default();
        Self::of_slot(i16::from(first) << 4 | i16::from(second) >> 4)
    }

    pub(crate) fn of_slot(slot: i16) -> Self {
        Self { slot, partition: usize::try_from(slot).unwrap_or_default() * PARTITIONS / SLOTS }
    }
}

/// Reads a column.
pub(crate) fn column<'row, T: FromSql<'row>>(row: &'row Row, index: usize) -> Attempt<T> {
    row.try_get(index).map_err(|_| Failure::Damaged("a column has the wrong type"))
}

/// Reads a column that has a key.
pub(crate) fn key<const N: usize>(row: &Row, index: usize) -> Attempt<[u8; N]> {
    fixed(column(row, index)?)
}

/// Reads a column that may have a key.
pub(crate) fn optional_key<const N: usize>(row: &Row, index: usize) -> Attempt<Option<[u8; N]>> {
    column::<Option<&[u8]>>(row, index)?.map(fixed).transpose()
}

pub(crate) fn sealed(row: &Row, index: usize) -> Attempt<Sealed> {
    column(row, index).map(Sealed)
}

/// Reads a count.
pub(crate) fn count(row: &Row, index: usize) -> Attempt<u64> {
    u64::try_from(column::<i64>(row, index)?).map_err(|_| Failure::Damaged("a count is negative"))
}

/// Reads the key of a field.
pub(crate) fn text(bytes: &[u8]) -> Attempt<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Failure::Damaged("a field's key is no text"))
}

/// Reads the columns `interaction`, `began`, `expires` and `record`, which begin at a place.
pub(crate) fn interaction(row: &Row, from: usize) -> Attempt<Option<Interaction>> {
    let Some(id) = optional_key(row, from)? else { return Ok(None) };
    Ok(Some(Interaction {
        id: InteractionId(id),
        began: column(row, from + 1)?,
        expires: column(row, from + 2)?,
        record: sealed(row, from + 3)?,
    }))
}

/// The only row of an answer that always has one.
pub(crate) fn only(rows: &[Row]) -> Attempt<&Row> {
    rows.first().ok_or(Failure::Damaged("a row is missing"))
}

/// Numbers of erasures as the server counts them.
pub(crate) fn number(erasures: Erasures) -> i64 {
    i64::try_from(erasures).unwrap_or(i64::MAX)
}

pub(crate) fn erasures(number: i64) -> Attempt<Erasures> {
    u64::try_from(number).map_err(|_| Failure::Damaged("a count is negative"))
}

/// An erasure, if both of its columns are there.
pub(crate) fn remembered(number: Option<i64>, expires: Option<Timestamp>) -> Attempt<Option<Remembered>> {
    let (Some(number), Some(expires)) = (number, expires) else { return Ok(None) };
    Ok(Some(Remembered { number: erasures(number)?, expires }))
}

/// How many rows are asked for.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The full hour that a time is in (P1).
pub(crate) fn hour_of(time: Timestamp) -> Timestamp {
    time.saturating_sub(time.rem_euclid(3600))
}

pub(crate) fn fixed<const N: usize>(bytes: &[u8]) -> Attempt<[u8; N]> {
    bytes.try_into().map_err(|_| Failure::Damaged("a key has the wrong length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_the_first_twelve_bits() {
        for (bytes, slot, partition) in [
            ([0, 0x0f], 0, 0),
            ([0, 0x10], 1, 0),
            ([0x0f, 0xf0], 255, 0),
            ([0x10, 0], 256, 1),
            ([0xff, 0xff], 4095, 15),
        ] {
            let mut key = [7; 32];
            key[..2].copy_from_slice(&bytes);
            assert_eq!(Place::of_caller(&IdentityKey(key)), Place { slot, partition });
        }
    }
}
