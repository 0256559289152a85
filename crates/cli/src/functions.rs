//! Functions and their configuration, from wherever they are.

use std::path::Path;

use agent_memory_build::{BuildError, Built, Options, Progress};
use agent_memory_host::ConfigurationError;
use agent_memory_testing::{ConfigurationSource, ScenarioError};

use crate::surroundings::progress;

/// Where a project keeps its configuration.
const PROJECT_CONFIGURATION: &str = "agent_settings/experimental_config.json";

/// Builds what is at a path, or reads it if it is built already. `color` is whether compilers may colour what they
/// print.
pub(crate) fn build(path: &Path, color: bool) -> Result<Built, BuildError> {
    let show = |step: Progress<'_>| progress(&step.to_string());
    let options = Options { color, progress: Some(&show), ..Options::default() };
    agent_memory_build::build(path, &options)
}

/// A configuration, and where it is from.
pub(crate) struct Configuration {
    source: Option<ConfigurationSource>,
    /// Its text: `{}`, which is no memory, where there is none.
    pub(crate) text: String,
}

impl Configuration {
    /// Reads what is given, or else what a project folder has of its own.
    pub(crate) fn read(given: Option<ConfigurationSource>, functions: &Path) -> Result<Self, ScenarioError> {
        let own = functions.join(PROJECT_CONFIGURATION);
        let source = given.or_else(|| own.is_file().then_some(ConfigurationSource::File(own)));
        let text = source.as_ref().map_or_else(|| Ok("{}".into()), ConfigurationSource::read)?;
        Ok(Self { source, text })
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> String {
        match &self.source {
            Some(source) => format!("the configuration {source}"),
            None => "the configuration".into(),
        }
    }

    /// All its mistakes, one on a line.
    pub(crate) fn mistakes(&self, errors: &[ConfigurationError]) -> String {
        let count = if errors.len() == 1 { "a mistake".into() } else { format!("{} mistakes", errors.len()) };
        let lines: String = errors.iter().map(|error| format!("\n  {error}")).collect();
        format!("{} has {count}:{lines}", self.name())
    }

    /// Whether there is one at all.
    pub(crate) fn is_given(&self) -> bool {
        self.source.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c5_a_configuration_is_what_is_given_or_the_projects_own_or_none() {
        let project = tempfile::tempdir().unwrap();
        let read = |given| Configuration::read(given, project.path()).unwrap();
        assert_eq!(read(None).text, "{}");
        assert!(!read(None).is_given());

        std::fs::create_dir(project.path().join("agent_settings")).unwrap();
        std::fs::write(project.path().join(PROJECT_CONFIGURATION), r#"{"memory": {}}"#).unwrap();
        assert_eq!(read(None).text, r#"{"memory": {}}"#);
        assert!(read(None).name().ends_with("experimental_config.json"));

        let given = project.path().join("config.json");
        std::fs::write(&given, r#"{"other": {}}"#).unwrap();
        assert_eq!(read(Some(ConfigurationSource::File(given))).text, r#"{"other": {}}"#);
    }
}
