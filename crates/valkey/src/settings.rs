//! What a URL says.

use std::{collections::BTreeSet, fmt, path::PathBuf, time::Duration};

use agent_memory_store::StoreError;
use percent_encoding::percent_decode_str;

/// The port of a node of which none is given.
const PORT: u16 = 6379;

/// When a write counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When the primary has it in memory. A crash of the primary loses what its replicas have not received.
    Async,
    /// When replicas have it in memory.
    Replica,
    /// When the primary has it on its disk.
    Aof,
    /// When the primary and replicas have it on their disks.
    ReplicaAof,
}

/// How a store is reached, and what it promises. `docs/valkey.md` has the parameters of the URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// Some of the cluster's nodes, by host and port. They tell of the others.
    pub nodes: Vec<(String, u16)>,
    /// Whether connections are encrypted.
    pub tls: bool,
    /// A file with the certificates, as PEM, by one of which the servers' have to be signed. None: the system's.
    pub ca: Option<PathBuf>,
    /// The user. None: the default user.
    pub user: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// With what the names of all keys begin. Several stores in one cluster are kept apart by it.
    pub prefix: String,
    /// When a write counts as done.
    pub durability: Durability,
    /// How many replicas have to have it.
    pub replicas: u32,
    /// For how long that is waited for.
    pub acknowledge: Duration,
    /// For how long a connection may take to be made.
    pub connect: Duration,
    /// For how long an operation may take on its way, redirections and repetitions included.
    pub timeout: Duration,
    /// How many operations may be under way or wait at once.
    pub queue: usize,
    /// How many writes wait for replicas or disks at once.
    pub connections: usize,
}

impl Settings {
    /// The settings of a store that is reached by some nodes, without encryption and user: writes count once one
    /// replica has them.
    pub fn new(nodes: Vec<(String, u16)>) -> Self {
        Self {
            nodes,
            tls: false,
            ca: None,
            user: None,
            password: None,
            prefix: "agent-memory:".to_owned(),
            durability: Durability::Replica,
            replicas: 1,
            acknowledge: Duration::from_secs(2),
            connect: Duration::from_secs(2),
            timeout: Duration::from_secs(8),
            queue: 1024,
            connections: 32,
        }
    }

    /// What a URL says: `valkey://[user:password@]host:port[,host:port...][/?parameters]`, or `valkeys://` for
    /// encrypted connections.
    ///
    /// # Errors
    /// [`StoreError::UnknownUrl`] for another scheme, and [`StoreError::Unavailable`] for what makes no sense.
    pub fn from_url(url: &str) -> Result<Self, StoreError> {
        let (tls, rest) = match url.split_once("://") {
            Some(("valkey", rest)) => (false, rest),
            Some(("valkeys", rest)) => (true, rest),
            _ => return Err(StoreError::UnknownUrl { url: without_secrets(url) }),
        };
        let scheme = if tls { "valkeys" } else { "valkey" };
        Self::read(tls, rest)
            .and_then(Self::check)
            .map_err(|reason| StoreError::Unavailable { place: format!("{scheme}://..."), reason })
    }

    /// Where the store is, without user and password.
    pub fn place(&self) -> String {
        let scheme = if self.tls { "valkeys" } else { "valkey" };
        let nodes: Vec<String> = self.nodes.iter().map(|(host, port)| address(host, *port)).collect();
        format!("{scheme}://{}", nodes.join(","))
    }

    fn read(tls: bool, rest: &str) -> Result<Self, String> {
        let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('/') {
            return Err("after the hosts only `/?parameters` may follow".to_owned());
        }
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let nodes = hosts.split(',').map(node).collect::<Result<_, _>>()?;
        let mut settings = Self { tls, ..Self::new(nodes) };
        if let Some(user) = user {
            let (name, password) = user.split_once(':').ok_or("before `@` stands `user:password` or `:password`")?;
            settings.user = Some(decoded(name)?).filter(|name| !name.is_empty());
            settings.password = Some(decoded(password)?);
        }
        let mut seen = BTreeSet::new();
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').ok_or("a parameter is `name=value`")?;
            if !seen.insert(name) {
                return Err(format!("the parameter {name:?} is given twice"));
            }
            settings.set(name, &decoded(value)?)?;
        }
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let number = || -> Result<u32, String> {
            let number = value.parse().ok().filter(|number| *number > 0);
            number.ok_or_else(|| format!("the parameter {name:?} is a whole number of 1 or more"))
        };
        let milliseconds = || number().map(|number| Duration::from_millis(number.into()));
        let count = || number().map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        match name {
            "prefix" => self.prefix = value.to_owned(),
            "durability" => self.durability = durability(value)?,
            "replicas" => self.replicas = number()?,
            "acknowledge_ms" => self.acknowledge = milliseconds()?,
            "connect_ms" => self.connect = milliseconds()?,
            "timeout_ms" => self.timeout = milliseconds()?,
            "queue" => self.queue = count()?,
            "connections" => self.connections = count()?,
            "ca" => self.ca = Some(value.into()),
            _ => {
                return Err(format!(
                    "there is no parameter {name:?}: use prefix, durability, replicas, acknowledge_ms, connect_ms, \
                     timeout_ms, queue, connections or ca"
                ));
            }
        }
        Ok(())
    }

    /// Refuses settings with which nothing can work.
    pub(crate) fn check(self) -> Result<Self, String> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || ":._-".contains(letter);
        if self.nodes.is_empty() {
            return Err("there has to be at least one node".to_owned());
        }
        if !self.prefix.chars().all(is_plain) || self.prefix.len() > 100 {
            return Err("a prefix has up to 100 letters, digits and `:._-`".to_owned());
        }
        if self.ca.is_some() && !self.tls {
            return Err("`ca` is for `valkeys:`".to_owned());
        }
        if 2 * self.acknowledge > self.timeout {
            return Err("`timeout_ms` has to be at least twice `acknowledge_ms`".to_owned());
        }
        if self.queue > tokio::sync::Semaphore::MAX_PERMITS || self.connections > 1024 {
            return Err("`queue` or `connections` is too large".to_owned());
        }
        Ok(self)
    }
}

