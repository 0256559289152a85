//! What the server promises of a commit that it has acknowledged.

use crate::{
    columns::{column, only},
    connections::Connection,
    failure::Attempt,
};

/// What an acknowledged commit survives, as the server is set up now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Not even the server's crash, or not the machine's.
    Volatile {
        /// The setting that says so: `fsync`, `full_page_writes` or `synchronous_commit`.
        setting: String,
    },
    /// A crash of the server and of its machine: it is on the primary's disk. If the primary is lost and a standby
    /// takes its place, the last commits may be missing.
    Local,
    /// The loss of the primary: it is also at a synchronous standby, and only such a one may take its place.
    Replicated {
        /// `synchronous_commit`: `on` (it is on the standby's disk), `remote_apply` (and can be read there), or
        /// `remote_write` (the standby's operating system has it, and may lose it with its machine).
        level: String,
        /// `synchronous_standby_names`.
        standbys: String,
        /// How many standbys are synchronous at this moment. While there are too few, commits wait. None: the user of
        /// the URL may not know; it takes membership in `pg_monitor`.
        connected: Option<u32>,
    },
}

pub(crate) async fn durability(connection: &Connection) -> Attempt<Durability> {
    let rows = connection
        .query(
            "SELECT current_setting('fsync'), current_setting('synchronous_commit'),
                current_setting('synchronous_standby_names'),
                pg_has_role('pg_monitor', 'MEMBER'),
                (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')),
                current_setting('full_page_writes')",
            &[],
        )
        .await?;
    let row = only(&rows)?;
    let fsync: String = column(row, 0)?;
    let level: String = column(row, 1)?;
    let standbys: String = column(row, 2)?;
    let may_know: bool = column(row, 3)?;
    let full_pages: String = column(row, 5)?;
    let connected = u32::try_from(column::<i64>(row, 4)?).unwrap_or(u32::MAX);
    Ok(if fsync == "off" {
        Durability::Volatile { setting: "fsync".to_owned() }
    } else if full_pages == "off" {
        Durability::Volatile { setting: "full_page_writes".to_owned() }
    } else if level == "off" {
        Durability::Volatile { setting: "synchronous_commit".to_owned() }
    } else if standbys.trim().is_empty() || level == "local" {
        Durability::Local
    } else {
        Durability::Replicated { level, standbys, connected: may_know.then_some(connected) }
    })
}
