//! How many instances a component makes of what is in it.
//!
//! A component of some hundred bytes can make an instance of a component that makes two of another that makes two, and
//! so on. The compiler follows each of them, so that they are counted before.

use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, Instance,
    Parser, Payload,
};

/// A component as far as it has been read.
#[derive(Default)]
struct Scope {
    /// What an instance of each component that it knows makes.
    components: Vec<u64>,
    /// What an instance of it makes so far, itself included.
    made: u64,
}

/// How many instances, of core modules and of components, one instance of a valid component makes.
pub(crate) fn count(bytes: &[u8]) -> Result<u64, BinaryReaderError> {
    let mut scopes: Vec<Scope> = Vec::new();
    // A core module, whose end is no component's.
    let mut in_module = false;
    // What a component makes that is known by nothing but its name: no more than the largest of those that are known.
    let mut largest = 1;
    let mut made = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        if let Payload::ModuleSection { .. } = payload {
            in_module = true;
        } else if let Payload::End(_) = payload {
            if std::mem::take(&mut in_module) {
                continue;
            }
            made = scopes.pop().map_or(0, |scope| scope.made.saturating_add(1));
            largest = largest.max(made);
            if let Some(outer) = scopes.last_mut() {
                outer.components.push(made);
            }
            continue;
        } else if let Payload::Version { .. } = payload {
            if !in_module {
                scopes.push(Scope::default());
            }
            continue;
        }
        // Which component an alias means is looked up before its scope is changed.
        let aliased: Vec<u64> = match &payload {
            Payload::ComponentAliasSection(section) => {
                let aliases = section.clone().into_iter().collect::<Result<Vec<_>, _>>()?;
                aliases.iter().filter_map(|alias| component_of(alias, &scopes, largest)).collect()
            }
            _ => Vec::new(),
        };
        let Some(scope) = scopes.last_mut() else { continue };
        scope.components.extend(aliased);
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    scope.made = scope.made.saturating_add(match instance? {
                        Instance::Instantiate { .. } => 1,
                        Instance::FromExports(_) => 0,
                    });
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    if let ComponentInstance::Instantiate { component_index, .. } = instance? {
                        let known = scope.components.get(component_index as usize).copied();
                        scope.made = scope.made.saturating_add(known.unwrap_or(largest));
                    }
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    if import?.ty.kind() == ComponentExternalKind::Component {
                        scope.components.push(largest);
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Component {
                        let known = scope.components.get(export.index as usize).copied();
                        scope.components.push(known.unwrap_or(largest));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(made)
}

/// What an instance of the component makes that an alias means, if it means one.
fn component_of(alias: &ComponentAlias<'_>, scopes: &[Scope], largest: u64) -> Option<u64> {
    match *alias {
        ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
            let outer = scopes.iter().rev().nth(count as usize);
            Some(outer.and_then(|scope| scope.components.get(index as usize)).copied().unwrap_or(largest))
        }
        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => Some(largest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(wat: &str) -> u64 {
        count(&wat::parse_str(wat).unwrap()).unwrap()
    }

    #[test]
    fn instances_of_instances_are_counted() {
        assert_eq!(of("(component)"), 1);
        assert_eq!(
            of("(component (core module $m) (core instance (instantiate $m)) (core instance (instantiate $m)))"),
            3
        );
        // One of its own, and three times the inner one with its core instance.
        let thrice = "(component
            (component $inner (core module $m) (core instance (instantiate $m)))
            (instance (instantiate $inner)) (instance (instantiate $inner)) (instance (instantiate $inner)))";
        assert_eq!(of(thrice), 7);
    }

    #[test]
    fn what_doubles_at_every_level_is_counted_without_being_followed() {
        let levels: String = (1..=40)
            .map(|i| {
                let below = format!("(instance (instantiate $c{}))", i - 1);
                format!("(component $c{i} {below} {below})")
            })
            .collect();
        let wat = format!("(component (component $c0) {levels} (instance (instantiate $c40)))");
        assert_eq!(of(&wat), 1 << 41, "2^40 of the innermost, 2^40 - 1 around them, and the outermost");
    }
}
