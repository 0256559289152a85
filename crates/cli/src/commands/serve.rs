//! `agent-memory serve`

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use agent_memory_host::AgentDefinition;
use agent_memory_host::workers::WorkerOptions;
use agent_memory_server::{CompilerCommand, Options, Server, TlsFiles};
use agent_memory_testing::ConfigurationSource;
use anyhow::Context;

use super::Verdict;
use crate::arguments::{Serve, Workers};
use crate::functions::{self, Configuration};
use crate::stores::{self, OpenStore};
use crate::{output, surroundings, telemetry};

pub(crate) async fn serve(arguments: Serve) -> anyhow::Result<Verdict> {
    // Reaching a collector waits for it, which is not for a thread that others wait for.
    let (json, collector) = (arguments.json_log, arguments.otlp.clone());
    let telemetry = tokio::task::spawn_blocking(move || telemetry::begin(json, collector.as_deref())).await??;
    let agent = arguments.functions.as_deref().map(|path| agent(path, &arguments)).transpose()?;
    let OpenStore { store, keys } = stores::open(&arguments.store, &arguments.sealing, true).await?;
    let code_cache =
        surroundings::code_cache().context("there is no folder for compiled code; set AGENT_MEMORY_CACHE_DIR")?;
    let compiler = CompilerCommand {
        program: std::env::current_exe().context("this program does not know where it is")?,
        arguments: vec!["compile-component".to_owned()],
    };
    let options = Options {
        tokens: arguments.tokens,
        tls: arguments.tls_certificate.zip(arguments.tls_key).map(|(certificate, key)| TlsFiles { certificate, key }),
        requests_per_second: NonZeroU32::new(arguments.rate),
        idle: Duration::from_secs(arguments.idle),
        sweep_every: (!arguments.no_sweep).then_some(Duration::from_secs(60 * 60)),
        compiler: Some(compiler),
        workers: workers(arguments.workers),
        ..Options::new(arguments.listen, code_cache)
    };
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let server = Server::bind(store, keys, options).await?;
    if let Some(agent) = agent {
        server.publish(agent).await?;
    }
    let address = server.address();
    output::text(&format!("Agent Memory serves {scheme}://{address} (dashboard: {scheme}://{address}/dashboard/)\n"))?;
    server.run(stopped()).await?;
    tokio::task::spawn_blocking(move || drop(telemetry)).await?;
    Ok(Verdict::Good)
}

/// The agent that is published first.
fn agent(path: &Path, arguments: &Serve) -> anyhow::Result<AgentDefinition> {
    let given = arguments.config.clone().map(ConfigurationSource::File);
    let configuration = Configuration::read(given, path)?;
    let built = functions::build(path, false)?;
    anstream::eprint!("{}", built.diagnostics);
    Ok(AgentDefinition { scope: arguments.scope.scope(), functions: built.bytes, configuration: configuration.text })
}

/// The processes that functions run in.
fn workers(wanted: Option<Workers>) -> Option<WorkerOptions> {
    let mut options = WorkerOptions::default();
    match wanted {
        Some(Workers::Off) => return None,
        Some(Workers::Number(count)) => options.count = count,
        // A second process would only take the one core from this one.
        None if options.count.get() == 1 => return None,
        None => {}
    }
    Some(options)
}

/// Waits until the service is to stop: until somebody presses Ctrl-C, or the process is told to end.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminated) = signal(SignalKind::terminate()) else { return std::future::pending().await };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}
