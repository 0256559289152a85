//! What a URL says of a store.

use std::{path::PathBuf, time::Duration};

use agent_memory_store::StoreError;
use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};

/// How a store is reached and used.
#[derive(Clone)]
pub(crate) struct Settings {
    /// What the driver has to know, but for the hosts, and the certificates that are trusted.
    pub(crate) driver: Config,
    /// The hosts and their ports, in the order of the URL.
    pub(crate) hosts: Vec<(Host, u16)>,
    pub(crate) verification: Verification,
    /// The hosts, the database and the schema, for messages.
    pub(crate) place: String,
    pub(crate) schema: String,
    /// How many connections there are at most.
    pub(crate) pool_size: usize,
    /// How many operations may wait for one.
    pub(crate) queue: usize,
    /// For how long an operation may wait for one.
    pub(crate) queue_timeout: Duration,
    /// For how long the server may work on an ordinary operation.
    pub(crate) statement_timeout: Duration,
}

/// Whom a server has to prove to be, where there is TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verification {
    /// Anybody.
    None,
    /// The host of the URL, by a certificate that leads to one of these: the system's, or those in a file.
    Full { roots: Option<PathBuf> },
}

/// Parameters of a URL that the driver reads itself.
const DRIVER: &[&str] = &[
    "application_name",
    "channel_binding",
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "target_session_attrs",
    "tcp_user_timeout",
];

/// Parameters of a URL that are read here.
const OWN: &[&str] = &["pool_size", "queue", "queue_timeout", "schema", "sslmode", "sslrootcert", "statement_timeout"];

const POOL_SIZE: usize = 16;
const QUEUE: usize = 1024;
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const KEEPALIVES_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(10);
const PORT: u16 = 5432;
const SCHEMA: &str = "agent_memory";

impl Settings {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`StoreError::UnknownUrl`] if it is of another kind, and [`StoreError::Unavailable`] that says what is wrong.
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", ""));
        if !matches!(scheme, "postgres" | "postgresql") {
            let url = if scheme.is_empty() { "..." } else { scheme };
            return Err(StoreError::UnknownUrl { url: format!("{url}://...") });
        }
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        let refused = |reason: String| StoreError::Unavailable { place: format!("{scheme}://..."), reason };

        let mut for_driver = Vec::new();
        let mut own = Own::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if DRIVER.contains(&name) {
                for_driver.push(pair);
            } else if OWN.contains(&name) {
                own.set(name, value)
                    .map_err(|expected| refused(format!("the URL's parameter `{name}` has to be {expected}")))?;
            } else {
                let mut known: Vec<&str> = DRIVER.iter().chain(OWN).copied().collect();
                known.sort_unstable();
                return Err(refused(format!("its URL has an unknown parameter; known are {}", known.join(", "))));
            }
        }

        let is_given = |name: &str| for_driver.iter().any(|pair| pair.split('=').next() == Some(name));
        let parameters = for_driver.join("&");
        // The driver's own words repeat what they do not understand, which may be a password.
        let parse = |url: String| {
            url.parse::<Config>().map_err(|_| {
                let form = "its URL has to be postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %XX for special signs";
                refused(form.to_owned())
            })
        };
        let full = parse(format!("{scheme}://{base}?{parameters}"))?;
        // Of a password with an `@`, the driver takes what is behind that for a host, and hosts are shown.
        let has_at = |host: &Host| match host {
            Host::Tcp(name) => name.contains('@'),
            #[cfg(unix)]
            Host::Unix(path) => path.to_string_lossy().contains('@'),
        };
        if base.matches('@').count() > 1 || full.get_hosts().iter().any(has_at) {
            return Err(refused("its URL has an `@` too many: write %40 for one in a user or a password".to_owned()));
        }
        if full.get_hosts().is_empty() {
            return Err(refused("its URL names no host".to_owned()));
        }
        let ports = full.get_ports();
        if ports.len() > 1 && ports.len() != full.get_hosts().len() {
            return Err(refused("its URL has to give a port for each host, or one for all".to_owned()));
        }
        let port = |index| ports.get(index).or(ports.first()).copied().unwrap_or(PORT);
        let hosts: Vec<(Host, u16)> =
            full.get_hosts().iter().enumerate().map(|(index, host)| (host.clone(), port(index))).collect();
        // The same once more without hosts: each of them is tried alone.
        let (credentials, behind) = base.split_once('@').unwrap_or(("", base));
        let database = behind.split_once('/').map_or("", |(_, database)| database);
        let mut driver = parse(format!("{scheme}://{credentials}@/{database}?{parameters}"))?;
        if driver.get_dbname().is_none_or(str::is_empty) {
            return Err(refused("its URL names no database".to_owned()));
        }

        let schema = own.schema.unwrap_or_else(|| SCHEMA.to_owned());
        let statement_timeout = own.statement_timeout.unwrap_or(STATEMENT_TIMEOUT);
        let statement_milliseconds = statement_timeout.as_millis().to_string();
        let session = [
            ("search_path", schema.as_str()),
            ("statement_timeout", &statement_milliseconds),
            // A process that dies in the middle of a transaction holds its locks no longer.
            ("idle_in_transaction_session_timeout", "60000"),
            ("default_transaction_isolation", "read\\ committed"),
            // Every statement finds its rows by their keys, whatever its parameters are.
            ("plan_cache_mode", "force_generic_plan"),
            // What is guessed to be expensive, because it concerns many partitions, is over before it is compiled.
            ("jit", "off"),
            ("client_min_messages", "warning"),
            // The server's log gets no values, also not where its own setting would have them in there (P3).
            ("log_parameter_max_length_on_error", "0"),
        ];
        let session = session.map(|(name, value)| format!("-c {name}={value}"));
        driver.options(session.join(" "));
        if driver.get_application_name().is_none() {
            driver.application_name("agent-memory");
        }
        if driver.get_connect_timeout().is_none() {
            driver.connect_timeout(CONNECT_TIMEOUT);
        }
        if driver.get_tcp_user_timeout().is_none() {
            driver.tcp_user_timeout(statement_timeout.max(CONNECT_TIMEOUT));
        }
        // A connection that the network has forgotten is found out before it is needed.
        if !is_given("keepalives_idle") {
            driver.keepalives_idle(KEEPALIVES_IDLE);
        }
        if !is_given("keepalives_interval") {
            driver.keepalives_interval(KEEPALIVES_INTERVAL);
        }
        // Of several servers one takes writes: the others are its standbys.
        if hosts.len() > 1 && !is_given("target_session_attrs") {
            driver.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let is_local = hosts.iter().all(|(host, _)| is_local(host));
        let mode = own.sslmode.unwrap_or(if is_local { Mode::Prefer } else { Mode::VerifyFull });
        driver.ssl_mode(match mode {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyFull => SslMode::Require,
        });
        let verification = match mode {
            Mode::VerifyFull => Verification::Full { roots: own.sslrootcert },
            // As PostgreSQL's own programs do.
            Mode::Require if own.sslrootcert.is_some() => Verification::Full { roots: own.sslrootcert },
            _ => Verification::None,
        };
        Ok(Self {
            place: place(&hosts, driver.get_dbname().unwrap_or_default(), &schema),
            driver,
            hosts,
            verification,
            schema,
            pool_size: own.pool_size.unwrap_or(POOL_SIZE),
            queue: own.queue.unwrap_or(QUEUE),
            queue_timeout: own.queue_timeout.unwrap_or(QUEUE_TIMEOUT),
            statement_timeout,
        })
    }
}

