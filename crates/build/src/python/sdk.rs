//! The SDK, as it is part of this crate.

use crate::files::{Files, files};

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
    "agent_memory/component/warm.py",
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

#[cfg(test)]
mod tests {
    use crate::files::tests::is_all_of;

    use super::*;

    #[test]
    fn no_file_of_the_sdk_is_left_out() {
        is_all_of("sdk/python/src", &[SDK], &[]);
    }
}
