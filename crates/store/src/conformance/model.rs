//! Random operations, played on a store and on [`MemoryStore`], which have to answer alike.

use std::sync::Arc;

use proptest::{collection::vec, prelude::*};

use super::fixtures::{self, HOUR, NOW, Subject};
use super::transfer::everything_alive;
use crate::{
    AgentKey, AgentVersion, Amendment, Commit, ComponentKey, Erasure, Field, Interaction, MemoryStore, NewInteraction,
    NewRow, Read, Replaces, SavedSession, Timestamp, VersionKey,
};

/// How many callers there are.
const CALLERS: u64 = 3;

/// How many conversations there are: few, so that many are committed again.
const CONVERSATIONS: u64 = 12;

/// The keys of fields.
const KEYS: [&str; 4] = ["", "a", "a\0", "ä"];

/// How many agents there are, and versions and components of each.
const AGENTS: u8 = 2;
const VERSIONS: u8 = 3;

/// How many names of states sessions have: few, so that many meet.
const REVISIONS: u64 = 4;

/// One thing to do. Times are in hours from the clock.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Moves the clock, sometimes back.
    Tick(i64),
    Load {
        caller: Option<u64>,
        conversation: Option<u64>,
    },
    Commit(PlannedCommit),
    /// Repeats the last commit with its ids, at the present time.
    CommitAgain,
    Ended {
        conversation: u64,
    },
    /// Amends the interaction that is exported now, or one that never was.
    Amend {
        caller: u64,
        exact: bool,
        record: u8,
    },
    Erase {
        caller: u64,
        key: Option<usize>,
        expires: i64,
    },
    Export {
        caller: u64,
    },
    Sweep,
    MetricRows,
    Identities {
        after: Option<u64>,
        limit: usize,
    },
    Health,
    SaveSession(PlannedSave),
    LoadSession {
        conversation: u64,
    },
    DeleteSession {
        conversation: u64,
    },
    OverdueSessions {
        limit: usize,
    },
    PublishAgent {
        agent: u8,
        version: u8,
        component: u8,
        /// Whether the component's bytes are given.
        bytes: bool,
    },
    WithdrawAgent {
        agent: u8,
    },
    Agents,
    /// Closes the store and opens it again, where that keeps anything.
    Reopen,
}

/// A commit to be made.
#[derive(Clone, Debug)]
pub struct PlannedCommit {
    pub conversation: u64,
    pub caller: u64,
    /// How many erasures ago the conversation began.
    pub erasures_ago: u64,
    pub patch: Vec<(usize, i64, Vec<u8>)>,
    pub interaction: Option<PlannedInteraction>,
    pub mark_expires: i64,
    pub ends_session: bool,
}

/// A session to be saved. Times are in seconds from the clock.
#[derive(Clone, Debug)]
pub struct PlannedSave {
    pub conversation: u64,
    pub expires: i64,
    pub overdue: Option<i64>,
    pub revision: u64,
    /// None: nothing.
    pub replaces: Option<u64>,
    /// Whether it replaces anything.
    pub forced: bool,
    pub session: Vec<u8>,
}

/// An interaction to be proposed.
#[derive(Clone, Debug)]
pub struct PlannedInteraction {
    pub began: i64,
    pub expires: i64,
    pub stands_after: i64,
}

