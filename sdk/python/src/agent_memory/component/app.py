"""The component's exports, and the steps by which an agent is built when they are first asked for.

An agent is built in a folder that has, beside the SDK:

- ``instructions.json``: the project's ``kind``,
- ``project``: the project's files,
- ``packages``: packages that it needs,
- ``report.json``: what came of it, written by this module.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any

from componentize_py_types import Err
from wit_world.exports import functions as contract

from ..agent import Agent, Failed, InvalidArguments, UnknownFunction
from . import files, sandbox
from .build import build
from .host import ComponentHost
from .problems import ProjectError, Remark
from .warm import warm_up

#: The modules that stand in for a package unless the project brings the package itself.
_PROVIDED = Path(__file__).parent.parent / "provided"

_HOST = ComponentHost()


def exports(folder: str) -> type:
    """Builds the agent in a folder, and gives the class that exports its functions."""
    agent = _build(Path(folder))

    class Functions:
        """The contract's ``functions``."""

        def describe(self) -> list[object]:
            """The functions, in their order."""
            return [
                contract.Function(one.name, one.description, one.parameters, one.annotations)
                for one in agent.describe()
            ]

        def call(self, name: str, arguments: str) -> str:
            """Calls a function."""
            sandbox.reseed()
            return _call(agent, name, arguments)

    return Functions


def _call(agent: Agent, name: str, arguments: str) -> str:
    try:
        return agent.call(_HOST, name, arguments)
    except UnknownFunction:
        raise Err(contract.CallError_UnknownFunction()) from None
    except InvalidArguments as problem:
        raise Err(contract.CallError_InvalidArguments(str(problem))) from None
    except Failed as failed:
        failure = failed.failure
        raise Err(contract.CallError_Failed(contract.Failure(failure.name, failure.message, failure.trace))) from None


def _build(folder: Path) -> Agent:
    report: dict[str, Any] = {}
    try:
        instructions = json.loads((folder / "instructions.json").read_text())
        project, packages = folder / "project", folder / "packages"
        _set_search_path(folder, project, packages)
        sandbox.prepare()
        sandbox.provide_time_zones(packages / "tzdata")
        sandbox.forbid()
        built = build(project, instructions["kind"], packages)
        report["warnings"] = [_told(remark) for remark in built.warnings]
        report["functions"] = [one.name for one in built.agent.describe()]
        warm_up(_call)
    except ProjectError as error:
        report["errors"] = [_told(remark) for remark in error.remarks]
        sys.exit(1)
    except BaseException:
        report["failure"] = traceback.format_exc()
        sys.exit(1)
    finally:
        (folder / "report.json").write_text(json.dumps(report))
    files.keep(project, packages)
    sandbox.freeze(built.project.imported())
    return built.agent


def _set_search_path(folder: Path, project: Path, packages: Path) -> None:
    """What the project finds where: our own modules first, and last those that it may bring itself."""
    paths = [_PROVIDED / "always", project, packages, _PROVIDED / "unless_bundled"]
    own = [path for path in sys.path if Path(path).parent == folder or not path.startswith(str(folder))]
    sys.path[:] = [*(str(path) for path in paths), *own]


def _told(remark: Remark) -> dict[str, Any]:
    return {
        "file": remark.place.file,
        "line": remark.place.line,
        "message": remark.message,
        "excerpt": remark.excerpt,
    }
