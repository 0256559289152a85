"""The names that the platform generates for a project: files there begin with ``from _gen import *``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from agent_memory import *  # noqa: F403
from agent_memory import __all__ as _agent_memory
from agent_memory import platform
from agent_memory.platform import *  # noqa: F403

__all__ = [*_agent_memory, *platform.__all__]


class _Submodules(MetaPathFinder, Loader):
    """Finds every name in every submodule: the platform spreads them over several."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name.startswith(f"{__name__}.") else None

    def exec_module(self, module: ModuleType) -> None:
        names: dict[str, Any] = {name: value for name, value in globals().items() if not name.startswith("__")}
        module.__dict__.update({**names, "__all__": __all__})


sys.meta_path.append(_Submodules())
