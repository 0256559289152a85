//! What may be typed after `agent-memory`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use agent_memory_host::keys::Source;
use agent_memory_host::{IdentifierKind, Scope};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

/// Plays conversations with agents that remember, and looks after what they remember.
#[derive(Parser)]
#[command(name = "agent-memory", version, arg_required_else_help = true, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  agent-memory demo
  agent-memory new shop --language python
  agent-memory check ./functions --config config.json
  agent-memory run scenario.yaml --store sqlite:memory.db
  agent-memory memory get +441632960001 --store sqlite:memory.db
  agent-memory sweep --store sqlite:memory.db

Stores: memory: (forgotten when the command ends), sqlite:PATH, postgres://..., valkey://HOST:PORT[,HOST:PORT...],
        shards:FILE (a map of several of them)
Keys:   file:PATH, env:NAME, command:PROGRAM ARGUMENTS; a store in a file has its own beside it
Times:  as in RFC 3339, such as 2026-03-02T10:20:00Z

Exit codes:
  0  done
  1  an expectation or a check failed
  2  the input or usage is wrong, or the store cannot be used

AGENT_MEMORY_STORE names the store, for URLs with a password.
AGENT_MEMORY_KEYS says where the keys are that seal the store.
AGENT_MEMORY_CACHE_DIR names the folder in which compiled functions are kept.";

const RUN_HELP: &str = "\
A scenario:
  functions: ./functions
  config: ./config.json
  conversations:
    - at: 2026-03-02T10:20:00Z
      caller_number: \"+441632960001\"
      turns:
        - call: book
          arguments: { cheese_type: brie }
          after: 30s
          expect: { returns: Booked brie. }
      expect:
        commit: { cheese_type: kept }

Example: agent-memory run scenario.yaml --store sqlite:memory.db";

const SERVE_HELP: &str = "\
Example: agent-memory serve ./functions --config config.json --store sqlite:memory.db

Without FUNCTIONS it serves the agents that the store has; others are published with
  curl -X PUT http://127.0.0.1:8080/v1/agents/ACCOUNT/PROJECT/ENV --form functions=@agent.wasm --form configuration=@config.json
The API is described at /openapi.json, the dashboard is at /dashboard/.";

const BENCH_HELP: &str = "\
Example: agent-memory bench --concurrency 1,32

Callers who are remembered call again. Each turn reads the caller's memory once and three keys of it, the second turn sets
two keys, and the end commits them. `bare` is the same on the same store without a sandbox: the same reads and commits, the
same values sealed, the same rules, and a function in Rust.

