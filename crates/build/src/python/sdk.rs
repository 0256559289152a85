//! The SDK and the contract, as they are part of this crate.

use std::fs;
use std::path::Path;

use crate::BuildError;

/// Files by name, in a folder of their own.
pub(super) type Files = &'static [(&'static str, &'static str)];

/// Gives files of a folder with their content.
macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../", $folder, "/", $name)))),+]
    };
}

/// The contract.
pub(super) const CONTRACT: Files = files!("wit":
    "conversation.wit",
    "functions.wit",
    "memory.wit",
    "policy.wit",
    "state.wit",
    "worlds.wit",
);

/// The SDK.
pub(super) const SDK: Files = files!("sdk/python/src":
    "agent_memory/__init__.py",
    "agent_memory/agent.py",
    "agent_memory/arguments.py",
    "agent_memory/component/__init__.py",
    "agent_memory/component/agent_memory_app.py",
    "agent_memory/component/app.py",
    "agent_memory/component/build.py",
    "agent_memory/component/files.py",
    "agent_memory/component/frozen_values.py",
    "agent_memory/component/host.py",
    "agent_memory/component/problems.py",
    "agent_memory/component/project.py",
    "agent_memory/component/sandbox.py",
    "agent_memory/conversation.py",
    "agent_memory/current.py",
    "agent_memory/decorators.py",
    "agent_memory/docstrings.py",
    "agent_memory/errors.py",
    "agent_memory/failure.py",
    "agent_memory/functions.py",
    "agent_memory/host.py",
    "agent_memory/log.py",
    "agent_memory/memory.py",
    "agent_memory/parameters.py",
    "agent_memory/platform.py",
    "agent_memory/provided/always/_gen/__init__.py",
    "agent_memory/provided/always/plog.py",
    "agent_memory/provided/always/requests/__init__.py",
    "agent_memory/provided/always/requests/adapters.py",
    "agent_memory/provided/always/requests/auth.py",
    "agent_memory/provided/always/requests/exceptions.py",
    "agent_memory/provided/always/requests/models.py",
    "agent_memory/provided/always/requests/sessions.py",
    "agent_memory/provided/always/requests/status_codes.py",
    "agent_memory/provided/always/requests/structures.py",
    "agent_memory/provided/unless_bundled/pydantic/__init__.py",
    "agent_memory/provided/unless_bundled/pydantic/alias_generators.py",
    "agent_memory/provided/unless_bundled/pydantic/aliases.py",
    "agent_memory/provided/unless_bundled/pydantic/by_type.py",
    "agent_memory/provided/unless_bundled/pydantic/config.py",
    "agent_memory/provided/unless_bundled/pydantic/containers.py",
    "agent_memory/provided/unless_bundled/pydantic/core.py",
    "agent_memory/provided/unless_bundled/pydantic/dump.py",
    "agent_memory/provided/unless_bundled/pydantic/errors.py",
    "agent_memory/provided/unless_bundled/pydantic/fields.py",
    "agent_memory/provided/unless_bundled/pydantic/functional.py",
    "agent_memory/provided/unless_bundled/pydantic/json_schema.py",
    "agent_memory/provided/unless_bundled/pydantic/main.py",
    "agent_memory/provided/unless_bundled/pydantic/scalars.py",
    "agent_memory/provided/unless_bundled/pydantic/type_adapter.py",
    "agent_memory/provided/unless_bundled/pydantic/types.py",
    "agent_memory/provided/unless_bundled/pydantic/validation.py",
    "agent_memory/py.typed",
    "agent_memory/requests.py",
    "agent_memory/schema.py",
    "agent_memory/state.py",
    "agent_memory/testing.py",
    "agent_memory/values.py",
    "agent_memory/views.py",
    "agent_memory/voices.py",
);

/// Writes files into a folder.
pub(super) fn write(files: Files, folder: &Path) -> Result<(), BuildError> {
    for (name, content) in files {
        let path = folder.join(name);
        let written = |source| BuildError::Write { path: path.clone(), source };
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(written)?;
        fs::write(&path, content).map_err(written)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(folder: &Path, above: &str, names: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{above}{}", entry.file_name().into_string().unwrap());
            if entry.path().is_dir() {
                found(&entry.path(), &format!("{name}/"), names);
            } else if !name.ends_with(".pyc") {
                names.push(name);
            }
        }
    }

    fn is_all_of(folder: &str, files: Files) {
        let mut names = Vec::new();
        found(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder), "", &mut names);
        names.sort();
        let mut listed: Vec<_> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
        listed.sort();
        assert_eq!(listed, names);
    }

    #[test]
    fn no_file_of_the_sdk_or_the_contract_is_left_out() {
        is_all_of("sdk/python/src", SDK);
        is_all_of("wit", CONTRACT);
    }
}
