//! Components whose code is any valid code.

use std::sync::LazyLock;

use arbitrary::Unstructured;
use wasm_smith::{Config, Module};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, PackageId, Resolve, WorldId};

use super::components::components;
use crate::kept::root;

/// Makes code of bytes by wasm-smith, with the exports that a functions component has, and tries a component of it as
/// [`components`] does: it is compiled, asked for its functions, and run.
///
/// The component's bytes, and not these, are what to keep of what is found: they are written to `target/fuzz/found`.
pub fn modules(data: &[u8]) {
    let Some(component) = component(data) else { return };
    let path = root().join("target/fuzz/found/module.wasm");
    let is_written =
        std::fs::create_dir_all(path.parent().expect("a folder")).and_then(|()| std::fs::write(&path, &component));
    is_written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    components(&component);
}

struct World {
    resolve: Resolve,
    world: WorldId,
    /// A module that exports what has to be exported.
    shape: Vec<u8>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut resolve = Resolve::default();
    resolve.push_dir(root().join("wit")).expect("the contract");
    let text = "package fuzz:modules; world functions { export agent:memory/functions@0.1.0; }";
    let package: PackageId = resolve.push_str("world.wit", text).expect("a world");
    let world = resolve.select_world(&[package], None).expect("the only world");
    let shape = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    World { resolve, world, shape }
});

/// A component of code that is made of bytes. None if there are too few, or no component can be made of it.
fn component(data: &[u8]) -> Option<Vec<u8>> {
    let World { resolve, world, shape } = &*WORLD;
    let mut unstructured = Unstructured::new(data);
    let config = Config {
        exports: Some(shape.clone()),
        available_imports: Some(b"\0asm\x01\0\0\0".to_vec()),
        max_instructions: 2_000,
        max_memories: 1,
        max_memory32_bytes: 4 << 20,
        memory64_enabled: false,
        multi_value_enabled: true,
        exceptions_enabled: false,
        gc_enabled: false,
        custom_page_sizes_enabled: false,
        shared_everything_threads_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    };
    let mut module = Module::new(config, &mut unstructured).ok()?.to_bytes();
    embed_component_metadata(&mut module, resolve, *world, StringEncoding::UTF8).ok()?;
    let mut encoder = ComponentEncoder::default();
    encoder.validate(false).module(&module).and_then(ComponentEncoder::encode).ok()
}
