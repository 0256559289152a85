"""Other names of a field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class AliasPath:
    """A place inside the data: ``AliasPath("user", "names", 0)``."""

    def __init__(self, first_arg: str, *args: str | int) -> None:
        self.path: list[str | int] = [first_arg, *args]

    def search_dict_for_path(self, data: Any) -> Any:
        """What is there, or ``MISSING``."""
        for part in self.path:
            # A text has items, and none of them was meant.
            if isinstance(data, str):
                return MISSING
            try:
                data = data[part]
            except (KeyError, IndexError, TypeError):
                return MISSING
        return data

    def __repr__(self) -> str:
        return f"AliasPath({', '.join(repr(part) for part in self.path)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AliasPath) and self.path == other.path

    __hash__ = None  # type: ignore[assignment]


class AliasChoices:
    """Several names, of which the first that is there counts."""

    def __init__(self, first_choice: str | AliasPath, *choices: str | AliasPath) -> None:
        self.choices: list[str | AliasPath] = [first_choice, *choices]

    def __repr__(self) -> str:
        return f"AliasChoices({', '.join(repr(choice) for choice in self.choices)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AliasChoices) and self.choices == other.choices

    __hash__ = None  # type: ignore[assignment]


@dataclass
class AliasGenerator:
    """Makes other names out of a field's name."""

    alias: Callable[[str], str] | None = None
    validation_alias: Callable[[str], str | AliasPath | AliasChoices] | None = None
    serialization_alias: Callable[[str], str] | None = None


#: Stands for what is not there.
MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING", "__bool__": lambda self: False})()
