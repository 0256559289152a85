//! What can happen in a sequence, and sequences made from a number.

use agent_memory_tests::Trouble;
use fastrand::Rng;

use super::world::{CALLERS, HOUR, KEYS, SCOPES};

/// One thing that happens. Conversations are named by numbers that are taken modulo how many there are, so that a
/// sequence still means something when steps before are left out.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) action: Action,
    /// After how many calls of the store one meets with trouble, and with what.
    pub(crate) trouble: Option<(u64, Trouble)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// A caller calls. With `again`, under the id of an earlier conversation that has ended.
    Start {
        scope: usize,
        caller: usize,
        again: Option<usize>,
    },
    /// A function sets a key, and what it reads of memory is looked at.
    Set {
        talk: usize,
        key: usize,
        value: Value,
        way: Way,
    },
    Remove {
        talk: usize,
        key: usize,
    },
    /// A function asks to hand the caller over.
    HandOver {
        talk: usize,
    },
    /// What the end would write.
    Preview {
        talk: usize,
    },
    Save {
        talk: usize,
    },
    /// Somebody else opens the conversation that is saved, while the first may go on with it.
    Open {
        talk: usize,
    },
    /// The embedder carries the session elsewhere, as bytes. With `twice`, and keeps it too.
    Carry {
        talk: usize,
        twice: bool,
    },
    End {
        talk: usize,
        qa: Option<usize>,
    },
    /// Quality assurance says something of an ended conversation.
    Amend {
        ended: usize,
        qa: usize,
    },
    Erase {
        scope: usize,
        caller: usize,
        key: Option<usize>,
    },
    Export {
        scope: usize,
        caller: usize,
    },
    Analytics,
    Sweep,
    Wait {
        seconds: i64,
    },
    Rotate,
    /// Another configuration for an agent.
    Configure {
        scope: usize,
    },
    /// The process ends, and another one begins.
    Restart,
}

/// What a function sets a key to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    /// A text that nothing else is set to.
    New,
    Number,
    Flat,
    Null,
    /// Refused for a key that is to be remembered (V2).
    Nested,
}

/// How a function that sets something ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Returns,
    Fails,
    Traps,
}

/// The sequence of a number.
pub(crate) fn sequence(number: u64) -> Vec<Step> {
    let mut rng = Rng::with_seed(number);
    let length = rng.usize(20..100);
    (0..length).map(|_| step(&mut rng)).collect()
}

fn step(rng: &mut Rng) -> Step {
    let action = action(rng);
    let trouble = (rng.u8(..4) == 0).then(|| {
        use Trouble::{HangsAfter, HangsBefore, LostAfter, LostBefore, Refused};
        let all = [Refused, LostBefore, LostAfter, HangsBefore, HangsAfter];
        (rng.u64(..5).saturating_sub(1), all[rng.usize(..all.len())])
    });
    Step { action, trouble }
}

fn action(rng: &mut Rng) -> Action {
    // A few callers and scopes meet each other often.
    let scope = if rng.bool() { 0 } else { rng.usize(..SCOPES.len()) };
    let caller = if rng.u8(..4) > 0 { rng.usize(..2) } else { rng.usize(..CALLERS.len()) };
    let (talk, key) = (rng.usize(..16), rng.usize(..KEYS.len()));
    match rng.u8(..100) {
        0..10 => Action::Start { scope, caller, again: (rng.u8(..8) == 0).then_some(talk) },
        10..35 => {
            let value = match rng.u8(..10) {
                0 => Value::Number,
                1 => Value::Flat,
                2 => Value::Null,
                3 => Value::Nested,
                _ => Value::New,
            };
            let way = match rng.u8(..10) {
                0 => Way::Fails,
                1 => Way::Traps,
                _ => Way::Returns,
            };
            Action::Set { talk, key, value, way }
        }
        35..39 => Action::Remove { talk, key },
        39..41 => Action::HandOver { talk },
        41..43 => Action::Preview { talk },
        43..52 => Action::Save { talk },
        52..56 => Action::Open { talk },
        56..59 => Action::Carry { talk, twice: rng.bool() },
        59..74 => Action::End { talk, qa: rng.bool().then(|| rng.usize(..2)) },
        74..77 => Action::Amend { ended: talk, qa: rng.usize(..2) },
        77..81 => Action::Erase { scope, caller, key: rng.bool().then_some(key) },
        81..84 => Action::Export { scope, caller },
        84 => Action::Analytics,
        85..88 => Action::Sweep,
        88..96 => Action::Wait {
            seconds: match rng.u8(..6) {
                0 => rng.i64(1..HOUR),
                1 => HOUR,
                2 => rng.i64(HOUR..12 * HOUR),
                3 => rng.i64(HOUR..25 * HOUR),
                4 => rng.i64(1..8) * 24 * HOUR + rng.i64(0..HOUR),
                _ => rng.i64(8..=100) * 24 * HOUR,
            },
        },
        96..98 => Action::Rotate,
        98 => Action::Configure { scope: 0 },
        _ => Action::Restart,
    }
}
