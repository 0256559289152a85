//! What a dying process has told, and whether what it has left agrees with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use agent_memory_host::keys::Keys;
use agent_memory_host::store::Durability;
use agent_memory_host::{Administration, IdentifierKind, Outcome, Session};
use agent_memory_tests::{Desk, component, scope};
use anyhow::{Context as _, ensure};
use rusqlite::{Connection, OpenFlags};

use crate::Figures;
use crate::deeds::Deed;
use crate::place::{CONVERSATIONS, LIFE, Place, RETENTION, SHARED, caller, id, number, own_key, phone};

/// How many ends that were acknowledged are repeated each time.
const REPEATED: usize = 16;

/// How much of what is wrong is told in words each time.
const SAID: usize = 3;

/// All that was told so far of one store.
#[derive(Debug)]
pub(crate) struct Ledger {
    place: Place,
    /// How many lives there were.
    lives: u64,
    /// Conversations whose end was begun, and the sessions with which it can be repeated.
    begun: BTreeMap<u64, Vec<u8>>,
    /// Conversations whose end was acknowledged.
    ended: BTreeSet<u64>,
    /// Callers who were to be erased.
    erasing: BTreeSet<u64>,
    /// Callers whose erasure was acknowledged.
    erased: BTreeSet<u64>,
    /// Versions of the keys that were acknowledged.
    rotated: BTreeSet<u16>,
    /// Whether a sweep was acknowledged in this life.
    is_swept: bool,
}

/// What is found in a store.
struct Found {
    /// What each conversation is a repetition of, by its number: None for a first one.
    rows: BTreeMap<u64, Option<u64>>,
    /// The fields of each caller, as numbers.
    fields: BTreeMap<u64, BTreeMap<String, u64>>,
}

