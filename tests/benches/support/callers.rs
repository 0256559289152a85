//! The callers that fill a store, and what one of them commits on returning.

use agent_memory_host::store::{
    Commit, ConversationKey, ErasedSince, Field, IdentityKey, Interaction, InteractionId, Kept, KeptCaller, KeptMark,
    KeptRow, Mark, MarkRecord, NewInteraction, NewRow, RowId, Sealed, Timestamp,
};

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: Timestamp = 1_767_225_600;

const LATER: Timestamp = NOW + 90 * 24 * 3600;

/// What a text of 60 bytes takes once it is sealed.
const VALUE_BYTES: usize = 105;

/// Numbers in no order that anything depends on, the same in every run.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0) % end.max(1)
    }
}

/// The key of a caller: as spread as a pseudonym is.
pub(crate) fn identity(number: u64) -> IdentityKey {
    IdentityKey(key(number, 1))
}

/// All that is held on a caller who has called once.
pub(crate) fn kept(number: u64) -> [Kept; 3] {
    let (identity, conversation) = (identity(number), ConversationKey(key(number, 2)));
    let (interaction, id) = (InteractionId(half(key(number, 3))), RowId(half(key(number, 4))));
    let record = sealed(150);
    let fields = (0..5).map(|field| Field {
        key: format!("field_{field}"),
        written: NOW,
        expires: LATER,
        value: sealed(VALUE_BYTES),
    });
    let caller = KeptCaller {
        identity,
        identifier: Some(sealed(100)),
        fields: fields.collect(),
        interaction: Some(Interaction { id: interaction, began: NOW, expires: LATER, record: record.clone() }),
        former: Vec::new(),
        marks_until: Some(LATER),
        erased: None,
        erased_keys: Vec::new(),
    };
    let mark =
        MarkRecord { report: sealed(200), erased: ErasedSince::Nothing, first: true, row: Some((interaction, id)) };
    let row = KeptRow {
        interaction,
        id,
        began: NOW,
        expires: LATER,
        details: sealed(120),
        first: true,
        standing_began: NOW,
        standing_record: record,
    };
    let mark = KeptMark { conversation, expires: LATER, recorded: Some((identity, mark)) };
    [Kept::Caller(caller), Kept::Mark(mark), Kept::Row(row)]
}

/// What a caller's next conversation ends with.
pub(crate) fn commit(number: u64, conversation: u64) -> Commit {
    let patch = (0..2).map(|field| Field {
        key: format!("field_{field}"),
        written: NOW,
        expires: LATER,
        value: sealed(VALUE_BYTES),
    });
    let interaction = InteractionId(half(key(conversation, 5)));
    Commit {
        conversation: ConversationKey(key(conversation, 6)),
        identity: identity(number),
        identifier: sealed(100),
        erasures: 0,
        now: NOW,
        patch: patch.collect(),
        interaction: Some(NewInteraction {
            interaction: Interaction { id: interaction, began: NOW, expires: LATER, record: sealed(60) },
            stands_after: NOW - 90 * 24 * 3600,
            row: NewRow { id: RowId(half(key(conversation, 7))), began: NOW, details: sealed(120) },
        }),
        mark: Mark { expires: LATER, report: sealed(200) },
        ends_session: false,
    }
}

/// Bytes that no compression makes smaller, as sealed ones are.
fn sealed(length: usize) -> Sealed {
    let mut chance = Chance::new(length as u64);
    Sealed((0..length).map(|_| chance.below(256) as u8).collect())
}

fn key(number: u64, kind: u64) -> [u8; 32] {
    let mut key = [0; 32];
    let parts = key.as_chunks_mut::<8>().0;
    for (index, part) in parts.iter_mut().enumerate() {
        *part = mixed(mixed(number).wrapping_add(kind << 8 | index as u64)).to_be_bytes();
    }
    key
}

fn half(key: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(key).for_each(|(half, byte)| *half = byte);
    half
}

/// Spreads a number over all 64 bits (SplitMix64).
fn mixed(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
