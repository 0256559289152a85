"""Models as JSON Schemas."""

from __future__ import annotations

import datetime
import decimal
import enum
import inspect
import typing
import uuid
from pathlib import Path
from typing import Any, Union

from .aliases import MISSING
from .dump import Options, of_value
from .fields import Constraints, FieldInfo

_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    bytes: {"type": "string", "format": "binary"},
    dict: {"type": "object", "additionalProperties": True},
    list: {"type": "array", "items": {}},
    tuple: {"type": "array", "items": {}},
    set: {"type": "array", "items": {}, "uniqueItems": True},
    frozenset: {"type": "array", "items": {}, "uniqueItems": True},
    decimal.Decimal: {"anyOf": [{"type": "number"}, {"type": "string"}]},
    uuid.UUID: {"type": "string", "format": "uuid"},
    Path: {"type": "string", "format": "path"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"},
    datetime.timedelta: {"type": "string", "format": "duration"},
}

_KEYWORDS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
}


def of_model(model: Any, by_alias: bool = True) -> dict[str, Any]:
    """A model as a JSON Schema. The models that it has fields of are in ``$defs``."""
    definitions: dict[str, Any] = {}
    schema = _model(model, by_alias, definitions)
    if model.__name__ in definitions and not _refers_to(schema, model.__name__):
        definitions.pop(model.__name__)
    if model.__name__ in definitions:
        definitions[model.__name__] = schema
        return {"$defs": definitions, "$ref": f"#/$defs/{model.__name__}"}
    return {"$defs": definitions, **schema} if definitions else schema


def of_type(annotation: Any, by_alias: bool = True) -> dict[str, Any]:
    """Any type as a JSON Schema."""
    if hasattr(annotation, "__pydantic_fields__"):
        return of_model(annotation, by_alias)
    definitions: dict[str, Any] = {}
    schema = _type(annotation, by_alias, definitions)
    return {"$defs": definitions, **schema} if definitions else schema


def _refers_to(schema: Any, name: str) -> bool:
    if isinstance(schema, dict):
        return schema.get("$ref") == f"#/$defs/{name}" or any(_refers_to(part, name) for part in schema.values())
    return isinstance(schema, list) and any(_refers_to(part, name) for part in schema)


def _model(model: Any, by_alias: bool, definitions: dict[str, Any]) -> dict[str, Any]:
    definitions[model.__name__] = {}
    properties, required = {}, []
    for name, field in model.model_fields.items():
        alias = field.validation_alias if isinstance(field.validation_alias, str) else field.alias
        key = alias if by_alias and alias else name
        properties[key] = _field(key, field, by_alias, definitions)
        if field.is_required():
            required.append(key)
    config = model.model_config
    schema: dict[str, Any] = {}
    description = inspect.cleandoc(model.__doc__) if model.__doc__ and "__doc__" in vars(model) else ""
    if description:
        schema["description"] = description
    schema["properties"] = properties
    if required:
        schema["required"] = required
    if config.get("extra") == "forbid":
        schema["additionalProperties"] = False
    elif config.get("extra") == "allow":
        schema["additionalProperties"] = True
    schema["title"] = config.get("title") or model.__name__
    schema["type"] = "object"
    extra = config.get("json_schema_extra")
    if isinstance(extra, dict):
        schema.update(extra)
    return schema


def _field(name: str, field: FieldInfo, by_alias: bool, definitions: dict[str, Any]) -> dict[str, Any]:
    schema = _type(field.annotation, by_alias, definitions)
    _constrain(schema, field.metadata)
    if "$ref" not in schema and not _is_enum(field.annotation):
        schema["title"] = field.title or name.replace("_", " ").title()
    elif field.title:
        schema["title"] = field.title
    if field.description:
        schema["description"] = field.description
    if field.examples:
        schema["examples"] = field.examples
    if field.deprecated:
        schema["deprecated"] = True
    if field.default is not MISSING:
        schema["default"] = of_value(field.default, Options("json"))
    if isinstance(field.json_schema_extra, dict):
        schema.update(field.json_schema_extra)
    return schema


def _is_enum(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, enum.Enum)


def _constrain(schema: dict[str, Any], notes: Any) -> None:
    for note in notes:
        if isinstance(note, FieldInfo):
            _constrain(schema, note.metadata)
            if note.description:
                schema["description"] = note.description
            continue
        target = next((part for part in schema.get("anyOf", []) if part != {"type": "null"}), schema)
        for name in Constraints.__dataclass_fields__:
            limit = None if isinstance(note, str) else getattr(note, name, None)
            if limit is None:
                continue
            if name in _KEYWORDS:
                target[_KEYWORDS[name]] = getattr(limit, "pattern", limit)
            elif name in ("min_length", "max_length"):
                noun = {"array": "Items", "object": "Properties"}.get(str(target.get("type")), "Length")
                target[f"{name[:3]}{noun}"] = limit


def _type(annotation: Any, by_alias: bool, definitions: dict[str, Any]) -> dict[str, Any]:
    try:
        simple = _SIMPLE.get(annotation)
    except TypeError:
        simple = None
    if simple is not None:
        return dict(simple)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        schema = _type(arguments[0], by_alias, definitions)
        _constrain(schema, arguments[1:])
        return schema
    if origin is Union or type(annotation).__name__ == "UnionType":
        return {"anyOf": [_type(member, by_alias, definitions) for member in arguments]}
    if origin is typing.Literal:
        return _values(list(arguments))
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        items = [_type(member, by_alias, definitions) for member in arguments]
        return {"maxItems": len(items), "minItems": len(items), "prefixItems": items, "type": "array"}
    if isinstance(origin, type) and arguments:
        if issubclass(origin, typing.Mapping):
            return {"additionalProperties": _type(arguments[1], by_alias, definitions), "type": "object"}
        if issubclass(origin, typing.Iterable) and not hasattr(origin, "__pydantic_fields__"):
            schema = {"items": _type(arguments[0], by_alias, definitions), "type": "array"}
            return {**schema, "uniqueItems": True} if issubclass(origin, typing.AbstractSet) else schema
    if isinstance(annotation, type):
        return _class(annotation, by_alias, definitions)
    if hasattr(annotation, "__supertype__"):
        return _type(annotation.__supertype__, by_alias, definitions)
    return {}


def _class(kind: Any, by_alias: bool, definitions: dict[str, Any]) -> dict[str, Any]:
    if hasattr(kind, "__pydantic_fields__"):
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = _model(kind, by_alias, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if issubclass(kind, enum.Enum):
        definitions[kind.__name__] = {**_values([member.value for member in kind]), "title": kind.__name__}
        return {"$ref": f"#/$defs/{kind.__name__}"}
    return {}


def _values(values: list[Any]) -> dict[str, Any]:
    values = [value.value if isinstance(value, enum.Enum) else value for value in values]
    kinds = {_SIMPLE.get(type(value), {}).get("type") for value in values}
    kind = {"type": kinds.pop()} if len(kinds) == 1 else {}
    return {"const": values[0], **kind} if len(values) == 1 else {"enum": values, **kind}
