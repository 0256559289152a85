//! Joins a functions component with the policy.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions};

use crate::ComponentError;
use crate::component::{Interfaces, functions_interface, policy_interfaces};

/// Makes one component of the two. It instantiates both, gives the functions the policy's `memory` and `state`, and
/// exports the policy's own interface and the functions.
///
/// # Errors
/// If one of them is not of the contract.
pub fn join(functions: &[u8], policy: &[u8]) -> Result<Vec<u8>, ComponentError> {
    // The functions come from a stranger, and the composer asserts what it expects of its input.
    let joined = catch_unwind(AssertUnwindSafe(|| compose(functions, policy)))
        .unwrap_or_else(|_| Err("its composition failed".into()))
        .map_err(ComponentError::WrongType)?;
    Interfaces::of(&joined)?.check_joined()?;
    Ok(joined)
}

fn compose(functions: &[u8], policy: &[u8]) -> Result<Vec<u8>, String> {
    let mut graph = CompositionGraph::new();
    let mut instantiate = |name, bytes: &[u8]| {
        let package = Package::from_bytes(name, None, bytes, graph.types_mut()).map_err(|error| chain(&*error))?;
        let imports: Vec<_> = graph.types()[package.ty()].imports.keys().cloned().collect();
        let package = graph.register_package(package).map_err(|error| chain(&error))?;
        Ok::<_, String>((graph.instantiate(package), imports))
    };
    let (rules, _) = instantiate("agent-memory:policy", policy)?;
    let (customer, imports) = instantiate("agent-memory:functions", functions)?;

    for interface in policy_interfaces() {
        let export = graph.alias_instance_export(rules, &interface).map_err(|error| chain(&error))?;
        if imports.contains(&interface) {
            graph.set_instantiation_argument(customer, &interface, export).map_err(|error| chain(&error))?;
        }
        graph.export(export, &interface).map_err(|error| chain(&error))?;
    }
    let interface = functions_interface();
    let export = graph.alias_instance_export(customer, &interface).map_err(|error| chain(&error))?;
    graph.export(export, &interface).map_err(|error| chain(&error))?;
    graph.encode(EncodeOptions::default()).map_err(|error| chain(&error))
}

/// An error and its causes on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<_> = causes.map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Functions that import all of the contract.
    const FUNCTIONS: &str = r#"(component
        (import "agent:memory/memory@0.1.0" (instance $memory (export "len" (func (result u32)))))
        (import "agent:memory/state@0.1.0" (instance (export "remove" (func (param "key" string) (result bool)))))
        (import "agent:memory/conversation@0.1.0" (instance (export "say" (func (param "text" string)))))
        (export "agent:memory/functions@0.1.0" (instance $memory)))"#;

    #[test]
    fn of_the_two_together_only_the_conversation_is_left_to_be_imported() {
        let functions = wat::parse_str(FUNCTIONS).unwrap();
        assert_eq!(Interfaces::of(&functions).unwrap().imports.len(), 3);
        let joined = Interfaces::of(&join(&functions, crate::policy::BUILT_IN).unwrap()).unwrap();
        assert_eq!(joined.imports, ["agent:memory/conversation@0.1.0"]);
        let exports = ["memory", "state", "policy", "functions"].map(|name| format!("agent:memory/{name}@0.1.0"));
        assert_eq!(joined.exports, exports);
    }

    #[test]
    fn functions_that_export_a_policy_of_their_own_do_not_replace_it() {
        let impostor = wat::parse_str(
            r#"(component
                (import "agent:memory/memory@0.1.0" (instance $mine (export "len" (func (result u32)))))
                (export "agent:memory/policy@0.1.0" (instance $mine))
                (export "agent:memory/functions@0.1.0" (instance $mine)))"#,
        )
        .unwrap();
        let joined = join(&impostor, crate::policy::BUILT_IN).unwrap();
        let component = wasmtime::component::Component::new(&wasmtime::Engine::default(), joined).unwrap();
        let has = |interface: &str, function| {
            let interface = component.get_export_index(None, format!("agent:memory/{interface}@0.1.0")).unwrap();
            component.get_export_index(Some(&interface), function).is_some()
        };
        assert!(has("policy", "propose") && !has("policy", "len"));
        assert!(has("functions", "len"), "and this is theirs");
    }
}