/// Operations that meet each other often.
pub fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let operation = prop_oneof![
        4 => prop_oneof![8 => 0..30_i64, 1 => -30..0_i64, 1 => 100..300_i64].prop_map(Operation::Tick),
        3 => (proptest::option::of(0..CALLERS), proptest::option::of(0..CONVERSATIONS))
            .prop_map(|(caller, conversation)| Operation::Load { caller, conversation }),
        10 => planned_commit().prop_map(Operation::Commit),
        2 => Just(Operation::CommitAgain),
        2 => (0..CONVERSATIONS).prop_map(|conversation| Operation::Ended { conversation }),
        2 => (0..CALLERS, proptest::bool::weighted(0.8), any::<u8>())
            .prop_map(|(caller, exact, record)| Operation::Amend { caller, exact, record }),
        3 => (0..CALLERS, proptest::option::of(0..KEYS.len()), -5..60_i64)
            .prop_map(|(caller, key, expires)| Operation::Erase { caller, key, expires }),
        2 => (0..CALLERS).prop_map(|caller| Operation::Export { caller }),
        2 => Just(Operation::Sweep),
        1 => Just(Operation::MetricRows),
        2 => (proptest::option::of(0..CALLERS), 0..CALLERS as usize + 2)
            .prop_map(|(after, limit)| Operation::Identities { after, limit }),
        1 => Just(Operation::Health),
        6 => planned_save().prop_map(Operation::SaveSession),
        1 => (0..CONVERSATIONS).prop_map(|conversation| Operation::LoadSession { conversation }),
        1 => (0..CONVERSATIONS).prop_map(|conversation| Operation::DeleteSession { conversation }),
        2 => (0..CONVERSATIONS as usize).prop_map(|limit| Operation::OverdueSessions { limit }),
        4 => (0..AGENTS, 0..VERSIONS, 0..VERSIONS, any::<bool>()).prop_map(|(agent, version, component, bytes)| {
            Operation::PublishAgent { agent, version, component, bytes }
        }),
        1 => (0..AGENTS).prop_map(|agent| Operation::WithdrawAgent { agent }),
        1 => Just(Operation::Agents),
        1 => Just(Operation::Reopen),
    ];
    vec(operation, 1..60)
}

fn planned_commit() -> impl Strategy<Value = PlannedCommit> {
    let field = (0..KEYS.len(), -5..60_i64, vec(any::<u8>(), 0..40));
    let interaction = (-9..1_i64, -5..60_i64, -40..1_i64)
        .prop_map(|(began, expires, stands_after)| PlannedInteraction { began, expires, stands_after });
    let ends_session = any::<bool>();
    (
        (0..CONVERSATIONS, 0..CALLERS, 0..4_u64, vec(field, 0..4)),
        (proptest::option::weighted(0.7, interaction), -5..60_i64, ends_session),
    )
        .prop_map(|((conversation, caller, erasures_ago, patch), (interaction, mark_expires, ends_session))| {
            PlannedCommit { conversation, caller, erasures_ago, patch, interaction, mark_expires, ends_session }
        })
}

fn planned_save() -> impl Strategy<Value = PlannedSave> {
    let overdue = proptest::option::of(-9..90_000_i64);
    let replaces = (proptest::option::weighted(0.7, 0..REVISIONS), proptest::bool::weighted(0.3));
    (0..CONVERSATIONS / 3, -9..90_000_i64, overdue, 0..REVISIONS, replaces, vec(any::<u8>(), 0..9)).prop_map(
        |(conversation, expires, overdue, revision, (replaces, forced), session)| PlannedSave {
            conversation,
            expires,
            overdue,
            revision,
            replaces,
            forced,
            session,
        },
    )
}

/// Plays operations on an empty store and compares every answer, and in the end everything, with those of a
/// [`MemoryStore`]. `reopen` is given the store and returns it as it is after it was closed.
pub async fn same_as_in_memory(
    store: Subject,
    operations: Vec<Operation>,
    mut reopen: impl AsyncFnMut(Subject) -> Subject,
) {
    let mut play = Play { memory: Arc::new(MemoryStore::new()), store, now: NOW, ids: 0, last: None };
    for (step, operation) in operations.into_iter().enumerate() {
        let context = format!("step {step}: {operation:?}");
        match operation {
            Operation::Reopen => play.store = reopen(play.store).await,
            operation => play.step(operation, &context).await,
        }
    }
    play.compare_everything().await;
}

struct Play {
    memory: Subject,
    store: Subject,
    now: Timestamp,
    /// How many ids were given out.
    ids: u64,
    last: Option<Commit>,
}

