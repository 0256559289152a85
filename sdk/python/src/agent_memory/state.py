"""What a conversation knows."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, NoReturn

from .errors import OpaqueValueError, SetError
from .host import Host, Json, Value
from .values import IMMUTABLE, from_contract, similar_json, to_contract

__all__ = ["State"]

_MISSING = object()


class State(dict[str, Any]):
    """What this conversation knows: any value under any key, for as long as the conversation lasts.

    It is a dict, and its values are attributes too: a missing attribute reads ``None``, a missing key raises
    ``KeyError``. What functions set here under the configuration's ``state_keys`` is remembered when the conversation
    ends. A value that cannot be remembered is refused where it is set, by a :class:`~agent_memory.errors.SetError`.

    A value that is changed in place counts as set. That is noticed when the function ends, and if the change breaks
    a rule, the function fails and the key goes back to what it was.

    >>> from agent_memory.testing import conversation
    >>> state = conversation(state={"cheese_type": "brie"}).state
    >>> state["booking_day"] = "Friday"
    >>> state.cheese_type, state["booking_day"], state.mood, state.get("mood", "good")
    ('brie', 'Friday', None, 'good')
    """

    # The names are those of private attributes, so that a key of the state cannot be one of them.
    __slots__ = ("__host", "__known")

    def __init__(self, host: Host) -> None:
        object.__setattr__(self, "_State__host", host)
        # What the host knows of each value that can change in place.
        known: dict[str, Value] = {}
        object.__setattr__(self, "_State__known", known)
        entries: dict[str, Any] = {}
        for key, value in host.state_entries():
            entries[key] = from_contract(key, value)
            if type(entries[key]) not in IMMUTABLE:
                known[key] = value
        super().__init__(entries)

    def __setitem__(self, key: str, value: Any) -> None:
        """Sets a value. Setting an equal value counts as setting it."""
        if not isinstance(key, str):
            raise TypeError(f"a key of the state is a text, not a {type(key).__qualname__}")
        known = self.__set(key, value)
        if type(value) in IMMUTABLE:
            self.__known.pop(key, None)
        else:
            self.__known[key] = known
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        """Removes a key. If it was set in this conversation, it is not remembered."""
        super().__delitem__(key)
        self.__known.pop(key, None)
        self.__host.state_remove(key)

    def __getattr__(self, key: str) -> Any:
        # What Python itself looks for must be missing where it is missing.
        if key.startswith("__") and key.endswith("__"):
            raise AttributeError(key)
        return super().get(key)

    def __setattr__(self, key: str, value: Any) -> None:
        self[key] = value

    def __delattr__(self, key: str) -> None:
        try:
            del self[key]
        except KeyError:
            raise AttributeError(key) from None

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        """Removes a key and returns its value, or ``default``."""
        if key in self:
            value = self[key]
            del self[key]
            return value
        if default is _MISSING:
            raise KeyError(key)
        return default

    def popitem(self) -> tuple[str, Any]:
        """Removes the last key and returns it with its value."""
        if not self:
            raise KeyError("the state is empty")
        key = next(reversed(self))
        return key, self.pop(key)

    def clear(self) -> None:
        """Removes all keys."""
        for key in list(self):
            del self[key]

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value under a key, which is set to ``default`` first if it is missing."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *others: Any, **more: Any) -> None:
        """Sets several values."""
        for key, value in dict(*others, **more).items():
            self[key] = value

    def __ior__(self, other: Any) -> State:  # type: ignore[override,misc]
        self.update(other)
        return self

    def copy(self) -> dict[str, Any]:
        """A dict of the keys and values, which no longer belongs to the conversation."""
        return dict(self)

    def __copy__(self) -> dict[str, Any]:
        return dict(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {key: copy.deepcopy(value, memo) for key, value in self.items()}

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return dict, (dict(self),)

    @classmethod
    def fromkeys(cls, keys: Iterable[str], value: Any = None) -> NoReturn:  # type: ignore[override]
        """A conversation has one state, and nobody makes another."""
        raise TypeError("a state belongs to a conversation: make a dict")

    def __set(self, key: str, value: Any) -> Value:
        encoded = to_contract(key, value)
        try:
            self.__host.state_set(key, encoded)
        except OpaqueValueError:
            # Memory has no tuples and no enums of texts, and yet nobody wants to hear of it.
            text = similar_json(value)
            if text is None:
                raise
            encoded = Json(text)
            self.__host.state_set(key, encoded)
        return encoded

    def _changed_in_place(self) -> SetError | None:
        """Sets what was changed in place, and gives the first error there is.

        A change that is refused is undone.
        """
        first_error: SetError | None = None
        for key, known in list(self.__known.items()):
            value = self[key]
            try:
                if _is_as_known(key, value, known):
                    continue
                self.__known[key] = self.__set(key, value)
            except SetError as error:
                super().__setitem__(key, from_contract(key, known))
                first_error = first_error or error
        return first_error


def _is_as_known(key: str, value: Any, known: Value) -> bool:
    """Whether a value is still what the host knows."""
    now = to_contract(key, value)
    if now == known:
        return True
    # The known one may only be written in another way, such as with white space.
    return type(now) is type(known) and now == to_contract(key, from_contract(key, known))