impl Ledger {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            place: folder.into(),
            lives: 0,
            begun: BTreeMap::new(),
            ended: BTreeSet::new(),
            erasing: BTreeSet::new(),
            erased: BTreeSet::new(),
            rotated: BTreeSet::new(),
            is_swept: false,
        }
    }

    /// The number of the life that is next.
    pub(crate) fn life(&self) -> u64 {
        self.lives
    }

    /// Notes what was told in a life. What was told in time was acknowledged; of all else it is known only that it was
    /// begun.
    pub(crate) fn note(&mut self, deeds: impl IntoIterator<Item = (bool, Deed)>, figures: &mut Figures) {
        self.lives += 1;
        self.is_swept = false;
        for (in_time, deed) in deeds {
            match deed {
                Deed::Ends(number, session) => {
                    self.begun.insert(number, session);
                }
                Deed::Erases(caller) => {
                    self.erasing.insert(caller);
                }
                Deed::Ended(number) if in_time => {
                    self.ended.insert(number);
                    figures.tried("acknowledged ends", 1);
                }
                Deed::Erased(caller) if in_time => {
                    self.erased.insert(caller);
                    figures.tried("acknowledged erasures", 1);
                }
                Deed::Swept if in_time => {
                    self.is_swept = true;
                    figures.tried("acknowledged sweeps", 1);
                }
                Deed::Rotated(version) if in_time => {
                    self.rotated.extend(u16::try_from(version));
                    figures.tried("acknowledged rotations", 1);
                }
                _ => {}
            }
        }
    }

    /// Looks at what the last life has left, repeats the ends that were begun, and looks again.
    pub(crate) async fn check(&mut self, figures: &mut Figures) {
        for wrong in ["lost", "torn", "twice", "undone", "damaged"] {
            figures.wrong(wrong, 0);
        }
        if let Err(error) = self.try_to_check(figures).await {
            eprintln!("what was left cannot be used: {error:#}");
            figures.wrong("damaged", 1);
        }
    }

    async fn try_to_check(&mut self, figures: &mut Figures) -> anyhow::Result<()> {
        let life = self.lives.checked_sub(1).context("nothing has happened yet")?;
        // If the end came before there was a store, there is one now.
        let (desk, keys) = self.place.open(component("probe"), life, Durability::Full).await?;
        self.forget_expired(life);
        self.check_sweep(&desk, &keys, figures)?;
        let found = Found::read(&desk.runtime.administration(), figures).await?;
        let lost = self.compare(&desk, &found, figures).await?;
        // What is lost is counted once.
        self.ended.retain(|number| !lost.contains(number));
        self.repeat(&desk, &found, figures).await?;
        let found = Found::read(&desk.runtime.administration(), figures).await?;
        self.compare(&desk, &found, figures).await.map(|_| ())
    }

    /// What was committed long ago has expired and is not looked for.
    fn forget_expired(&mut self, life: u64) {
        let first = (life + 1).saturating_sub(RETENTION) * LIFE;
        self.begun = self.begun.split_off(&first);
        self.ended = self.ended.split_off(&first);
        self.erasing = self.erasing.split_off(&caller(first));
        self.erased = self.erased.split_off(&caller(first));
    }

    /// What was swept is in the file no more, and its keys are gone; new keys are there.
    fn check_sweep(&self, desk: &Desk, keys: &Keys, figures: &mut Figures) -> anyhow::Result<()> {
        let description = keys.description().context("the store is not sealed")?;
        let missing = self.rotated.iter().filter(|version| !description.versions.contains(version)).count();
        figures.wrong("undone", missing as u64);
        if !self.is_swept {
            return Ok(());
        }
        let now = agent_memory_host::Clock::now(&*desk.clock).as_second();
        let today = now.div_euclid(24 * 60 * 60);
        if i64::from(description.first_day.number()) < today {
            eprintln!("undone: keys of days before today are there after a sweep");
            figures.wrong("undone", 1);
        }
        let connection = Connection::open_with_flags(self.place.store(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        for expired in ["callers WHERE sweep_at", "marks WHERE expires", "metrics WHERE expires"] {
            let statement = format!("SELECT count(*) FROM {expired} <= ?1");
            let left: u64 = connection.query_row(&statement, [now], |row| row.get(0))?;
            if left > 0 {
                eprintln!("undone: {left} rows are left by a sweep: {expired}");
            }
            figures.wrong("undone", left);
        }
        Ok(())
    }

    /// Holds what was found against what was told. Returns what is lost.
    async fn compare(&self, desk: &Desk, found: &Found, figures: &mut Figures) -> anyhow::Result<BTreeSet<u64>> {
        let (mut lost, mut said) = (BTreeSet::new(), 0);
        let mut wrong = |what: &'static str, number: u64, why: &str| {
            said += 1;
            if said <= SAID {
                eprintln!("{what}: conversation {number}: {why}");
            }
            figures.wrong(what, 1);
        };
        for number in found.rows.keys().filter(|number| !self.begun.contains_key(number)) {
            wrong("torn", *number, "it is counted, and nobody has ended it");
        }
        let callers: BTreeSet<u64> = self.begun.keys().map(|number| caller(*number)).collect();
        for whose in found.fields.keys().filter(|whose| !callers.contains(whose)) {
            wrong("torn", whose * CONVERSATIONS, "its caller is remembered, and none of the caller's has ended");
        }
        for whose in callers {
            let all: Vec<u64> = (whose * CONVERSATIONS..).take(usize::try_from(CONVERSATIONS)?).collect();
            let none = BTreeMap::new();
            let fields = found.fields.get(&whose).unwrap_or(&none);
            let committed: BTreeSet<u64> = all.iter().copied().filter(|one| found.rows.contains_key(one)).collect();
            let is_gone = fields.is_empty() && committed.is_empty();
            if self.erased.contains(&whose) && !is_gone {
                wrong("undone", whose * CONVERSATIONS, "its caller was erased and is back");
                continue;
            }
            let is_erased = is_gone && self.erasing.contains(&whose);

            for one in all {
                // The mark of a conversation outlives the erasure of the caller.
                let has_ended = ended(desk, one).await?;
                let is_committed = committed.contains(&one) || is_erased && has_ended;
                if self.ended.contains(&one) && !is_committed {
                    wrong("lost", one, "its end was acknowledged");
                    lost.insert(one);
                }
                if is_committed != has_ended {
                    wrong("torn", one, "its mark and its row of metrics are not both there");
                }
                let own = fields.get(&own_key(one)).copied();
                if own != Some(one).filter(|one| committed.contains(one)) {
                    wrong("torn", one, "its own key does not go with its row of metrics");
                }
                if has_ended && desk.runtime.session(&scope(), &id(one)).await?.is_some() {
                    wrong("torn", one, "its session is left");
                }
            }
            let shared = SHARED.map(|key| fields.get(key).copied());
            let shared_is_whole = shared.iter().all(|value| *value == shared.first().copied().flatten())
                && shared.iter().flatten().all(|one| committed.contains(one))
                && shared.iter().flatten().count() == if committed.is_empty() { 0 } else { SHARED.len() };
            if !shared_is_whole {
                wrong(
                    "torn",
                    whose * CONVERSATIONS,
                    "the keys that all of a caller's set are of different conversations",
                );
            }
            let firsts = committed.iter().filter(|one| found.rows.get(one) == Some(&None)).collect::<Vec<_>>();
            let repeats = committed.iter().filter_map(|one| found.rows.get(one).copied().flatten());
            if !committed.is_empty() && (firsts.len() != 1 || !repeats.into_iter().all(|first| firsts == [&first])) {
                wrong("torn", whose * CONVERSATIONS, "a caller's first conversation is not that of all others");
            }
        }
        Ok(lost)
    }

    /// Ends again what was begun and not acknowledged, and some of what was: each is committed once, whatever was known.
    async fn repeat(&mut self, desk: &Desk, found: &Found, figures: &mut Figures) -> anyhow::Result<()> {
        let unknown = self.begun.keys().copied().filter(|number| !self.ended.contains(number));
        let acknowledged = self.ended.iter().rev().copied().step_by(7).take(REPEATED);
        for number in unknown.chain(acknowledged).collect::<Vec<_>>() {
            let session = Session::from_bytes(self.begun.get(&number).context("its end was never begun")?)?;
            let mut conversation = desk.agent.resume(session)?;
            let was_there = found.rows.contains_key(&number);
            conversation.end(Outcome::default()).await.with_context(|| format!("conversation {number}"))?;
            figures.tried("repeated ends", 1);
            figures.tried("of them committed before", u64::from(was_there));
            self.ended.insert(number);
        }
        Ok(())
    }
}

