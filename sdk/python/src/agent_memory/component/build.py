"""Makes an agent of a project: imports it, finds its functions, and leaves memory as every turn shall find it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from ..agent import Agent
from ..functions import Function, Registry
from ..parameters import signature_of, takes_conversation, unknown_declarations
from . import sandbox
from .frozen_values import Watch
from .problems import Place, ProjectError, Remark, missing_module, of_import
from .project import Candidate, Import, Kind, Project, Source

#: Functions that run by themselves. A flow has none of them.
_SPECIAL = ("start_function", "end_function")


@dataclass
class Built:
    """An agent, and what is to be said of its project."""

    agent: Agent
    project: Project
    warnings: list[Remark] = field(default_factory=list)


def build(root: Path, kind: Kind, packages: Path | None = None) -> Built:
    """Imports a project and makes an agent of it. Raises :class:`ProjectError`.

    ``packages`` is the folder of the packages that it brings.
    """
    return _Builder(Project(root, kind), packages).build()


class _Builder:
    def __init__(self, project: Project, packages: Path | None) -> None:
        self.project = project
        self.packages = packages
        self.warnings: list[Remark] = []

    def build(self) -> Built:
        candidates = self.project.candidates()
        self.project.check()
        self._stand_in()
        with Watch(self.project.authors_file) as watch:
            modules = {candidate.source.module: self._import(candidate.source) for candidate in candidates}
            self._import_late()
        if self.packages is not None:
            _import_late_of_packages(self.packages)
        self.warnings.extend(watch.remarks)
        registry = self._registry(candidates, modules)
        if not registry.functions:
            raise ProjectError(self._no_functions())
        self._warn_of_missing_functions(registry)
        try:
            agent = Agent(registry, self.project.authors_file)
        except (TypeError, ValueError) as error:
            raise ProjectError(Remark(Place(self._first_file()), f"a function cannot be described: {error}")) from None
        self.warnings.sort(key=lambda remark: (remark.place.file, remark.place.line))
        return Built(agent, self.project, self.warnings)

    def _stand_in(self) -> None:
        """Finds a word for each module of Python's own that the project wants and that is not there."""
        for source in self.project.reachable():
            for one in source.contents.imports:
                if _is_lacking(one.module):
                    sandbox.stand_in_for(one.module)

    def _import(self, source: Source) -> ModuleType:
        importer = Place(source.file)
        try:
            if self.project.kind == "file":
                return _import_apart(source)
            return importlib.import_module(source.module)
        except BaseException as error:
            raise ProjectError(self._problem(error, importer)) from error

    def _problem(self, error: BaseException, importer: Place) -> Remark:
        return of_import(error, importer, self.project.authors_file, self.project.modules)

    def _import_late(self) -> None:
        """Imports what functions import when they run, for there are no files then."""
        for source in self.project.reachable():
            for one in source.contents.imports:
                if one.is_late:
                    self._import_one(source, one)

    def _import_one(self, source: Source, one: Import) -> None:
        place = Place(source.file, one.line)
        roots = {module.partition(".")[0] for module in self.project.modules}
        try:
            module = importlib.import_module(one.module)
            if one.member not in (None, "*") and not hasattr(module, str(one.member)) and hasattr(module, "__path__"):
                importlib.import_module(f"{one.module}.{one.member}")
        except ModuleNotFoundError as error:
            name = error.name or one.module
            if one.is_optional:
                return
            if name.partition(".")[0] in roots:
                raise ProjectError(self._problem(error, place)) from error
            self.warnings.append(Remark(place, missing_module(name, self.project.modules)))
        except BaseException as error:
            if not one.is_optional:
                raise ProjectError(self._problem(error, place)) from error

    def _registry(self, candidates: list[Candidate], modules: dict[str, ModuleType]) -> Registry:
        found = [
            (candidate, name, function)
            for candidate in candidates
            for name, function in self._exported(candidate, modules[candidate.source.module])
        ]
        self._refuse_namesakes(found)
        names = [name for candidate, name, _ in found]
        registry = Registry()
        for candidate, name, function in found:
            flow = candidate.flow
            is_shared = flow is not None and (names.count(name) > 1 or name in _SPECIAL)
            signature = signature_of(function)
            place = _place(candidate.source, name, function)
            unknown = unknown_declarations(function, signature)
            if unknown is not None:
                self.warnings.append(
                    Remark(place, f"`@func_parameter` describes `{unknown}`, which is no parameter of `{name}`")
                )
            registry.add(
                Function(
                    name=f"{flow}.{name}" if is_shared else name,
                    local_name=name,
                    flow=flow,
                    callable=function,
                    takes_flow=signature.takes_flow,
                    place=str(place),
                )
            )
        return registry

    def _exported(self, candidate: Candidate, module: ModuleType) -> list[tuple[str, Callable[..., Any]]]:
        """A file's functions that are the agent's, by name."""
        if candidate.only_namesake:
            name = candidate.source.stem
            function = getattr(module, name, None)
            found = [(name, function)] if function is not None and _is_exported(function) else []
        else:
            found = [
                (name, function)
                for name, function in vars(module).items()
                if not name.startswith("_")
                and _is_exported(function)
                and getattr(function, "__module__", None) == module.__name__
                # Another name for a function is not another function.
                and getattr(function, "__name__", name) == name
            ]
            found.sort(key=lambda pair: _place(candidate.source, *pair).line)
        for name, function in found:
            if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
                place = _place(candidate.source, name, function)
                raise ProjectError(
                    Remark(place, f"`{name}` is asynchronous, which functions cannot be: write `def` for `async def`")
                )
        return found

    def _refuse_namesakes(self, found: list[tuple[Candidate, str, Callable[..., Any]]]) -> None:
        """Refuses two functions of one name in one folder."""
        seen: dict[tuple[str | None, str], Place] = {}
        for candidate, name, function in found:
            lines = candidate.source.contents.definitions.get(name, [])
            if len(lines) > 1:
                first = Place(candidate.source.file, lines[0])
                raise ProjectError(_namesakes(name, first, Place(candidate.source.file, lines[1])))
            place = _place(candidate.source, name, function)
            other = seen.setdefault((candidate.flow, name), place)
            if other is not place:
                raise ProjectError(_namesakes(name, other, place))

    def _warn_of_missing_functions(self, registry: Registry) -> None:
        """Tells of functions that others call and that there are not. That is an error once they are called."""
        for candidate in self.project.candidates():
            flow = candidate.flow or ""
            for one in candidate.source.contents.mentions:
                place = Place(candidate.source.file, one.line)
                if one.owner == "conv" and one.name not in registry.shared:
                    remark = Remark(place, registry.missing(one.name))
                elif one.owner == "flow" and flow and one.name not in registry.flows.get(flow, {}):
                    remark = Remark(place, registry.missing_in_flow(flow, one.name))
                else:
                    continue
                if remark not in self.warnings:
                    self.warnings.append(remark)

    def _no_functions(self) -> Remark:
        if self.project.kind == "project":
            message = (
                "the project has no functions: each file in `functions` and `flows/*/functions` has one that is named "
                "like the file and whose first parameter is `conv`"
            )
        else:
            message = "there are no functions here: write `def start_function(conv):`, for one"
        return Remark(Place(self._first_file()), message)

    def _first_file(self) -> str:
        candidates = self.project.candidates()
        sources = [candidate.source for candidate in candidates] or self.project.sources
        return sources[0].file if sources else "."


