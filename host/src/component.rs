//! What a component imports and exports, and whether it may.

use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::{ComponentError, ForbiddenImport};

/// The version of the contract.
const VERSION: &str = "@0.1.0";

/// What a functions component may import of the contract, by the interface's name.
const CONTRACT_IMPORTS: [&str; 3] = ["agent:memory/memory", "agent:memory/state", "agent:memory/conversation"];

/// What of WASI language runtimes need to start. The sandbox has every one of them, and nothing is behind it: no
/// file, no environment, no network, and a clock that stands still within a turn.
const WASI_IMPORTS: [&str; 27] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// How deep components may be nested. Language runtimes nest two or three.
const NESTING: usize = 32;

/// How many instances a component may make of what is in it. A Python agent makes some fifty.
const INSTANCES: u64 = 1_000;

/// What a component imports and exports, by full name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interfaces {
    /// Its imports, such as `agent:memory/state@0.1.0`.
    pub imports: Vec<String>,
    /// Its exports, such as `agent:memory/functions@0.1.0`.
    pub exports: Vec<String>,
}

impl Interfaces {
    /// Reads them from a component's bytes. The component may still be one that no agent can be made of.
    ///
    /// # Errors
    /// If the bytes are no valid component.
    pub fn of(bytes: &[u8]) -> Result<Self, ComponentError> {
        // Read first, because it takes much too long to validate what is nested without an end.
        let interfaces = Self::read(bytes)?;
        validate(bytes)?;
        Ok(interfaces)
    }

