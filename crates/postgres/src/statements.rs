//! The statements that every turn and every end run, one for each partition.
//!
//! A statement that names its partition is planned for that one alone. One that names the divided table would have a
//! plan for all partitions, each of which is opened and locked before all but one are left out.

use crate::schema::PARTITIONS;

/// A statement for each partition.
pub(crate) struct ByPartition(Vec<String>);

impl ByPartition {
    /// Makes the statements of one in which `{p}` stands for the partition.
    fn new(template: &str) -> Self {
        Self((0..PARTITIONS).map(|partition| template.replace("{p}", &format!("{partition:02}"))).collect())
    }

    pub(crate) fn get(&self, partition: usize) -> &str {
        self.0.get(partition).map(String::as_str).unwrap_or_default()
    }
}

/// The statements of the callers' and of the conversations' partitions.
pub(crate) struct Statements {
    /// Parameters: slot, identity, now.
    pub(crate) load: ByPartition,
    /// Parameters: slot, identity, now, the conversation's slot, conversation.
    pub(crate) load_and_ask: ByPartition,
    pub(crate) commit: ByPartition,
    /// Parameters: slot, conversation.
    pub(crate) delete_session: ByPartition,
    /// Parameters: slot, conversation, now.
    pub(crate) load_session: ByPartition,
    /// Parameters: slot, conversation, expires, overdue, revision, session.
    pub(crate) save_session: ByPartition,
    /// The same, and now.
    pub(crate) save_first_session: ByPartition,
    /// The same, and the revision that is replaced.
    pub(crate) save_next_session: ByPartition,
}

impl Statements {
    pub(crate) fn new() -> Self {
        Self {
            load: ByPartition::new(LOAD),
            load_and_ask: ByPartition::new(LOAD_AND_ASK),
            commit: ByPartition::new(COMMIT),
            delete_session: ByPartition::new(DELETE_SESSION),
            load_session: ByPartition::new(LOAD_SESSION),
            save_session: ByPartition::new(SAVE_SESSION),
            save_first_session: ByPartition::new(SAVE_FIRST_SESSION),
            save_next_session: ByPartition::new(SAVE_NEXT_SESSION),
        }
    }
}

const LOAD: &str = "
SELECT s.erasures, f.key, f.written, f.expires, f.value
FROM store s LEFT JOIN fields_{p} f ON f.slot = $1 AND f.identity = $2 AND f.expires > $3
ORDER BY f.key";

const LOAD_AND_ASK: &str = "
SELECT s.erasures, f.key, f.written, f.expires, f.value,
    EXISTS (SELECT 1 FROM marks m WHERE m.slot = $4 AND m.conversation = $5 AND m.expires > $3)
FROM store s LEFT JOIN fields_{p} f ON f.slot = $1 AND f.identity = $2 AND f.expires > $3
ORDER BY f.key";