/// Asks both stores the same and compares the answers.
macro_rules! compare {
    ($play:expr, $context:expr, |$store:ident| $ask:expr) => {{
        let answer = async |$store: &Subject| $ask.await.unwrap();
        let expected = answer(&$play.memory).await;
        assert_eq!(answer(&$play.store).await, expected, "{}", $context);
    }};
}

impl Play {
    async fn step(&mut self, operation: Operation, context: &str) {
        let now = self.now;
        match operation {
            Operation::Tick(hours) => self.now += hours * HOUR,
            Operation::Load { caller, conversation } => {
                let identity = caller.map(fixtures::identity);
                let read = Read { identity, conversation: conversation.map(fixtures::conversation), now };
                if conversation.is_some() {
                    compare!(self, context, |store| store.load(read));
                } else {
                    compare!(self, context, |store| fixtures::load_without_erasures(store, read));
                }
            }
            Operation::Commit(planned) => {
                let commit = self.commit(planned).await;
                self.last = Some(commit.clone());
                compare!(self, context, |store| store.commit(commit.clone()));
            }
            Operation::CommitAgain => {
                let Some(commit) = &self.last else { return };
                let commit = Commit { now, ..commit.clone() };
                compare!(self, context, |store| store.commit(commit.clone()));
            }
            Operation::Ended { conversation } => {
                compare!(self, context, |store| store.ended(fixtures::conversation(conversation), now));
            }
            Operation::Amend { caller, exact, record } => {
                let identity = fixtures::identity(caller);
                let held = self.memory.export(identity, now).await.unwrap().interaction;
                let from = held.filter(|_| exact).unwrap_or_else(|| fixtures::interaction(u64::MAX, NOW));
                let amendment = Amendment { identity, from, record: fixtures::sealed([record]) };
                compare!(self, context, |store| store.amend(amendment.clone()));
            }
            Operation::Erase { caller, key, expires } => {
                let erasure = Erasure {
                    identity: fixtures::identity(caller),
                    key: key.map(|key| KEYS[key].to_owned()),
                    now,
                    expires: now + expires * HOUR,
                };
                compare!(self, context, |store| store.erase(erasure.clone()));
            }
            Operation::Export { caller } => {
                compare!(self, context, |store| store.export(fixtures::identity(caller), now));
            }
            Operation::Sweep => compare!(self, context, |store| store.sweep(now)),
            Operation::MetricRows => compare!(self, context, |store| store.metric_rows(now)),
            Operation::Identities { after, limit } => {
                compare!(self, context, |store| store.identities(after.map(fixtures::identity), limit, now));
            }
            Operation::Health => compare!(self, context, |store| store.health(now)),
            Operation::SaveSession(planned) => {
                let session = SavedSession {
                    conversation: fixtures::conversation(planned.conversation),
                    expires: now + planned.expires,
                    overdue: planned.overdue.map(|seconds| now + seconds),
                    revision: fixtures::revision(planned.revision),
                    session: fixtures::sealed(planned.session),
                };
                let replaces = match planned.replaces {
                    _ if planned.forced => Replaces::Anything,
                    Some(revision) => Replaces::Revision(fixtures::revision(revision)),
                    None => Replaces::Nothing,
                };
                compare!(self, context, |store| store.save_session(session.clone(), replaces, now));
            }
            Operation::LoadSession { conversation } => {
                compare!(self, context, |store| store.load_session(fixtures::conversation(conversation), now));
            }
            Operation::DeleteSession { conversation } => {
                compare!(self, context, |store| store.delete_session(fixtures::conversation(conversation)));
            }
            Operation::OverdueSessions { limit } => {
                compare!(self, context, |store| store.overdue_sessions(now, limit));
            }
            Operation::PublishAgent { agent, version, component, bytes } => {
                let bytes = bytes.then(|| vec![component; 40]);
                self.ids += 1;
                let version = AgentVersion {
                    agent: AgentKey([agent; 32]),
                    version: VersionKey([version; 32]),
                    component: ComponentKey([component; 32]),
                    record: fixtures::sealed(format!("record {}", self.ids)),
                };
                compare!(self, context, |store| store.publish_agent(version.clone(), bytes.clone(), now));
            }
            Operation::WithdrawAgent { agent } => {
                compare!(self, context, |store| store.withdraw_agent(AgentKey([agent; 32]), now));
            }
            Operation::Agents => self.compare_agents(context).await,
            // It is done by whoever has the store.
            Operation::Reopen => {}
        }
    }

