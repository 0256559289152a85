//! How a row's record becomes bytes: one byte that names the format, then postcard.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::failure::{Attempt, Failure};
use crate::{Sealed, Timestamp};

/// The format in which records are written. Reading knows all formats that were ever released.
const FORMAT: u8 = 1;

/// What a metric row remembers, but for what its columns have.
#[derive(Serialize, Deserialize)]
pub(super) struct MetricRecord {
    pub(super) details: Sealed,
    /// Whether the row is the first interaction's own.
    pub(super) first: bool,
    /// When the interaction that stood at the conversation's end had begun.
    pub(super) standing_began: Timestamp,
    /// What was recorded of it then.
    pub(super) standing_record: Sealed,
}

pub(super) fn encode<T: Serialize>(record: &T) -> Attempt<Vec<u8>> {
    // A record of ours always has an encoding: the bytes go to memory, and every sequence knows its length.
    postcard::to_extend(record, vec![FORMAT]).map_err(|_| Failure::Damaged("a record cannot be encoded"))
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Attempt<T> {
    match bytes.split_first() {
        Some((&FORMAT, rest)) => match postcard::take_from_bytes(rest) {
            Ok((record, [])) => Ok(record),
            _ => Err(Failure::Damaged("a record cannot be decoded")),
        },
        _ => Err(Failure::Damaged("a record has an unknown format")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ErasedSince, InteractionId, MarkRecord, RowId};

    fn mark() -> MarkRecord {
        MarkRecord {
            report: Sealed(vec![1, 2, 3]),
            erased: ErasedSince::Keys(vec!["a\0ß".to_owned()]),
            first: true,
            row: Some((InteractionId([4; 16]), RowId([5; 16]))),
        }
    }

    #[test]
    fn a_record_is_decoded_as_it_was_encoded() {
        let decoded: MarkRecord = decode(&encode(&mark()).unwrap()).unwrap();
        assert_eq!(decoded.report, mark().report);
        assert_eq!(decoded.erased, mark().erased);
        assert_eq!((decoded.first, decoded.row), (mark().first, mark().row));
    }

    /// Whatever was written once can always be read: these bytes never change.
    #[test]
    fn records_of_the_first_format_are_read() {
        let bytes = [&[1, 3, 1, 2, 3, 1, 1, 4][..], "a\0ß".as_bytes(), &[1, 1], &[4; 16], &[5; 16]].concat();
        assert_eq!(encode(&mark()).unwrap(), bytes);

        let bytes = [1, 2, 7, 8, 0, 0x80, 0xe4, 0xad, 0x95, 0x0d, 1, 9];
        let metric: MetricRecord = decode(&bytes).unwrap();
        assert_eq!((metric.details.0, metric.first), (vec![7, 8], false));
        assert_eq!((metric.standing_began, metric.standing_record.0), (1_767_225_600, vec![9]));
    }

    #[test]
    fn a_record_that_is_cut_or_too_long_is_damaged() {
        let bytes = encode(&mark()).unwrap();
        for cut in 0..bytes.len() {
            assert!(decode::<MarkRecord>(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(decode::<MarkRecord>(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn a_record_of_another_format_is_refused() {
        let mut bytes = encode(&mark()).unwrap();
        bytes[0] = FORMAT + 1;
        assert!(matches!(decode::<MarkRecord>(&bytes), Err(Failure::Damaged("a record has an unknown format"))));
    }

    proptest! {
        #[test]
        fn no_bytes_make_decoding_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<MarkRecord>(&bytes).is_ok();
            let _ = decode::<crate::sqlite::caller::Caller>(&[&[FORMAT], bytes.as_slice()].concat()).is_ok();
        }
    }
}
