//! PostgreSQL 15, as Debian installs it: one server, or a primary with a standby that follows it.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Process, ServerError, Signal, free_port};

/// Where Debian puts the programs.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// How long a server may take to start or to be promoted.
const PATIENCE: Duration = Duration::from_secs(60);

/// The superuser's name.
pub const USER: &str = "postgres";
/// The superuser's password.
pub const PASSWORD: &str = "secret";
/// The name by which a standby is known to its primary.
pub const STANDBY: &str = "standby";

/// A server with a port and a folder of its own.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Process>,
    port: u16,
    /// Removed with the server.
    folder: TempDir,
}

impl Postgres {
    /// Starts an empty server with these settings besides those that it needs, for example `("fsync", "off")`.
    ///
    /// # Errors
    /// [`ServerError::Missing`] if PostgreSQL 15 is not installed; otherwise what went wrong.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, ServerError> {
        let folder = folder()?;
        let password = folder.path().join("password");
        write(&password, PASSWORD)?;
        give(&password)?;
        let data = folder.path().join("data");
        let mut initdb = program("initdb")?;
        initdb.args([
            "--username",
            USER,
            "--auth",
            "scram-sha-256",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
        ]);
        run(initdb.arg("--pwfile").arg(&password).arg("--pgdata").arg(&data))?;
        let port = free_port()?;
        // Room for a standby, and nothing that takes long in a test.
        let mut all = vec![
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", ""),
            ("shared_buffers", "64MB"),
            ("max_connections", "200"),
            ("wal_level", "replica"),
            ("max_wal_senders", "4"),
            ("wal_keep_size", "256MB"),
            ("wal_receiver_status_interval", "1s"),
            ("wal_retrieve_retry_interval", "100ms"),
        ];
        all.extend(settings);
        configure(&data, &all)?;
        write(
            &data.join("pg_hba.conf"),
            "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n",
        )?;
        let mut server = Self { process: None, port, folder };
        server.resume()?;
        Ok(server)
    }

    /// Starts a standby that follows this server. Whether commits wait for it is the primary's to say:
    /// [`set`](Self::set) `synchronous_standby_names` to [`STANDBY`].
    ///
    /// # Errors
    /// What went wrong.
    pub fn standby(&self) -> Result<Self, ServerError> {
        let folder = folder()?;
        let data = folder.path().join("data");
        let connection =
            format!("host=127.0.0.1 port={} user={USER} password={PASSWORD} application_name={STANDBY}", self.port);
        let mut backup = program("pg_basebackup")?;
        backup.args(["--no-sync", "--checkpoint", "fast", "--wal-method", "stream", "--write-recovery-conf"]);
        run(backup.arg("--dbname").arg(connection).arg("--pgdata").arg(&data))?;
        let mut server = Self { process: None, port: free_port()?, folder };
        server.resume()?;
        Ok(server)
    }

    /// The server's port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder with the server's files.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The URL of a database, with the superuser's password.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes a database.
    ///
    /// # Errors
    /// What `psql` says.
    pub fn create_database(&self, name: &str) -> Result<(), ServerError> {
        self.sql("postgres", &format!("CREATE DATABASE \"{name}\"")).map(|_| ())
    }

    /// Runs statements and answers what they print, without headings.
    ///
    /// # Errors
    /// What `psql` says.
    pub fn sql(&self, database: &str, statements: &str) -> Result<String, ServerError> {
        let mut psql = program("psql")?;
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]);
        run(psql.arg("--dbname").arg(self.url(database)).args(["--command", statements]))
    }

    /// Changes a setting of the running server.
    ///
    /// # Errors
    /// What `psql` says.
    pub fn set(&self, name: &str, value: &str) -> Result<(), ServerError> {
        self.sql("postgres", &format!("ALTER SYSTEM SET {name} = '{value}'"))?;
        self.sql("postgres", "SELECT pg_reload_conf()")?;
        Ok(())
    }

    /// Waits until a query answers `t`.
    ///
    /// # Errors
    /// [`ServerError::Silent`] if it does not.
    pub fn wait_for(&self, query: &str) -> Result<(), ServerError> {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if self.sql("postgres", query).is_ok_and(|answer| answer.trim() == "t") {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(ServerError::Silent { program: query.to_owned(), log: self.log() })
    }

    /// Ends all processes of the server at once, as a crash of the machine would, but for what the disk has not
    /// written yet.
    pub fn kill(&mut self) {
        // Those who serve connections would go on for a moment, so they are killed first. The one that would notice
        // and start again stands still meanwhile.
        self.signal(Signal::Stop);
        let children = self.children();
        if !children.is_empty() {
            // Those that have ended meanwhile do not matter.
            let _ = Command::new("kill").arg("-KILL").args(&children).stderr(Stdio::null()).status();
        }
        self.end(Signal::Kill);
        // The server cannot start again while they hold its memory.
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE && children.iter().any(|child| is_alive(child)) {
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends the server at once, in its own orderly way: nobody's statement is waited for.
    pub fn stop(&mut self) {
        self.end(Signal::Interrupt);
    }

    /// Lets the server stand still, or go on: nothing that it has accepted is answered meanwhile. Connections that it
    /// has already go on. When this returns, a server that is to stand still does.
    pub fn signal(&mut self, signal: Signal) {
        let server = self.pid();
        let Some(process) = &mut self.process else { return };
        process.signal(signal);
        let Some(server) = server.filter(|_| signal == Signal::Stop) else { return };
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE && status(&server).is_some_and(|[state, _]| !matches!(&*state, "T" | "Z")) {
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Starts the server again, on its port and with its files.
    ///
    /// # Errors
    /// [`ServerError::Silent`] if it does not answer.
    pub fn resume(&mut self) -> Result<(), ServerError> {
        let mut command = program("postgres")?;
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        let mut process = Process::start(&command, self.folder.path(), Signal::Quit)?;
        let begin = Instant::now();
        loop {
            if self.sql("postgres", "SELECT 1").is_ok() {
                self.process = Some(process);
                return Ok(());
            }
            if begin.elapsed() > PATIENCE || !process.is_running() {
                return Err(process.silent());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Makes a primary of a standby, and waits until it takes writes.
    ///
    /// # Errors
    /// What went wrong.
    pub fn promote(&self) -> Result<(), ServerError> {
        self.sql("postgres", "SELECT pg_promote(false)")?;
        self.wait_for("SELECT NOT pg_is_in_recovery()")
    }

    fn end(&mut self, signal: Signal) {
        if let Some(mut process) = self.process.take() {
            process.stop(signal);
        }
    }

    /// The processes that the server has started, where the system tells.
    fn children(&self) -> Vec<String> {
        let Some(server) = self.pid() else { return Vec::new() };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let names = processes.map(|process| process.file_name().to_string_lossy().into_owned());
        let is_child = |process: &String| status(process).is_some_and(|[_, parent]| parent == server);
        names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).filter(is_child).collect()
    }

    /// The server's first process, if it runs.
    fn pid(&self) -> Option<String> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        file.lines().next().map(str::to_owned)
    }

    fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }
}

/// One of PostgreSQL's programs, to be run by a user that it accepts: it refuses to be run by root.
///
/// # Errors
/// [`ServerError::Missing`] if PostgreSQL 15 is not installed.
pub fn program(name: &str) -> Result<Command, ServerError> {
    let path = Path::new(PROGRAMS).join(name);
    if !path.is_file() {
        return Err(ServerError::Missing {
            program: path.display().to_string(),
            install: "apt-get install postgresql-15".to_owned(),
        });
    }
    let mut command = match is_root()? {
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", USER, "--regid", USER, "--init-groups", "--"]).arg(path);
            command
        }
        false => Command::new(path),
    };
    // It may not be allowed to look at the present folder, nor for certificates in the home folder.
    command.current_dir("/").env("HOME", "/").env("LC_ALL", "C").env("PGCONNECT_TIMEOUT", "10");
    Ok(command)
}

/// Whether a process has not ended. It may have, without its parent having asked how.
fn is_alive(process: &str) -> bool {
    status(process).is_some_and(|[state, _]| state != "Z")
}

/// The state and the parent of a process.
fn status(process: &str) -> Option<[String; 2]> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is a name in parentheses, which may hold anything.
    let mut fields = stat.rsplit(") ").next()?.split(' ').map(str::to_owned);
    Some([fields.next()?, fields.next()?])
}

fn is_root() -> Result<bool, ServerError> {
    Ok(identify(&["-u"])? == 0)
}

/// A number that `id` answers.
fn identify(arguments: &[&str]) -> Result<u32, ServerError> {
    let output = run(Command::new("id").args(arguments))?;
    output.trim().parse().map_err(|_| ServerError::Failed { program: "id".to_owned(), output })
}

/// Gives a file or folder to the user who runs the server.
fn give(path: &Path) -> Result<(), ServerError> {
    if is_root()? {
        let (user, group) = (identify(&["-u", USER])?, identify(&["-g", USER])?);
        chown(path, Some(user), Some(group)).map_err(|source| system(path, source))?;
    }
    Ok(())
}

/// A folder that the server may write to.
fn folder() -> Result<TempDir, ServerError> {
    let folder = tempfile::Builder::new().prefix("agent-memory-postgres-").tempdir();
    let folder = folder.map_err(|source| system(&std::env::temp_dir(), source))?;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755))
        .map_err(|source| system(folder.path(), source))?;
    give(folder.path())?;
    Ok(folder)
}

fn configure(data: &Path, settings: &[(&str, &str)]) -> Result<(), ServerError> {
    let lines: String = settings.iter().map(|(name, value)| format!("{name} = '{value}'\n")).collect();
    let path = data.join("postgresql.conf");
    let appended = File::options().append(true).open(&path).and_then(|mut file| file.write_all(lines.as_bytes()));
    appended.map_err(|source| system(&path, source))
}

fn write(path: &Path, text: &str) -> Result<(), ServerError> {
    fs::write(path, text).map_err(|source| system(path, source))
}

/// Runs a command to its end and answers what it prints.
fn run(command: &mut Command) -> Result<String, ServerError> {
    let named = command.get_args().chain([command.get_program()]);
    let program = named.map(|part| part.to_string_lossy()).find(|part| part.starts_with('/')).unwrap_or_default();
    let program = program.into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|source| system(Path::new(&program), source))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(ServerError::Failed { program, output: format!("{said}({})", output.status) })
}

fn system(path: &Path, source: io::Error) -> ServerError {
    ServerError::System { path: path.to_owned(), source }
}
