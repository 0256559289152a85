//! The reference page of `wit/`.

mod page;

use std::fs;

use agent_memory_build::write_atomically;
use anyhow::{Context, bail};

use crate::workspace;

const SOURCE: &str = "wit";
const PAGE: &str = "docs/contract.md";

/// Writes the page.
pub(crate) fn write() -> anyhow::Result<()> {
    write_atomically(&workspace::root().join(PAGE), generate()?.as_bytes())?;
    println!("{PAGE}");
    Ok(())
}

/// Fails if the page is not what would be written.
pub(crate) fn check() -> anyhow::Result<()> {
    let path = workspace::root().join(PAGE);
    let found = fs::read_to_string(&path).with_context(|| format!("cannot read {PAGE}: run `cargo xtask contract`"))?;
    if found != generate()? {
        bail!("{PAGE} is out of date: run `cargo xtask contract`");
    }
    Ok(())
}

fn generate() -> anyhow::Result<String> {
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(workspace::root().join(SOURCE))?;
    page::render(&resolve, package)
}
