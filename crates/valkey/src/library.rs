//! The functions that run in the server.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::names::key;

/// Its parts are one chunk: each sees what those before it have.
const SOURCE: &str = concat!(
    include_str!("library/head.lua"),
    include_str!("library/commits.lua"),
    include_str!("library/sessions.lua"),
    include_str!("library/callers.lua"),
    include_str!("library/sweep.lua"),
    include_str!("library/agents.lua"),
    include_str!("library/transfer.lua"),
    include_str!("library/functions.lua"),
);

/// The functions of this version, which have names that no other version's have.
#[derive(Clone, Debug)]
pub(crate) struct Library {
    name: String,
}

impl Library {
    pub(crate) fn new() -> Self {
        let mut name = "agent_memory_".to_owned();
        for byte in Sha256::digest(SOURCE).iter().take(6) {
            // Writing to a text never fails.
            let _ = write!(name, "{byte:02x}");
        }
        Self { name }
    }

    /// The command that puts the functions into a server, in place of the same ones.
    pub(crate) fn load(&self) -> redis::Cmd {
        let mut command = redis::cmd("FUNCTION");
        command.arg("LOAD").arg("REPLACE").arg(SOURCE.replace("LIBRARY", &self.name));
        command
    }

    /// The command that calls a function on a bucket.
    ///
    /// It declares two keys that never exist. While a slot is moved key by key, a server that still has it points to
    /// the one that gets it because they are missing, and that one has the client try again because they are two. So no
    /// function ever runs on a part of a bucket.
    pub(crate) fn call(&self, function: &str, base: &[u8], arguments: &[&[u8]]) -> redis::Cmd {
        let mut command = redis::cmd("FCALL");
        command.arg(format!("{}_{function}", self.name)).arg(2).arg(base).arg(key(base, "-", b"")).arg(arguments);
        command
    }
}
