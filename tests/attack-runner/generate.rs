//! Components that are too large, or too deep, to be kept: made from what a `generate.toml` says.

use agent_memory_host::Interfaces;

use crate::component::{framed, framed_in};

/// How every component begins.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// How every core module begins.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// An export by the right name, with nothing in it.
const EMPTY_FUNCTIONS: &str = r#"(instance $empty) (export "agent:memory/functions@0.1.0" (instance $empty))"#;

/// An attack that does nothing.
const NOTHING: &str = "(func $attack (result i32) (global.get $null))";

/// Makes a component of the only setting in a text.
pub(crate) fn generate(text: &str) -> Vec<u8> {
    let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}"));
    let [(setting, value)] = &table.iter().collect::<Vec<_>>()[..] else { panic!("one setting is wanted: {table}") };
    let count = usize::try_from(value.as_integer().unwrap()).unwrap();
    match setting.as_str() {
        "nested" => nested(count),
        "instances" => instances(count),
        "doubled" => doubled(count),
        "data-megabytes" => data(count * 1_000_000),
        "function-megabytes" => function(count * 1_000_000),
        "padding-megabytes" => padding(count * 1_000_000),
        "imports" => component(&(0..count).map(|i| format!("(import \"{}\" (instance))", name(i))).collect::<String>()),
        "exports" => exports(count),
        "name-kilobytes" => names(count * 1_000),
        other => panic!("there is no generator {other}"),
    }
}

fn component(fields: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {fields})")).unwrap_or_else(|error| panic!("{error}"))
}

fn nested(depth: usize) -> Vec<u8> {
    let outermost = (1..depth).fold(COMPONENT.to_vec(), |inner, _| [COMPONENT, &section(4, &inner)].concat());
    [outermost, component(EMPTY_FUNCTIONS).split_off(COMPONENT.len())].concat()
}

fn instances(count: usize) -> Vec<u8> {
    const OF_EACH: usize = 100;
    let core = "(core instance (instantiate $nothing))".repeat(OF_EACH);
    let all = "(instance (instantiate $hundred))".repeat(count / OF_EACH);
    component(&format!("(component $hundred (core module $nothing) {core}) {all} {EMPTY_FUNCTIONS}"))
}

fn doubled(times: usize) -> Vec<u8> {
    let levels = (1..=times).map(|level| {
        let below = level - 1;
        format!("(component $c{level} (instance (instantiate $c{below})) (instance (instantiate $c{below})))")
    });
    component(&format!(
        "(component $c0 (core module $nothing) (core instance (instantiate $nothing))) {} (instance (instantiate \
         $c{times})) {EMPTY_FUNCTIONS}",
        levels.collect::<String>()
    ))
}

fn data(bytes: usize) -> Vec<u8> {
    const START: usize = 65_536;
    let attack = format!(
        "(func $attack (result i32) (call $number (i32.load8_u (i32.const {})))) (data (i32.const {START}) \"{}\")",
        START + bytes - 1,
        "x".repeat(bytes)
    );
    framed_in(FUNCTIONS_AND_STATE, &attack, bytes / 65_536 + 2)
}

/// The world of a component that needs nothing but what the frame does.
const FUNCTIONS_AND_STATE: &str = "package tests:components; world functions-and-state { \
                                   import agent:memory/state@0.1.0; export agent:memory/functions@0.1.0; }";

fn function(bytes: usize) -> Vec<u8> {
    const NOP: u8 = 1;
    const END: u8 = 11;
    let mut body = vec![NOP; bytes];
    body[0] = 0; // no locals
    body.push(END);
    let code = section(10, &[vec![1], leb(body.len()), body].concat());
    let module = [MODULE, &section(1, &[1, 0x60, 0, 0]), &section(3, &[1, 0]), &code].concat();
    [COMPONENT, &section(1, &module)].concat()
}

fn padding(bytes: usize) -> Vec<u8> {
    let mut component = framed(NOTHING);
    let name = b"\x07padding".to_vec();
    component.extend(section(0, &[name, vec![0x5a; bytes]].concat()));
    component
}

fn exports(count: usize) -> Vec<u8> {
    let exports = (0..count).map(|i| format!("(export \"{}\" (instance $empty))", name(i)));
    component(&format!("(instance $empty) {}", exports.collect::<String>()))
}

fn names(bytes: usize) -> Vec<u8> {
    const DEPTH: usize = 40;
    let letters = "n".repeat(bytes);
    let deeper = (1..DEPTH).map(|i| format!("(func ${letters}{i} (result i32) (call ${letters}{}))", i - 1));
    framed(&format!(
        "(func ${letters}0 (result i32) unreachable) {} (func $attack (result i32) (call ${letters}{}))",
        deeper.collect::<String>(),
        DEPTH - 1
    ))
}

/// A name of a kilobyte.
fn name(i: usize) -> String {
    format!("{}-n{i}", "x".repeat(1_000))
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [vec![id], leb(content.len()), content.to_vec()].concat()
}

/// A number as WebAssembly writes it.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// Shows that what is generated is refused for its size, and not for how it is made.
#[test]
fn what_is_generated_small_is_a_component() {
    for setting in ["nested = 2", "instances = 100", "doubled = 2", "imports = 2", "exports = 2"] {
        let bytes = generate(setting);
        Interfaces::of(&bytes).unwrap_or_else(|error| panic!("{setting}: {error}"));
    }
    let module = function(10);
    Interfaces::of(&module).unwrap_or_else(|error| panic!("{error}"));
}
