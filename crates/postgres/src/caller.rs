//! A caller's row, as it is changed by what is not a commit: erasing, sweeping, restoring.

use agent_memory_store::{
    Amendment, Erased, Erasure, Erasures, Field, IdentityKey, Interaction, InteractionId, KeptCaller, Remembered,
    Sealed, Swept, Timestamp,
};
use tokio_postgres::Row;

use crate::{
    columns::{Place, column, count, erasures, fixed, interaction, key, number, only, remembered, text},
    connections::{Connection, Parameter, Transaction},
    failure::{Attempt, Failure},
};

/// A caller's row, which the transaction has locked if it is to be written again.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) identifier: Option<Sealed>,
    marks_until: Option<Timestamp>,
    pub(crate) interaction: Option<Interaction>,
    former: Vec<(InteractionId, Timestamp)>,
    erased: Option<Remembered>,
    /// Ordered by key.
    erased_keys: Vec<(String, Remembered)>,
}

/// When a caller's fields expire, if there are any.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FirstField(pub(crate) Option<Timestamp>);

/// The columns that [`Caller::from_row`] reads.
pub(crate) const COLUMNS: &str = "identity, identifier, marks_until, interaction, began, expires, record, former,
    erased_number, erased_until, erased_keys, erased_numbers, erased_untils";

/// Answers how many erasures there were with this one.
const COUNT_ERASURE: &str = "UPDATE store SET erasures = erasures + 1 RETURNING erasures";

impl Caller {
    /// Reads a caller, if there is one.
    pub(crate) async fn read(transaction: &Transaction<'_>, identity: &IdentityKey) -> Attempt<Option<Self>> {
        let place = Place::of_caller(identity);
        let sql = format!("SELECT {COLUMNS} FROM callers_{:02} WHERE slot = $1 AND identity = $2", place.partition);
        let rows = transaction.query(&sql, &[&place.slot, &identity.0.as_slice()]).await?;
        rows.first().map(|row| Self::from_row(row).map(|(_, caller)| caller)).transpose()
    }

    /// Locks a caller, whether or not there is one.
    async fn lock(transaction: &Transaction<'_>, identity: &IdentityKey) -> Attempt<Self> {
        let place = Place::of_caller(identity);
        let sql = format!(
            "INSERT INTO callers_{:02} (slot, identity, sweep_at, inserted) VALUES ($1, $2, 0, false)
            ON CONFLICT (slot, identity) DO UPDATE SET slot = excluded.slot RETURNING {COLUMNS}",
            place.partition
        );
        let rows = transaction.query(&sql, &[&place.slot, &identity.0.as_slice()]).await?;
        Self::from_row(only(&rows)?).map(|(_, caller)| caller)
    }

    /// Reads [`COLUMNS`].
    pub(crate) fn from_row(row: &Row) -> Attempt<(IdentityKey, Self)> {
        let former: Option<Vec<&[u8]>> = column(row, 7)?;
        let former = former.unwrap_or_default().into_iter().map(|former| {
            let (id, expires) = former.split_at_checked(16).ok_or(Failure::Damaged("a key has the wrong length"))?;
            Ok((InteractionId(fixed(id)?), Timestamp::from_be_bytes(fixed(expires)?)))
        });
        let keys: Vec<&[u8]> = column::<Option<_>>(row, 10)?.unwrap_or_default();
        let numbers: Vec<i64> = column::<Option<_>>(row, 11)?.unwrap_or_default();
        let untils: Vec<i64> = column::<Option<_>>(row, 12)?.unwrap_or_default();
        let erased_keys = keys
            .into_iter()
            .zip(numbers)
            .zip(untils)
            .map(|((key, number), expires)| Ok((text(key)?, Remembered { number: erasures(number)?, expires })));
        let caller = Self {
            identifier: column::<Option<Vec<u8>>>(row, 1)?.map(Sealed),
            marks_until: column(row, 2)?,
            interaction: interaction(row, 3)?,
            former: former.collect::<Attempt<_>>()?,
            erased: remembered(column(row, 8)?, column(row, 9)?)?,
            erased_keys: erased_keys.collect::<Attempt<_>>()?,
        };
        Ok((IdentityKey(key(row, 0)?), caller))
    }

