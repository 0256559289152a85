"""Values on their way into the contract and back: JSON where it has a word for them, pickles where not.

JSON comes first because only JSON can be remembered. It is used where reading it back gives the very same value;
so a ``datetime``, a set, a tuple or a dict with numbers as keys is pickled, and is the same in the next turn.
"""

from __future__ import annotations

import json
import pickle
from json.encoder import JSONEncoder, encode_basestring
from math import isfinite
from typing import Any

from .errors import NotJsonError
from .host import Json, Opaque, Value

#: How many objects and arrays may stand inside one another in the contract's JSON.
MAX_LEVELS = 128

#: Nothing can change inside a value of these types.
IMMUTABLE = frozenset({str, int, float, bool, type(None)})

_DECODER = json.JSONDecoder()


def encode(value: object) -> str:
    """A value as JSON, also where another value would be read back, such as a list for a tuple.

    Raises ``ValueError`` or ``TypeError`` with the name of a type that JSON has no word for.
    """
    try:
        text = _written(value, MAX_LEVELS)
        if text is None:
            text = _LENIENT.encode(value)
        # A lone surrogate, half a character, can be encoded as nothing.
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a text in it has half a character (a lone surrogate)") from None
    except RecursionError:
        raise ValueError("it nests too deeply") from None
    return text


def decode(text: str) -> Any:
    """The value of a JSON text."""
    # Without a look for white space around it, of which there is none in what the contract writes.
    try:
        value, end = _DECODER.raw_decode(text)
    except ValueError:
        return json.loads(text)
    return value if end == len(text) else json.loads(text)


def loose(value: object) -> str:
    """A value as JSON, whatever it is: ``str()`` stands for what JSON has no word for. Never raises."""
    return _written(_loosened(value, 0), MAX_LEVELS) or "null"


def plain_text(value: object) -> str:
    """A value as a text that can leave the sandbox. Never raises."""
    try:
        text = value if type(value) is str else str(value)
    except Exception:
        text = f"<a {type_name(value)} that has no text>"
    return text.encode(errors="replace").decode()


def to_contract(key: str, value: object) -> Value:
    """A value of the state as the contract knows it. Raises :class:`NotJsonError` if there is no way."""
    text = _faithful(value)
    if text is not None:
        return Json(text)
    name = _culprit(value)
    try:
        pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        # Some values can be written and not be read: better to hear of it here than in the next turn.
        pickle.loads(pickled)
    except Exception as error:
        # What the error says may hold the value.
        raise NotJsonError(key, f"a `{name}` does not outlast the turn ({type(error).__name__})") from None
    return Opaque(name, pickled)


def similar_json(value: object) -> str | None:
    """A value as JSON that says the same in other types, as an array does for a tuple. None if there is none."""
    if not _is_similar_to_json(value, MAX_LEVELS):
        return None
    try:
        return encode(value)
    except (TypeError, ValueError):
        return None


def from_contract(key: str, value: Value) -> Any:
    """A value of the state as Python knows it."""
    if isinstance(value, Json):
        return decode(value.text)
    try:
        return pickle.loads(value.bytes)
    except Exception as error:
        raise NotJsonError(key, f"its `{value.type_name}` cannot be read back ({type(error).__name__})") from None


def type_name(value: object) -> str:
    """What messages call the type of a value."""
    return type(value).__qualname__


def _faithful(value: object) -> str | None:
    """A value as JSON from which the very same value is read back. None if there is none."""
    try:
        text = _written(value, MAX_LEVELS)
        return text if text is None or text.encode() else None
    except ValueError:
        # A lone surrogate, half a character, can be encoded as nothing, and outside of the sandbox a very long integer
        # has no text, see `sys.set_int_max_str_digits`.
        return None


def _written(value: object, levels: int) -> str | None:
    """A value as JSON, if it is of the very types that JSON has. None if not.

    Written here, since most values are short: to set up Python's own encoder costs a turn more than to use it.
    """
    kind = type(value)
    if kind is str:
        return encode_basestring(value)  # type: ignore[arg-type]
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return int.__repr__(value)
    if kind is float:
        return float.__repr__(value) if isfinite(value) else None  # type: ignore[arg-type]
    if levels == 0:
        return None
    parts = []
    if kind is list:
        for member in value:  # type: ignore[attr-defined]
            text = _written(member, levels - 1)
            if text is None:
                return None
            parts.append(text)
        return f"[{','.join(parts)}]"
    if kind is dict:
        for key, member in value.items():  # type: ignore[attr-defined]
            text = _written(member, levels - 1) if type(key) is str else None
            if text is None:
                return None
            parts.append(f"{encode_basestring(key)}:{text}")
        return f"{{{','.join(parts)}}}"
    return None


def _is_similar_to_json(value: object, levels: int) -> bool:
    if isinstance(value, dict):
        members = value.items()
        return levels > 0 and all(
            isinstance(key, str) and _is_similar_to_json(member, levels - 1) for key, member in members
        )
    if isinstance(value, (list, tuple)):
        return levels > 0 and all(_is_similar_to_json(member, levels - 1) for member in value)
    return value is None or isinstance(value, (str, int, float))


def _culprit(value: object) -> str:
    """The name of the type that keeps a value from being JSON: its own, or that of the first such part of it."""
    name = type_name(value)
    part = _part(value, MAX_LEVELS)
    return name if part is value else f"{name} with a {type_name(part)}"


def _part(value: object, levels: int) -> object:
    """The first part of a value for which JSON has no word. The value itself, if it is that."""
    if levels == 0:
        return value
    kind = type(value)
    if kind is dict or kind is list:
        if kind is dict:
            if any(type(key) is not str for key in value):  # type: ignore[attr-defined]
                return value
            members = list(value.values())  # type: ignore[attr-defined]
        else:
            members = value  # type: ignore[assignment]
        for member in members:
            if _faithful(member) is None:
                return _part(member, levels - 1)
    return value


def _refuse(value: object) -> object:
    raise TypeError(f"a `{type_name(value)}`, for which JSON has no word")


_LENIENT = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_refuse)

#: How deeply a log entry's fields may nest before they become text.
_LOOSE_LEVELS = 32

#: From how many bits on an integer in a log entry's fields becomes text.
_LOOSE_BITS = 4096


def _loosened(value: object, level: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    kind = type(value)
    if isinstance(value, int) and kind is int:
        # Longer ones have no text before somebody asks Python for it, see `sys.set_int_max_str_digits`.
        return value if value.bit_length() < _LOOSE_BITS else plain_text(value)
    if isinstance(value, float) and kind is float:
        return value if isfinite(value) else str(value)
    if level < _LOOSE_LEVELS:
        try:
            if isinstance(value, dict):
                return {plain_text(key): _loosened(member, level + 1) for key, member in value.items()}
            if isinstance(value, (list, tuple, set, frozenset)):
                return [_loosened(member, level + 1) for member in value]
        except Exception:
            return plain_text(value)
    return plain_text(value)
