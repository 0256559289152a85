//! What the tests have in common.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use agent_memory_store::{
    Commit, ConversationKey, Field, IdentityKey, Interaction, InteractionId, Mark, NewInteraction, NewRow, Revision,
    RowId, SavedSession, Sealed, Timestamp,
};

pub(crate) const HOUR: Timestamp = 3600;
pub(crate) const DAY: Timestamp = 24 * HOUR;

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: Timestamp = 1_767_225_600;

/// Where a test that runs itself as another process finds its file there.
const FILE: &str = "AGENT_MEMORY_TEST_FILE";

pub(crate) fn identity(number: u64) -> IdentityKey {
    IdentityKey(bytes(number, 1))
}

pub(crate) fn conversation(number: u64) -> ConversationKey {
    ConversationKey(bytes(number, 2))
}

pub(crate) fn field(key: &str, value: impl AsRef<[u8]>) -> Field {
    Field { key: key.to_owned(), written: NOW, expires: NOW + 90 * DAY, value: Sealed(value.as_ref().to_vec()) }
}

/// The commit of a conversation that is counted.
pub(crate) fn commit(conversation_number: u64, identity_number: u64, patch: Vec<Field>) -> Commit {
    let sealed = |what: &str| Sealed(format!("{what} {conversation_number}").into_bytes());
    let half = |kind| bytes(conversation_number, kind).first_chunk().copied().unwrap();
    Commit {
        conversation: conversation(conversation_number),
        identity: identity(identity_number),
        identifier: Sealed(format!("identifier {identity_number}").into_bytes()),
        erasures: 0,
        now: NOW,
        patch,
        interaction: Some(NewInteraction {
            interaction: Interaction {
                id: InteractionId(half(3)),
                began: NOW,
                expires: NOW + 90 * DAY,
                record: sealed("record"),
            },
            stands_after: NOW - 90 * DAY,
            row: NewRow { id: RowId(half(4)), began: NOW, details: sealed("details") },
        }),
        mark: Mark { expires: NOW + 90 * DAY, report: sealed("report") },
        ends_session: false,
    }
}

pub(crate) fn saved_session(conversation_number: u64, session: &[u8]) -> SavedSession {
    SavedSession {
        conversation: conversation(conversation_number),
        expires: NOW + DAY,
        overdue: None,
        revision: Revision([7; 16]),
        session: Sealed(session.to_vec()),
    }
}

/// The file that this process was started to work on, if it is not the one that runs the tests.
pub(crate) fn is_started_for() -> Option<PathBuf> {
    env::var_os(FILE).map(Into::into)
}

/// This test program again, to run one test, which finds that it [`is_started_for`] a file. What it prints is piped.
pub(crate) fn start_for(file: &Path, test: &str) -> Command {
    started(Command::new(env::current_exe().unwrap()), file, test)
}

/// The same, but a write beyond the limit on the size of files fails instead of ending the process.
pub(crate) fn start_with_limits_for(file: &Path, test: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(env::current_exe().unwrap());
    started(command, file, test)
}

fn started(mut command: Command, file: &Path, test: &str) -> Command {
    command.args(["--exact", test, "--nocapture", "--test-threads", "1"]).env(FILE, file).stdout(Stdio::piped());
    command
}

/// Spreads a number like a hash.
fn bytes(number: u64, kind: u8) -> [u8; 32] {
    let mut bytes = [kind; 32];
    let mut state = number;
    for chunk in bytes[1..].chunks_exact_mut(8) {
        state = (state ^ (state >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(kind));
        chunk.copy_from_slice(&state.to_be_bytes());
    }
    bytes[24..].copy_from_slice(&number.to_be_bytes());
    bytes
}
