//! `agent-memory check`

use std::fmt::Write;
use std::sync::Arc;

use agent_memory_build::BuildError;
use agent_memory_host::{
    AgentDefinition, ConfigurationError, ConfigurationWarning, FunctionDescription, Interfaces, Json, LoadError,
    Runtime, SystemClock,
};
use agent_memory_testing::{ConfigurationSource, Scenario};
use indexmap::IndexMap;
use owo_colors::OwoColorize;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Verdict;
use crate::arguments::Check;
use crate::functions::{self, Configuration};
use crate::output;
use crate::stores::OpenStore;
use crate::surroundings::{runtime, while_it_lasts};
use crate::words::{count, plain};

/// What was found. Serialized, it is the output of `check --json`.
#[derive(Serialize)]
struct Findings {
    path: String,
    /// The component's size in bytes. None: there is no component.
    size: Option<usize>,
    imports: Vec<String>,
    exports: Vec<String>,
    functions: Vec<FunctionDescription>,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
}

/// Something that is wrong, or may be.
#[derive(Serialize)]
struct Finding {
    r#in: Part,
    /// Where in the configuration. None for the functions.
    path: Option<String>,
    message: String,
}

/// What was checked.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    Functions,
    Configuration,
}

pub(crate) async fn check(arguments: &Check) -> anyhow::Result<Verdict> {
    let given = arguments.config.clone().map(ConfigurationSource::File);
    let configuration = Configuration::read(given, &arguments.path)?;
    let mut findings = Findings {
        path: arguments.path.display().to_string(),
        size: None,
        imports: Vec::new(),
        exports: Vec::new(),
        functions: Vec::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    let built = functions::build(&arguments.path, false);
    let runtime = runtime(OpenStore::in_memory(), Arc::new(SystemClock)).await?;
    match built {
        Ok(built) => {
            findings.component(&built.bytes);
            findings.functions(&runtime, built.bytes).await?;
        }
        Err(
            error @ (BuildError::NotCdylib { .. }
            | BuildError::Project { .. }
            | BuildError::Compile { .. }
            | BuildError::NoWorld { .. }
            | BuildError::Encode { .. }),
        ) => findings.wrong(error.to_string()),
        // There is nothing to check, or nothing to check it with.
        Err(error) => return Err(error.into()),
    }
    findings.configuration(&runtime, &configuration.text).await?;
    if arguments.json {
        output::json_line(&findings)?;
    } else {
        output::text(&findings.in_words(&configuration)?)?;
    }
    Ok(if findings.errors.is_empty() { Verdict::Good } else { Verdict::Bad })
}

impl Findings {
    fn wrong(&mut self, message: String) {
        self.errors.push(Finding { r#in: Part::Functions, path: None, message });
    }

    /// What can be seen of a component without running it. What is wrong with it is told when it is loaded.
    fn component(&mut self, bytes: &[u8]) {
        self.size = Some(bytes.len());
        if let Ok(Interfaces { imports, exports }) = Interfaces::of(bytes) {
            (self.imports, self.exports) = (imports, exports);
        }
    }

    /// Loads the functions, without the configuration, so that neither hides the mistakes of the other.
    async fn functions(&mut self, runtime: &Runtime, functions: Vec<u8>) -> anyhow::Result<()> {
        let _compiling = while_it_lasts("compiling the functions");
        let scope = Scenario::default().scope;
        match runtime.load_agent(AgentDefinition { scope, functions, configuration: "{}".into() }).await {
            Ok(agent) => self.functions = agent.functions().to_vec(),
            Err(LoadError::Component(error)) => self.wrong(error.to_string()),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn configuration(&mut self, runtime: &Runtime, configuration: &str) -> anyhow::Result<()> {
        match runtime.check_configuration(configuration).await {
            Ok(warnings) => self.warnings.extend(warnings.iter().map(Finding::from)),
            Err(LoadError::Configuration(errors)) => self.errors.extend(errors.iter().map(Finding::from)),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn in_words(&self, configuration: &Configuration) -> anyhow::Result<String> {
        let mut text = plain(&self.path).bold().to_string();
        match self.size {
            Some(size) => writeln!(text, ": {size} bytes")?,
            None => text.push('\n'),
        }
        for (title, names) in [("Imports", &self.imports), ("Exports", &self.exports)] {
            if !names.is_empty() {
                writeln!(text, "\n{}", title.bold())?;
                names.iter().try_for_each(|name| writeln!(text, "  {}", plain(name)))?;
            }
        }
        if !self.functions.is_empty() {
            writeln!(text, "\n{}", "Functions".bold())?;
        }
        for function in &self.functions {
            writeln!(text, "  {}({})", plain(&function.name), plain(&parameters(&function.parameters)))?;
            for line in plain(&function.description).lines() {
                writeln!(text, "      {}", line.dimmed())?;
            }
        }
        if !configuration.is_given() {
            writeln!(text, "\nNo configuration: memory is off.")?;
        }
        text.push('\n');
        for finding in &self.errors {
            writeln!(text, "{} {finding}", "error:".red().bold())?;
        }
        for finding in &self.warnings {
            writeln!(text, "{} {finding}", "warning:".yellow().bold())?;
        }
        let errors = u64::try_from(self.errors.len())?;
        let verdict = match errors {
            0 => "Nothing is wrong.".green().to_string(),
            _ => format!("{} found.", count(errors, "error")).red().to_string(),
        };
        writeln!(text, "{verdict}")?;
        Ok(text)
    }
}

/// What is read of a JSON Schema. The order of its properties is kept.
#[derive(Default, Deserialize)]
struct Schema {
    #[serde(default)]
    properties: IndexMap<String, Value>,
    #[serde(default)]
    required: Vec<String>,
}

/// The parameters of a JSON Schema as one reads them in code. An optional one has a question mark.
fn parameters(schema: &Json) -> String {
    let Schema { properties, required } = schema.to().unwrap_or_default();
    let parameters = properties.iter().map(|(name, schema)| {
        let optional = if required.contains(name) { "" } else { "?" };
        match kind(schema) {
            Some(kind) => format!("{name}{optional}: {kind}"),
            None => format!("{name}{optional}"),
        }
    });
    parameters.collect::<Vec<_>>().join(", ")
}

/// The type of a parameter, if its schema names one in a plain way. `null` only says that it may be left out.
fn kind(schema: &Value) -> Option<String> {
    let names = match schema.get("type")? {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        name => Vec::from_iter(name.as_str()),
    };
    let names: Vec<_> = names.into_iter().filter(|name| *name != "null").collect();
    (!names.is_empty()).then(|| names.join(" or "))
}

impl From<&ConfigurationError> for Finding {
    fn from(error: &ConfigurationError) -> Self {
        let message = format!("found {}; {}", error.found, error.allowed);
        Self { r#in: Part::Configuration, path: Some(error.path.clone()), message }
    }
}

impl From<&ConfigurationWarning> for Finding {
    fn from(warning: &ConfigurationWarning) -> Self {
        let (path, message) = (Some(warning.path.clone()), warning.message.clone());
        Self { r#in: Part::Configuration, path, message }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}: {}", plain(path), plain(&self.message)),
            None => f.write_str(&plain(&self.message)),
        }
    }
}
