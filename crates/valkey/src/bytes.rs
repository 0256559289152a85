//! How what is kept becomes bytes. the library reads some of them, by their positions.

use agent_memory_store::{
    AgentVersion, ComponentKey, ConversationKey, ErasedSince, Field, IdentityKey, Interaction, InteractionId,
    KeptCaller, KeptMark, KeptRow, MarkRecord, Remembered, RowId, SavedSession, Sealed, Timestamp,
};

/// What was read makes no sense. It says what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged(pub(crate) &'static str);

pub(crate) type Decoded<T> = Result<T, Damaged>;

/// A mark, or what stands in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nothing is committed here, and nothing can be up to this epoch.
    Fence,
    /// It is committed.
    Kept(KeptMark),
}

/// Where a conversation's mark is, or will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    pub(crate) bucket: u16,
    /// Grows with every move.
    pub(crate) epoch: u32,
    /// Whether the session ends with the commit.
    pub(crate) ends_session: bool,
}

/// Takes bytes from the front.
struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    fn new(rest: &'a [u8], what: &'static str) -> Self {
        Self { rest, what }
    }

    fn take(&mut self, length: usize) -> Decoded<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Damaged(self.what))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| Damaged(self.what))
    }

    fn time(&mut self) -> Decoded<Timestamp> {
        Ok(Timestamp::from_be_bytes(self.array()?))
    }

    fn flag(&mut self) -> Decoded<bool> {
        Ok(self.array::<1>()? != [0])
    }

    fn short(&mut self) -> Decoded<usize> {
        Ok(usize::from(u16::from_be_bytes(self.array()?)))
    }

    fn sealed(self) -> Sealed {
        Sealed(self.rest.to_vec())
    }
}

pub(crate) fn key32(bytes: &[u8]) -> Decoded<[u8; 32]> {
    bytes.try_into().map_err(|_| Damaged("a key has not 32 bytes"))
}

pub(crate) fn key16(bytes: &[u8]) -> Decoded<[u8; 16]> {
    bytes.try_into().map_err(|_| Damaged("an id has not 16 bytes"))
}

pub(crate) fn text(bytes: &[u8]) -> Decoded<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Damaged("a key is no text"))
}

pub(crate) fn field_value(field: &Field) -> Vec<u8> {
    [&field.written.to_be_bytes()[..], &field.expires.to_be_bytes(), &field.value.0].concat()
}

pub(crate) fn field(key: &[u8], value: &[u8]) -> Decoded<Field> {
    let mut reader = Reader::new(value, "a field is cut");
    Ok(Field { key: text(key)?, written: reader.time()?, expires: reader.time()?, value: reader.sealed() })
}

pub(crate) fn interaction_value(interaction: &Interaction) -> Vec<u8> {
    let Interaction { id, began, expires, record } = interaction;
    [&id.0[..], &began.to_be_bytes(), &expires.to_be_bytes(), &record.0].concat()
}

pub(crate) fn interaction(value: &[u8]) -> Decoded<Interaction> {
    let mut reader = Reader::new(value, "an interaction is cut");
    let id = InteractionId(reader.array()?);
    Ok(Interaction { id, began: reader.time()?, expires: reader.time()?, record: reader.sealed() })
}

pub(crate) fn pointer_value(pointer: Pointer) -> Vec<u8> {
    let Pointer { bucket, epoch, ends_session } = pointer;
    [&bucket.to_be_bytes()[..], &epoch.to_be_bytes(), &[u8::from(ends_session)]].concat()
}

pub(crate) fn pointer(value: &[u8]) -> Decoded<Pointer> {
    let mut reader = Reader::new(value, "a pointer is cut");
    let bucket = u16::from_be_bytes(reader.array()?);
    Ok(Pointer { bucket, epoch: epoch(reader.take(4)?)?, ends_session: reader.flag()? })
}

