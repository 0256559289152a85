"""Reading what earlier conversations left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NoReturn

from .host import Host
from .values import decode

__all__ = ["Memory"]

_READ_ONLY = (
    "memory is read-only: set `conv.state[{name!r}]` instead, which is remembered when the conversation ends if the "
    "key is one of the configuration's `state_keys`"
)


class Memory(Mapping[str, Any]):
    """What earlier conversations left on this caller, as it stood when the turn began. Read-only.

    Nothing that is set in this conversation shows here before the next one. It is empty for a caller without an
    identifier, and where memory is off.

    >>> from agent_memory.testing import conversation
    >>> memory = conversation(memory={"cheese_type": "brie"}).memory
    >>> memory.get("cheese_type"), memory.get("booking_day"), memory.get("booking_day", "Friday")
    ('brie', None, 'Friday')
    >>> "cheese_type" in memory, len(memory), memory.fields()
    (True, 1, {'cheese_type': 'brie'})
    """

    def __init__(self, host: Host) -> None:
        self.__dict__["_host"] = host

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a field, or ``default`` where nothing is remembered under that name."""
        text = self._texts.get(name)
        return default if text is None else decode(text)

    def fields(self) -> dict[str, Any]:
        """A copy of all fields."""
        return {name: decode(text) for name, text in self._texts.items()}

    def __getitem__(self, name: str) -> Any:
        """The value of a field. Raises ``KeyError`` where nothing is remembered under that name."""
        return decode(self._texts[name])

    def __contains__(self, name: object) -> bool:
        """Whether something is remembered under that name."""
        return name in self._texts

    def __len__(self) -> int:
        """How many fields there are."""
        return len(self._texts)

    def __iter__(self) -> Iterator[str]:
        """The names of all fields, in their order."""
        return iter(self._texts)

    def __repr__(self) -> str:
        # What is remembered is personal, so this shows only how much it is.
        return f"<Memory of {len(self)} fields>"

    def __setitem__(self, name: str, value: object) -> NoReturn:
        raise TypeError(_READ_ONLY.format(name=name))

    def __delitem__(self, name: str) -> NoReturn:
        raise TypeError(_READ_ONLY.format(name=name))

    def __setattr__(self, name: str, value: object) -> None:
        raise TypeError(_READ_ONLY.format(name=name))

    @cached_property
    def _texts(self) -> dict[str, str]:
        # One crossing brings all fields over. Each is read anew, so that nobody can change what another reads.
        host: Host = self.__dict__["_host"]
        return dict(host.memory_fields())
