//! Valkey 9, from a package of PyPI that holds the server: a cluster of some primaries, with or without replicas.

mod client;
mod install;

use std::{
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

pub use self::client::{Connection, Reply};
use crate::{Process, ServerError, Signal, free_port};

/// How long a cluster may take to start, and a replica to take over.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long nobody answers before a replica takes over.
const NODE_TIMEOUT: &str = "1500";

const SLOTS: u16 = 16384;

/// A cluster. It ends with this value.
#[derive(Debug)]
pub struct Cluster {
    /// Primaries first, then their replicas in the same order.
    nodes: Vec<Node>,
    primaries: usize,
}

/// A server with a port and a folder of its own.
#[derive(Debug)]
pub struct Node {
    process: Process,
    port: u16,
    bus: u16,
    settings: Vec<(String, String)>,
    /// Removed with the server.
    folder: TempDir,
}

impl Cluster {
    /// Starts an empty cluster whose primaries share all slots, each with a replica if that is wanted. The settings are
    /// those of every server, besides what it needs.
    ///
    /// # Errors
    /// [`ServerError::Missing`] if the server cannot be installed; otherwise what went wrong.
    pub fn start(primaries: usize, with_replicas: bool, settings: &[(&str, &str)]) -> Result<Self, ServerError> {
        let server = install::server()?;
        let count = if with_replicas { 2 * primaries } else { primaries };
        let nodes = (0..count).map(|_| Node::start(&server, settings)).collect::<Result<Vec<_>, _>>()?;
        let cluster = Self { nodes, primaries };
        cluster.join()?;
        Ok(cluster)
    }

    /// The nodes: the first primaries, and then their first replicas in the same order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One of the nodes.
    pub fn node(&mut self, index: usize) -> Option<&mut Node> {
        self.nodes.get_mut(index)
    }

    /// Host and port of every node.
    pub fn addresses(&self) -> Vec<(String, u16)> {
        self.nodes.iter().map(|node| ("127.0.0.1".to_owned(), node.port)).collect()
    }

    /// Of the pair of nodes that share a range of slots, the one that is the primary now, and the other.
    pub fn pair(&self, index: usize) -> Option<(usize, usize)> {
        let (one, other) = (index, index + self.primaries);
        let role = |node: &Node| node.connect().ok()?.ask(&["ROLE"]).ok()?.first_text();
        match role(self.nodes.get(other)?).as_deref() {
            Some("master") => Some((other, one)),
            _ => Some((one, other)),
        }
    }

    /// Waits until a node is the primary of its slots and all slots are served, as it sees it.
    ///
    /// # Errors
    /// [`ServerError::Silent`] if that takes too long.
    pub fn wait_for_promotion(&self, index: usize) -> Result<(), ServerError> {
        let Some(node) = self.nodes.get(index) else { return Ok(()) };
        node.wait(|connection| {
            connection.ask(&["ROLE"]).ok().and_then(|reply| reply.first_text()).as_deref() == Some("master")
                && connection.info("CLUSTER", "cluster_state").as_deref() == Some("ok")
        })
    }

    /// Waits until a node follows a primary and has all that it has.
    ///
    /// # Errors
    /// [`ServerError::Silent`] if that takes too long.
    pub fn wait_for_replica(&self, index: usize) -> Result<(), ServerError> {
        let Some(node) = self.nodes.get(index) else { return Ok(()) };
        node.wait(|connection| {
            connection.info("REPLICATION", "role").as_deref() == Some("slave")
                && connection.info("REPLICATION", "master_link_status").as_deref() == Some("up")
                && connection.info("CLUSTER", "cluster_state").as_deref() == Some("ok")
        })
    }

    fn join(&self) -> Result<(), ServerError> {
        let share = usize::from(SLOTS) / self.primaries.max(1);
        for (index, node) in self.nodes.iter().enumerate() {
            node.wait(|_| true)?;
            let mut connection = node.connect()?;
            if index < self.primaries {
                let last = if index + 1 == self.primaries { usize::from(SLOTS) - 1 } else { (index + 1) * share - 1 };
                let (first, last) = ((index * share).to_string(), last.to_string());
                connection.ask(&["CLUSTER", "ADDSLOTSRANGE", &first, &last])?;
            }
            connection.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()])?;
            if let Some(first) = self.nodes.first().filter(|_| index > 0) {
                let (port, bus) = (first.port.to_string(), first.bus.to_string());
                connection.ask(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus])?;
            }
        }
        let all = self.nodes.len().to_string();
        for node in &self.nodes {
            node.wait(|connection| connection.info("CLUSTER", "cluster_known_nodes").as_ref() == Some(&all))?;
        }
        for (primary, replica) in self.nodes.iter().zip(self.nodes.iter().skip(self.primaries)) {
            let id = primary.connect()?.ask(&["CLUSTER", "MYID"])?.text().unwrap_or_default();
            replica.wait(|connection| connection.ask(&["CLUSTER", "REPLICATE", &id]).is_ok())?;
        }
        for index in 0..self.nodes.len() {
            if index < self.primaries { self.wait_for_promotion(index)? } else { self.wait_for_replica(index)? }
        }
        // That all know which nodes are replicas is what makes them vote.
        let replicas = (self.nodes.len() - self.primaries).to_string();
        for node in &self.nodes {
            node.wait(|connection| {
                let nodes = connection.ask(&["CLUSTER", "NODES"]).ok().and_then(|reply| reply.text());
                nodes.is_some_and(|nodes| nodes.matches("slave").count().to_string() == replicas)
            })?;
        }
        Ok(())
    }
}

