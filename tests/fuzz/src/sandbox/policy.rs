//! The policy through wasm, against the rules that it is made of.

mod convert;
mod generate;
mod joined;

use agent_memory_rules as rules;
use arbitrary::Unstructured;

use crate::Target;
use convert::{all, state_value};
use generate::Generate;
use joined::{Joined, policy as wit};

pub(crate) const TARGET: Target = Target {
    name: "policy",
    run: policy,
    longest: 4 << 10,
    words: &["\"", "{", "}", "[", "]", ":", ",", "null", "2026-03-02T10:20:30Z", "+441632960001", "sip:", "anonymous"],
};

/// How many calls are made of an input, at most.
const CALLS: usize = 64;

/// Calls the functions of the policy, joined with an agent's, in any order and with any arguments, and asks the rules the
/// same without any wasm.
///
/// - Every answer is the same, whatever came before it.
/// - No call traps.
pub fn policy(data: &[u8]) {
    let mut play = Play {
        input: Generate(Unstructured::new(data)),
        joined: Joined::new(),
        sandbox: rules::Sandbox::new(),
        settings: Vec::new(),
        state: Vec::new(),
        draft: rules::DraftReport { off: None, keys: Vec::new(), warnings: Vec::new() },
        interaction: None,
    };
    for _ in 0..CALLS {
        if play.input.is_empty() {
            return;
        }
        // Bytes that have run out end the play as well as any.
        if play.call().is_err() {
            return;
        }
    }
}

/// One policy in a sandbox, the rules beside it, and what earlier answers are good for.
struct Play<'a> {
    input: Generate<'a>,
    joined: Joined,
    sandbox: rules::Sandbox,
    /// The last settings.
    settings: Vec<u8>,
    /// The state that the last turn has left.
    state: Vec<wit::StateEntry>,
    /// The last draft.
    draft: rules::DraftReport,
    /// The last first interaction.
    interaction: Option<rules::Interaction>,
}

