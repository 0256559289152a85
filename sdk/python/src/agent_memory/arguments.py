"""Whether a call's arguments fit a function, and what they are in the types that it names."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import types
import typing
import uuid
from collections.abc import Callable
from typing import Any

from .errors import ArgumentsError, suggestion
from .parameters import NOTHING, Parameter, Signature, annotations_of
from .schema import is_typed_dict, is_union, typed_dict_members
from .values import IMMUTABLE


def fitted(name: str, place: str, signature: Signature, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the function wants them. Raises :class:`ArgumentsError` with all that is wrong.

    The message never holds an argument's value.
    """
    known = {parameter.name: parameter for parameter in signature.parameters}
    problems: list[str] = []
    result: dict[str, Any] = {}
    for key, value in arguments.items():
        if key not in known:
            if signature.takes_any:
                result[key] = value
            else:
                problems.append(f"`{key}` is no parameter{suggestion(key, known)}")
            continue
        try:
            result[key] = _argument(known[key], value)
        except _Mismatch as mismatch:
            problems.append(f"`{key}{mismatch.path}`: expected {mismatch.expected}, found {mismatch.found}")
    for parameter in signature.parameters:
        if parameter.is_required and parameter.name not in arguments:
            problems.append(f"`{parameter.name}` is missing")
    if problems:
        raise ArgumentsError(f"`{name}` ({place}) cannot be called like that: {'; '.join(problems)}")
    return result


class _Mismatch(Exception):
    """A value is not of the type that is wanted."""

    def __init__(self, expected: str, found: str, path: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.found = found
        self.path = path


def _argument(parameter: Parameter, value: Any) -> Any:
    if parameter.annotation is NOTHING or (value is None and parameter.default is None):
        return value
    if type(value) is parameter.annotation and type(value) in IMMUTABLE:
        return value
    return _converted(parameter.annotation, value)


def _converted(annotation: Any, value: Any) -> Any:
    """A JSON value as a value of a type. What there is no telling about is left as it is."""
    if annotation is None or annotation is type(None):
        return _check(value is None, value, "null")
    if type(annotation) is types.UnionType:
        return _one_of(annotation.__args__, value)
    origin = typing.get_origin(annotation)
    if is_union(annotation):
        return _one_of(typing.get_args(annotation), value)
    if origin is not None:
        return _generic(annotation, origin, value)
    if hasattr(annotation, "__supertype__"):
        return _converted(annotation.__supertype__, value)
    if isinstance(annotation, type):
        return _of_class(annotation, value)
    if hasattr(annotation, "__value__"):
        return _converted(annotation.__value__, value)
    return value


def _one_of(annotations: tuple[Any, ...], value: Any) -> Any:
    kind = type(value)
    # Members are tried as they are written: an earlier one may make something else of the value, as an enum does.
    if kind in IMMUTABLE and (annotations[0] is kind or (kind in annotations and all(map(_is_immutable, annotations)))):
        return value
    mismatches: list[_Mismatch] = []
    for annotation in annotations:
        try:
            return _converted(annotation, value)
        except _Mismatch as mismatch:
            mismatches.append(mismatch)
    deepest = max(mismatches, key=lambda mismatch: len(mismatch.path))
    if deepest.path:
        raise deepest
    raise _Mismatch(" or ".join(dict.fromkeys(mismatch.expected for mismatch in mismatches)), _kind(value))


def _is_immutable(annotation: Any) -> bool:
    # What is no class may have no hash.
    return type(annotation) is type and annotation in IMMUTABLE


def _generic(annotation: Any, origin: Any, value: Any) -> Any:
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated:
        return _converted(arguments[0], value)
    if origin is typing.Literal:
        return _choice({_plain(choice): choice for choice in arguments}, value)
    if origin is tuple:
        _check(isinstance(value, list), value, "an array")
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_members(arguments[0], value))
        members = [member for member in arguments if member != ()]
        if len(value) != len(members):
            raise _Mismatch(f"{len(members)} members", f"{len(value)}")
        return tuple(
            _member(index, annotation, member)
            for index, (annotation, member) in enumerate(zip(members, value, strict=True))
        )
    if isinstance(origin, type) and arguments:
        if issubclass(origin, collections.abc.Mapping):
            _check(isinstance(value, dict), value, "an object")
            # The keys are values too, and not to be told.
            return {key: _within("[...]", arguments[1], member) for key, member in value.items()}
        if issubclass(origin, collections.abc.Iterable):
            _check(isinstance(value, list), value, "an array")
            members = _members(arguments[0], value)
            return origin(members) if origin in (set, frozenset) else members
    return _of_class(origin, value) if isinstance(origin, type) else value


def _of_class(kind: type, value: Any) -> Any:
    simple = _SIMPLE.get(kind)
    if simple is not None:
        return simple(value)
    if issubclass(kind, enum.Enum):
        return _choice({_plain(member): member for member in kind}, value)
    for reader in ("model_validate", "parse_obj"):
        if hasattr(kind, reader):
            return _read(getattr(kind, reader), value, f"a {kind.__name__}")
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, value)
    if is_typed_dict(kind):
        return _typed_dict(kind, value)
    return value