/// A whole commit, see [`commit`](crate::commit).
const COMMIT: &str = "
WITH caller AS (
    INSERT INTO callers_{p} AS c
        (slot, identity, sweep_at, identifier, marks_until, interaction, began, expires, record, inserted)
    VALUES ($1::smallint, $2::bytea, LEAST($6::bigint, $10::bigint, $23::bigint), $3::bytea, $6::bigint, $8::bytea,
        $9::bigint, $10::bigint, $11::bytea, $7::boolean)
    ON CONFLICT (slot, identity) DO UPDATE SET
        sweep_at = LEAST(c.sweep_at, excluded.sweep_at),
        identifier = excluded.identifier,
        marks_until = GREATEST(c.marks_until, excluded.marks_until),
        interaction = CASE WHEN $7 AND (c.expires > $5 AND c.began > $12) IS NOT TRUE
            THEN excluded.interaction ELSE c.interaction END,
        began = CASE WHEN $7 AND (c.expires > $5 AND c.began > $12) IS NOT TRUE THEN excluded.began ELSE c.began END,
        expires = CASE WHEN $7 AND (c.expires > $5 AND c.began > $12) IS NOT TRUE
            THEN excluded.expires ELSE c.expires END,
        record = CASE WHEN $7 AND (c.expires > $5 AND c.began > $12) IS NOT TRUE
            THEN excluded.record ELSE c.record END,
        former = CASE WHEN $7 AND (c.expires > $5 AND c.began > $12) IS FALSE
            THEN ARRAY(
                SELECT f FROM unnest(c.former || (c.interaction || int8send(c.expires))) AS f
                WHERE substring(f FROM 1 FOR 16) <> excluded.interaction
            ) ELSE c.former END,
        inserted = $7 AND (c.expires > $5 AND c.began > $12) IS NOT TRUE
    WHERE (c.erased_number > $4 AND c.erased_until > $5) IS NOT TRUE
    RETURNING c.interaction, c.began, c.expires, c.record, c.inserted, ARRAY(
        SELECT e.key FROM unnest(c.erased_keys, c.erased_numbers, c.erased_untils) AS e (key, number, until)
        WHERE e.number > $4 AND e.until > $5 ORDER BY e.key
    ) AS erased_keys
), written AS (
    INSERT INTO fields_{p} AS f (slot, identity, key, written, expires, value)
    SELECT $1::smallint, $2::bytea, p.key, p.written, p.expires, p.value
    FROM caller, unnest($19::bytea[], $20::bigint[], $21::bigint[], $22::bytea[]) AS p (key, written, expires, value)
    WHERE p.key <> ALL (caller.erased_keys)
    ON CONFLICT (slot, identity, key) DO UPDATE
    SET written = excluded.written, expires = excluded.expires, value = excluded.value
), counted AS (
    INSERT INTO metrics AS m
        (slot, interaction, id, began, expires, details, first, standing_began, standing_record)
    SELECT (get_byte(interaction, 0) * 16 + get_byte(interaction, 1) / 16)::smallint,
        interaction, $13::bytea, $14::bigint, expires, $15::bytea, inserted, began, record
    FROM caller WHERE $7
    ON CONFLICT (slot, interaction, id) DO UPDATE
    SET began = excluded.began, expires = excluded.expires, details = excluded.details, first = excluded.first,
        standing_began = excluded.standing_began, standing_record = excluded.standing_record
), marked AS (
    INSERT INTO marks AS m (slot, conversation, expires, identity, report, erased_keys, first, interaction, row_id)
    SELECT $16::smallint, $17::bytea, $6::bigint,
        CASE WHEN caller.inserted IS NOT NULL THEN $2::bytea END,
        CASE WHEN caller.inserted IS NOT NULL THEN $18::bytea END,
        caller.erased_keys, caller.inserted,
        CASE WHEN $7 THEN caller.interaction END,
        CASE WHEN $7 AND caller.inserted IS NOT NULL THEN $13::bytea END
    FROM (SELECT 1) AS one LEFT JOIN caller ON true
    ON CONFLICT (slot, conversation) DO UPDATE
    SET expires = excluded.expires, identity = excluded.identity, report = excluded.report,
        erased_keys = excluded.erased_keys, first = excluded.first, interaction = excluded.interaction,
        row_id = excluded.row_id
    WHERE m.expires <= $5
    RETURNING 1
)
SELECT (
    SELECT CASE count(*) WHEN 1 THEN '1' ELSE 'this conversation is committed already' END FROM marked
)::integer, caller.interaction, caller.began, caller.expires, caller.record, caller.inserted, caller.erased_keys
FROM (SELECT 1) AS one LEFT JOIN caller ON true";

const DELETE_SESSION: &str = "DELETE FROM sessions_{p} WHERE slot = $1 AND conversation = $2";

const LOAD_SESSION: &str = "
SELECT revision, session FROM sessions_{p} WHERE slot = $1 AND conversation = $2 AND expires > $3";

const SAVE_SESSION: &str = "
INSERT INTO sessions_{p} (slot, conversation, expires, overdue, revision, session) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (slot, conversation) DO UPDATE
SET expires = excluded.expires, overdue = excluded.overdue, revision = excluded.revision, session = excluded.session";

/// A session with the same revision is the one that was saved before, and stays as it is.
const SAVE_FIRST_SESSION: &str = "
INSERT INTO sessions_{p} AS s (slot, conversation, expires, overdue, revision, session)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (slot, conversation) DO UPDATE
SET expires = CASE WHEN s.expires <= $7 THEN excluded.expires ELSE s.expires END,
    overdue = CASE WHEN s.expires <= $7 THEN excluded.overdue ELSE s.overdue END,
    revision = excluded.revision,
    session = CASE WHEN s.expires <= $7 THEN excluded.session ELSE s.session END
WHERE s.expires <= $7 OR s.revision = excluded.revision";

/// As [`SAVE_FIRST_SESSION`].
const SAVE_NEXT_SESSION: &str = "
UPDATE sessions_{p}
SET expires = CASE WHEN revision = $8 THEN $3::bigint ELSE expires END,
    overdue = CASE WHEN revision = $8 THEN $4::bigint ELSE overdue END,
    revision = $5,
    session = CASE WHEN revision = $8 THEN $6::bytea ELSE session END
WHERE slot = $1 AND conversation = $2 AND expires > $7 AND (revision = $8 OR revision = $5)";