pub(crate) fn epoch(bytes: &[u8]) -> Decoded<u32> {
    let bytes = bytes.try_into().map_err(|_| Damaged("an epoch has not 4 bytes"))?;
    Ok(u32::from_be_bytes(bytes))
}

/// Only for what is moved from another store: the library writes all others.
pub(crate) fn mark_value(mark: &KeptMark) -> Vec<u8> {
    let expires = mark.expires.to_be_bytes();
    let Some((identity, record)) = &mark.recorded else { return [&b"V"[..], &expires].concat() };
    let mut value = [&b"M"[..], &expires, &identity.0, &[u8::from(record.first)]].concat();
    match record.row {
        Some((interaction, row)) => value.extend([&[1][..], &interaction.0, &row.0].concat()),
        None => value.extend([0; 33]),
    }
    let keys: &[String] = if let ErasedSince::Keys(keys) = &record.erased { keys } else { &[] };
    // There are at most as many as a caller has keys, and none is longer than 128 bytes.
    let short = |length: usize| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    value.extend(short(keys.len()));
    for key in keys {
        value.extend(short(key.len()));
        value.extend(key.as_bytes());
    }
    value.extend(&record.report.0);
    value
}

pub(crate) fn mark(conversation: ConversationKey, value: &[u8]) -> Decoded<Mark> {
    let mut reader = Reader::new(value, "a mark is cut");
    match reader.take(1)? {
        b"F" => return Ok(Mark::Fence),
        b"V" => {
            let expires = reader.time()?;
            return Ok(Mark::Kept(KeptMark { conversation, expires, recorded: None }));
        }
        b"M" => {}
        _ => return Err(Damaged("a mark has an unknown format")),
    }
    let expires = reader.time()?;
    let identity = IdentityKey(reader.array()?);
    let first = reader.flag()?;
    let has_row = reader.flag()?;
    let row = (InteractionId(reader.array()?), RowId(reader.array()?));
    let mut keys = Vec::new();
    for _ in 0..reader.short()? {
        let length = reader.short()?;
        keys.push(text(reader.take(length)?)?);
    }
    keys.sort_unstable();
    let erased = if keys.is_empty() { ErasedSince::Nothing } else { ErasedSince::Keys(keys) };
    let record = MarkRecord { report: reader.sealed(), erased, first, row: has_row.then_some(row) };
    Ok(Mark::Kept(KeptMark { conversation, expires, recorded: Some((identity, record)) }))
}

/// Only for what is moved from another store: the library writes all others.
pub(crate) fn row_value(row: &KeptRow) -> Vec<u8> {
    let length = u32::try_from(row.details.0.len()).unwrap_or(u32::MAX);
    [
        &row.expires.to_be_bytes()[..],
        &row.began.to_be_bytes(),
        &[u8::from(row.first)],
        &row.standing_began.to_be_bytes(),
        &length.to_be_bytes(),
        &row.details.0,
        &row.standing_record.0,
    ]
    .concat()
}

pub(crate) fn row(interaction: InteractionId, id: RowId, value: &[u8]) -> Decoded<KeptRow> {
    let mut reader = Reader::new(value, "a metric row is cut");
    let expires = reader.time()?;
    let began = reader.time()?;
    let first = reader.flag()?;
    let standing_began = reader.time()?;
    let length = u32::from_be_bytes(reader.array()?);
    let details = Sealed(reader.take(usize::try_from(length).unwrap_or(usize::MAX))?.to_vec());
    let standing_record = reader.sealed();
    Ok(KeptRow { interaction, id, began, expires, details, first, standing_began, standing_record })
}

pub(crate) fn remembered_value(remembered: Remembered) -> Vec<u8> {
    // No token and no counts: it is never repeated.
    [&remembered.number.to_be_bytes()[..], &remembered.expires.to_be_bytes(), &[0; 40]].concat()
}

fn remembered(value: &[u8]) -> Decoded<Remembered> {
    let mut reader = Reader::new(value, "an erasure is cut");
    Ok(Remembered { number: u64::from_be_bytes(reader.array()?), expires: reader.time()? })
}

