"""Python's types as JSON Schemas, in the form in which language models are told of tools.

Everything stands in place, without references: a language model is shown one function's schema at a time.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import types
import typing
import uuid
from typing import Any, Union

_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    None: {"type": "null"},
    type(None): {"type": "null"},
    dict: {"type": "object"},
    list: {"type": "array"},
    tuple: {"type": "array"},
    set: {"type": "array", "uniqueItems": True},
    frozenset: {"type": "array", "uniqueItems": True},
    decimal.Decimal: {"type": "number"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"},
    uuid.UUID: {"type": "string", "format": "uuid"},
}

_LISTS = (list, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
_SETS = (set, frozenset, collections.abc.Set)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)

#: How deeply types are followed, for one may have itself as a member.
_LEVELS = 8


def schema_of(annotation: Any) -> dict[str, Any]:
    """The JSON Schema of a type. Empty, which allows everything, where there is no telling.

    >>> schema_of(typing.Optional[int])
    {'type': ['integer', 'null']}
    >>> schema_of(list[typing.Literal["brie", "feta"]])
    {'type': 'array', 'items': {'type': 'string', 'enum': ['brie', 'feta']}}
    """
    return _schema(annotation, _LEVELS)


def is_union(annotation: Any) -> bool:
    """Whether a type is one of several."""
    return typing.get_origin(annotation) in (Union, getattr(types, "UnionType", Union))


def is_typed_dict(annotation: Any) -> bool:
    """Whether a type is a ``TypedDict``."""
    return isinstance(annotation, type) and issubclass(annotation, dict) and hasattr(annotation, "__total__")


def typed_dict_members(kind: Any) -> tuple[dict[str, Any], list[str]]:
    """The types of a ``TypedDict``'s members, and the names of those that must be there."""
    members: dict[str, Any] = {}
    required: list[str] = []
    for name, annotation in typing.get_type_hints(kind, include_extras=True).items():
        # What Python itself knows of these marks is wrong where types are written as texts.
        mark = getattr(typing.get_origin(annotation), "_name", None)
        is_marked = mark in ("Required", "NotRequired")
        members[name] = typing.get_args(annotation)[0] if is_marked else annotation
        if mark == "Required" or (not is_marked and name in kind.__required_keys__):
            required.append(name)
    return members, required


def _schema(annotation: Any, levels: int) -> dict[str, Any]:
    if levels == 0:
        return {}
    try:
        simple = _SIMPLE.get(annotation)
    except TypeError:
        simple = None
    if simple is not None:
        return dict(simple)
    origin = typing.get_origin(annotation)
    if origin is not None:
        return _generic(annotation, origin, levels - 1)
    if hasattr(annotation, "__supertype__"):
        return _schema(annotation.__supertype__, levels - 1)
    if isinstance(annotation, type):
        return _class(annotation, levels - 1)
    # An alias of the `type` statement.
    if hasattr(annotation, "__value__"):
        return _schema(annotation.__value__, levels - 1)
    return {}


def _generic(annotation: Any, origin: Any, levels: int) -> dict[str, Any]:
    arguments = typing.get_args(annotation)
    if is_union(annotation):
        return _any_of([_schema(member, levels) for member in arguments])
    if origin is typing.Literal:
        return _values(list(arguments))
    if origin is typing.Annotated:
        return {**_schema(arguments[0], levels), **_annotated(arguments[1:])}
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return {"type": "array", "items": _schema(arguments[0], levels)}
        items = [_schema(member, levels) for member in arguments if member != ()]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin in _LISTS:
        return {"type": "array", "items": _schema(arguments[0], levels)}
    if origin in _SETS:
        return {"type": "array", "items": _schema(arguments[0], levels), "uniqueItems": True}
    if origin in _MAPPINGS:
        return {"type": "object", "additionalProperties": _schema(arguments[1], levels)}
    return _schema(origin, levels)


def _class(kind: type, levels: int) -> dict[str, Any]:
    if issubclass(kind, enum.Enum):
        return _values([member.value for member in kind])
    if hasattr(kind, "model_json_schema"):
        return _resolved(kind.model_json_schema(), levels)
    if hasattr(kind, "schema") and hasattr(kind, "parse_obj"):
        return _resolved(kind.schema(), levels)
    if dataclasses.is_dataclass(kind):
        annotations = typing.get_type_hints(kind, include_extras=True)
        members = {member.name: annotations.get(member.name) for member in dataclasses.fields(kind) if member.init}
        required = [
            member.name
            for member in dataclasses.fields(kind)
            if member.init and member.default is dataclasses.MISSING and member.default_factory is dataclasses.MISSING
        ]
        return _object(members, required, levels)
    if is_typed_dict(kind):
        members, required = typed_dict_members(kind)
        return _object(members, required, levels)
    for base in (str, bool, int, float):
        if issubclass(kind, base):
            return dict(_SIMPLE[base])
    return {}


def _object(members: dict[str, Any], required: list[str], levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: _schema(annotation, levels) for name, annotation in members.items()},
    }
    if required:
        schema["required"] = required
    return schema


def _values(values: list[Any]) -> dict[str, Any]:
    """One of a few values."""
    values = [value.value if isinstance(value, enum.Enum) else value for value in values]
    kinds: list[str] = []
    for value in values:
        kind = _SIMPLE.get(type(value), {}).get("type")
        if kind is None:
            return {}
        if kind not in kinds:
            kinds.append(kind)
    schema: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}
    return {**schema, "enum": values}


def _any_of(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    if {} in schemas:
        return {}
    null = {"type": "null"}
    others = [schema for schema in schemas if schema != null]
    if len(others) == 1 and null in schemas and isinstance(others[0].get("type"), str):
        schema = {**others[0], "type": [others[0]["type"], "null"]}
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
        return schema
    if all(set(schema) == {"type"} and isinstance(schema["type"], str) for schema in schemas):
        return {"type": [schema["type"] for schema in schemas]}
    return {"anyOf": schemas}


def _annotated(notes: tuple[Any, ...]) -> dict[str, Any]:
    """What notes on a type say: a text describes it, and so does what has a ``description``."""
    for note in notes:
        description = note if isinstance(note, str) else getattr(note, "description", None)
        if isinstance(description, str):
            return {"description": description}
    return {}


def _resolved(schema: dict[str, Any], levels: int) -> dict[str, Any]:
    """A schema with what it refers to put in place."""
    definitions = {**schema.get("definitions", {}), **schema.get("$defs", {})}

    def resolve(part: Any, left: int) -> Any:
        if isinstance(part, list):
            return [resolve(member, left) for member in part]
        if not isinstance(part, dict):
            return part
        reference = part.get("$ref")
        if isinstance(reference, str):
            found = definitions.get(reference.rpartition("/")[2], {}) if left else {}
            rest = {name: value for name, value in part.items() if name != "$ref"}
            return {**resolve(found, left - 1), **resolve(rest, left)} if left else {}
        return {
            name: resolve(value, left)
            for name, value in part.items()
            if name not in ("$defs", "definitions") and not (name == "title" and isinstance(value, str))
        }

    resolved: dict[str, Any] = resolve(schema, levels)
    return resolved
