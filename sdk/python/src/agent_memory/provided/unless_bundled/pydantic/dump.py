"""Models as dicts and as JSON."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import json
import math
import re
import typing
import uuid
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from .functional import PlainSerializer, SerializationInfo, positional_count


@dataclasses.dataclass
class Options:
    """What is wanted."""

    mode: str = "python"
    context: Any = None
    by_alias: bool = False
    exclude_unset: bool = False
    exclude_defaults: bool = False
    exclude_none: bool = False

    def info(self, field_name: str | None = None) -> SerializationInfo:
        """What a serializer may know of it."""
        return SerializationInfo(
            self.mode,
            self.context,
            self.by_alias,
            self.exclude_unset,
            self.exclude_defaults,
            self.exclude_none,
            field_name,
        )


def of_model(model: Any, options: Options, include: Any = None, exclude: Any = None) -> Any:
    """A model as a dict, or as what its own serializer makes of it."""
    for one in type(model).__pydantic_decorated__.values():
        if one.kind == "model_serializer":
            return _by_own_serializer(model, one, options, include, exclude)
    return _fields(model, options, include, exclude)


def as_json(value: Any, indent: int | None = None) -> str:
    """A value that JSON knows as JSON."""
    separators = (",", ":") if indent is None else None
    return json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)


def of_value(value: Any, options: Options, include: Any = None, exclude: Any = None) -> Any:
    """A value, and what is in it, as dicts and lists, and with the mode ``json`` as what JSON knows."""
    if hasattr(value, "__pydantic_fields_set__"):
        return of_model(value, options, include, exclude)
    if isinstance(value, Mapping):
        return {
            _key(key, options): of_value(member, options, *_narrowed(include, exclude, key))
            for key, member in value.items()
            if _is_wanted(key, include, exclude)
        }
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        members = [of_value(member, options) for member in value]
        return members if options.mode == "json" else type(value)(*members)
    if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        members = [
            of_value(member, options, *_narrowed(include, exclude, index))
            for index, member in enumerate(value)
            if _is_wanted(index, include, exclude)
        ]
        if options.mode == "json":
            return members
        return members if isinstance(value, list) else _same_kind(value, members)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: of_value(getattr(value, field.name), options) for field in dataclasses.fields(value)}
    return _plain(value) if options.mode == "json" else value


def _same_kind(value: Any, members: list[Any]) -> Any:
    try:
        return type(value)(members)
    except TypeError:
        # A set of models, which became dicts.
        return members


def _fields(model: Any, options: Options, include: Any, exclude: Any) -> dict[str, Any]:
    cls = type(model)
    serializers = [one for one in cls.__pydantic_decorated__.values() if one.kind == "field_serializer"]
    dumped: dict[str, Any] = {}
    for name, value in model:
        field = cls.__pydantic_fields__.get(name)
        if not _is_wanted(name, include, exclude) or (field is not None and field.exclude):
            continue
        if options.exclude_unset and name not in model.__pydantic_fields_set__:
            continue
        if options.exclude_none and value is None:
            continue
        if options.exclude_defaults and field is not None and _is_default(field, value):
            continue
        inner = _narrowed(include, exclude, name)
        alias = field.serialization_alias if field is not None and options.by_alias else None
        dumped[alias or name] = _field(model, name, value, field, serializers, options, *inner)
    for name, one in cls.__pydantic_decorated__.items():
        if one.kind != "computed_field" or not _is_wanted(name, include, exclude):
            continue
        value = getattr(model, name)
        if options.exclude_none and value is None:
            continue
        key = one.options.get("alias") or name if options.by_alias else name
        dumped[key] = _field(model, name, value, None, serializers, options, *_narrowed(include, exclude, name))
    return dumped


def _field(
    model: Any, name: str, value: Any, field: Any, serializers: list[Any], options: Options, include: Any, exclude: Any
) -> Any:
    for one in serializers:
        if (name in one.fields or "*" in one.fields) and _is_used(
            one.options.get("when_used", "always"), value, options
        ):
            function = one.function.__get__(model, type(model))
            arguments = [value]
            if one.mode == "wrap":
                arguments.append(lambda inner: of_value(inner, options, include, exclude))
            if positional_count(function) > len(arguments):
                arguments.append(options.info(name))
            return of_value(function(*arguments), options)
    note = _serializer_note(field)
    if note is not None and _is_used(note.when_used, value, options):
        return of_value(note.func(value), options)
    return of_value(value, options, include, exclude)


def _serializer_note(field: Any) -> PlainSerializer | None:
    if field is None or typing.get_origin(field.annotation) is not typing.Annotated:
        return None
    notes = typing.get_args(field.annotation)[1:]
    return next((note for note in notes if isinstance(note, PlainSerializer)), None)


def _is_used(when: str, value: Any, options: Options) -> bool:
    if when.endswith("unless-none") and value is None:
        return False
    return not when.startswith("json") or options.mode == "json"


def _by_own_serializer(model: Any, one: Any, options: Options, include: Any, exclude: Any) -> Any:
    function = one.function.__get__(model, type(model))
    arguments: list[Any] = []
    if one.mode == "wrap":
        arguments.append(lambda inner: _fields(inner, options, include, exclude))
    if positional_count(function) > len(arguments):
        arguments.append(options.info())
    return of_value(function(*arguments), options)


def _is_default(field: Any, value: Any) -> bool:
    return not field.is_required() and value == field.get_default(call_default_factory=True)


def _is_wanted(name: Any, include: Any, exclude: Any) -> bool:
    if exclude is not None and name in exclude and (not isinstance(exclude, Mapping) or exclude[name] in (True, ...)):
        return False
    return include is None or name in include


def _narrowed(include: Any, exclude: Any, name: Any) -> tuple[Any, Any]:
    """What is wanted of a member."""

    def of(wanted: Any) -> Any:
        if not isinstance(wanted, Mapping):
            return None
        found = wanted.get(name, wanted.get("__all__"))
        return None if found in (True, ..., None) else found

    return of(include), of(exclude)


def _key(key: Any, options: Options) -> Any:
    if options.mode != "json" or (isinstance(key, str) and not isinstance(key, enum.Enum)):
        return key
    plain = _plain(key)
    if isinstance(plain, bool):
        return str(plain).lower()
    return "None" if plain is None else str(plain)


def _plain(value: Any) -> Any:
    """A value without members as JSON knows it."""
    if isinstance(value, enum.Enum):
        return _plain(value.value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime.datetime):
        text = value.isoformat()
        return text[:-6] + "Z" if value.utcoffset() == datetime.timedelta(0) and text.endswith("+00:00") else text
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return _duration(value)
    if isinstance(value, (decimal.Decimal, uuid.UUID, PurePath)):
        return str(value)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, re.Pattern):
        return value.pattern
    raise TypeError(f"Unable to serialize unknown type: {type(value)}")


def _duration(value: datetime.timedelta) -> str:
    sign = "-" if value < datetime.timedelta(0) else ""
    value = abs(value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    time = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M")) if number)
    if seconds or fraction:
        time += f"{seconds}{fraction}S"
    days = f"{value.days}D" if value.days else ""
    return f"{sign}P{days}{'T' + time if time else ''}" if days or time else "PT0S"