#[derive(Clone, Copy)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyFull,
}

/// The parameters that are read here, as far as they are given.
#[derive(Default)]
struct Own {
    pool_size: Option<usize>,
    queue: Option<usize>,
    queue_timeout: Option<Duration>,
    schema: Option<String>,
    sslmode: Option<Mode>,
    sslrootcert: Option<PathBuf>,
    statement_timeout: Option<Duration>,
}

impl Own {
    /// Reads one parameter. An error says what it has to be.
    fn set(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match name {
            "pool_size" => self.pool_size = Some(number(value, 1).ok_or("a number from 1")?),
            "queue" => self.queue = Some(number(value, 0).ok_or("a number from 0")?),
            "queue_timeout" => self.queue_timeout = Some(seconds(value)?),
            "statement_timeout" => self.statement_timeout = Some(seconds(value)?),
            "schema" => {
                let is_name = value.starts_with(|c: char| c.is_ascii_lowercase())
                    && value.len() <= 40
                    && value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
                    && !value.starts_with("pg_");
                self.schema = Some(is_name.then(|| value.to_owned()).ok_or(
                    "of up to 40 of the characters a-z, 0-9 and _, beginning with a letter, and not with pg_",
                )?);
            }
            "sslmode" => {
                self.sslmode = Some(match value {
                    "disable" => Mode::Disable,
                    "prefer" => Mode::Prefer,
                    "require" => Mode::Require,
                    "verify-full" => Mode::VerifyFull,
                    _ => return Err("one of disable, prefer, require, verify-full"),
                });
            }
            _ => self.sslrootcert = Some(decode(value).ok_or("the path of a file, with %XX for special signs")?.into()),
        }
        Ok(())
    }
}

fn number(value: &str, least: usize) -> Option<usize> {
    value.parse().ok().filter(|number| (least..=100_000).contains(number))
}

