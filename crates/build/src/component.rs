//! From a core module to a component.

use crate::BuildError;

/// Names the encoder for caches: raise the number when the same module would become another component.
pub(crate) const ENCODER: &str = concat!("agent-memory-build ", env!("CARGO_PKG_VERSION"), ", encoding 1");

/// Makes a core module into a component of the world that bindings have noted in the module.
pub(crate) fn encode(project: &str, module: &[u8]) -> Result<Vec<u8>, BuildError> {
    // The causes are what tells the reader which function or type does not fit.
    let encode_error = |error| BuildError::Encode { project: project.to_owned(), reason: format!("{error:#}") };
    let (without_note, bindings) = wit_component::metadata::decode(module).map_err(encode_error)?;
    // Whoever uses the SDK and exports nothing has noted what the SDK imports.
    let exports_nothing = bindings.resolve.worlds.get(bindings.world).is_none_or(|world| world.exports.is_empty());
    if without_note.is_none() || exports_nothing {
        return Err(BuildError::NoWorld { project: project.to_owned() });
    }
    wit_component::ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(wit_component::ComponentEncoder::encode)
        .map_err(encode_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with nothing in it.
    const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn a_module_without_a_world_is_refused_with_what_to_do() {
        let error = encode("cheese-shop", EMPTY).unwrap_err();
        assert!(matches!(&error, BuildError::NoWorld { project } if project == "cheese-shop"), "{error}");
    }

    #[test]
    fn what_is_no_module_is_refused() {
        let error = encode("cheese-shop", b"\0asm\x01\0").unwrap_err();
        assert!(matches!(&error, BuildError::Encode { .. }), "{error}");
    }
}
