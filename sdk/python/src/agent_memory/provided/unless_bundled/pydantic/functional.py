"""Validators and serializers of a model's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Mode = Literal["before", "after", "wrap", "plain"]


@dataclass
class ValidationInfo:
    """What a validator may know beside the value."""

    context: Any = None
    config: Any = None
    mode: str = "python"
    data: dict[str, Any] = field(default_factory=dict)
    field_name: str | None = None


@dataclass
class SerializationInfo:
    """What a serializer may know beside the value."""

    mode: str = "python"
    context: Any = None
    by_alias: bool = False
    exclude_unset: bool = False
    exclude_defaults: bool = False
    exclude_none: bool = False
    field_name: str | None = None

    def mode_is_json(self) -> bool:
        """Whether JSON is wanted."""
        return self.mode == "json"


FieldSerializationInfo = SerializationInfo
ValidatorFunctionWrapHandler = Callable[[Any], Any]


@dataclass
class Decorated:
    """A function of a model that a decorator has marked."""

    kind: str
    function: Any
    fields: tuple[str, ...] = ()
    mode: str = "after"
    options: dict[str, Any] = field(default_factory=dict)


def field_validator(*fields: str, mode: Mode = "after", check_fields: bool | None = None, **_: Any) -> Any:
    """A validator of fields: ``(cls, value)`` or ``(cls, value, info)``."""

    def decorate(function: Any) -> Decorated:
        return Decorated("field_validator", function, fields, mode)

    return decorate


def model_validator(*, mode: Literal["before", "after", "wrap"]) -> Any:
    """A validator of the whole: of the data before, of the model after, or around both."""

    def decorate(function: Any) -> Decorated:
        return Decorated("model_validator", function, (), mode)

    return decorate


def validator(*fields: str, pre: bool = False, always: bool = False, each_item: bool = False, **_: Any) -> Any:
    """The older form of :func:`field_validator`: ``(cls, value)`` or ``(cls, value, values)``."""

    def decorate(function: Any) -> Decorated:
        options = {"always": always, "each_item": each_item, "is_old": True}
        return Decorated("field_validator", function, fields, "before" if pre else "after", options)

    return decorate


def root_validator(function: Any = None, *, pre: bool = False, skip_on_failure: bool = False, **_: Any) -> Any:
    """The older form of :func:`model_validator`: ``(cls, values)``."""

    def decorate(function: Any) -> Decorated:
        return Decorated("model_validator", function, (), "before" if pre else "values")

    return decorate if function is None else decorate(function)


def field_serializer(
    *fields: str, mode: Literal["plain", "wrap"] = "plain", when_used: str = "always", **_: Any
) -> Any:
    """Gives the form of fields in what a model is dumped as: ``(self, value)`` or ``(self, value, info)``."""

    def decorate(function: Any) -> Decorated:
        return Decorated("field_serializer", function, fields, mode, {"when_used": when_used})

    return decorate


def model_serializer(function: Any = None, *, mode: Literal["plain", "wrap"] = "plain", **_: Any) -> Any:
    """Gives the form of a model in what it is dumped as: ``(self)``, or ``(self, handler)`` with ``wrap``."""

    def decorate(function: Any) -> Decorated:
        return Decorated("model_serializer", function, (), mode)

    return decorate if function is None else decorate(function)


def computed_field(function: Any = None, **options: Any) -> Any:
    """A property that is dumped with the fields."""

    def decorate(function: Any) -> Decorated:
        is_property = isinstance(function, property) or hasattr(function, "attrname")
        return Decorated("computed_field", function if is_property else property(function), options=options)

    return decorate if function is None else decorate(function)


@dataclass(frozen=True)
class AfterValidator:
    """A note on a type: a function that is given the valid value."""

    func: Callable[..., Any]


@dataclass(frozen=True)
class BeforeValidator:
    """A note on a type: a function that is given the value as it comes."""

    func: Callable[..., Any]


@dataclass(frozen=True)
class PlainValidator:
    """A note on a type: a function that validates in its place."""

    func: Callable[..., Any]


@dataclass(frozen=True)
class WrapValidator:
    """A note on a type: a function that is given the value and what validates it."""

    func: Callable[..., Any]


@dataclass(frozen=True)
class PlainSerializer:
    """A note on a type: a function that gives the form in which it is dumped."""

    func: Callable[..., Any]
    return_type: Any = None
    when_used: str = "always"


def positional_count(function: Callable[..., Any]) -> int:
    """How many arguments a function may be given by position."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return 9
    return sum(
        parameter.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        for parameter in parameters
        if parameter.default is inspect.Parameter.empty or parameter.name in ("info", "values")
    )


def bound(function: Any, cls: type) -> Callable[..., Any]:
    """A validator as it is called: its class is given already. A plain function is one of the class too."""
    method = function if hasattr(function, "__func__") else classmethod(function)
    called: Callable[..., Any] = method.__get__(None, cls)
    return called
