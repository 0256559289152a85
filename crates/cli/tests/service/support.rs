//! How tests run the service, and talk with it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent as Http;

/// The agent that [`Service::start`] publishes.
pub(crate) const SHOP: &str = "/v1/agents/local/local/sandbox";

/// A service in a process of its own. It is killed when it is dropped.
pub(crate) struct Service {
    process: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    url: String,
    pub(crate) token: Option<String>,
}

/// An answer of the service.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) retry_after: Option<String>,
    pub(crate) text: String,
}

/// The folder in which all tests keep tools, components and compiled code.
fn cache() -> PathBuf {
    root().join("target/tests/cache")
}

/// The folder of the whole project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The cheese shop's component.
pub(crate) fn cheese_shop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cheese-shop.wasm")
}

/// The cheese shop's configuration.
pub(crate) fn configuration() -> PathBuf {
    root().join("examples/cheese-shop/config.json")
}

/// The command, with these arguments.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agent-memory"));
    command.args(arguments).env("AGENT_MEMORY_CACHE_DIR", cache()).stdin(Stdio::null());
    command
}

/// Runs the command, which has to succeed, and gives what it printed.
pub(crate) fn run(arguments: &[&str]) -> String {
    let output = command(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Service {
    /// The cheese shop on a store, with further arguments.
    pub(crate) fn with_shop(store: &str, more: &[&str]) -> Self {
        let (shop, configuration) = (cheese_shop(), configuration());
        let agent = [shop.to_str().unwrap(), "--config", configuration.to_str().unwrap()];
        Self::start(store, &[&agent, more].concat())
    }

    /// A service on a store, with further arguments, on any free port.
    pub(crate) fn start(store: &str, more: &[&str]) -> Self {
        let mut command = command(&["serve", "--store", store, "--listen", "127.0.0.1:0"]);
        command.args(more);
        Self::of(command)
    }

    /// The cheese shop on a store, whose files may not grow beyond what [`Service::limit_files`] says.
    #[cfg(target_os = "linux")]
    pub(crate) fn with_shop_and_limits(store: &str) -> Self {
        let serve = command(&["serve", "--store", store, "--listen", "127.0.0.1:0", "--rate", "0"]);
        let mut limited = Command::new("sh");
        // Beyond the limit a write fails then, instead of ending the process.
        limited.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(serve.get_program()).args(serve.get_args());
        limited.arg(cheese_shop()).arg("--config").arg(configuration());
        limited.env("AGENT_MEMORY_CACHE_DIR", cache()).stdin(Stdio::null());
        Self::of(limited)
    }

    /// The service that a command starts.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let mut errors = BufReader::new(process.stderr.take().unwrap());
        let written = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            let mut line = String::new();
            while errors.read_line(&mut line).is_ok_and(|read| read > 0) {
                written.lock().unwrap().push_str(&std::mem::take(&mut line));
            }
        });
        let mut first = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let url = first.split_whitespace().find(|word| word.starts_with("http"));
        let url = url.unwrap_or_else(|| panic!("it does not serve: {first}{}", log.lock().unwrap())).to_owned();
        Self { process, log, reader: Some(reader), url, token: None }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        self.url.split_once("//").unwrap().1
    }

    /// Its process.
    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Sets how many bytes its files may have at most: a number, or `unlimited`.
    #[cfg(target_os = "linux")]
    pub(crate) fn limit_files(&self, bytes: &str) {
        let (id, limit) = (self.process.id().to_string(), format!("--fsize={bytes}:"));
        assert!(Command::new("prlimit").args(["--pid", &id, &limit]).status().unwrap().success());
    }

    /// Sends it a signal that no program survives, and waits for its end.
    #[cfg(unix)]
    pub(crate) fn abort(&mut self) -> std::process::ExitStatus {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-ABRT", &id]).status().unwrap().success());
        self.process.wait().unwrap()
    }

    /// Tells it to stop, and waits until it has. Gives the code that it ended with.
    #[cfg(unix)]
    pub(crate) fn stop(&mut self) -> i32 {
        self.tell_to_stop();
        self.wait()
    }

    /// Tells it to stop.
    #[cfg(unix)]
    pub(crate) fn tell_to_stop(&self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits until it has stopped. Gives the code that it ended with.
    #[cfg(unix)]
    pub(crate) fn wait(&mut self) -> i32 {
        self.process.wait().unwrap().code().unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.try_request("GET", path, &[], None).unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Answer {
        self.try_request("POST", path, &[], Some(body.to_string().as_bytes())).unwrap()
    }

    /// Sends a request, with headers and a body in JSON. An error is that of the connection.
    pub(crate) fn try_request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            request = request.header("Content-Type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.unwrap_or_default()).unwrap();
        let mut response = http().run(request)?;
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (kind, retry_after) = (header("content-type").unwrap_or_default(), header("retry-after"));
        let mut text = String::new();
        response.body_mut().as_reader().read_to_string(&mut text).map_err(ureq::Error::Io)?;
        Ok(Answer { status: response.status().as_u16(), kind, retry_after, text })
    }

    /// Starts a conversation of the shop, and gives its path.
    pub(crate) fn call_from(&self, number: &str) -> String {
        let started = self.post(&format!("{SHOP}/conversations"), json!({ "caller_number": number })).expect(201);
        format!("{SHOP}/conversations/{}", started["conversation"].as_str().unwrap())
    }

    /// Books a cheese in a conversation.
    pub(crate) fn book(&self, conversation: &str, cheese: &str) -> Answer {
        let arguments = json!({ "cheese_type": cheese, "booking_day": "Friday" });
        self.post(&format!("{conversation}/calls"), json!({ "function": "book", "arguments": arguments }))
    }

    /// What is remembered of a caller, by key.
    pub(crate) fn remembered(&self, number: &str) -> Value {
        let read = self.post(&format!("{SHOP}/memory/read"), json!({ "identifier": number })).expect(200);
        let fields = read["fields"].as_object().unwrap().iter();
        fields.map(|(key, field)| (key.clone(), field["value"].clone())).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Answer {
    /// The answer's JSON, if it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// What the answer says, if it is this problem.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, name: &str) -> String {
        assert_eq!(self.kind, "application/problem+json", "{}", self.text);
        let problem = self.expect(status);
        assert_eq!(problem["type"], format!("urn:agent-memory:problem:{name}"), "{problem}");
        assert_eq!(problem["status"], status);
        let detail = problem["detail"].as_str().unwrap().to_owned();
        assert!(!detail.is_empty() && !problem["title"].as_str().unwrap().is_empty());
        detail
    }
}

fn http() -> Http {
    let config = Http::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(60)));
    // A connection of its own for each request, since services come and go.
    config.max_idle_connections(0).build().new_agent()
}