def _dataclass(kind: Any, value: Any) -> Any:
    _check(isinstance(value, dict), value, "an object")
    members = {member.name: member for member in dataclasses.fields(kind) if member.init}
    annotations = annotations_of(kind)
    for key in value:
        if key not in members:
            raise _Mismatch("no such member", "one", f".{key}")
    for name, member in members.items():
        has_default = member.default is not dataclasses.MISSING or member.default_factory is not dataclasses.MISSING
        if name not in value and not has_default:
            raise _Mismatch("a member", "none", f".{name}")
    converted = {key: _named(key, annotations.get(key, typing.Any), member) for key, member in value.items()}
    return _read(lambda members: kind(**members), converted, f"a {kind.__name__}")


def _typed_dict(kind: Any, value: Any) -> Any:
    _check(isinstance(value, dict), value, "an object")
    annotations, required = typed_dict_members(kind)
    for name in required:
        if name not in value:
            raise _Mismatch("a member", "none", f".{name}")
    return {key: _named(key, annotations.get(key, typing.Any), member) for key, member in value.items()}


def _text(value: Any) -> str:
    return str(_check(isinstance(value, str), value, "a text"))


def _integer(value: Any) -> int:
    is_integer = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return int(_check(is_integer and not isinstance(value, bool), value, "an integer"))


def _number(value: Any) -> Any:
    return _check(isinstance(value, (int, float)) and not isinstance(value, bool), value, "a number")


def _boolean(value: Any) -> bool:
    return bool(_check(isinstance(value, bool), value, "true or false"))


def _decimal(value: Any) -> decimal.Decimal:
    is_number = isinstance(value, (int, float, str)) and not isinstance(value, bool)
    _check(is_number, value, "a number")
    return typing.cast(decimal.Decimal, _read(lambda number: decimal.Decimal(str(number)), value, "a number"))


def _uuid(value: Any) -> uuid.UUID:
    return typing.cast(uuid.UUID, _read(uuid.UUID, _text(value), "a UUID"))


def _time_of(kind: Any, expected: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        # Older versions of Python do not know that a time may end in Z.
        text = _text(value)
        return _read(kind.fromisoformat, text[:-1] + "+00:00" if text.endswith("Z") else text, expected)

    return read


def _container(kind: type, json_kind: type, expected: str) -> Callable[[Any], Any]:
    return lambda value: kind(_check(isinstance(value, json_kind), value, expected))


_SIMPLE: dict[type, Callable[[Any], Any]] = {
    str: _text,
    int: _integer,
    float: _number,
    bool: _boolean,
    dict: _container(dict, dict, "an object"),
    list: _container(list, list, "an array"),
    tuple: _container(tuple, list, "an array"),
    set: _container(set, list, "an array"),
    frozenset: _container(frozenset, list, "an array"),
    decimal.Decimal: _decimal,
    datetime.datetime: _time_of(datetime.datetime, "a date and time such as 2026-03-02T10:20:00Z"),
    datetime.date: _time_of(datetime.date, "a date such as 2026-03-02"),
    datetime.time: _time_of(datetime.time, "a time such as 10:20"),
    uuid.UUID: _uuid,
}


def _choice(choices: dict[Any, Any], value: Any) -> Any:
    for plain, choice in choices.items():
        if plain == value and type(plain) is type(value):
            return choice
    raise _Mismatch(f"one of {', '.join(_shown(plain) for plain in choices)}", f"another {_noun(value)}")


def _members(annotation: Any, values: list[Any]) -> list[Any]:
    return [_member(index, annotation, value) for index, value in enumerate(values)]


def _member(index: int, annotation: Any, value: Any) -> Any:
    return _within(f"[{index}]", annotation, value)


def _named(key: str, annotation: Any, value: Any) -> Any:
    return _within(f".{key}", annotation, value)


def _within(path: str, annotation: Any, value: Any) -> Any:
    try:
        return _converted(annotation, value)
    except _Mismatch as mismatch:
        raise _Mismatch(mismatch.expected, mismatch.found, path + mismatch.path) from None


def _read(reader: Callable[[Any], Any], value: Any, expected: str) -> Any:
    """Reads a value with a function of somebody else's, whose messages may hold the value."""
    try:
        return reader(value)
    except (ValueError, TypeError, ArithmeticError):
        raise _Mismatch(expected, f"another {_noun(value)}") from None


def _check(fits: bool, value: Any, expected: str) -> Any:
    if not fits:
        raise _Mismatch(expected, _kind(value))
    return value


def _kind(value: Any) -> str:
    noun = _noun(value)
    return noun if noun == "null" else f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def _noun(value: Any) -> str:
    if value is None:
        return "null"
    for kind, noun in ((bool, "boolean"), (str, "text"), ((int, float), "number"), (list, "array")):
        if isinstance(value, kind):
            return noun
    return "object"


def _plain(choice: Any) -> Any:
    value = choice.value if isinstance(choice, enum.Enum) else choice
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _shown(plain: Any) -> str:
    return f"`{plain}`" if isinstance(plain, str) else str(plain)
