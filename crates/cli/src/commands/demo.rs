//! `agent-memory demo`

use std::path::Path;

use agent_memory_testing::Scenario;

use super::Verdict;
use super::run::{Form, Performance};
use crate::functions::Configuration;
use crate::output;
use crate::stores::OpenStore;

/// The cheese shop of the examples, built: the command works where nothing can be compiled.
pub(super) const FUNCTIONS: &[u8] = include_bytes!("../cheese-shop.wasm");

const SCENARIO: &str = include_str!("../demo.yaml");

pub(crate) async fn demo() -> anyhow::Result<Verdict> {
    let scenario = Scenario::parse(SCENARIO, "demo.yaml")?;
    let performance = Performance {
        store: OpenStore::in_memory(),
        configuration: Configuration::read(scenario.configuration.clone(), Path::new(""))?,
        functions: FUNCTIONS.to_vec(),
        functions_name: "the cheese shop".into(),
        scenario,
    };
    output::text("Somebody rings a cheese shop twice. The second call finds what the first one left.\n\n")?;
    performance.play(Form::Transcript).await
}
