//! What a program and its worker processes say to each other.

use agent_memory_host::fuzzing::reread_frames;

use crate::Target;

pub(crate) const TARGET: Target =
    Target { name: "frames", run: frames, longest: 8 << 10, words: &["\u{5}\u{0}\u{0}\u{0}", "0.1.0", "{}", "null"] };

/// The longest message that is taken from a worker, in bytes.
const LONGEST: u32 = 64 << 20;

/// Reads bytes as what came over the connection with a worker: all that follow the first, which chooses the end at which they
/// arrive.
///
/// - What is no message is an error, and nothing of it is in the error's text. What is longer than a message may be is one at
///   once: nobody waits for the rest.
/// - What is one can be sent on: it is read as the same once more.
pub fn frames(data: &[u8]) {
    let Some((end, bytes)) = data.split_first() else { return };
    let of_worker = end % 2 == 0;
    let (frames, ended) = reread_frames(bytes, of_worker);
    let length = bytes.first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
    assert!(!of_worker || length <= LONGEST || ended.is_err(), "a message of {length} bytes is waited for");
    if let Err(error) = ended {
        assert_eq!(error.to_string(), "what it sent is no message");
    }
    let (again, ended) = reread_frames(&frames.concat(), of_worker);
    assert!(ended.is_ok(), "what was read cannot be read once more");
    assert_eq!(again, frames, "what was read is read as something else");
}
