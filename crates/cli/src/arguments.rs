//! What may be typed after `agent-memory`.

use std::path::PathBuf;

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

Stores: memory: (forgotten when the command ends), sqlite:PATH
Times:  as in RFC 3339, such as 2026-03-02T10:20:00Z

Exit codes:
  0  done
  1  an expectation or a check failed
  2  the input or usage is wrong, or the store cannot be used

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
    /// Print one JSON object a conversation, each on a line of its own.
    #[arg(long)]
    pub(crate) json: bool,
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
    /// The account.
    #[arg(long, default_value = "local")]
    account: String,
    /// The project.
    #[arg(long, default_value = "local")]
    project: String,
    /// The environment.
    #[arg(long, default_value = "sandbox")]
    env: String,
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

/// A store that is there already, and when it is looked at.
#[derive(Args)]
pub(crate) struct Stored {
    /// Where memory is kept.
    #[arg(long, value_name = "URL")]
    pub(crate) store: String,
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
    /// Whose agent's memory it is.
    pub(crate) fn scope(&self) -> Scope {
        Scope { account: self.account.clone(), project: self.project.clone(), environment: self.env.clone() }
    }

    /// What the identifier is.
    pub(crate) fn kind(&self) -> IdentifierKind {
        match self.kind {
            Kind::Phone => IdentifierKind::Phone,
            Kind::Custom => IdentifierKind::Custom,
        }
    }
}
