"""What is wrong with a project, said so that its author can mend it."""

from __future__ import annotations

import re
import sys
import traceback
from dataclasses import dataclass
from difflib import get_close_matches

from ..failure import FRAMES, AuthorsFile, place_of
from ..values import plain_text


@dataclass(frozen=True)
class Place:
    """A line of one of the author's files."""

    #: The file, as the project knows it, such as ``functions/book.py``.
    file: str
    #: The line, counted from 1.
    line: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Remark:
    """Something to be said of a line."""

    place: Place
    message: str
    #: The line's text and a mark below it, where that helps.
    excerpt: str = ""


class ProjectError(Exception):
    """No component can be made of the project."""

    def __init__(self, *remarks: Remark) -> None:
        super().__init__("; ".join(f"{remark.place}: {remark.message}" for remark in remarks))
        self.remarks = list(remarks)


def of_syntax(file: str, error: SyntaxError) -> Remark:
    """What is wrong with a file that is no Python."""
    message = f"{type(error).__name__}: {error.msg}"
    excerpt = ""
    if error.text:
        line = error.text.rstrip("\n")
        indent = len(line) - len(line.lstrip())
        # Columns are counted from 1.
        column = max((error.offset or 1) - 1 - indent, 0)
        excerpt = f"    {line.lstrip()}\n    {' ' * column}^"
    return Remark(Place(file, error.lineno or 1), message, excerpt)


def of_encoding(file: str, content: bytes, error: UnicodeDecodeError) -> Remark:
    """What is wrong with a file that is no text."""
    line = content.count(b"\n", 0, error.start) + 1
    return Remark(
        Place(file, line),
        f"the file is not UTF-8: there is a byte 0x{content[error.start]:02X} in this line; save it as UTF-8",
    )


def of_import(error: BaseException, importer: Place, authors_file: AuthorsFile, modules: set[str]) -> Remark:
    """What is wrong with a project of which a module fails when it is imported.

    ``importer`` is where the import began, ``modules`` are all of the project's.
    """
    found = place_of(error, authors_file)
    place = Place(*found) if found else importer
    if isinstance(error, ModuleNotFoundError) and error.name:
        return Remark(place, missing_module(error.name, modules))
    circle = re.search(r"partially initialized module '([^']+)'", plain_text(error))
    if circle:
        return Remark(
            place,
            f"circular import: {_circle(error, authors_file, circle[1])}; import one of them inside of the function "
            "that needs it",
        )
    lacking = re.match(r"cannot import name '([^']+)'", plain_text(error))
    if isinstance(error, ImportError) and error.name and lacking:
        return Remark(place, _missing_name(error.name, lacking[1], modules), _way_to(error, authors_file))
    message = f"this fails when it is imported: {type(error).__name__}: {plain_text(error)}"
    return Remark(place, message, _way_to(error, authors_file))


def missing_module(name: str, modules: set[str]) -> str:
    """What to say of a module that there is not."""
    root = name.partition(".")[0]
    if any(module.partition(".")[0] == root for module in modules):
        close = get_close_matches(name, sorted(modules), n=1, cutoff=0.7)
        return f"there is no module `{name}`" + (f": did you mean `{close[0]}`?" if close else " in this project")
    return (
        f"there is no module `{name}`: name its package in `requirements.txt`; packages with native code do not work "
        "here"
    )


def _missing_name(module: str, name: str, modules: set[str]) -> str:
    """What to say of a name that a module has not. Python's own words hold the path of a temporary folder."""
    members = vars(sys.modules[module]) if module in sys.modules else {}
    inner = {other.rpartition(".")[2] for other in modules if other.rpartition(".")[0] == module}
    close = get_close_matches(name, sorted({*members, *inner}), n=1)
    return f"`{module}` has no `{name}`" + (f": did you mean `{close[0]}`?" if close else "")


def _way_to(error: BaseException, authors_file: AuthorsFile) -> str:
    """The author's line that failed, and those that led there, the latest first."""
    lines = [
        (f"{name}:{frame.lineno}", frame.line or "")
        for frame in traceback.extract_tb(error.__traceback__)
        if (name := authors_file(frame.filename)) is not None
    ]
    if not lines:
        return ""
    (_, failed), *others = reversed(lines)
    return "\n".join([f"    {failed}", *(f"    reached from {place}: {line}" for place, line in others[: FRAMES - 1])])


def _circle(error: BaseException, authors_file: AuthorsFile, module: str) -> str:
    """The files that import one another, in the order in which they do."""
    files: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        name: str | None = authors_file(code.co_filename)
        if code.co_name == "<module>" and name is not None:
            files.append(name)
        trace = trace.tb_next
    start = next((file for file in files if _module(file) == module), None)
    if start is None:
        return " and ".join(f"`{file}`" for file in files) or f"`{module}`"
    circle = [*files[files.index(start) :], start]
    return " imports ".join(f"`{file}`" for file in circle)


def _module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
