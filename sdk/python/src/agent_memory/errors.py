"""How the conversation says no.

The messages say what is wrong and what to do. None of them holds a value that was to be remembered.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

__all__ = [
    "AgentMemoryError",
    "ArgumentsError",
    "KeyTooLongError",
    "NestedValueError",
    "NotAnsweredError",
    "NotJsonError",
    "OpaqueValueError",
    "RequestError",
    "SandboxError",
    "SetError",
    "StateTooLargeError",
    "ValueTooLargeError",
]


class AgentMemoryError(Exception):
    """What all errors of this package have in common."""


class SetError(AgentMemoryError, ValueError):
    """A value was refused. What stood under the key before still stands."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        #: The key that was to be set.
        self.key = key

    def __reduce__(self) -> tuple[object, ...]:
        return (_restore, (type(self), self.args, self.__dict__))


class NestedValueError(SetError):
    """The key is remembered, and the value has an object or an array inside an object or an array."""

    def __init__(self, key: str, path: str) -> None:
        super().__init__(
            f"`{key}` is remembered, and a remembered value is flat, but `{path}` in it is an object or an array "
            'itself: set its parts under keys of their own, or allow it with `"nested_values": true` in the '
            "configuration",
            key,
        )
        #: The JSON Pointer of the member that is itself an object or an array.
        self.path = path


class OpaqueValueError(SetError):
    """The key is remembered, and JSON has no word for the value."""

    def __init__(self, key: str, type_name: str) -> None:
        super().__init__(
            f"`{key}` is remembered, and a `{type_name}` is opaque, which memory cannot hold: set it as text or "
            "another JSON value, or under a key that is not in `state_keys`",
            key,
        )
        #: The name of the value's type.
        self.type_name = type_name


class NotJsonError(SetError):
    """The value can be written neither as JSON nor in another way that outlasts the turn."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"`{key}` cannot be set: {problem}", key)
        #: What is wrong, without the value.
        self.problem = problem


class _ExcessError(SetError):
    def __init__(self, message: str, key: str, actual: int, limit: int) -> None:
        super().__init__(message, key)
        #: The size that was found, in bytes.
        self.actual = actual
        #: The largest size allowed, in bytes.
        self.limit = limit


class KeyTooLongError(_ExcessError):
    """The key is longer than keys may be."""

    def __init__(self, key: str, actual: int, limit: int) -> None:
        super().__init__(f"a key has {actual} bytes, and {limit} are allowed: use a shorter key", key, actual, limit)


class ValueTooLargeError(_ExcessError):
    """The key is remembered, and the value is larger than memory's values may be."""

    def __init__(self, key: str, actual: int, limit: int) -> None:
        super().__init__(
            f"`{key}` is remembered, and its value has {actual} bytes where {limit} are allowed: remember less, or "
            "set it under a key that is not in `state_keys`",
            key,
            actual,
            limit,
        )


class StateTooLargeError(_ExcessError):
    """With this value the whole state would be larger than it may be."""

    def __init__(self, key: str, actual: int, limit: int) -> None:
        super().__init__(
            f"with this value of `{key}` the conversation's state would have {actual} bytes, and {limit} are "
            "allowed: remove what is no longer needed, or set less",
            key,
            actual,
            limit,
        )


class ArgumentsError(AgentMemoryError, TypeError):
    """The arguments do not fit a function's parameters. The message says which and why."""


class RequestError(AgentMemoryError):
    """The platform did not answer, or failed to."""


class NotAnsweredError(RequestError):
    """Nobody answers requests of that name here."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"`{name}` can only be answered by the platform, and nothing here answers it: have the embedding runtime "
            "answer requests of that name, or do without"
        )
        #: The request's name.
        self.name = name

    def __reduce__(self) -> tuple[object, ...]:
        return (NotAnsweredError, (self.name,))


class SandboxError(AgentMemoryError, RuntimeError):
    """Something that functions cannot do, for the sandbox has no network, no threads, no processes and no files."""


def _restore(kind: type[SetError], args: tuple[object, ...], attributes: dict[str, object]) -> SetError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


def suggestion(name: str, names: Collection[str]) -> str:
    """What to say, after a name that there is not, of those that there are."""
    close = get_close_matches(name, names, n=1)
    if close:
        return f": did you mean `{close[0]}`?"
    return f": there are {', '.join(f'`{known}`' for known in names)}" if names else ": there are none"