    /// The same for bytes that need not be valid: those of compiled code are known to be, and to find out about a Python
    /// agent's takes longer than all else that is to be done with them.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ComponentError> {
        if bytes.is_empty() {
            return Err(ComponentError::NotWebAssembly { reason: "there is nothing".into() });
        }
        match Parser::new(0).parse_all(bytes).next() {
            Some(Ok(Payload::Version { encoding: Encoding::Component, .. })) => {}
            Some(Ok(Payload::Version { encoding: Encoding::Module, .. })) => return Err(ComponentError::CoreModule),
            // The parser's own message for this goes over many lines.
            Some(Err(_)) if !bytes.is_empty() && !bytes.starts_with(b"\0asm") => {
                return Err(ComponentError::NotWebAssembly { reason: r"it does not begin with `\0asm`".into() });
            }
            Some(Err(error)) => return Err(not_webassembly(&error)),
            _ => return Err(ComponentError::NotWebAssembly { reason: "it has no header".into() }),
        }
        let mut interfaces = Self { imports: Vec::new(), exports: Vec::new() };
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(|error| not_webassembly(&error))? {
                Payload::Version { .. } if depth == NESTING => {
                    let reason = format!("it has components within components, more than {NESTING} deep");
                    return Err(ComponentError::Uncompilable(reason));
                }
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        let import = import.map_err(|error| not_webassembly(&error))?;
                        interfaces.imports.push(import.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        let export = export.map_err(|error| not_webassembly(&error))?;
                        interfaces.exports.push(export.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(interfaces)
    }

    /// Whether a customer's component may import what it does, and exports what it has to.
    pub(crate) fn check_functions(&self) -> Result<(), ComponentError> {
        let forbidden: Vec<_> = self.imports.iter().filter_map(|name| forbidden(name, &CONTRACT_IMPORTS)).collect();
        if !forbidden.is_empty() {
            return Err(ComponentError::ForbiddenImports(forbidden));
        }
        if !self.exports.iter().any(|name| *name == functions_interface()) {
            return Err(ComponentError::NoFunctions { found: self.exports.clone() });
        }
        Ok(())
    }

    /// Whether the whole, joined with the policy, imports nothing but what the host provides.
    pub(crate) fn check_joined(&self) -> Result<(), ComponentError> {
        let forbidden: Vec<_> =
            self.imports.iter().filter_map(|name| forbidden(name, &["agent:memory/conversation"])).collect();
        if forbidden.is_empty() { Ok(()) } else { Err(ComponentError::ForbiddenImports(forbidden)) }
    }

    /// Whether the component imports nothing and exports what a policy has to.
    pub(crate) fn check_policy(&self) -> Result<(), ComponentError> {
        let forbidden: Vec<_> = self.imports.iter().filter_map(|name| forbidden(name, &[])).collect();
        if !forbidden.is_empty() {
            return Err(ComponentError::ForbiddenImports(forbidden));
        }
        match policy_interfaces().into_iter().find(|wanted| !self.exports.contains(wanted)) {
            None => Ok(()),
            Some(missing) => Err(ComponentError::WrongType(format!("the policy exports no `{missing}`"))),
        }
    }

    /// Whether it imports any of WASI, where a function can wait.
    pub(crate) fn imports_wasi(&self) -> bool {
        self.imports.iter().any(|name| name.starts_with("wasi:"))
    }
}

/// The interface that functions are exported by.
pub(crate) fn functions_interface() -> String {
    format!("agent:memory/functions{VERSION}")
}

/// The interfaces that a policy exports: those that functions import, and its own.
pub(crate) fn policy_interfaces() -> [String; 3] {
    ["memory", "state", "policy"].map(|name| format!("agent:memory/{name}{VERSION}"))
}

/// Says what is wrong with an import, if something is.
fn forbidden(name: &str, contract: &[&str]) -> Option<ForbiddenImport> {
    let (interface, version) = match name.split_once('@') {
        Some((interface, version)) => (interface, Some(version)),
        None => (name, None),
    };
    let wasi = WASI_IMPORTS.contains(&interface);
    let advice = if contract.contains(&interface) {
        if name.ends_with(VERSION) {
            return None;
        }
        "which is another version of the contract: build it with the current SDK"
    } else if wasi {
        if version.is_some_and(is_wasi_0_2) {
            return None;
        }
        "which is another version of WASI: build it for WASI 0.2"
    } else if interface == "agent:memory/policy" {
        "which only the host may use: read memory with `agent:memory/memory`, set it with `agent:memory/state`"
    } else if interface.starts_with("agent:memory/") {
        "which is not part of the contract: functions import `memory`, `state` and `conversation`"
    } else if interface.starts_with("wasi:http/") || interface.starts_with("wasi:sockets/") {
        "and functions have no network: ask the platform with `conversation.request`"
    } else if interface.starts_with("wasi:keyvalue/") {
        "and functions have no store: remember with `agent:memory/state`"
    } else {
        "which functions may not use: leave out what needs it, or ask the platform with `conversation.request`"
    };
    Some(ForbiddenImport { name: name.to_owned(), advice: advice.to_owned() })
}

/// Whether it is a release of WASI 0.2, and no draft of one.
fn is_wasi_0_2(version: &str) -> bool {
    version.strip_prefix("0.2.").is_some_and(|patch| patch.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether these bytes are a valid component, of which the compiler can make code.
pub(crate) fn validate(bytes: &[u8]) -> Result<(), ComponentError> {
    // The engine runs no component's tasks side by side.
    let mut validator = Validator::new_with_features(WasmFeatures::default() - WasmFeatures::CM_ASYNC);
    validator.validate_all(bytes).map_err(|error| not_webassembly(&error))?;
    let instances = crate::instances::count(bytes).map_err(|error| not_webassembly(&error))?;
    if instances > INSTANCES {
        let reason = format!("it makes {instances} instances of what is in it, and at most {INSTANCES} are allowed");
        return Err(ComponentError::Uncompilable(reason));
    }
    Ok(())
}

/// Some of the parser's messages go over many lines.
fn not_webassembly(error: &wasmparser::BinaryReaderError) -> ComponentError {
    let message: Vec<_> = error.message().split_whitespace().collect();
    ComponentError::NotWebAssembly { reason: format!("{}, at byte {}", message.join(" "), error.offset()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(wat: &str) -> Result<Interfaces, ComponentError> {
        Interfaces::of(&wat::parse_str(wat).unwrap())
    }

    fn refusal(import: &str) -> String {
        let wat = format!("(component (import \"{import}\" (instance)))");
        of(&wat).unwrap().check_functions().unwrap_err().to_string()
    }

    #[test]
    fn only_the_top_level_counts() {
        let interfaces = of(r#"(component
                (import "agent:memory/state@0.1.0" (instance $state))
                (component (import "wasi:http/handler@0.2.0" (instance)))
                (export "agent:memory/functions@0.1.0" (instance $state)))"#)
        .unwrap();
        assert_eq!(interfaces.imports, ["agent:memory/state@0.1.0"]);
        assert_eq!(interfaces.exports, ["agent:memory/functions@0.1.0"]);
        interfaces.check_functions().unwrap();
    }

    #[test]
    fn what_is_no_component_is_refused_with_a_reason_of_its_own() {
        assert!(matches!(Interfaces::of(b""), Err(ComponentError::NotWebAssembly { .. })));
        assert!(matches!(Interfaces::of(b"def book(conv):"), Err(ComponentError::NotWebAssembly { .. })));
        assert!(matches!(of("(module)"), Err(ComponentError::CoreModule)));
        let twice = br#"(component (import "a" (instance $a)) (export "b" (instance $a)) (export "b" (instance $a)))"#;
        let bytes = wat::parse_bytes(twice).unwrap();
        assert!(Interfaces::of(&bytes).unwrap_err().to_string().contains("conflicts"));
    }

    #[test]
    fn forbidden_imports_are_named_with_what_to_do() {
        assert!(refusal("agent:memory/policy@0.1.0").contains("only the host"));
        assert!(refusal("agent:memory/memory@0.2.0").contains("another version of the contract"));
        assert!(refusal("agent:memory/memroy@0.1.0").contains("not part of the contract"));
        assert!(refusal("wasi:http/outgoing-handler@0.2.0").contains("conversation.request"));
        assert!(refusal("wasi:keyvalue/store@0.2.0").contains("agent:memory/state"));
        assert!(refusal("wasi:clocks/wall-clock@0.3.0").contains("WASI 0.2"));
        assert!(refusal("somebody:else/thing").contains("may not use"));
    }

    #[test]
    fn a_component_without_functions_is_told_what_it_exports() {
        let other = of(r#"(component (import "wasi:io/poll@0.2.0" (instance $a)) (export "a:b/c" (instance $a)))"#);
        let error = other.unwrap().check_functions().unwrap_err().to_string();
        assert!(error.contains("agent:memory/functions@0.1.0") && error.contains("a:b/c"), "{error}");
    }
}
