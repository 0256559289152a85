//! Turns in Python and JavaScript against their components in bare wasmtime.

use crate::report::{Report, Target};
use crate::turns;

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for language in turns::LANGUAGES {
        let what = match language {
            "python" => "a Python turn that does nothing, of the same call in bare wasmtime",
            "javascript" => "a JavaScript turn that does nothing, of the same call in bare wasmtime",
            // A Rust turn has a stricter measure of its own.
            _ => continue,
        };
        // The host maps compiled code from a file, and so does what it is compared with.
        let [_, bare, ours, ..] = tokio.block_on(turns::measure(language))?;
        let [bare_time, time] = [&bare, &ours].map(|found| found.median.as_secs_f64() * 1e6);
        let figures = format!(
            "{time:.0} µs and {:.0} page faults, bare {bare_time:.0} µs and {:.0} page faults",
            ours.faults, bare.faults
        );
        report.add(what, time / bare_time, Target::AtMost(1.2), figures);
    }
    Ok(())
}