    /// Writes the row, or deletes it if nothing is left in it.
    pub(crate) async fn put(
        &self,
        transaction: &Transaction<'_>,
        identity: &IdentityKey,
        fields: FirstField,
    ) -> Attempt<()> {
        let Place { slot, partition } = Place::of_caller(identity);
        let identity = identity.0.as_slice();
        let Some(sweep_at) = self.sweep_at(fields) else {
            transaction.execute(&delete_sql(partition), &[&slot, &identity]).await?;
            return Ok(());
        };
        let interaction = self.interaction.as_ref();
        let former = self.former.iter().map(|(id, expires)| [&id.0[..], &expires.to_be_bytes()].concat());
        let former: Vec<Vec<u8>> = former.collect();
        let keys: Vec<&[u8]> = self.erased_keys.iter().map(|(key, _)| key.as_bytes()).collect();
        let numbers: Vec<i64> = self.erased_keys.iter().map(|(_, erased)| number(erased.number)).collect();
        let untils: Vec<i64> = self.erased_keys.iter().map(|(_, erased)| erased.expires).collect();
        let parameters: [Parameter<'_>; 15] = [
            &slot,
            &identity,
            &sweep_at,
            &self.identifier.as_ref().map(|identifier| identifier.0.as_slice()),
            &self.marks_until,
            &interaction.map(|interaction| interaction.id.0.as_slice()),
            &interaction.map(|interaction| interaction.began),
            &interaction.map(|interaction| interaction.expires),
            &interaction.map(|interaction| interaction.record.0.as_slice()),
            &(!former.is_empty()).then_some(former),
            &self.erased.map(|erased| number(erased.number)),
            &self.erased.map(|erased| erased.expires),
            &(!keys.is_empty()).then_some(keys),
            &(!numbers.is_empty()).then_some(numbers),
            &(!untils.is_empty()).then_some(untils),
        ];
        transaction.execute(&put_sql(partition), &parameters).await?;
        Ok(())
    }

    /// Prepares what [`put`](Self::put) sends for callers of a partition, so that many of them can be put at once.
    pub(crate) async fn prepare_puts(transaction: &Transaction<'_>, partition: usize) -> Attempt<()> {
        transaction.prepare(&put_sql(partition)).await?;
        transaction.prepare(&delete_sql(partition)).await?;
        Ok(())
    }

    /// All interactions that metric rows of this caller may be tied to.
    pub(crate) fn interactions(&self) -> Vec<InteractionId> {
        let standing = self.interaction.iter().map(|interaction| interaction.id);
        standing.chain(self.former.iter().map(|(id, _)| *id)).collect()
    }

    /// Removes what has expired, and the identifier if nothing else is left. The fields are swept already.
    pub(crate) fn sweep(&mut self, now: Timestamp, fields: FirstField, swept: &mut Swept) {
        if self.interaction.take_if(|interaction| interaction.expires <= now).is_some() {
            swept.interactions += 1;
        }
        self.former.retain(|(_, expires)| *expires > now);
        self.erased.take_if(|remembered| remembered.expires <= now);
        self.erased_keys.retain(|(_, remembered)| remembered.expires > now);
        let marked = self.marks_until.is_some_and(|expires| expires > now);
        if self.has_only_marks(fields) && !marked {
            self.marks_until = None;
            swept.identifiers += u64::from(self.identifier.take().is_some());
        }
    }

    /// When a sweep first has something to do here. None if nothing is left, not even a remembered erasure.
    fn sweep_at(&self, fields: FirstField) -> Option<Timestamp> {
        let marks = if self.has_only_marks(fields) { self.marks_until } else { None };
        let interactions = self.interaction.iter().map(|interaction| interaction.expires);
        let former = self.former.iter().map(|(_, expires)| *expires);
        let erasures = self.erased.iter().chain(self.erased_keys.iter().map(|(_, remembered)| remembered));
        let erasures = erasures.map(|remembered| remembered.expires);
        interactions.chain(former).chain(erasures).chain(marks).chain(fields.0).min()
    }