Your own functions need one that is called `turn`. It reads `field_0`, `field_1` and `field_2` of the caller's memory, sets
`field_3` and `field_4` to its optional arguments `first` and `second`, and returns how many characters it has read. In
Python:

  def turn(conv, first: str | None = None, second: str | None = None):
      characters = sum(len(conv.memory.get(key, \"\")) for key in (\"field_0\", \"field_1\", \"field_2\"))
      if first is not None:
          conv.state[\"field_3\"] = first
      if second is not None:
          conv.state[\"field_4\"] = second
      return characters

It is in examples/benchmark in Python, JavaScript and Rust.

A given store keeps what it holds. The callers of a run are in the account `agent-memory-bench`, in a project that no other
run has. They expire within a day, and the next sweep after that deletes them.";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show two calls of one caller, as a readable transcript.
    #[command(after_help = "Example: agent-memory demo")]
    Demo,
    /// Begin an agent: a small one that works, with a scenario.
    #[command(after_help = "Example: agent-memory new shop --language python")]
    New(New),
    /// Build functions into a component.
    #[command(after_help = "Example: agent-memory build ./functions -o agent.wasm")]
    Build(Build),
    /// Check functions and a configuration: what they import and export, and every mistake.
    #[command(after_help = "Example: agent-memory check ./functions --config config.json")]
    Check(Check),
    /// Play the conversations of a scenario and compare what comes of them with what it expects.
    #[command(after_help = RUN_HELP)]
    Run(Run),
    /// Look at, export or erase what is held on a caller.
    #[command(subcommand, after_help = "Example: agent-memory memory get +441632960001 --store sqlite:memory.db")]
    Memory(Memory),
    /// Delete for good what has expired.
    #[command(after_help = "Example: agent-memory sweep --store sqlite:memory.db")]
    Sweep(Sweep),
    /// Show the figures on repeat callers.
    #[command(after_help = "Example: agent-memory analytics --store sqlite:memory.db --csv > repeat-callers.csv")]
    Analytics(Analytics),
    /// Show what administrators did: erasures, exports, sweeps.
    #[command(after_help = "Example: agent-memory audit --store sqlite:memory.db")]
    Audit(Audit),
    /// Read everything in a store, and say what is damaged.
    #[command(after_help = "Example: agent-memory verify --store sqlite:memory.db")]
    Verify(Verify),
    /// Copy everything from one store to another, and compare them. The keys stay the same.
    #[command(after_help = "Example: agent-memory copy --from sqlite:memory.db --to postgres://db.example/memory")]
    Copy(Copy),
    /// Move what a new map of shards has elsewhere than the old one.
    #[command(after_help = "Example: agent-memory move-slots --old shards.json --new shards-of-three.json")]
    MoveSlots(MoveSlots),
    /// Look after the keys that seal a store.
    #[command(subcommand, after_help = "Example: agent-memory keys new memory.keys")]
    Keys(Keys),
    /// Serve agents over HTTP, with a dashboard.
    #[command(after_help = SERVE_HELP)]
    Serve(Serve),
    /// Make a token for the service.
    #[command(after_help = "Example: agent-memory token runtime --may call --account acme --tokens tokens.jsonl")]
    Token(Token),
    /// Measure conversations per second and latencies on this machine, with the sandbox and without it.
    #[command(after_help = BENCH_HELP)]
    Bench(Bench),
    /// Compile what comes on standard input, for `serve`.
    #[command(hide = true)]
    CompileComponent {
        /// The folder for compiled code.
        code_cache: PathBuf,
    },
    /// Print a completion script for a shell.
    #[command(
        after_help = "Example: agent-memory completions bash > ~/.local/share/bash-completion/completions/agent-memory"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Args)]
pub(crate) struct New {
    /// The agent's folder. Its last part becomes the agent's name.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// What the functions are written in.
    #[arg(long, value_enum)]
    pub(crate) language: Language,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Python,
    Javascript,
    Typescript,
    Rust,
}

#[derive(Args)]
pub(crate) struct Build {
    /// A project folder, or a component, which is copied.
    pub(crate) path: PathBuf,
    /// Where the component goes.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
pub(crate) struct Check {
    /// A built component or a project folder.
    pub(crate) path: PathBuf,
    /// The configuration. Default: agent_settings/experimental_config.json of a project folder, if it has one.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Run {
    /// The conversations, in YAML or JSON.
    pub(crate) scenario: PathBuf,
    /// A built component or a project folder. Default: what the scenario names.
    #[arg(long, value_name = "PATH")]
    pub(crate) functions: Option<PathBuf>,
    /// The configuration. Default: what the scenario names, then agent_settings/experimental_config.json of a project
    /// folder, then no memory.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where memory is kept. A store that is not there is made.
    #[arg(long, value_name = "URL", default_value = "memory:")]
    pub(crate) store: String,
    #[command(flatten)]
    pub(crate) sealing: Sealing,
    /// Print one JSON object a conversation, each on a line of its own.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Serve {
    /// An agent to publish first: a built component, a source file or a project folder.
    pub(crate) functions: Option<PathBuf>,
    /// That agent's configuration. Default: agent_settings/experimental_config.json of a project folder, if it has one.
    #[arg(long, value_name = "FILE", requires = "functions")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) scope: ScopeArguments,
    /// Where memory is kept. A store that is not there is made.
    #[arg(long, value_name = "URL", env = STORE, hide_env_values = true)]
    pub(crate) store: String,
    #[command(flatten)]
    pub(crate) sealing: Sealing,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// The file of tokens, from `agent-memory token`. Without it only this machine is listened to.
    #[arg(long, value_name = "FILE")]
    pub(crate) tokens: Option<PathBuf>,
    /// A certificate in PEM, for requests to travel encrypted.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// The certificate's key in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(crate) tls_key: Option<PathBuf>,
    /// How many requests a client may make each second. 0: any number.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    pub(crate) rate: u32,
    /// After how many seconds without a call a conversation is ended: 23 hours at most.
    #[arg(long, value_name = "SECONDS", default_value_t = 1800, value_parser = clap::value_parser!(u64).range(1..=82_800))]
    pub(crate) idle: u64,
    /// In how many processes of their own the functions of agents in Python and JavaScript run. `off`: in this process.
    /// Default: one for each core, and `off` if there is only one.
    #[arg(long, value_name = "NUMBER|off", value_parser = workers)]
    pub(crate) workers: Option<Workers>,
    /// Do not delete what has expired: something else runs `agent-memory sweep`.
    #[arg(long)]
    pub(crate) no_sweep: bool,
    /// Write the log as JSON objects, one a line.
    #[arg(long)]
    pub(crate) json_log: bool,
    /// Send spans to this OpenTelemetry collector, by OTLP over HTTP, such as http://127.0.0.1:4318.
    #[arg(long, value_name = "URL")]
    pub(crate) otlp: Option<String>,
}

/// In how many processes of their own functions run.
#[derive(Clone, Copy)]
pub(crate) enum Workers {
    Off,
    Number(NonZeroUsize),
}

fn workers(text: &str) -> Result<Workers, String> {
    match text {
        "off" => Ok(Workers::Off),
        number => number.parse().map(Workers::Number).map_err(|_| "give a number from 1, or `off`".to_owned()),
    }
}

#[derive(Args)]
pub(crate) struct Bench {
    /// How many callers are remembered when it begins. `bare` has as many of its own.
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) identities: u64,
    /// How many conversations are played.
    #[arg(long, value_name = "NUMBER", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) conversations: u64,
    /// How many turns each has.
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) turns: u32,
    /// How many conversations go on at once: a number, or several of them with commas between.
    #[arg(
        long, value_name = "NUMBERS", default_value = "1,32", value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    pub(crate) concurrency: Vec<u32>,
    /// Where memory is kept. A store that is not there is made. Default: a SQLite file in a temporary folder, for the end of a
    /// conversation has to be durable.
    // No variable names it: a benchmark should not be made on a store by accident.
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    #[command(flatten)]
    pub(crate) sealing: Sealing,
    /// What is called: a built component, a source file or a project folder. Default: a function in Rust that is part of this
    /// command.
    #[arg(long, value_name = "PATH")]
    pub(crate) functions: Option<PathBuf>,
    /// Where chance begins: with the same number, the same callers call in the same order and say the same.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print one JSON object for each number of conversations at once, each on a line of its own.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Token {
    /// What people call the token.
    pub(crate) name: String,
    /// The file that it is added to, without the token itself.
    #[arg(long, value_name = "FILE")]
    pub(crate) tokens: PathBuf,
    /// What it is for.
    #[arg(long, value_enum, required = true, value_delimiter = ',')]
    pub(crate) may: Vec<May>,
    /// The account that it is for. Default: all.
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// The project that it is for. Default: all.
    #[arg(long)]
    pub(crate) project: Option<String>,
    /// The environment that it is for. Default: all.
    #[arg(long)]
    pub(crate) env: Option<String>,
    /// Until when it is good. Default: until it is taken out of the file.
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<Timestamp>,
}

/// What a token is for.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum May {
    /// Hold conversations.
    Call,
    /// Publish agents, and read, change and erase memory.
    Administer,
    /// See analytics, memory health and metrics.
    View,
}

/// Whose agent it is.
#[derive(Args)]
pub(crate) struct ScopeArguments {
    /// The account.
    #[arg(long, default_value = "local")]
    account: String,
    /// The project.
    #[arg(long, default_value = "local")]
    project: String,
    /// The environment.
    #[arg(long, default_value = "sandbox")]
    env: String,
}

impl ScopeArguments {
    pub(crate) fn scope(&self) -> Scope {
        Scope { account: self.account.clone(), project: self.project.clone(), environment: self.env.clone() }
    }
}

#[derive(Subcommand)]
pub(crate) enum Memory {
    /// Show what is remembered of a caller.
    #[command(after_help = "Example: agent-memory memory get +441632960001 --store sqlite:memory.db")]
    Get(Caller),
    /// Show all that is held on a caller: memory, the first interaction, the conversations.
    #[command(after_help = "Example: agent-memory memory export +441632960001 --store sqlite:memory.db --json")]
    Export(Caller),
    /// Erase all that is held on a caller, or one key of the caller's memory.
    #[command(
        after_help = "Example: agent-memory memory erase +441632960001 --store sqlite:memory.db --key cheese_type"
    )]
    Erase(Caller),
}