impl fmt::Debug for Settings {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("place", &self.place())
            .field("prefix", &self.prefix)
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}

pub(crate) fn address(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn node(text: &str) -> Result<(String, u16), String> {
    let wrong = || "a node is `host` or `host:port`".to_owned();
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(wrong)?;
            (host, rest.strip_prefix(':').unwrap_or(rest))
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    if host.is_empty() || host.contains(|letter: char| letter.is_whitespace() || "/?#%@".contains(letter)) {
        return Err(wrong());
    }
    let port = if port.is_empty() { PORT } else { port.parse().map_err(|_| wrong())? };
    Ok((host.to_owned(), port))
}

/// What can be shown of a text that is no URL of this store's: what comes before the first `:`, where a scheme stands,
/// unless even that may be a password.
fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
    match (scheme.contains('@'), rest) {
        (true, _) => "...".to_owned(),
        (false, "") => scheme.to_owned(),
        (false, rest) if rest.starts_with("//") => format!("{scheme}://..."),
        (false, _) => format!("{scheme}:..."),
    }
}

fn durability(value: &str) -> Result<Durability, String> {
    match value {
        "async" => Ok(Durability::Async),
        "replica" => Ok(Durability::Replica),
        "aof" => Ok(Durability::Aof),
        "replica-aof" => Ok(Durability::ReplicaAof),
        _ => Err("the parameter \"durability\" is async, replica, aof or replica-aof".to_owned()),
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    Ok(decoded.map_err(|_| "something with `%` is no UTF-8".to_owned())?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        Settings::from_url(url).unwrap_err().to_string()
    }

    #[test]
    fn a_url_says_everything() {
        let settings = Settings::from_url(
            "valkeys://me:p%40ss:w%C3%B6rd@one:7000,[::1]:7001,three/?prefix=a:&durability=replica-aof&replicas=2\
             &acknowledge_ms=10&connect_ms=20&timeout_ms=30&queue=40&connections=50&ca=%2Fca.pem",
        );
        let expected = Settings {
            nodes: vec![("one".to_owned(), 7000), ("::1".to_owned(), 7001), ("three".to_owned(), 6379)],
            tls: true,
            ca: Some("/ca.pem".into()),
            user: Some("me".to_owned()),
            password: Some("p@ss:wörd".to_owned()),
            prefix: "a:".to_owned(),
            durability: Durability::ReplicaAof,
            replicas: 2,
            acknowledge: Duration::from_millis(10),
            connect: Duration::from_millis(20),
            timeout: Duration::from_millis(30),
            queue: 40,
            connections: 50,
        };
        assert_eq!(settings.unwrap(), expected);
        let plain = Settings::from_url("valkey://:secret@host").unwrap();
        assert_eq!((plain.user, plain.password.as_deref()), (None, Some("secret")));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (url, why) in [
            ("valkey://host/?colour=red", "there is no parameter \"colour\""),
            ("valkey://host/?durability=yes", "async, replica, aof or replica-aof"),
            ("valkey://host/?queue=0", "1 or more"),
            ("valkey://host/?queue=2&queue=2", "given twice"),
            ("valkey://host/0", "only `/?parameters`"),
            ("valkey://me@host", "user:password"),
            ("valkey://", "host"),
            ("valkey://host:99999", "host:port"),
            ("valkey://host/?prefix={a}", "a prefix has"),
            ("valkey://host/?ca=a.pem", "valkeys"),
            ("valkey://host/?timeout_ms=100", "twice"),
            ("redis://host", "names no store"),
        ] {
            assert!(refused(url).contains(why), "{url}: {}", refused(url));
        }
    }

    #[test]
    fn p3_a_password_is_never_shown() {
        let url = "valkey://me:s3cret@host:1,other";
        let settings = Settings::from_url(url).unwrap();
        assert_eq!(settings.place(), "valkey://host:1,other:6379");
        let malformed = ["redis://me", "valkey:me", "valkey", ":", "valkey:me:s3cret@h://me"];
        let refusals = malformed.map(|before| refused(&format!("{before}:s3cret@host")));
        let refusals = refusals.into_iter().chain([refused("s3cret@host"), refused(&format!("{url}/?a=b"))]);
        for text in refusals.chain([format!("{settings:?}")]) {
            assert!(!text.contains("s3cret") && !text.contains("me:"), "{text}");
        }
    }
}
