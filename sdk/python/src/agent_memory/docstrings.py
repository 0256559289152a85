"""Descriptions out of docstrings, in the styles of Google, Sphinx and NumPy."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_GOOGLE_SECTION = re.compile(r"^(Args|Arguments|Parameters|Params):$")
_OTHER_SECTION = re.compile(
    r"^(Returns?|Yields?|Raises|Examples?|Notes?|Attributes|See Also|References|Warnings?|Todo):?$"
)
_GOOGLE_PARAMETER = re.compile(r"^\*{0,2}(\w+)\s*(?:\(.*?\))?:\s*(.*)$")
_NUMPY_PARAMETER = re.compile(r"^\*{0,2}(\w+)\s*(?::.*)?$")
_SPHINX_FIELD = re.compile(r"^:(\w+)(?:\s+[^:]*?)?(?:\s*\b(\w+))?:\s*(.*)$")
_UNDERLINE = re.compile(r"^-{3,}$")


@dataclass
class Docstring:
    """What a docstring says."""

    #: What stands before the parameters.
    description: str = ""
    #: The parameters' descriptions.
    parameters: dict[str, str] = field(default_factory=dict)


def docstring_of(function: Callable[..., Any]) -> Docstring:
    """What a function's docstring says. Nothing, if it has none."""
    return parse(inspect.getdoc(function) or "")


def parse(text: str) -> Docstring:
    """What a docstring says, its indentation taken away."""
    docstring = Docstring()
    lines = text.splitlines()
    description: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index].strip()
        underlined = index + 1 < len(lines) and _UNDERLINE.match(lines[index + 1].strip())
        if underlined and line in ("Parameters", "Other Parameters"):
            index = _numpy(lines, index + 2, docstring)
        elif _GOOGLE_SECTION.match(line):
            index = _google(lines, index + 1, docstring)
        elif underlined and _OTHER_SECTION.match(line):
            index = _end_of_numpy_section(lines, index + 2)
        elif line.endswith(":") and _OTHER_SECTION.match(line):
            index = _end_of_indented(lines, index + 1, 0)
        elif line.startswith(":") and _SPHINX_FIELD.match(line):
            index = _sphinx(lines, index, docstring)
        else:
            description.append(lines[index].rstrip())
            index += 1
    docstring.description = "\n".join(description).strip()
    return docstring


def _google(lines: list[str], index: int, docstring: Docstring) -> int:
    """Reads a section of Google's style, and tells where it ends."""
    end = _end_of_indented(lines, index, 0)
    indents = [_indent(line) for line in lines[index:end] if line.strip()]
    level = min(indents, default=0)
    name = ""
    for line in lines[index:end]:
        found = _GOOGLE_PARAMETER.match(line.strip()) if _indent(line) == level else None
        if found:
            name = found[1]
            docstring.parameters[name] = found[2].strip()
        elif name and line.strip():
            docstring.parameters[name] = f"{docstring.parameters[name]} {line.strip()}".strip()
    return end


def _numpy(lines: list[str], index: int, docstring: Docstring) -> int:
    """Reads a section of NumPy's style, and tells where it ends."""
    end = _end_of_numpy_section(lines, index)
    name = ""
    for line in lines[index:end]:
        found = _NUMPY_PARAMETER.match(line.strip()) if _indent(line) == 0 else None
        if found:
            name = found[1]
            docstring.parameters[name] = ""
        elif name and line.strip():
            docstring.parameters[name] = f"{docstring.parameters[name]} {line.strip()}".strip()
    return end


def _sphinx(lines: list[str], index: int, docstring: Docstring) -> int:
    """Reads a field of Sphinx's style, and tells where it ends."""
    found = _SPHINX_FIELD.match(lines[index].strip())
    end = _end_of_indented(lines, index + 1, _indent(lines[index]))
    if found and found[1] in ("param", "parameter", "arg", "argument", "key", "keyword") and found[2]:
        rest = [line.strip() for line in lines[index + 1 : end]]
        docstring.parameters[found[2]] = " ".join([found[3].strip(), *filter(None, rest)]).strip()
    return end


def _end_of_indented(lines: list[str], index: int, level: int) -> int:
    """Where the lines end that are indented more than ``level``. Empty lines before others belong to them."""
    end = index
    for number in range(index, len(lines)):
        if lines[number].strip():
            if _indent(lines[number]) <= level:
                break
            end = number + 1
    return end


def _end_of_numpy_section(lines: list[str], index: int) -> int:
    """Where a section ends: where the next one begins."""
    for number in range(index, len(lines) - 1):
        if _UNDERLINE.match(lines[number + 1].strip()) and lines[number].strip():
            return number
    return len(lines)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
