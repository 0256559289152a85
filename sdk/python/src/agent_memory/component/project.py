"""A project's files, and which of them have functions."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from .problems import Place, ProjectError, Remark, of_encoding, of_syntax

#: How a project is laid out: as the platform does it, as a package, as a folder of modules, or as one file.
Kind = Literal["project", "package", "folder", "file"]


@dataclass(frozen=True)
class Import:
    """A module that a file imports."""

    #: The module.
    module: str
    #: A name that is imported from it, and may be a module itself.
    member: str | None
    line: int
    #: Whether it is imported only when a function runs.
    is_late: bool
    #: Whether the file is prepared for its not being there.
    is_optional: bool


@dataclass(frozen=True)
class Mention:
    """A function that a file finds by ``conv.functions`` or ``flow.functions``."""

    #: ``conv`` or ``flow``.
    owner: str
    name: str
    line: int


@dataclass(frozen=True)
class Contents:
    """What a file imports, mentions and defines."""

    imports: list[Import]
    mentions: list[Mention]
    #: The lines on which functions begin that stand beside one another, by name.
    definitions: dict[str, list[int]]


@dataclass(frozen=True)
class Source:
    """One of the project's Python files."""

    root: Path
    path: Path

    @cached_property
    def file(self) -> str:
        """Its name within the project, such as ``functions/book.py``."""
        return self.path.relative_to(self.root).as_posix()

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The parts of its module's name."""
        parts = self.path.relative_to(self.root).with_suffix("").parts
        return parts[:-1] if parts[-1] == "__init__" else parts

    @property
    def module(self) -> str:
        """The name that others import it by."""
        return ".".join(self.parts)

    @property
    def is_package(self) -> bool:
        """Whether it is the file of a package."""
        return self.path.name == "__init__.py"

    @property
    def can_be_imported(self) -> bool:
        """Whether an ``import`` can name it. Folders may have any name, files may not."""
        return bool(self.parts) and self.parts[-1].isidentifier() and not any("." in part for part in self.parts)

    @property
    def stem(self) -> str:
        """The last part of its module's name."""
        return self.parts[-1]

    @cached_property
    def text(self) -> str:
        """Its text. Raises :class:`ProjectError` if it is none."""
        content = self.path.read_bytes()
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            raise ProjectError(of_encoding(self.file, content, error)) from None
        except SyntaxError as error:
            # It does not even tell its encoding.
            try:
                content.decode()
            except UnicodeDecodeError as undecodable:
                raise ProjectError(of_encoding(self.file, content, undecodable)) from None
            raise ProjectError(of_syntax(self.file, error)) from None

    @cached_property
    def contents(self) -> Contents:
        """What it imports and defines. Raises :class:`ProjectError` if it is no Python."""
        # Syntax trees are large, and the memory of the sandbox only ever grows: each is thrown away at once.
        try:
            tree = ast.parse(self.text, self.file)
            compile(tree, self.file, "exec", dont_inherit=True)
            imports = list(self._imports(tree, is_late=False, is_optional=False))
            return Contents(imports, _mentions(tree), _definitions(tree))
        except SyntaxError as error:
            raise ProjectError(of_syntax(self.file, error)) from None
        except (ValueError, RecursionError, MemoryError) as error:
            problem = SyntaxError(str(error) or "it nests too deeply")
            raise ProjectError(of_syntax(self.file, problem)) from None

    def _imports(self, node: ast.AST, is_late: bool, is_optional: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, None, node.lineno, is_late, is_optional)
        elif isinstance(node, ast.ImportFrom):
            module = self._absolute(node)
            for alias in node.names:
                yield Import(module, alias.name, node.lineno, is_late, is_optional)
        if isinstance(node, ast.If) and _is_for_type_checkers(node.test):
            children: list[ast.AST] = list(node.orelse)
        else:
            children = list(ast.iter_child_nodes(node))
        is_late = is_late or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if isinstance(node, ast.Try):
            for child in children:
                yield from self._imports(child, is_late, is_optional or child in node.body)
        else:
            for child in children:
                yield from self._imports(child, is_late, is_optional)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        # One dot is the package that the file is in; a package's own file is in itself.
        above = node.level - 1 if self.is_package else node.level
        package = self.parts[: len(self.parts) - above]
        return ".".join([*package, *([node.module] if node.module else [])])


@dataclass(frozen=True)
class Candidate:
    """A file that may have functions to be exported."""

    source: Source
    #: The flow that they belong to.
    flow: str | None = None
    #: Whether only the function that is named like the file is one.
    only_namesake: bool = False


