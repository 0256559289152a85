//! Everything out of this process, and into it.

use async_trait::async_trait;

use super::{Caller, Mark, MemoryStore, Row, State};
use crate::{Cursor, Dump, IdentityKey, Interaction, Kept, KeptCaller, KeptMark, KeptRow, StoreError, Transfer};

#[async_trait]
impl Transfer for MemoryStore {
    /// Everything is one part.
    async fn dump(&self, _after: Option<Cursor>) -> Result<Dump, StoreError> {
        Ok(Dump { kept: self.state().dump(), next: None })
    }

    async fn restore(&self, kept: Vec<Kept>) -> Result<(), StoreError> {
        let mut state = self.state();
        kept.into_iter().for_each(|kept| state.restore(kept));
        Ok(())
    }
}

impl State {
    fn dump(&self) -> Vec<Kept> {
        let totals = Kept::Totals { erasures: self.erasures, keys: self.keys.clone(), swept: self.swept };
        let callers = self.callers.iter().map(|(identity, caller)| Kept::Caller(caller.kept(*identity)));
        let marks = self.marks.iter().map(|(conversation, mark)| {
            Kept::Mark(KeptMark { conversation: *conversation, expires: mark.expires, recorded: mark.recorded.clone() })
        });
        let rows = self.rows.iter().map(|((interaction, id), row)| {
            Kept::Row(KeptRow {
                interaction: *interaction,
                id: *id,
                began: row.began,
                expires: row.standing.expires,
                details: row.details.clone(),
                first: row.first,
                standing_began: row.standing.began,
                standing_record: row.standing.record.clone(),
            })
        });
        let sessions = self.sessions.values().cloned().map(Kept::Session);
        let acts = self.acts.values().cloned().map(Kept::Act);
        let all = std::iter::once(totals).chain(callers).chain(marks).chain(rows).chain(sessions).chain(acts);
        all.chain(self.agents.dump()).collect()
    }

    fn restore(&mut self, kept: Kept) {
        match kept {
            Kept::Totals { erasures, keys, swept } => {
                self.erasures = self.erasures.max(erasures);
                self.keys = self.keys.take().or(keys);
                self.swept = self.swept.max(swept);
            }
            Kept::Caller(kept) => {
                self.callers.insert(kept.identity, Caller::from(kept));
            }
            Kept::Mark(KeptMark { conversation, expires, recorded }) => {
                self.marks.insert(conversation, Mark { expires, recorded });
            }
            Kept::Row(row) => {
                let KeptRow { interaction: id, began, expires, details, first, .. } = row;
                let standing = Interaction { id, began: row.standing_began, expires, record: row.standing_record };
                self.rows.insert((id, row.id), Row { began, details, first, standing });
            }
            Kept::Session(session) => {
                self.sessions.insert(session.conversation, session);
            }
            Kept::Agent { version, replaced } => self.agents.restore_version(version, replaced),
            Kept::Component { key, bytes } => self.agents.restore_component(key, bytes),
            Kept::Act(act) => {
                self.acts.insert(act.id, act);
            }
        }
    }
}

impl Caller {
    fn kept(&self, identity: IdentityKey) -> KeptCaller {
        KeptCaller {
            identity,
            identifier: self.identifier.clone(),
            fields: self.fields.values().cloned().collect(),
            interaction: self.interaction.clone(),
            former: self.former.clone(),
            marks_until: self.marks_until,
            erased: self.erased,
            erased_keys: self.erased_keys.iter().map(|(key, remembered)| (key.clone(), *remembered)).collect(),
        }
    }
}

impl From<KeptCaller> for Caller {
    fn from(kept: KeptCaller) -> Self {
        Self {
            identifier: kept.identifier,
            fields: kept.fields.into_iter().map(|field| (field.key.clone(), field)).collect(),
            interaction: kept.interaction,
            former: kept.former,
            marks_until: kept.marks_until,
            erased: kept.erased,
            erased_keys: kept.erased_keys.into_iter().collect(),
        }
    }
}