impl Node {
    fn start(server: &Path, settings: &[(&str, &str)]) -> Result<Self, ServerError> {
        let folder = tempfile::Builder::new().prefix("valkey-").tempdir();
        let folder = folder.map_err(|source| ServerError::System { path: std::env::temp_dir(), source })?;
        let (port, bus) = (free_port()?, free_port()?);
        let settings: Vec<(String, String)> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let process =
            Process::start(&command(server, folder.path(), port, bus, &settings), folder.path(), Signal::Kill)?;
        Ok(Self { process, port, bus, settings, folder })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its folder, which has its log and its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A connection to it.
    ///
    /// # Errors
    /// [`ServerError::System`] if there is none.
    pub fn connect(&self) -> Result<Connection, ServerError> {
        let password = self.settings.iter().find(|(name, _)| name == "requirepass").map(|(_, value)| value.as_str());
        Connection::open(self.port, password)
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Has it stand still, and waits until it does. [`Signal::Continue`] has it go on.
    ///
    /// # Errors
    /// [`ServerError::Silent`] if it goes on answering.
    pub fn freeze(&mut self) -> Result<(), ServerError> {
        self.signal(Signal::Stop);
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let mut connection = self.connect()?;
            connection.set_patience(Duration::from_millis(100))?;
            if connection.ask(&["PING"]).is_err() {
                return Ok(());
            }
        }
        Err(self.process.silent())
    }

    /// Ends it at once, and waits until it has ended.
    pub fn kill(&mut self) {
        self.process.stop(Signal::Kill);
    }

    /// Starts it anew after it has ended, with what it has in its folder.
    ///
    /// # Errors
    /// Those of starting it.
    pub fn restart(&mut self) -> Result<(), ServerError> {
        let command = command(&install::server()?, self.folder.path(), self.port, self.bus, &self.settings);
        self.process = Process::start(&command, self.folder.path(), Signal::Kill)?;
        self.wait(|_| true)
    }

    fn wait(&self, mut is_ready: impl FnMut(&mut Connection) -> bool) -> Result<(), ServerError> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let answers = |connection: &mut Connection| connection.ask(&["PING"]).is_ok();
            if let Ok(mut connection) = self.connect()
                && answers(&mut connection)
                && is_ready(&mut connection)
            {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(self.process.silent())
    }
}

fn command(server: &Path, folder: &Path, port: u16, bus: u16, settings: &[(String, String)]) -> Command {
    let mut command = Command::new(server);
    let (port, bus) = (port.to_string(), bus.to_string());
    let needed = [
        ("port", port.as_str()),
        ("cluster-port", bus.as_str()),
        ("bind", "127.0.0.1"),
        ("cluster-enabled", "yes"),
        ("cluster-announce-ip", "127.0.0.1"),
        ("cluster-node-timeout", NODE_TIMEOUT),
        ("cluster-allow-replica-migration", "no"),
        ("repl-diskless-sync-delay", "0"),
        ("repl-ping-replica-period", "1"),
        ("save", ""),
        ("daemonize", "no"),
    ];
    let given = settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in needed.into_iter().chain(given) {
        command.arg(format!("--{name}")).arg(value);
    }
    command.current_dir(folder);
    command
}