class Project:
    """A project's files."""

    def __init__(self, root: Path, kind: Kind) -> None:
        self.root = root
        self.kind = kind
        sources = [Source(root, path) for path in sorted(root.rglob("*.py"))]
        # A project's own stubs are not what it is to be run with.
        self.sources = [source for source in sources if source.parts[:1] != ("_gen",)]
        self.by_module = {source.module: source for source in self.sources}

    @property
    def modules(self) -> set[str]:
        """All modules that can be imported, packages without a file of their own included."""
        return {".".join(source.parts[: end + 1]) for source in self.sources for end in range(len(source.parts))}

    def candidates(self) -> list[Candidate]:
        """The files that may have functions to be exported, in the order in which they are listed."""
        if self.kind == "file":
            return [Candidate(source) for source in self.sources]
        if self.kind == "project":
            shared = [
                Candidate(source, only_namesake=True)
                for source in self.sources
                if source.parts[0] == "functions" and source.can_be_imported
            ]
            return shared + [
                Candidate(source, flow=source.parts[1], only_namesake=True)
                for source in self.sources
                if len(source.parts) > 3
                and source.can_be_imported
                and source.parts[0] == "flows"
                and source.parts[2] in ("functions", "function_steps")
            ]
        return [Candidate(source) for source in self.sources if source.can_be_imported]

    def authors_file(self, filename: str) -> str | None:
        """The name of a file within the project. None if it is not the project's."""
        try:
            return Path(filename).relative_to(self.root).as_posix()
        except ValueError:
            return None

    def check(self) -> None:
        """Raises :class:`ProjectError` for all files that are no Python, or have the name of one of Python's own."""
        remarks: list[Remark] = []
        for source in self.reachable():
            if self.kind != "file" and source.parts[0] in _TAKEN:
                message = f"`{source.parts[0]}` is the name of another module, which is imported in its place"
                remarks.append(Remark(Place(source.file), f"{message}: give it another name"))
            try:
                assert source.contents
            except ProjectError as error:
                remarks.extend(error.remarks)
        if remarks:
            raise ProjectError(*remarks)

    def imported(self) -> dict[str, str]:
        """The text of each file that was imported, by its path."""
        files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        return {str(source.path): source.text for source in self.sources if str(source.path) in files}

    def reachable(self) -> list[Source]:
        """The files that may have functions, and those that they import, directly or not."""
        found: dict[str, Source] = {}
        waiting = [candidate.source for candidate in self.candidates()]
        while waiting:
            source = waiting.pop(0)
            if source.module in found:
                continue
            found[source.module] = source
            try:
                imports = source.contents.imports
            except ProjectError:
                continue
            for one in imports:
                for module in (one.module, f"{one.module}.{one.member}"):
                    imported = self.by_module.get(module)
                    if imported is not None:
                        waiting.append(imported)
        return list(found.values())


#: Names that are taken before a project is imported.
_TAKEN = frozenset({*sys.stdlib_module_names, "agent_memory", "componentize_py_types", "plog", "wit_world", "_gen"})


def _mentions(tree: ast.Module) -> list[Mention]:
    """The functions that a file finds, but for those of which it asks whether there are any."""
    found: list[Mention] = []
    asked: set[tuple[str, object]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = _owner(node.value)
            if owner is not None:
                found.append(Mention(owner, node.attr, node.lineno))
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            owner = _owner(node.comparators[0])
            if owner is not None and isinstance(node.left, ast.Constant):
                asked.add((owner, node.left.value))
    return [one for one in found if (one.owner, one.name) not in asked]


def _owner(node: ast.expr) -> str | None:
    """``conv`` or ``flow``, if this is its ``functions``."""
    if isinstance(node, ast.Attribute) and node.attr == "functions" and isinstance(node.value, ast.Name):
        return node.value.id if node.value.id in ("conv", "flow") else None
    return None


def _definitions(tree: ast.Module) -> dict[str, list[int]]:
    definitions: dict[str, list[int]] = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not any(
            _is_one_of_several(decorator) for decorator in node.decorator_list
        ):
            definitions.setdefault(node.name, []).append(node.lineno)
    return definitions


def _is_one_of_several(decorator: ast.expr) -> bool:
    """Whether a decorator makes a function one of several that share a name on purpose."""
    name = decorator.func if isinstance(decorator, ast.Call) else decorator
    last = name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")
    return last in ("overload", "register", "setter", "getter", "deleter")


def _is_for_type_checkers(test: ast.expr) -> bool:
    return (test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")) == "TYPE_CHECKING"