impl Found {
    async fn read(administration: &Administration, figures: &mut Figures) -> anyhow::Result<Self> {
        let verified = administration.verify(|_| {}).await?;
        for problem in &verified.problems {
            eprintln!("{}: {} ({})", problem.what, problem.why, problem.count);
        }
        figures.wrong("damaged", verified.problems.len() as u64);

        let mut rows = BTreeMap::new();
        for counted in administration.conversations().await? {
            let first = match &counted.repeat_of {
                None => None,
                Some(metrics) => {
                    Some(metrics.get("REPEAT_CALLER_CONV_ID").and_then(|id| number(id)).context("no first")?)
                }
            };
            let own = number(&counted.conversation).context("a conversation of somebody else")?;
            if rows.insert(own, first).is_some() {
                eprintln!("twice: conversation {own}");
                figures.wrong("twice", 1);
            }
        }
        let (mut fields, mut page) = (BTreeMap::new(), None);
        loop {
            let (callers, next) = administration.callers(page).await?;
            for found in callers {
                ensure!(found.kind == IdentifierKind::Phone, "a caller of another kind");
                let digits = found.identifier.strip_prefix(&phone(0)[..5]).context("somebody else's number")?;
                let values = found.fields.into_iter().map(|(key, field)| Ok((key, field.value.to::<u64>()?)));
                fields.insert(digits.parse()?, values.collect::<anyhow::Result<_>>()?);
            }
            page = next;
            if page.is_none() {
                return Ok(Self { rows, fields });
            }
        }
    }
}

async fn ended(desk: &Desk, number: u64) -> anyhow::Result<bool> {
    Ok(desk.runtime.administration().has_ended(&scope(), &id(number)).await?)
}