impl Play<'_> {
    fn call(&mut self) -> arbitrary::Result<()> {
        match self.input.number(14)? {
            0 | 1 => self.configure(),
            2 | 3 => self.begin(),
            4..7 => self.set(),
            7 => self.look_at_state(),
            8 => self.look_at_memory(),
            9 => self.finish(),
            10 => self.propose(),
            11 => self.settle(),
            12 => self.administer(),
            _ => self.identify(),
        }
    }

    fn configure(&mut self) -> arbitrary::Result<()> {
        let (source, limits) = (self.input.configuration()?, self.input.limits()?);
        let asked = self.joined.configure(&source, limits);
        let known = rules::Configuration::parse(&source, limits.into());
        assert_eq!(asked, known.map(Into::into).map_err(all));
        if let Ok(configured) = asked {
            self.settings = configured.settings;
        }
        Ok(())
    }

    fn begin(&mut self) -> arbitrary::Result<()> {
        let turn = wit::Turn {
            settings: self.settings()?,
            fields: self.input.fields()?,
            state: self.carried_state()?,
            now: self.input.time()?,
        };
        let asked = self.joined.begin(&turn);
        assert_eq!(asked, self.sandbox.begin(turn.into()).map_err(Into::into));
        Ok(())
    }

    fn finish(&mut self) -> arbitrary::Result<()> {
        let asked = self.joined.finish();
        assert_eq!(asked, self.sandbox.finish().map(all).map_err(Into::into));
        if let Ok(state) = asked {
            self.state = state;
            // A sandbox takes one turn. Now and then it is asked for another.
            if !self.input.is_rare()? {
                (self.joined, self.sandbox) = (Joined::new(), rules::Sandbox::new());
            }
        }
        Ok(())
    }

    fn set(&mut self) -> arbitrary::Result<()> {
        let key = self.input.key()?;
        if self.input.is_rare()? {
            assert_eq!(self.joined.remove(&key), self.sandbox.state_mut().remove(&key));
            return Ok(());
        }
        let value = self.input.state_value()?;
        let asked = self.joined.set(&key, &value);
        let known = self.sandbox.state_mut().set(key, value.into());
        assert_eq!(asked, known.map_err(Into::into));
        Ok(())
    }

    fn look_at_state(&mut self) -> arbitrary::Result<()> {
        let key = self.input.key()?;
        let known = self.sandbox.state();
        assert_eq!(self.joined.get(&key), known.get(&key).cloned().map(state_value));
        let entries: Vec<_> =
            known.entries().map(|(key, value)| (key.to_owned(), state_value(value.clone()))).collect();
        assert_eq!(self.joined.entries(), entries);
        Ok(())
    }

    fn look_at_memory(&mut self) -> arbitrary::Result<()> {
        let key = self.input.key()?;
        let known = self.sandbox.memory();
        assert_eq!(self.joined.memory_get(&key), known.get(&key).map(|value| value.0.clone()));
        assert_eq!(self.joined.memory_contains(&key), known.contains(&key));
        assert_eq!(self.joined.memory_len() as usize, known.len());
        let fields: Vec<_> = known.fields().map(|(key, value)| (key.to_owned(), value.0.clone())).collect();
        assert_eq!(self.joined.memory_fields(), fields);
        Ok(())
    }

    fn propose(&mut self) -> arbitrary::Result<()> {
        let ending = wit::Ending {
            settings: self.settings()?,
            conversation: self.input.text()?,
            began: self.input.time()?,
            caller: self.input.caller()?,
            state: self.carried_state()?,
            outcome: self.input.outcome()?,
            requested_handoff: self.input.handoff()?,
            now: self.input.time()?,
        };
        let asked = self.joined.propose(&ending);
        let known = rules::propose(ending.into());
        assert_eq!(asked, known.clone().map(Into::into).map_err(Into::into));
        if let Ok(proposal) = known {
            self.draft = proposal.draft;
            self.interaction = proposal.interaction.map(|proposal| proposal.interaction).or(self.interaction.take());
        }
        Ok(())
    }

    fn settle(&mut self) -> arbitrary::Result<()> {
        let standing = if self.input.is_rare()? { None } else { self.interaction.clone().map(Into::into) };
        let settlement = self.input.settlement(standing)?;
        let asked = self.joined.settle(&self.draft.clone().into(), &settlement);
        assert_eq!(asked, rules::settle(self.draft.clone(), settlement.into()).into());
        if let Some(interaction) = self.interaction.take() {
            let outcome = self.input.outcome()?;
            let asked = self.joined.amend(&interaction.clone().into(), &outcome);
            let known = rules::amend(interaction, outcome.into());
            assert_eq!(asked, known.clone().into());
            self.interaction = Some(known);
        }
        Ok(())
    }

    fn administer(&mut self) -> arbitrary::Result<()> {
        let (settings, kind, text) = (self.settings()?, self.input.kind()?, self.input.identifier()?);
        let (fields, now) = (self.input.given_fields()?, self.input.time()?);
        let asked = self.joined.patch(&settings, kind, &text, &fields, now);
        let settings = rules::Settings(settings);
        let known = rules::patch(rules::Patch { settings, kind: kind.into(), text, fields: all(fields), now });
        assert_eq!(asked, known.map(Into::into).map_err(Into::into));
        Ok(())
    }

    fn identify(&mut self) -> arbitrary::Result<()> {
        let (kind, text, now) = (self.input.kind()?, self.input.identifier()?, self.input.time()?);
        let asked = self.joined.canonicalize(kind, &text, now);
        assert_eq!(asked, rules::canonicalize(kind.into(), &text, now).map(Into::into).map_err(Into::into));
        let (settings, caller, state) = (self.settings()?, self.input.caller()?, self.carried_state()?);
        let asked = self.joined.identify(&settings, &caller, &state, now);
        let known = rules::identify(&rules::Settings(settings), &caller.into(), all(state), now);
        assert_eq!(asked, known.map(Into::into).map_err(Into::into));
        Ok(())
    }

    /// The last settings, or rarely other bytes.
    fn settings(&mut self) -> arbitrary::Result<Vec<u8>> {
        if self.input.is_rare()? { self.input.bytes() } else { Ok(self.settings.clone()) }
    }

    /// What the last turn has left, or rarely another state.
    fn carried_state(&mut self) -> arbitrary::Result<Vec<wit::StateEntry>> {
        if self.input.is_rare()? { self.input.state() } else { Ok(self.state.clone()) }
    }
}
