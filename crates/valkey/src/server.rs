//! What a server has to be for a store to be kept there.

use crate::settings::Durability;

/// The oldest version of Valkey that has fields with an expiry.
const OLDEST: u32 = 9;

/// Whether a store can be kept on a server that says this of itself. If not, why, and what to do.
pub(crate) fn suitable(info: &str, durability: Durability) -> Result<(), String> {
    let of = |name: &str| info.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'));
    let number = |version: &str| version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    match of("valkey_version") {
        Some(version) if number(version).is_some_and(|major| major >= OLDEST) => {}
        Some(version) => {
            return Err(format!("it is Valkey {version}, whose fields have no expiry: use Valkey {OLDEST} or newer"));
        }
        None => {
            let found = of("redis_version").unwrap_or("of an unknown version");
            return Err(format!("it is no Valkey (Redis {found}): use Valkey {OLDEST} or newer"));
        }
    }
    match of("maxmemory_policy") {
        Some("noeviction") => {}
        policy => {
            return Err(format!(
                "when it is full it deletes what has not expired (maxmemory-policy {}): set `maxmemory-policy \
                 noeviction`",
                policy.unwrap_or("unknown")
            ));
        }
    }
    if matches!(durability, Durability::Aof | Durability::ReplicaAof) && of("aof_enabled") != Some("1") {
        return Err("it writes no log: set `appendonly yes`, or another `durability`".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nredis_version:7.2.4\r\nvalkey_version:9.1.2\r\n# Memory\r\n\
        maxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:0\r\n";

    #[test]
    fn only_a_server_that_loses_nothing_is_suitable() {
        assert_eq!(suitable(INFO, Durability::Replica), Ok(()));
        for (from, to, durability, why) in [
            ("9.1.2", "8.1.4", Durability::Async, "Valkey 8.1.4"),
            ("valkey_version:9.1.2\r\n", "", Durability::Async, "Redis 7.2.4"),
            ("noeviction", "allkeys-lru", Durability::Async, "allkeys-lru"),
            ("", "", Durability::Aof, "appendonly yes"),
        ] {
            let reason = suitable(&INFO.replace(from, to), durability).unwrap_err();
            assert!(reason.contains(why), "{reason}");
        }
        assert_eq!(suitable(&INFO.replace("aof_enabled:0", "aof_enabled:1"), Durability::ReplicaAof), Ok(()));
        assert_eq!(suitable(&INFO.replace("9.1.2", "10.0.0"), Durability::Async), Ok(()));
    }
}
