//! The cheese shop in each language, with one more function: `nothing`, which does nothing.

use std::fs;
use std::path::{Path, PathBuf};

use agent_memory_tests::{built, root, rust_agent};
use anyhow::Context;

/// The languages that the example is written in.
pub(crate) const LANGUAGES: [&str; 3] = ["python", "javascript", "rust"];

/// The example's component.
pub(crate) fn component(language: &str) -> anyhow::Result<Vec<u8>> {
    let folder = root().join("target/tests/turns").join(language);
    let sources = match language {
        "python" => python(&folder)?,
        "javascript" => javascript(&folder)?,
        _ => rust(&folder)?,
    };
    Ok(built(&sources))
}

fn python(folder: &Path) -> anyhow::Result<PathBuf> {
    for name in ["start_function", "book", "hand_over", "end_function"] {
        let file = format!("functions/{name}.py");
        write(&folder.join(&file), &read(&format!("examples/cheese-shop-python/{file}"))?)?;
    }
    write(&folder.join("functions/nothing.py"), "def nothing(conv):\n    pass\n")?;
    Ok(folder.to_owned())
}

fn javascript(folder: &Path) -> anyhow::Result<PathBuf> {
    let file = folder.join("functions.js");
    let shop = read("examples/cheese-shop-javascript/src/functions.js")?;
    write(&file, &(shop + "\nexport function nothing(conv) {}\n"))?;
    Ok(file)
}

fn rust(folder: &Path) -> anyhow::Result<PathBuf> {
    let shop = read("examples/cheese-shop/src/lib.rs")?;
    let (before, after) = shop.split_once("export!(").context("the example has no `export!`")?;
    let nothing = "#[function]\nfn nothing(_: &Conversation) {}\n";
    let folder = folder.join("turns");
    rust_agent(&folder, &format!("{before}export!(nothing, {after}\n{nothing}"));
    Ok(folder)
}

fn read(file: &str) -> anyhow::Result<String> {
    fs::read_to_string(root().join(file)).with_context(|| format!("{file} cannot be read"))
}

/// Writes a file, unless it has that content already: what is not written is not built again.
fn write(path: &Path, content: &str) -> anyhow::Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().context("no folder")?)?;
    fs::write(path, content).with_context(|| format!("{} cannot be written", path.display()))
}
