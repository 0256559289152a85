"""Validation by type: finds, for each type, a function that validates values of it."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import enum
import re
import types
import typing
from typing import Any, Union

from .containers import (
    list_of,
    mapping_of,
    object_of,
    sequence_of,
    set_of,
    tuple_of,
    tuple_of_any_length,
    unless_made,
)
from .errors import Invalid, Line, PydanticSchemaGenerationError, guarded
from .fields import Constraints, FieldInfo
from .functional import (
    AfterValidator,
    BeforeValidator,
    PlainValidator,
    ValidationInfo,
    WrapValidator,
    positional_count,
)
from .scalars import SCALARS, State, Validator, any_value, check_length

_LISTS = (list, collections.abc.Iterable, collections.abc.Collection)
_SEQUENCES = (collections.abc.Sequence, collections.abc.MutableSequence)
_SETS = {set: set, frozenset: frozenset, collections.abc.Set: set, collections.abc.MutableSet: set}
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


def validator_of(annotation: Any, config: Any) -> Validator:
    """The function that validates values of a type. Raises an error of the model's author's for an unknown one."""
    try:
        simple = SCALARS.get(annotation)
    except TypeError:
        simple = None
    if simple is not None:
        return simple
    origin = typing.get_origin(annotation)
    if origin is not None:
        return _generic(annotation, origin, config)
    if hasattr(annotation, "__supertype__"):
        return validator_of(annotation.__supertype__, config)
    if isinstance(annotation, typing.TypeVar):
        if annotation.__constraints__:
            return _union(annotation.__constraints__, config)
        return validator_of(annotation.__bound__ or Any, config)
    if annotation is collections.abc.Callable or annotation is typing.Callable:
        return _callable
    if isinstance(annotation, type):
        return _class(annotation, config)
    if hasattr(annotation, "__value__"):
        return validator_of(annotation.__value__, config)
    raise PydanticSchemaGenerationError(
        f"Unable to generate a schema for {annotation!r}", code="schema-for-unknown-type"
    )


def annotated(validator: Validator, notes: typing.Iterable[Any], config: Any) -> Validator:
    """A validator with what notes on the type add, the first note innermost."""
    for note in notes:
        validator = _noted(validator, note, config)
    return validator


def _noted(validator: Validator, note: Any, config: Any) -> Validator:
    if isinstance(note, FieldInfo):
        return annotated(validator, note.metadata, config)
    if isinstance(note, Constraints):
        return _constrained(validator, note)
    if isinstance(note, (AfterValidator, BeforeValidator, PlainValidator, WrapValidator)):
        return _with_function(validator, note, config)
    # The small package `annotated_types` writes constraints as objects with one attribute of that name.
    named = {
        name: getattr(note, name) for name in Constraints.__dataclass_fields__ if getattr(note, name, None) is not None
    }
    return _constrained(validator, Constraints(**named)) if named and not isinstance(note, str) else validator


def _with_function(validator: Validator, note: Any, config: Any) -> Validator:
    function = note.func
    takes_info = positional_count(function) > (2 if isinstance(note, WrapValidator) else 1)

    def call(state: State, *arguments: Any) -> Any:
        info = (ValidationInfo(context=state.context, config=config),) if takes_info else ()
        return guarded(arguments[0], function, *arguments, *info)

    if isinstance(note, AfterValidator):
        return lambda value, state: call(state, validator(value, state))
    if isinstance(note, BeforeValidator):
        return lambda value, state: validator(call(state, value), state)
    if isinstance(note, PlainValidator):
        return lambda value, state: call(state, value)
    return lambda value, state: call(state, value, lambda inner: validator(inner, state))


def _constrained(validator: Validator, constraints: Constraints) -> Validator:
    pattern = constraints.pattern if constraints.pattern is None else re.compile(constraints.pattern)
    checks = {
        name: getattr(constraints, name) for name in ("gt", "ge", "lt", "le") if getattr(constraints, name) is not None
    }

    def validate(value: Any, state: State) -> Any:
        if constraints.strict is not None:
            state = state.but(strict=constraints.strict)
        found = validator(value, state)
        if found is None:
            return None
        if isinstance(found, str):
            found = _text(found, value, constraints, pattern)
        for name, limit in checks.items():
            kind, words, holds = _COMPARISONS[name]
            if not holds(found, limit):
                raise Invalid.of(kind, f"Input should be {words} {limit}", value, **{name: limit})
        multiple = constraints.multiple_of
        if multiple is not None and found % multiple:
            raise Invalid.of("multiple_of", f"Input should be a multiple of {multiple}", value, multiple_of=multiple)
        if constraints.min_length is not None or constraints.max_length is not None:
            noun = "string" if isinstance(found, str) else _NOUNS.get(type(found), "List")
            check_length(noun, len(found), constraints.min_length, constraints.max_length, value)
        return found

    return validate


def _text(found: str, value: Any, constraints: Constraints, pattern: Any) -> str:
    if constraints.strip_whitespace:
        found = found.strip()
    if constraints.to_lower:
        found = found.lower()
    if constraints.to_upper:
        found = found.upper()
    if pattern is not None and not pattern.search(found):
        shown = pattern.pattern
        raise Invalid.of("string_pattern_mismatch", f"String should match pattern '{shown}'", value, pattern=shown)
    return found


_COMPARISONS: dict[str, tuple[str, str, Any]] = {
    "gt": ("greater_than", "greater than", lambda value, limit: value > limit),
    "ge": ("greater_than_equal", "greater than or equal to", lambda value, limit: value >= limit),
    "lt": ("less_than", "less than", lambda value, limit: value < limit),
    "le": ("less_than_equal", "less than or equal to", lambda value, limit: value <= limit),
}

_NOUNS: dict[type, str] = {
    list: "List",
    tuple: "Tuple",
    set: "Set",
    frozenset: "Frozenset",
    dict: "Dictionary",
    bytes: "Data",
}


def _generic(annotation: Any, origin: Any, config: Any) -> Validator:
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated:
        discriminator = next(
            (note.discriminator for note in arguments[1:] if isinstance(note, FieldInfo) and note.discriminator), None
        )
        validator = (
            discriminated(arguments[0], discriminator, config) if discriminator else validator_of(arguments[0], config)
        )
        return annotated(validator, arguments[1:], config)
    if origin in (Union, getattr(types, "UnionType", Union)):
        return _union(arguments, config)
    if origin is typing.Literal:
        return _literal(arguments, config)
    if origin is tuple:
        return _tuple(arguments, config)
    if origin in _LISTS:
        return list_of(validator_of(arguments[0], config))
    if origin in _SEQUENCES:
        return sequence_of(validator_of(arguments[0], config))
    if origin in _SETS:
        return set_of(_SETS[origin], validator_of(arguments[0], config))
    if origin is collections.deque:
        items = list_of(validator_of(arguments[0], config))
        return lambda value, state: collections.deque(items(value, state))
    if origin is collections.defaultdict:
        mapping = mapping_of(validator_of(arguments[0], config), validator_of(arguments[1], config))
        return lambda value, state: collections.defaultdict(arguments[1], mapping(value, state))
    if origin in _MAPPINGS or origin is collections.OrderedDict:
        return mapping_of(validator_of(arguments[0], config), validator_of(arguments[1], config))
    if origin is type:
        return _subclass_of(arguments[0])
    if origin is collections.abc.Callable:
        return _callable
    if origin in (typing.ClassVar, getattr(typing, "Final", None)):
        return validator_of(arguments[0], config)
    return validator_of(origin, config)


def _class(kind: type, config: Any) -> Validator:
    if hasattr(kind, "__pydantic_validate__"):
        return lambda value, state: kind.__pydantic_validate__(value, state)
    if issubclass(kind, enum.Enum):
        return _enum(kind, config)
    containers: dict[type, Any] = {
        list: lambda: list_of(any_value),
        tuple: lambda: _tuple((Any, ...), config),
        set: lambda: set_of(set, any_value),
        frozenset: lambda: set_of(frozenset, any_value),
        dict: lambda: mapping_of(any_value, any_value),
        collections.deque: lambda: lambda value, state: collections.deque(list_of(any_value)(value, state)),
        re.Pattern: lambda: _pattern,
    }
    if kind in containers:
        found: Validator = containers[kind]()
        return found
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, config)
    if issubclass(kind, dict) and hasattr(kind, "__total__"):
        return _typed_dict(kind, config)
    if not config.get("arbitrary_types_allowed"):
        raise PydanticSchemaGenerationError(
            f"Unable to generate a schema for {kind!r}. Set `arbitrary_types_allowed=True` in the model_config to "
            "ignore this error.",
            code="schema-for-unknown-type",
        )
    return _instance_of(kind)


def _instance_of(kind: type) -> Validator:
    def validate(value: Any, state: State) -> Any:
        if not isinstance(value, kind):
            name = kind.__qualname__
            raise Invalid.of("is_instance_of", f"Input should be an instance of {name}", value, **{"class": name})
        return value

    return validate


def _subclass_of(kind: Any) -> Validator:
    def validate(value: Any, state: State) -> Any:
        if not isinstance(value, type) and not isinstance(kind, type):
            raise Invalid.of("is_type", "Input should be a type", value)
        if isinstance(kind, type) and not (isinstance(value, type) and issubclass(value, kind)):
            name = kind.__qualname__
            raise Invalid.of("is_subclass_of", f"Input should be a subclass of {name}", value, **{"class": name})
        return value

    return validate


def _callable(value: Any, state: State) -> Any:
    if not callable(value):
        raise Invalid.of("callable_type", "Input should be callable", value)
    return value


def _pattern(value: Any, state: State) -> Any:
    if isinstance(value, re.Pattern):
        return value
    try:
        return re.compile(value)
    except (re.error, TypeError):
        raise Invalid.of("pattern_regex", "Input should be a valid regular expression", value) from None


def _enum(kind: Any, config: Any) -> Validator:
    values = [member.value for member in kind]
    expected = _one_of([repr(value) for value in values])

    def validate(value: Any, state: State) -> Any:
        if isinstance(value, kind):
            return value.value if config.get("use_enum_values") else value
        if state.strict and not state.is_json:
            name = kind.__qualname__
            raise Invalid.of("is_instance_of", f"Input should be an instance of {name}", value, **{"class": name})
        try:
            member = kind(value)
        except (ValueError, KeyError):
            member = _lax_member(kind, value)
        if member is None:
            raise Invalid.of("enum", f"Input should be {expected}", value, expected=expected)
        return member.value if config.get("use_enum_values") else member

    return validate


def _lax_member(kind: Any, value: Any) -> Any:
    """A member whose value is written in another type, as ``"1"`` for 1."""
    for base, validator in ((int, SCALARS[int]), (float, SCALARS[float])):
        if issubclass(kind, base) and isinstance(value, str):
            try:
                return kind(validator(value, State()))
            except (Invalid, ValueError):
                return None
    return None


def _literal(choices: tuple[Any, ...], config: Any) -> Validator:
    expected = _one_of([repr(choice.value if isinstance(choice, enum.Enum) else choice) for choice in choices])

    def validate(value: Any, state: State) -> Any:
        for choice in choices:
            if isinstance(value, type(choice)) and choice == value:
                return choice
            if isinstance(choice, enum.Enum) and choice.value == value:
                return choice.value if config.get("use_enum_values") else choice
        raise Invalid.of("literal_error", f"Input should be {expected}", value, expected=expected)

    return validate


def _one_of(shown: list[str]) -> str:
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _union(arguments: tuple[Any, ...], config: Any) -> Validator:
    members = [(validator_of(member, config), _label(member)) for member in arguments]
    if len(members) == 2 and type(None) in arguments:
        only = next(
            validator for member, (validator, _) in zip(arguments, members, strict=True) if member is not type(None)
        )
        return lambda value, state: None if value is None else only(value, state)

    def validate(value: Any, state: State) -> Any:
        # What is of one of the types already stays what it is. Of models the one counts that takes most of the data.
        found, _ = _best(value, state.but(strict=True), members)
        if found:
            return found[0]
        found, lines = _best(value, state, members)
        if not found:
            raise Invalid(*lines)
        return found[0]

    return validate


def _best(value: Any, state: State, members: list[tuple[Validator, str]]) -> tuple[list[Any], list[Line]]:
    """What the best of several types makes of a value, and else what all of them have against it."""
    found: list[Any] = []
    lines: list[Line] = []
    for validator, label in members:
        try:
            one = validator(value, state)
        except Invalid as invalid:
            lines.extend(invalid.within(label).lines)
            continue
        is_exact = type(one) is type(value) and not hasattr(one, "__pydantic_fields_set__")
        if is_exact and state.strict:
            return [one], []
        found.append(one)
    # Sorting leaves equals in their order.
    found.sort(key=lambda one: -len(getattr(one, "__pydantic_fields_set__", ())))
    return found, lines


def _label(annotation: Any) -> str:
    if annotation is type(None):
        return "none"
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation.__name__
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _label(typing.get_args(annotation)[0])
    if origin is typing.Literal:
        return f"literal[{','.join(repr(choice) for choice in typing.get_args(annotation))}]"
    inner = ",".join(_label(member) if member is not Ellipsis else "..." for member in typing.get_args(annotation))
    return f"{getattr(origin, '__name__', origin)}[{inner}]"


def discriminated(annotation: Any, discriminator: str, config: Any) -> Validator:
    """A union of models, of which a field tells which one it is."""
    by_tag: dict[Any, Validator] = {}
    for member in typing.get_args(annotation):
        model = typing.get_args(member)[0] if typing.get_origin(member) is typing.Annotated else member
        for tag in typing.get_args(model.model_fields[discriminator].annotation):
            by_tag[tag.value if isinstance(tag, enum.Enum) else tag] = validator_of(member, config)
    expected = ", ".join(repr(tag) for tag in by_tag)

    def validate(value: Any, state: State) -> Any:
        tag = value.get(discriminator) if isinstance(value, dict) else getattr(value, discriminator, None)
        tag = tag.value if isinstance(tag, enum.Enum) else tag
        if tag is None:
            message = f"Unable to extract tag using discriminator '{discriminator}'"
            raise Invalid.of("union_tag_not_found", message, value, discriminator=f"'{discriminator}'")
        if tag not in by_tag:
            raise Invalid.of(
                "union_tag_invalid",
                f"Input tag '{tag}' found using '{discriminator}' does not match any of the expected tags: {expected}",
                value,
                discriminator=f"'{discriminator}'",
                tag=str(tag),
                expected_tags=expected,
            )
        try:
            return by_tag[tag](value, state)
        except Invalid as invalid:
            raise invalid.within(str(tag)) from None

    return validate


def _tuple(arguments: tuple[Any, ...], config: Any) -> Validator:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple_of_any_length(validator_of(arguments[0], config))
    return tuple_of([validator_of(member, config) for member in arguments if member != ()])


def _dataclass(kind: Any, config: Any) -> Validator:
    annotations = typing.get_type_hints(kind, include_extras=True)
    fields = [member for member in dataclasses.fields(kind) if member.init]
    members = {member.name: validator_of(annotations[member.name], config) for member in fields}
    missing = dataclasses.MISSING
    required = {member.name for member in fields if member.default is missing and member.default_factory is missing}
    message = f"Input should be a dictionary or an instance of {kind.__name__}"
    return unless_made(kind, object_of("dataclass_type", message, kind, members, required), "dataclass_exact_type")


def _typed_dict(kind: Any, config: Any) -> Validator:
    hints = typing.get_type_hints(kind, include_extras=True)
    required = set(kind.__required_keys__)
    members = {}
    for name, hint in hints.items():
        mark = getattr(typing.get_origin(hint), "_name", None)
        if mark in ("Required", "NotRequired"):
            hint = typing.get_args(hint)[0]
            (required.add if mark == "Required" else required.discard)(name)
        members[name] = validator_of(hint, config)
    return object_of("dict_type", "Input should be a valid dictionary", dict, members, required)
