//! What comes back from a store: records and sessions.

use std::cell::RefCell;

use agent_memory_host::fuzzing::{RECORD_KINDS, SealedRecord, adopt, reread_record};
use agent_memory_host::{Json, Outcome, Session};

use super::shop::Shop;
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "records",
    run: records,
    longest: 8 << 10,
    words: &["\u{1}", "\u{2}", "account", "cheese_type", "\"brie\"", "{}", "+441632960001", "REPEAT_CALLER_CONV_ID"],
};

/// After how many sessions the store that their conversations end in is emptied.
const SESSIONS: u32 = 500;

/// Reads bytes as a record of a kind, which the first byte chooses, as a session, or as what damage a sealed record has.
///
/// - What is no record is unreadable, and nothing else happens.
/// - What is one is written as it was read, so that nothing is lost by reading and writing it.
/// - A session, whatever it says, has a conversation that goes on and ends, or is refused. Ending it again changes nothing.
/// - A sealed record opens if no bit of it was changed, and then only where it belongs.
pub fn records(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    match usize::from(*kind) % (RECORD_KINDS + 2) {
        kind if kind < RECORD_KINDS => record(kind, bytes),
        RECORD_KINDS => session(bytes),
        _ => damage(bytes),
    }
}

fn record(kind: usize, bytes: &[u8]) {
    let Some(written) = reread_record(kind, bytes) else { return };
    assert_eq!(reread_record(kind, &written).as_ref(), Some(&written), "a record changes when it is read and written");
}

fn session(bytes: &[u8]) {
    let session = match Session::from_bytes(bytes) {
        Ok(session) => session,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let written = session.to_bytes();
    let again = Session::from_bytes(&written).expect("a session that was written");
    assert_eq!(again.to_bytes(), written, "a session changes when it is written and read");
    let shown = format!("{session:?}");
    assert!(shown.len() < 100, "a session shows more than how far it has come");
    with_shop(|shop| shop.tokio.block_on(converse(shop, session)));
}

async fn converse(shop: &Shop, session: Session) {
    let Ok(mut conversation) = shop.agent.resume(adopt(&shop.agent, session)) else { return };
    let arguments = Json::parse(r#"{"cheese_type": "brie"}"#).expect("JSON");
    // Each of them may be refused, such as for a conversation that has ended.
    let _ = conversation.state();
    let _ = conversation.call("book", arguments).await;
    let _ = conversation.preview(Outcome::default()).await;
    let _ = conversation.save().await;
    let Ok(ended) = conversation.end(Outcome::default()).await else { return };
    let again = conversation.end(Outcome::default()).await.expect("a conversation that has ended");
    assert_eq!(again.report, ended.report, "W4: ending it again changes the report");
    let after = Session::from_bytes(&conversation.session().to_bytes()).expect("its own session");
    assert!(after.has_ended());
}

/// Each pair of bytes is where a bit is changed and which.
fn damage(bytes: &[u8]) {
    thread_local! {
        static RECORD: SealedRecord = SealedRecord::new();
    }
    RECORD.with(|record| damage_record(record, bytes));
}

fn damage_record(record: &SealedRecord, bytes: &[u8]) {
    let mut damaged = record.bytes.clone();
    for [place, bit] in bytes.as_chunks::<2>().0 {
        let place = usize::from(*place) % damaged.len();
        damaged[place] ^= 1 << (bit % 8);
    }
    if let Some(last) = bytes.as_chunks::<2>().1.first() {
        damaged.truncate(usize::from(*last));
    }
    assert_eq!(record.opens(&damaged), damaged == record.bytes, "a damaged record opens, or a whole one does not");
    assert!(!record.opens_elsewhere(), "a record opens where it does not belong");
}

fn with_shop(converse: impl FnOnce(&Shop)) {
    thread_local! {
        static SHOP: RefCell<Option<(Shop, u32)>> = const { RefCell::new(None) };
    }
    SHOP.with_borrow_mut(|kept| {
        // What panics leaves no shop behind, and begins with a fresh one.
        let (shop, sessions) = kept.take().filter(|(_, left)| *left > 0).unwrap_or_else(|| (Shop::new(), SESSIONS));
        converse(&shop);
        *kept = Some((shop, sessions - 1));
    });
}