def _import_late_of_packages(packages: Path) -> None:
    """Imports what the functions of packages import when they run. What cannot be imported is not missed yet."""
    seen: set[str] = set()
    while waiting := [file for file in _files_of_modules() if file.startswith(f"{packages}/") and file not in seen]:
        for file in waiting:
            seen.add(file)
            for module in _late_modules(Source(packages, Path(file))):
                _try_to_import(module)


def _files_of_modules() -> list[str]:
    files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    return [file for file in files if file.endswith(".py")]


def _late_modules(source: Source) -> list[str]:
    try:
        late = [one for one in source.contents.imports if one.is_late]
    except ProjectError:
        return []
    return [name for one in late for name in (one.module, f"{one.module}.{one.member}")]


def _try_to_import(module: str) -> None:
    # What Python itself has is large, and most of it is for machines that have files and processes.
    if module in sys.modules or module.partition(".")[0] in sys.stdlib_module_names:
        return
    try:
        importlib.import_module(module)
    except BaseException:
        return


def _import_apart(source: Source) -> ModuleType:
    """Imports a single file, whatever it is called: ``random.py`` must not be taken for Python's own."""
    is_taken = source.stem in sys.modules or source.stem in sys.stdlib_module_names
    name = "functions" if is_taken or not source.stem.isidentifier() else source.stem
    spec = importlib.util.spec_from_file_location(name, source.path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{source.file} is no Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _is_exported(function: Any) -> bool:
    return callable(function) and not isinstance(function, type) and takes_conversation(function)


def _is_lacking(module: str) -> bool:
    """Whether there is a module in Python's library that needs what is not there."""
    if module.partition(".")[0] not in sandbox.UNAVAILABLE:
        return False
    try:
        importlib.import_module(module)
    except ImportError:
        return True
    return False


def _place(source: Source, name: str, function: Callable[..., Any]) -> Place:
    """Where a function is defined: the line of its ``def``, where that can be seen, and not of its first decorator."""
    lines = source.contents.definitions.get(name)
    code = getattr(inspect.unwrap(function), "__code__", None)
    return Place(source.file, lines[0] if lines else code.co_firstlineno if code else 1)


def _namesakes(name: str, first: Place, second: Place) -> Remark:
    return Remark(second, f"there are two functions `{name}`, the other one at {first}: give one another name")