/// A caller's record, and the conversations of which it has marks.
pub(crate) fn caller(
    identity: IdentityKey,
    held: &[(Vec<u8>, Vec<u8>)],
    erasures: &[(Vec<u8>, Vec<u8>)],
) -> Decoded<KeptCaller> {
    let mut caller = KeptCaller {
        identity,
        identifier: None,
        fields: Vec::new(),
        interaction: None,
        former: Vec::new(),
        marks_until: None,
        erased: None,
        erased_keys: Vec::new(),
    };
    for (name, value) in held {
        match name.split_first() {
            Some((b'f', key)) => caller.fields.push(field(key, value)?),
            Some((b'i', [])) => caller.identifier = Some(Sealed(value.clone())),
            Some((b'n', [])) => caller.interaction = Some(interaction(value)?),
            Some((b'o', [])) => caller.former = former(value)?,
            Some((b'u', [])) => caller.marks_until = Some(Reader::new(value, "a time is cut").time()?),
            Some((b'm', _)) => {}
            _ => return Err(Damaged("a caller's record has something unknown")),
        }
    }
    caller.fields.sort_by(|one, other| one.key.cmp(&other.key));
    for (name, value) in erasures {
        match name.split_first() {
            Some((b'a', [])) => caller.erased = Some(remembered(value)?),
            Some((b'k', key)) => caller.erased_keys.push((text(key)?, remembered(value)?)),
            _ => return Err(Damaged("a caller's erasures have something unknown")),
        }
    }
    caller.erased_keys.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(caller)
}

fn former(value: &[u8]) -> Decoded<Vec<(InteractionId, Timestamp)>> {
    let each = value.chunks(24).map(|chunk| {
        let mut reader = Reader::new(chunk, "a former interaction is cut");
        Ok((InteractionId(reader.array()?), reader.time()?))
    });
    each.collect()
}