    /// Whether nothing but marks can be held on the caller.
    fn has_only_marks(&self, fields: FirstField) -> bool {
        fields.0.is_none() && self.interaction.is_none() && self.former.is_empty()
    }

    /// Removes everything, and remembers that. It covers what was erased before, for as long as that had to be
    /// remembered.
    fn erase(&mut self, mut remembered: Remembered) -> Self {
        let before = std::mem::take(self);
        for earlier in before.erased.iter().chain(before.erased_keys.iter().map(|(_, remembered)| remembered)) {
            remembered.expires = remembered.expires.max(earlier.expires);
        }
        self.erased = Some(remembered);
        before
    }

    /// Remembers that a key was erased.
    fn erase_key(&mut self, key: String, mut remembered: Remembered) {
        match self.erased_keys.binary_search_by(|(erased, _)| erased.cmp(&key)) {
            Ok(index) => {
                if let Some((_, earlier)) = self.erased_keys.get_mut(index) {
                    remembered.expires = remembered.expires.max(earlier.expires);
                    *earlier = remembered;
                }
            }
            Err(index) => self.erased_keys.insert(index, (key, remembered)),
        }
    }

    pub(crate) fn into_kept(self, identity: IdentityKey, fields: Vec<Field>) -> KeptCaller {
        let Self { identifier, marks_until, interaction, former, erased, erased_keys } = self;
        KeptCaller { identity, identifier, fields, interaction, former, marks_until, erased, erased_keys }
    }

    /// The row of another store's caller, and the caller's fields.
    pub(crate) fn from_kept(kept: KeptCaller) -> (Self, Vec<Field>) {
        let KeptCaller { identity: _, identifier, fields, interaction, former, marks_until, erased, erased_keys } =
            kept;
        (Self { identifier, marks_until, interaction, former, erased, erased_keys }, fields)
    }
}

/// Parameters: the slot, the identity, and the columns that it names, in its order.
fn put_sql(partition: usize) -> String {
    format!(
        "INSERT INTO callers_{partition:02} (slot, identity, sweep_at, identifier, marks_until, interaction, began,
            expires, record, former, erased_number, erased_until, erased_keys, erased_numbers, erased_untils,
            inserted)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, false)
        ON CONFLICT (slot, identity) DO UPDATE
        SET sweep_at = excluded.sweep_at, identifier = excluded.identifier, marks_until = excluded.marks_until,
            interaction = excluded.interaction, began = excluded.began, expires = excluded.expires,
            record = excluded.record, former = excluded.former, erased_number = excluded.erased_number,
            erased_until = excluded.erased_until, erased_keys = excluded.erased_keys,
            erased_numbers = excluded.erased_numbers, erased_untils = excluded.erased_untils"
    )
}

/// Parameters: slot, identity.
fn delete_sql(partition: usize) -> String {
    format!("DELETE FROM callers_{partition:02} WHERE slot = $1 AND identity = $2")
}

/// One statement. An interaction that was amended meanwhile is another one.
pub(crate) async fn amend(connection: &Connection, amendment: &Amendment) -> Attempt<bool> {
    let Place { slot, partition } = Place::of_caller(&amendment.identity);
    let from = &amendment.from;
    let sql = format!(
        "UPDATE callers_{partition:02} SET record = $7
        WHERE slot = $1 AND identity = $2 AND interaction = $3 AND began = $4 AND expires = $5 AND record = $6"
    );
    let parameters: [Parameter<'_>; 7] = [
        &slot,
        &amendment.identity.0.as_slice(),
        &from.id.0.as_slice(),
        &from.began,
        &from.expires,
        &from.record.0,
        &amendment.record.0,
    ];
    Ok(connection.execute(&sql, &parameters).await? > 0)
}

/// From when the number of the erasure is drawn nobody else gets one before this transaction is over. So the caller is
/// locked before: who waits for that holds up nobody else's erasure.
pub(crate) async fn erase(transaction: &Transaction<'_>, erasure: &Erasure) -> Attempt<Erased> {
    let caller = Caller::lock(transaction, &erasure.identity).await?;
    let rows = transaction.query(COUNT_ERASURE, &[]).await?;
    erase_locked(transaction, erasure, caller, count(only(&rows)?, 0)?).await
}

