//! Core dumps, which would have in them what callers have said.

use std::io;

/// Has the system write no core dump of this process and those that it starts: keys and what callers have said are in
/// their memory. The command and worker processes do so; a program that embeds this crate may.
///
/// # Errors
/// If the system does not allow it.
pub fn refuse_core_dumps() -> io::Result<()> {
    // A limit of one byte is too little for a file, and of all limits the one for which Linux starts no program either
    // that takes core dumps over a pipe.
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

        let limit = getrlimit(Resource::Core).maximum.map_or(1, |most| most.min(1));
        setrlimit(Resource::Core, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    Ok(())
}