/// A caller's record as it is put back: `c` for the record and `e` for the erasures, each with name and value.
pub(crate) fn caller_values(caller: &KeptCaller) -> Vec<(&'static [u8], Vec<u8>, Vec<u8>)> {
    let mut values: Vec<(&'static [u8], Vec<u8>, Vec<u8>)> = Vec::new();
    for field in &caller.fields {
        values.push((b"c", [b"f", field.key.as_bytes()].concat(), field_value(field)));
    }
    if let Some(identifier) = &caller.identifier {
        values.push((b"c", b"i".to_vec(), identifier.0.clone()));
    }
    if let Some(interaction) = &caller.interaction {
        values.push((b"c", b"n".to_vec(), interaction_value(interaction)));
    }
    if !caller.former.is_empty() {
        let former = caller.former.iter().map(|(id, expires)| [&id.0[..], &expires.to_be_bytes()].concat());
        values.push((b"c", b"o".to_vec(), former.collect::<Vec<_>>().concat()));
    }
    if let Some(expires) = caller.marks_until {
        values.push((b"c", b"u".to_vec(), expires.to_be_bytes().to_vec()));
    }
    if let Some(erased) = caller.erased {
        values.push((b"e", b"a".to_vec(), remembered_value(erased)));
    }
    for (key, erased) in &caller.erased_keys {
        values.push((b"e", [b"k", key.as_bytes()].concat(), remembered_value(*erased)));
    }
    values
}

pub(crate) fn session_value(session: &SavedSession) -> Vec<u8> {
    [
        &session.revision.0[..],
        &session.expires.to_be_bytes(),
        &[u8::from(session.overdue.is_some())],
        &session.overdue.unwrap_or_default().to_be_bytes(),
        &session.session.0,
    ]
    .concat()
}

pub(crate) fn session(conversation: ConversationKey, value: &[u8]) -> Decoded<SavedSession> {
    let mut reader = Reader::new(value, "a session is cut");
    let revision = agent_memory_store::Revision(reader.array()?);
    let expires = reader.time()?;
    let can_be_overdue = reader.flag()?;
    let since = reader.time()?;
    let overdue = can_be_overdue.then_some(since);
    Ok(SavedSession { conversation, expires, overdue, revision, session: reader.sealed() })
}

/// Only for what is moved from another store: the library writes all others.
pub(crate) fn version_value(version: &AgentVersion, replaced: Option<Timestamp>) -> Vec<u8> {
    [
        &version.component.0[..],
        &[u8::from(replaced.is_some())],
        &replaced.unwrap_or_default().to_be_bytes(),
        &version.record.0,
    ]
    .concat()
}

/// The version of a name, which is an agent's key and a version's, and when it was replaced.
pub(crate) fn version(name: &[u8], value: &[u8]) -> Decoded<(AgentVersion, Option<Timestamp>)> {
    let mut names = Reader::new(name, "a version's name is cut");
    let agent = agent_memory_store::AgentKey(names.array()?);
    let version = agent_memory_store::VersionKey(names.array()?);
    let mut reader = Reader::new(value, "a version is cut");
    let component = ComponentKey(reader.array()?);
    let was_replaced = reader.flag()?;
    let hour = reader.time()?;
    let version = AgentVersion { agent, version, component, record: reader.sealed() };
    Ok((version, was_replaced.then_some(hour)))
}

pub(crate) fn act_value(act: &agent_memory_store::Act) -> Vec<u8> {
    [&act.at.to_be_bytes()[..], &act.expires.to_be_bytes(), &act.record.0].concat()
}

pub(crate) fn act(id: &[u8], value: &[u8]) -> Decoded<agent_memory_store::Act> {
    let mut reader = Reader::new(value, "an act is cut");
    let id = agent_memory_store::ActId(key16(id)?);
    Ok(agent_memory_store::Act { id, at: reader.time()?, expires: reader.time()?, record: reader.sealed() })
}

/// Times, one after another.
pub(crate) fn times(value: &[u8]) -> Decoded<Vec<Timestamp>> {
    value.chunks(8).map(|chunk| Reader::new(chunk, "a time is cut").time()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONVERSATION: ConversationKey = ConversationKey([9; 32]);

    fn sealed(bytes: &[u8]) -> Sealed {
        Sealed(bytes.to_vec())
    }

    fn kept_mark() -> KeptMark {
        let record = MarkRecord {
            report: sealed(&[0, 255]),
            erased: ErasedSince::Keys(vec!["a\0".to_owned(), "ü".to_owned()]),
            first: true,
            row: Some((InteractionId([4; 16]), RowId([5; 16]))),
        };
        KeptMark { conversation: CONVERSATION, expires: -1, recorded: Some((IdentityKey([3; 32]), record)) }
    }

    fn kept_row() -> KeptRow {
        KeptRow {
            interaction: InteractionId([4; 16]),
            id: RowId([5; 16]),
            began: 1,
            expires: i64::MAX,
            details: sealed(&[6, 6]),
            first: false,
            standing_began: i64::MIN,
            standing_record: sealed(&[]),
        }
    }

    fn kept_caller() -> KeptCaller {
        let remembered = Remembered { number: u64::MAX, expires: 5 };
        KeptCaller {
            identity: IdentityKey([3; 32]),
            identifier: Some(sealed(b"identifier")),
            fields: vec![Field { key: "a\0ü".to_owned(), written: -1, expires: 2, value: sealed(&[0, 1]) }],
            interaction: Some(Interaction { id: InteractionId([4; 16]), began: 1, expires: 2, record: sealed(b"r") }),
            former: vec![(InteractionId([9; 16]), 7), (InteractionId([8; 16]), 6)],
            marks_until: Some(9),
            erased: Some(remembered),
            erased_keys: vec![(String::new(), remembered)],
        }
    }

    #[test]
    fn what_is_kept_comes_back() {
        for recorded in [kept_mark().recorded, None] {
            let mark = KeptMark { recorded, ..kept_mark() };
            assert_eq!(super::mark(CONVERSATION, &mark_value(&mark)), Ok(Mark::Kept(mark)));
        }
        assert_eq!(row(InteractionId([4; 16]), RowId([5; 16]), &row_value(&kept_row())), Ok(kept_row()));

        let values = caller_values(&kept_caller());
        let of = |kind: &[u8]| -> Vec<(Vec<u8>, Vec<u8>)> {
            let values = values.iter().filter(|(of, _, _)| *of == kind);
            values.map(|(_, name, value)| (name.clone(), value.clone())).collect()
        };
        assert_eq!(caller(IdentityKey([3; 32]), &of(b"c"), &of(b"e")), Ok(kept_caller()));

        for overdue in [None, Some(-7)] {
            let revision = agent_memory_store::Revision([1; 16]);
            let saved =
                SavedSession { conversation: CONVERSATION, expires: 3, overdue, revision, session: sealed(b"s") };
            assert_eq!(session(CONVERSATION, &session_value(&saved)), Ok(saved));
        }
        let pointed = Pointer { bucket: 4095, epoch: 70_000, ends_session: true };
        assert_eq!(pointer(&pointer_value(pointed)), Ok(pointed));
    }

    /// Whatever was written once can always be read: these bytes never change.
    #[test]
    fn the_bytes_are_those_that_were_written_once() {
        let ids = [&[4; 16][..], &[5; 16]].concat();
        let keys = [0, 2, 0, 2, b'a', 0, 0, 2, 0xc3, 0xbc];
        let expected = [&b"M"[..], &[255; 8], &[3; 32], &[1, 1], &ids, &keys, &[0, 255]].concat();
        assert_eq!(mark_value(&kept_mark()), expected);
        assert_eq!(super::mark(CONVERSATION, b"F\0\0\0\x01"), Ok(Mark::Fence));

        let expires = i64::MAX.to_be_bytes();
        let standing_began = i64::MIN.to_be_bytes();
        let began = [0, 0, 0, 0, 0, 0, 0, 1];
        let expected = [&expires[..], &began, &[0], &standing_began, &[0, 0, 0, 2, 6, 6]].concat();
        assert_eq!(row_value(&kept_row()), expected);
        let pointed = Pointer { bucket: 0x123, epoch: 2, ends_session: false };
        assert_eq!(pointer_value(pointed), [1, 0x23, 0, 0, 0, 2, 0]);
    }

    #[test]
    fn what_is_cut_is_damaged() {
        let value = mark_value(&kept_mark());
        for cut in 0..value.len() - 2 {
            assert!(super::mark(CONVERSATION, &value[..cut]).is_err(), "{cut}");
        }
        let value = row_value(&kept_row());
        for cut in 0..value.len() {
            assert!(row(InteractionId([4; 16]), RowId([5; 16]), &value[..cut]).is_err(), "{cut}");
        }
        assert!(super::mark(CONVERSATION, b"X").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_panic(value in proptest::collection::vec(any::<u8>(), 0..120)) {
            for kind in [&b""[..], b"M", b"V", b"F"] {
                let _ = super::mark(CONVERSATION, &[kind, &value].concat()).is_ok();
            }
            let _ = row(InteractionId([0; 16]), RowId([0; 16]), &value).is_ok();
            let _ = session(CONVERSATION, &value).is_ok();
            let _ = pointer(&value).is_ok();
            let _ = version(&[7; 64], &value).is_ok();
            let _ = act(&[7; 16], &value).is_ok();
            for name in [&b"fa"[..], b"n", b"o", b"u", b"i", b"ma", b"x"] {
                let pair = [(name.to_vec(), value.clone())];
                let _ = caller(IdentityKey([0; 32]), &pair, &[]).is_ok();
                let _ = caller(IdentityKey([0; 32]), &[], &[(b"a".to_vec(), value.clone())]).is_ok();
            }
        }
    }
}