/// Erases under a number, which takes the place of an earlier one's, also if it is lower.
pub(crate) async fn erase_as(transaction: &Transaction<'_>, erasure: &Erasure, number: Erasures) -> Attempt<Erased> {
    let caller = Caller::lock(transaction, &erasure.identity).await?;
    erase_locked(transaction, erasure, caller, number).await
}

async fn erase_locked(
    transaction: &Transaction<'_>,
    erasure: &Erasure,
    mut caller: Caller,
    number: Erasures,
) -> Attempt<Erased> {
    let Erasure { identity, key, now, expires } = erasure;
    let Place { slot, partition } = Place::of_caller(identity);
    let key_of_caller = identity.0.as_slice();
    let remembered = Remembered { number, expires: *expires };
    let mut erased = Erased::default();
    let of_caller = format!("DELETE FROM fields_{partition:02} WHERE slot = $1 AND identity = $2");
    let rows = match key {
        Some(key) => {
            caller.erase_key(key.clone(), remembered);
            let sql = format!("{of_caller} AND key = $3 RETURNING expires");
            transaction.query(&sql, &[&slot, &key_of_caller, &key.as_bytes()]).await?
        }
        None => {
            let before = caller.erase(remembered);
            erased.interactions = u64::from(before.interaction.as_ref().is_some_and(|held| held.expires > *now));
            for interaction in before.interactions() {
                let slot = Place::of_interaction(&interaction).slot;
                let sql = "DELETE FROM metrics WHERE slot = $1 AND interaction = $2 RETURNING expires";
                let rows = transaction.query(sql, &[&slot, &interaction.0.as_slice()]).await?;
                erased.metrics += alive(&rows, *now)?;
            }
            let sql = "UPDATE marks SET identity = NULL, report = NULL, erased_keys = NULL, first = NULL,
                    interaction = NULL, row_id = NULL
                WHERE identity = $1";
            transaction.execute(sql, &[&key_of_caller]).await?;
            transaction.query(&format!("{of_caller} RETURNING expires"), &[&slot, &key_of_caller]).await?
        }
    };
    erased.fields = alive(&rows, *now)?;
    let sql = format!("SELECT min(expires) FROM fields_{partition:02} WHERE slot = $1 AND identity = $2");
    let rows = transaction.query(&sql, &[&slot, &key_of_caller]).await?;
    caller.put(transaction, identity, FirstField(column(only(&rows)?, 0)?)).await?;
    Ok(erased)
}

/// Counts an erasure that is carried out elsewhere. Answers how many there were with it.
pub(crate) async fn count_erasure(connection: &Connection) -> Attempt<Erasures> {
    count(only(&connection.query(COUNT_ERASURE, &[]).await?)?, 0)
}

/// Gives an erasure of a caller or of a key another number, if it is remembered under the given one. One statement.
pub(crate) async fn renumber(
    connection: &Connection,
    identity: &IdentityKey,
    key: Option<&str>,
    from: Erasures,
    to: Erasures,
) -> Attempt<()> {
    let Place { slot, partition } = Place::of_caller(identity);
    let identity = identity.0.as_slice();
    let (from, to) = (number(from), number(to));
    match key {
        None => {
            let sql = format!(
                "UPDATE callers_{partition:02} SET erased_number = $4
                WHERE slot = $1 AND identity = $2 AND erased_number = $3"
            );
            connection.execute(&sql, &[&slot, &identity, &from, &to]).await?;
        }
        Some(key) => {
            let sql = format!(
                "UPDATE callers_{partition:02} SET erased_numbers[array_position(erased_keys, $5)] = $4
                WHERE slot = $1 AND identity = $2 AND erased_numbers[array_position(erased_keys, $5)] = $3"
            );
            connection.execute(&sql, &[&slot, &identity, &from, &to, &key.as_bytes()]).await?;
        }
    }
    Ok(())
}

/// How many rows, whose first column it is, expire after a time.
fn alive(rows: &[Row], now: Timestamp) -> Attempt<u64> {
    let mut alive = 0;
    for row in rows {
        alive += u64::from(column::<Timestamp>(row, 0)? > now);
    }
    Ok(alive)
}