#[derive(Args)]
pub(crate) struct Caller {
    /// The caller's number, or what else the caller is known by.
    pub(crate) identifier: String,
    #[command(flatten)]
    pub(crate) stored: Stored,
    #[command(flatten)]
    pub(crate) scope: ScopeArguments,
    /// What the identifier is: a caller's number, or anything else.
    #[arg(long, value_enum, default_value = "phone")]
    kind: Kind,
    /// Of the caller's memory, only this key.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Sweep {
    #[command(flatten)]
    pub(crate) stored: Stored,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) stored: Stored,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Analytics {
    #[command(flatten)]
    pub(crate) stored: Stored,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the rows of returning conversations as comma-separated values.
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

#[derive(Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) stored: Stored,
    /// Print a JSON object an act, each on a line of its own.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Copy {
    /// The store that is copied. Nothing may write to it meanwhile.
    #[arg(long, value_name = "URL", env = "AGENT_MEMORY_COPY_FROM", hide_env_values = true)]
    pub(crate) from: String,
    /// An empty store, or one to which the same was copied before. It is made if it is not there.
    #[arg(long, value_name = "URL", env = "AGENT_MEMORY_COPY_TO", hide_env_values = true)]
    pub(crate) to: String,
    /// As if it were this time. Default: now.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct MoveSlots {
    /// The map that the shards are used with. Everything that uses any of them has to be stopped.
    #[arg(long, value_name = "FILE")]
    pub(crate) old: PathBuf,
    /// The map that they are to be used with.
    #[arg(long, value_name = "FILE")]
    pub(crate) new: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Keys {
    /// Make a ring of keys.
    #[command(after_help = "Example: agent-memory keys new memory.keys")]
    New {
        /// The file that it goes into, which only its owner can read.
        file: PathBuf,
    },
    /// Seal what is written from now on by new keys. What is there can be read as before.
    #[command(after_help = "Example: agent-memory keys rotate --keys file:memory.keys")]
    Rotate(Ring),
    /// Show what is in a ring, but for the keys.
    #[command(after_help = "Example: agent-memory keys show --keys file:memory.keys")]
    Show(Ring),
    /// Print the ring as it is after today's sweep, for whoever keeps it where a sweep can only read it.
    #[command(after_help = "Example: agent-memory keys moved-on --keys env:MEMORY_KEYS | vault-put memory-keys")]
    MovedOn {
        /// Where the ring is: file:PATH, env:NAME, or command:PROGRAM ARGUMENTS.
        #[arg(long, value_name = "SOURCE", env = KEYS)]
        keys: Source,
    },
}

#[derive(Args)]
pub(crate) struct Ring {
    /// Where the ring is: file:PATH, env:NAME, or command:PROGRAM ARGUMENTS.
    #[arg(long, value_name = "SOURCE", env = KEYS)]
    pub(crate) keys: Source,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a store is sealed by.
#[derive(Args)]
pub(crate) struct Sealing {
    /// The keys that seal the store: file:PATH, env:NAME, or command:PROGRAM ARGUMENTS. Default: of a store in a file,
    /// the file beside it with `.keys` at the end of its name, which is made with it.
    #[arg(long, value_name = "SOURCE", env = KEYS, hide_env_values = true)]
    pub(crate) keys: Option<Source>,
    /// Seal nothing, whatever keys there are: for debugging.
    #[arg(long)]
    pub(crate) plaintext: bool,
}

/// The variable that names the store, for URLs with a password, which others could see among a command's arguments.
const STORE: &str = "AGENT_MEMORY_STORE";

/// The variable that names the keys.
const KEYS: &str = "AGENT_MEMORY_KEYS";

/// A store that is there already, and when it is looked at.
#[derive(Args)]
pub(crate) struct Stored {
    /// Where memory is kept.
    #[arg(long, value_name = "URL", env = STORE, hide_env_values = true)]
    pub(crate) store: String,
    #[command(flatten)]
    pub(crate) sealing: Sealing,
    /// As if it were this time. Default: now.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// A caller's number.
    Phone,
    /// Anything else.
    Custom,
}

impl Caller {
    /// What the identifier is.
    pub(crate) fn kind(&self) -> IdentifierKind {
        match self.kind {
            Kind::Phone => IdentifierKind::Phone,
            Kind::Custom => IdentifierKind::Custom,
        }
    }
}