fn seconds(value: &str) -> Result<Duration, &'static str> {
    let seconds: Option<f64> = value.parse().ok().filter(|seconds| (0.001..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or("a number of seconds, from 0.001 to 86400")
}

/// What `%XX` stand for.
fn decode(value: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

/// Whether nobody can be between this process and the host.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// The hosts with their ports, the database and the schema.
fn place(hosts: &[(Host, u16)], database: &str, schema: &str) -> String {
    let hosts = hosts.iter().map(|(host, port)| match host {
        Host::Tcp(name) => format!("{name}:{port}"),
        #[cfg(unix)]
        Host::Unix(path) => format!("{}:{port}", path.display()),
    });
    let hosts: Vec<String> = hosts.collect();
    let schema = if schema == SCHEMA { String::new() } else { format!(" ({schema})") };
    format!("postgres://{}/{database}{schema}", hosts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Settings {
        Settings::parse(url).map_err(|error| error.to_string()).unwrap()
    }

    fn refused(url: &str) -> String {
        Settings::parse(url).err().unwrap().to_string()
    }

    #[test]
    fn a_url_says_where_and_how() {
        let settings = parse(
            "postgres://me:s3cret@db1:5433,db2:5434/memory?pool_size=3&queue=0&queue_timeout=0.5&schema=other\
             &statement_timeout=2&connect_timeout=1&sslmode=disable",
        );
        assert_eq!(settings.place, "postgres://db1:5433,db2:5434/memory (other)");
        assert_eq!((settings.pool_size, settings.queue), (3, 0));
        assert_eq!(settings.queue_timeout, Duration::from_millis(500));
        assert_eq!(settings.driver.get_ssl_mode(), SslMode::Disable);
        assert_eq!(settings.driver.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(settings.driver.get_connect_timeout(), Some(&Duration::from_secs(1)));
        assert!(settings.driver.get_options().unwrap().contains("search_path=other "));
        let tcp = |name: &str, port| (Host::Tcp(name.to_owned()), port);
        assert_eq!(settings.hosts, [tcp("db1", 5433), tcp("db2", 5434)]);
        assert_eq!((settings.driver.get_user(), settings.driver.get_dbname()), (Some("me"), Some("memory")));
        assert_eq!(settings.driver.get_password(), Some(b"s3cret".as_slice()));
        assert!(settings.driver.get_hosts().is_empty() && settings.driver.get_ports().is_empty());
        assert_eq!(parse("postgres://me@a,b:7/x").hosts, [tcp("a", 5432), tcp("b", 7)]);
        assert_eq!(parse("postgres://me:p%40ss@a/x").driver.get_password(), Some(b"p@ss".as_slice()));
        let one = parse("postgresql://localhost/memory");
        assert_eq!(one.place, "postgres://localhost:5432/memory");
        assert_eq!(one.driver.get_target_session_attrs(), TargetSessionAttrs::Any);
    }

    #[test]
    fn a_server_elsewhere_has_to_prove_who_it_is() {
        let of = |url: &str| {
            let settings = parse(url);
            (settings.driver.get_ssl_mode(), settings.verification)
        };
        let full = |roots: Option<&str>| Verification::Full { roots: roots.map(Into::into) };
        assert_eq!(of("postgres://db.example/a"), (SslMode::Require, full(None)));
        assert_eq!(of("postgres://localhost,db.example/a"), (SslMode::Require, full(None)));
        for local in ["localhost", "127.0.0.1", "127.1.2.3", "%2Frun%2Fpostgresql"] {
            assert_eq!(of(&format!("postgres://{local}/a")), (SslMode::Prefer, Verification::None));
        }
        assert_eq!(of("postgres://db/a?sslmode=require"), (SslMode::Require, Verification::None));
        assert_eq!(of("postgres://db/a?sslmode=require&sslrootcert=/a%20b"), (SslMode::Require, full(Some("/a b"))));
        assert_eq!(of("postgres://localhost/a?sslmode=verify-full"), (SslMode::Require, full(None)));
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_its_password() {
        for (url, expected) in [
            ("postgres://me:s3cret@db/a?pol_size=3", "unknown parameter; known are application_name"),
            ("postgres://me:s3cret@db/a?pool_size=0", "`pool_size` has to be a number from 1"),
            ("postgres://me:s3cret@db/a?queue_timeout=soon", "has to be a number of seconds"),
            ("postgres://me:s3cret@db/a?sslmode=verify", "has to be one of disable"),
            ("postgres://me:s3cret@db/a?schema=x;DROP", "has to be of up to 40"),
            ("postgres://me:s3cret@db:1,db:2,db/a?options=s3cret", "unknown parameter"),
            ("postgres://me:s3cret@db:s3cret/a", "has to be postgres://USER"),
            ("postgres://me:s3cret@db", "names no database"),
            ("postgres://me:s3cret@/a", "names no host"),
            ("postgres://me:p@s3cret@db/a", "an `@` too many"),
            ("postgres://me:p@s3cret@db1,db2:5433/a", "an `@` too many"),
            ("postgres://me:p@x,s3cret@db/a", "an `@` too many"),
            ("postgres://me:p@x:1/s3cret@db/a", "an `@` too many"),
            ("postgres://s3cret%40db/a", "an `@` too many"),
            ("mysql://me:s3cret@db/a", "names no store"),
        ] {
            let message = refused(url);
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
    }
}
