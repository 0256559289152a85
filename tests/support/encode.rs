//! Components that no tool-chain would make.

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use crate::root;

/// The world of a component that needs nothing.
pub const FUNCTIONS_ALONE: &str =
    "package tests:components; world functions-alone { export agent:memory/functions@0.1.0; }";

/// Makes a component of the only world in a text, which may define the contract in its own way, and of a core module in
/// text form. Without a module every function of the world traps.
///
/// # Panics
///
/// If the module does not fit the world.
pub fn encode(world: &str, module: Option<&str>) -> Vec<u8> {
    let mut resolve = Resolve::default();
    if !world.contains("package agent:memory@0.1.0 {") {
        resolve.push_dir(root().join("wit")).unwrap_or_else(|error| panic!("{error:#}"));
    }
    let package = resolve.push_str("world.wit", world).unwrap_or_else(|error| panic!("{error:#}"));
    let world = resolve.select_world(&[package], None).unwrap_or_else(|error| panic!("{error:#}"));
    let mut module = match module {
        Some(wat) => wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}")),
        None => dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync)),
    };
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .unwrap_or_else(|error| panic!("{error:#}"));
    let mut encoder = ComponentEncoder::default();
    let encoded = encoder.validate(true).module(&module).and_then(ComponentEncoder::encode);
    encoded.unwrap_or_else(|error| panic!("{error:#}"))
}
