"""Validation of values with members."""

from __future__ import annotations

import collections
import collections.abc
from collections.abc import Callable
from typing import Any

from .errors import Invalid, guarded
from .scalars import State, Validator, check_length


def items(value: Any, state: State, noun: str, kind: str, own: tuple[type, ...]) -> list[Any]:
    """The members of a value that may be taken for a list."""
    others = (list, tuple, set, frozenset, collections.deque, collections.abc.KeysView, collections.abc.ValuesView)
    is_own = isinstance(value, own) or (state.is_json and isinstance(value, list))
    if is_own or (not state.strict and isinstance(value, (*others, collections.abc.Generator))):
        members: list[Any] = list(value)
        return members
    raise Invalid.of(f"{kind}_type", f"Input should be a valid {noun}", value)


def each_of(values: list[Any], validator: Validator, state: State) -> list[Any]:
    """All members of a list."""
    found, lines = [], []
    for index, member in enumerate(values):
        try:
            found.append(validator(member, state))
        except Invalid as invalid:
            lines.extend(invalid.within(index).lines)
    if lines:
        raise Invalid(*lines)
    return found


def list_of(validator: Validator) -> Validator:
    """A list."""
    return lambda value, state: each_of(items(value, state, "list", "list", (list,)), validator, state)


def sequence_of(validator: Validator) -> Validator:
    """A list, a tuple or another sequence, which stays what it is."""

    def validate(value: Any, state: State) -> Any:
        if isinstance(value, (str, bytes)):
            message = f"'{type(value).__name__}' instances are not allowed as a Sequence value"
            raise Invalid.of("sequence_str", message, value, type_name=type(value).__name__)
        if not isinstance(value, collections.abc.Sequence):
            message = "Input should be an instance of Sequence"
            raise Invalid.of("is_instance_of", message, value, **{"class": "Sequence"})
        found = each_of(list(value), validator, state)
        return tuple(found) if isinstance(value, tuple) else found

    return validate


def set_of(kind: Any, validator: Validator) -> Validator:
    """A set, or a frozen one."""
    noun = kind.__name__

    def validate(value: Any, state: State) -> Any:
        kinds = f"{'frozen_' if kind is frozenset else ''}set"
        return kind(each_of(items(value, state, noun, kinds, (kind,)), validator, state))

    return validate


def tuple_of(members: list[Validator]) -> Validator:
    """A tuple with these members."""

    def validate(value: Any, state: State) -> Any:
        values = items(value, state, "tuple", "tuple", (tuple,))
        found, lines = [], []
        for index, member in enumerate(members):
            if index >= len(values):
                lines.extend(Invalid.of("missing", "Field required", value).within(index).lines)
                continue
            try:
                found.append(member(values[index], state))
            except Invalid as invalid:
                lines.extend(invalid.within(index).lines)
        if len(values) > len(members):
            check_length("Tuple", len(values), None, len(members), value)
        if lines:
            raise Invalid(*lines)
        return tuple(found)

    return validate


def mapping_of(keys: Validator, values: Validator) -> Validator:
    """A dict."""

    def validate(value: Any, state: State) -> Any:
        is_mapping = isinstance(value, dict) or (not state.strict and isinstance(value, collections.abc.Mapping))
        if not is_mapping:
            raise Invalid.of("dict_type", "Input should be a valid dictionary", value)
        found, lines = {}, []
        for key, member in value.items():
            try:
                new_key = keys(key, state)
            except Invalid as invalid:
                new_key = None
                lines.extend(invalid.within(key, "[key]").lines)
            try:
                found[new_key] = values(member, state)
            except Invalid as invalid:
                lines.extend(invalid.within(key).lines)
        if lines:
            raise Invalid(*lines)
        return found

    return validate


def tuple_of_any_length(validator: Validator) -> Validator:
    """A tuple whose members are all of one type."""
    return lambda value, state: tuple(each_of(items(value, state, "tuple", "tuple", (tuple,)), validator, state))


def object_of(
    kind: str, message: str, make: Callable[..., Any], members: dict[str, Validator], required: set[str]
) -> Validator:
    """An object that has its members by name, such as a ``TypedDict``. ``make`` is given them."""

    def validate(value: Any, state: State) -> Any:
        if not isinstance(value, collections.abc.Mapping):
            raise Invalid.of(kind, message, value)
        found, lines = {}, []
        for name, member in members.items():
            if name not in value:
                if name in required:
                    lines.extend(Invalid.of("missing", "Field required", value).within(name).lines)
                continue
            try:
                found[name] = member(value[name], state)
            except Invalid as invalid:
                lines.extend(invalid.within(name).lines)
        if lines:
            raise Invalid(*lines)
        return guarded(value, make, **found)

    return validate


def unless_made(kind: type, validator: Validator, strict_error: str | None = None) -> Validator:
    """A validator that leaves alone what is of the type already, and wants nothing else when it is strict."""

    def validate(value: Any, state: State) -> Any:
        if isinstance(value, kind):
            return value
        if strict_error and state.strict and not state.is_json:
            raise Invalid.of(strict_error, f"Input should be an instance of {kind.__name__}", value)
        return validator(value, state)

    return validate
