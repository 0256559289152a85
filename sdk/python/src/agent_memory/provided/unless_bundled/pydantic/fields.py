"""What a model says of a field beside its type."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .aliases import MISSING, AliasChoices, AliasPath

#: The constraints that a field may have, by name.
CONSTRAINTS = (
    "gt",
    "ge",
    "lt",
    "le",
    "multiple_of",
    "min_length",
    "max_length",
    "pattern",
    "strict",
    "allow_inf_nan",
    "max_digits",
    "decimal_places",
)


@dataclass
class FieldInfo:
    """A field of a model."""

    annotation: Any = None
    default: Any = MISSING
    default_factory: Callable[..., Any] | None = None
    alias: str | None = None
    validation_alias: str | AliasPath | AliasChoices | None = None
    serialization_alias: str | None = None
    title: str | None = None
    description: str | None = None
    examples: list[Any] | None = None
    exclude: bool | None = None
    discriminator: str | None = None
    deprecated: Any = None
    json_schema_extra: Any = None
    frozen: bool | None = None
    validate_default: bool | None = None
    repr: bool = True
    init: bool | None = None
    kw_only: bool | None = None
    #: Constraints, and what else notes on the type say.
    metadata: list[Any] = field(default_factory=list)

    def is_required(self) -> bool:
        """Whether data without it is wrong."""
        return self.default is MISSING and self.default_factory is None

    def get_default(self, *, call_default_factory: bool = False, validated_data: dict[str, Any] | None = None) -> Any:
        """Its value where data has none."""
        if self.default_factory is None:
            return copy.deepcopy(self.default)
        if not call_default_factory:
            return None
        if _takes_data(self.default_factory):
            return self.default_factory(validated_data or {})
        return self.default_factory()


@dataclass
class Constraints:
    """What a value has to be beside its type."""

    gt: Any = None
    ge: Any = None
    lt: Any = None
    le: Any = None
    multiple_of: Any = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: Any = None
    strict: bool | None = None
    allow_inf_nan: bool | None = None
    max_digits: int | None = None
    decimal_places: int | None = None
    strip_whitespace: bool | None = None
    to_upper: bool | None = None
    to_lower: bool | None = None


def Field(
    default: Any = MISSING,
    *,
    default_factory: Callable[..., Any] | None = None,
    alias: str | None = None,
    validation_alias: str | AliasPath | AliasChoices | None = None,
    serialization_alias: str | None = None,
    **more: Any,
) -> Any:
    """Says of a field what its type does not. ``...`` as its default means that it has none."""
    if default is ...:
        default = MISSING
    if default is not MISSING and default_factory is not None:
        raise TypeError("cannot specify both default and default_factory")
    # The older name of a pattern, and older names of lengths, are still in use.
    if "regex" in more:
        more["pattern"] = more.pop("regex")
    for old, new in (("min_items", "min_length"), ("max_items", "max_length")):
        if old in more:
            more[new] = more.pop(old)
    constraints = {name: more.pop(name) for name in CONSTRAINTS if more.get(name) is not None}
    known = {name: value for name, value in more.items() if name in FieldInfo.__dataclass_fields__}
    if known.get("json_schema_extra") is None:
        unknown = {name: value for name, value in more.items() if name not in known and name not in CONSTRAINTS}
        known["json_schema_extra"] = {k: v for k, v in unknown.items() if k not in _NO_EFFECT} or None
    return FieldInfo(
        default=default,
        default_factory=default_factory,
        alias=alias,
        validation_alias=alias if validation_alias is None else validation_alias,
        serialization_alias=alias if serialization_alias is None else serialization_alias,
        metadata=[Constraints(**constraints)] if constraints else [],
        **known,
    )


@dataclass
class ModelPrivateAttr:
    """An attribute that is no field."""

    default: Any = MISSING
    default_factory: Callable[[], Any] | None = None

    def get_default(self) -> Any:
        """Its value at first."""
        return self.default_factory() if self.default_factory else copy.deepcopy(self.default)


def PrivateAttr(default: Any = MISSING, *, default_factory: Callable[[], Any] | None = None, init: bool = False) -> Any:
    """An attribute that is no field. Its name begins with ``_``."""
    return ModelPrivateAttr(default, default_factory)


#: What is read and has no effect here.
_NO_EFFECT = ("union_mode", "coerce_numbers_to_str", "fail_fast", "alias_priority", "init_var", "field_title_generator")


def _takes_data(factory: Callable[..., Any]) -> bool:
    if isinstance(factory, type):
        return False
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return False
    required = [parameter for parameter in parameters if parameter.default is inspect.Parameter.empty]
    return len(required) == 1 and required[0].kind in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    )
