//! A process that ends with the one that started it.
//!
//! A small shell stands between the two. Its standard input is a pipe of which this process holds the other end:
//! signals are asked for through it, and when it closes, for whatever reason, the shell ends the server and removes its
//! folder. So nothing is left of a test that was killed.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, PoisonError},
};

use crate::ServerError;

/// `$1` is the signal that ends the server, `$2` its folder, and the rest is its command.
const KEEPER: &str = r#"
end=$1 folder=$2
shift 2
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
(
    while read -r signal; do kill -s "$signal" "$server"; done
    : >"$folder/abandoned"
    kill -s "$end" "$server"
    kill -s CONT "$server"
) <&3 2>/dev/null &
reader=$!
exec 3<&-
wait "$server"
status=$?
kill "$reader" 2>/dev/null
if [ -e "$folder/abandoned" ]; then rm -rf "$folder"; fi
exit "$status"
"#;

/// What a process can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// `SIGCONT`: to go on after [`Signal::Stop`].
    Continue,
    /// `SIGINT`.
    Interrupt,
    /// `SIGKILL`: it ends at once and cannot tidy up.
    Kill,
    /// `SIGQUIT`.
    Quit,
    /// `SIGSTOP`: to stand still.
    Stop,
    /// `SIGTERM`.
    Terminate,
}

/// A running server process.
#[derive(Debug)]
pub struct Process {
    program: String,
    shell: Child,
    orders: Option<ChildStdin>,
    log: PathBuf,
}

impl Process {
    /// Starts a server, whose folder it is: `log` in there gets what the server prints, and if this process ends
    /// before the server does, the server is ended by the given signal and the folder removed.
    ///
    /// # Errors
    /// [`ServerError::System`] if there is no shell or no log can be written. That the server's program cannot be
    /// started is seen by its ending.
    pub fn start(command: &Command, folder: &Path, end: Signal) -> Result<Self, ServerError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let log = folder.join("log");
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| ServerError::System { path, source }
        };
        let output = File::options().create(true).append(true).open(&log).map_err(at(&log))?;
        let errors = output.try_clone().map_err(at(&log))?;
        let mut shell = Command::new("sh");
        shell.args(["-c", KEEPER, "keeper", end.name()]).arg(folder).arg(&program).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        if let Some(working) = command.get_current_dir() {
            shell.current_dir(working);
        }
        // A group of its own: what interrupts the test at a terminal does not reach the server before the shell.
        shell.process_group(0).stdin(Stdio::piped()).stdout(output).stderr(errors);
        let mut shell = shell.spawn().map_err(at(Path::new("sh")))?;
        let orders = shell.stdin.take();
        Ok(Self { program, shell, orders, log })
    }

    /// Whether the server has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.shell.try_wait(), Ok(None))
    }

    /// Sends the server a signal. One that has ended does not mind.
    pub fn signal(&mut self, signal: Signal) {
        if let Some(orders) = &mut self.orders {
            // The pipe is broken if the server has ended and the shell with it.
            let _ = writeln!(orders, "{}", signal.name());
        }
    }

    /// Sends the server a signal and waits until it has ended. Its folder stays.
    pub fn stop(&mut self, signal: Signal) {
        self.signal(signal);
        // It can only fail if the process was waited for already.
        let _ = self.shell.wait();
    }

    /// The end of what the server has printed.
    pub fn log(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(30)..).unwrap_or_default().join("\n")
    }

    /// That the server does not answer.
    pub(crate) fn silent(&self) -> ServerError {
        ServerError::Silent { program: self.program.clone(), log: self.log() }
    }
}

impl Drop for Process {
    /// Ends the server, if it runs, and waits for that.
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.shell.wait();
    }
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Continue => "CONT",
            Self::Interrupt => "INT",
            Self::Kill => "KILL",
            Self::Quit => "QUIT",
            Self::Stop => "STOP",
            Self::Terminate => "TERM",
        }
    }
}

/// A port of 127.0.0.1 on which nobody listens, and which this process was not given before.
///
/// # Errors
/// [`ServerError::System`] if no socket can be opened.
pub fn free_port() -> Result<u16, ServerError> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let find = || -> io::Result<u16> {
        // Sockets are held until a new port is found, so that the system offers another one each time.
        let mut sockets = Vec::new();
        loop {
            let socket = TcpListener::bind(("127.0.0.1", 0))?;
            let port = socket.local_addr()?.port();
            sockets.push(socket);
            if GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port) {
                return Ok(port);
            }
        }
    };
    find().map_err(|source| ServerError::System { path: "127.0.0.1:0".into(), source })
}
