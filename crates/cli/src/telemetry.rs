//! The log of a service, and its spans for whoever collects them.

use anyhow::Context;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// What is written unless `RUST_LOG` says otherwise.
const USUAL: &str = "warn,agent_memory_server=info,tower_http=info";

/// Sends spans for as long as it lives, and what is left of them when it goes.
pub(crate) struct Telemetry(Option<SdkTracerProvider>);

/// Begins to write the log to standard error, as JSON if wanted, and to send spans to a collector if there is one.
pub(crate) fn begin(json: bool, collector: Option<&str>) -> anyhow::Result<Telemetry> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL));
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let log = if json { log.json().boxed() } else { log.boxed() };
    let provider = collector.map(provider).transpose()?;
    let spans =
        provider.as_ref().map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("service")));
    tracing_subscriber::registry().with(filter).with(log).with(spans).init();
    Ok(Telemetry(provider))
}

/// What sends spans, by OTLP over HTTP.
fn provider(collector: &str) -> anyhow::Result<SdkTracerProvider> {
    let endpoint = format!("{}/v1/traces", collector.trim_end_matches('/'));
    let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).with_endpoint(endpoint);
    let exporter = exporter.build().with_context(|| format!("spans cannot be sent to {collector}"))?;
    let resource = Resource::builder().with_service_name("agent-memory").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take() {
            // A collector that is away is no reason not to stop.
            let _ = provider.shutdown();
        }
    }
}