    async fn commit(&mut self, planned: PlannedCommit) -> Commit {
        let now = self.now;
        self.ids += 1;
        let id = self.ids;
        let hours = |hours: i64| now + hours * HOUR;
        let patch = planned.patch.into_iter().map(|(key, expires, value)| Field {
            written: now,
            expires: hours(expires),
            value: fixtures::sealed(value),
            ..fixtures::field(KEYS[key], "")
        });
        let interaction = planned.interaction.map(|planned| NewInteraction {
            interaction: Interaction {
                began: hours(planned.began),
                expires: hours(planned.expires),
                ..fixtures::interaction(id, now)
            },
            stands_after: hours(planned.stands_after),
            row: NewRow {
                id: fixtures::row_id(id),
                began: hours(planned.began),
                details: fixtures::sealed(format!("details {id}")),
            },
        });
        let erasures = fixtures::erasures(&self.memory).await.saturating_sub(planned.erasures_ago);
        let mut commit = Commit {
            erasures,
            now,
            patch: patch.collect(),
            interaction,
            ..fixtures::commit(planned.conversation, planned.caller)
        };
        commit.ends_session = planned.ends_session;
        commit.mark.expires = hours(planned.mark_expires);
        commit.mark.report = fixtures::report(id);
        commit
    }

    async fn compare_everything(&self) {
        let context = "in the end";
        // Also at times at which what was not swept shows again, or at which more has expired.
        for now in [self.now, self.now - 40 * HOUR, self.now + 20 * HOUR] {
            for caller in 0..CALLERS {
                let identity = fixtures::identity(caller);
                let read = Read { identity: Some(identity), conversation: None, now };
                compare!(self, context, |store| fixtures::load_without_erasures(store, read));
                compare!(self, context, |store| store.export(identity, now));
            }
            for conversation in 0..CONVERSATIONS {
                let conversation = fixtures::conversation(conversation);
                compare!(self, context, |store| store.ended(conversation, now));
                compare!(self, context, |store| store.load_session(conversation, now));
            }
            compare!(self, context, |store| store.metric_rows(now));
            compare!(self, context, |store| store.overdue_sessions(now, usize::MAX));
            compare!(self, context, |store| store.identities(None, usize::MAX, now));
            compare!(self, context, |store| store.health(now));
        }
        self.compare_agents(context).await;
        for now in [self.now, self.now + 20 * HOUR] {
            let [held, expected] = [&self.store, &self.memory].map(|store| everything_alive(store, now));
            assert_eq!(held.await, expected.await, "{context}");
        }
        for now in [self.now, Timestamp::MAX] {
            compare!(self, context, |store| store.sweep(now));
            compare!(self, context, |store| store.health(self.now));
            self.compare_agents(context).await;
        }
    }

    async fn compare_agents(&self, context: &str) {
        compare!(self, context, |store| store.agents());
        for agent in (0..AGENTS).map(|agent| AgentKey([agent; 32])) {
            compare!(self, context, |store| store.current_agent(agent));
            for version in (0..VERSIONS).map(|version| VersionKey([version; 32])) {
                compare!(self, context, |store| store.agent_version(agent, version));
            }
        }
        for component in (0..VERSIONS).map(|component| ComponentKey([component; 32])) {
            compare!(self, context, |store| store.component(component));
        }
    }
}
