"""What a model validates with: found when all its types are known, which may be after the class was made."""

from __future__ import annotations

import sys
import typing
from typing import Any

from .aliases import MISSING, AliasChoices, AliasGenerator
from .by_type import annotated, discriminated, validator_of
from .errors import PydanticUserError, guarded
from .fields import FieldInfo
from .functional import Decorated, ValidationInfo, bound, positional_count
from .scalars import State, Validator


class Core:
    """What a model validates with, once all its types are known."""

    def __init__(self, cls: Any) -> None:
        self.config: dict[str, Any] = cls.model_config
        self.fields: dict[str, Validator] = {}
        self.aliases: dict[str, list[Any]] = {}
        decorated: list[Decorated] = list(cls.__pydantic_decorated__.values())
        for name, field in cls.__pydantic_fields__.items():
            self.aliases[name] = _names(name, field, self.config)
            self.fields[name] = self._field(cls, name, field, decorated)
        of_model = [one for one in decorated if one.kind == "model_validator"]
        # The last one that stands in the class is the first that is called, as decorators are.
        self.before = [bound(one.function, cls) for one in reversed(of_model) if one.mode == "before"]
        self.wrap = [bound(one.function, cls) for one in of_model if one.mode == "wrap"]
        self.after = [_of_instance(one.function, cls) for one in of_model if one.mode == "after"]
        self.of_values = [bound(one.function, cls) for one in of_model if one.mode == "values"]

    def _field(self, cls: Any, name: str, field: FieldInfo, decorated: list[Decorated]) -> Validator:
        validator = _type_validator(field, self.config)
        for one in decorated:
            if one.kind == "field_validator" and (name in one.fields or "*" in one.fields):
                validator = _with_decorated(validator, one, cls, name, self.config)
        return validator


def _of_instance(function: Any, cls: Any) -> Any:
    """A function that is given the model. It may be a method of the class all the same."""
    return function.__get__(None, cls) if hasattr(function, "__func__") else function


def _type_validator(field: FieldInfo, config: dict[str, Any]) -> Validator:
    annotation = field.annotation
    if field.discriminator:
        validator = discriminated(_without_notes(annotation), field.discriminator, config)
    else:
        validator = validator_of(annotation, config)
    return annotated(validator, field.metadata, config)


def _without_notes(annotation: Any) -> Any:
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is typing.Annotated else annotation


def _with_decorated(validator: Validator, one: Decorated, cls: Any, name: str, config: Any) -> Validator:
    function = bound(one.function, cls)
    takes_more = positional_count(function) > (2 if one.mode == "wrap" else 1)
    each_item = one.options.get("each_item", False)

    def call(state: State, value: Any, *more: Any) -> Any:
        arguments = [value, *more]
        if takes_more:
            info = ValidationInfo(state.context, config, "json" if state.is_json else "python", state.data, name)
            arguments.append(state.data if one.options.get("is_old") else info)
        if each_item and isinstance(value, list):
            return [guarded(item, function, item, *arguments[1:]) for item in value]
        return guarded(value, function, *arguments)

    if one.mode == "before":
        return lambda value, state: validator(call(state, value), state)
    if one.mode == "plain":
        return lambda value, state: call(state, value)
    if one.mode == "wrap":
        return lambda value, state: call(state, value, lambda inner: validator(inner, state))
    return lambda value, state: call(state, validator(value, state))


def _names(name: str, field: FieldInfo, config: dict[str, Any]) -> list[Any]:
    """The names by which data has a field: texts and paths, the first that is there counts."""
    alias = field.validation_alias
    if alias is None:
        return [name]
    return list(alias.choices) if isinstance(alias, AliasChoices) else [alias]


def complete(cls: Any, is_last_chance: bool = True) -> Core:
    """Finds the types of all fields, and what validates them."""
    core: Core | None = cls.__pydantic_core__
    if core is not None:
        return core
    try:
        _evaluate(cls)
        core = Core(cls)
    except NameError as error:
        if is_last_chance:
            raise PydanticUserError(
                f"`{cls.__name__}` is not fully defined; you should define `{error.name}`, then call "
                f"`{cls.__name__}.model_rebuild()`.",
                code="class-not-fully-defined",
            ) from None
        return typing.cast(Core, None)
    cls.__pydantic_core__ = core
    return core


def _evaluate(cls: Any) -> None:
    """Replaces the names of types by the types."""
    for owner in reversed(cls.__mro__):
        own = owner.__dict__.get("__pydantic_own_fields__")
        if not own:
            continue
        names = {**vars(typing), **vars(sys.modules[owner.__module__]), **owner.__pydantic_namespace__}
        names[owner.__name__] = owner
        for name, field in own.items():
            field.annotation = _evaluated(field.annotation, names)
            _take_notes(field, name, cls.model_config)
            if cls.__pydantic_fields__.get(name) is not field and owner is cls:
                cls.__pydantic_fields__[name] = field


def _evaluated(annotation: Any, names: dict[str, Any]) -> Any:
    if annotation is None:
        return type(None)
    if not isinstance(annotation, (str, typing.ForwardRef)) and not _has_names(annotation):
        return annotation
    holder = type("Holder", (), {"__annotations__": {"it": annotation}})
    return typing.get_type_hints(holder, names, names, include_extras=True)["it"]


def _has_names(annotation: Any) -> bool:
    return any(
        isinstance(part, (str, typing.ForwardRef)) or _has_names(part)
        for part in typing.get_args(annotation)
        if typing.get_origin(annotation) is not typing.Literal
        and not (typing.get_origin(annotation) is typing.Annotated and isinstance(part, str))
    )


def _take_notes(field: FieldInfo, name: str, config: dict[str, Any]) -> None:
    """Takes into a field what notes on its type and the configuration say of it."""
    if typing.get_origin(field.annotation) is typing.Annotated:
        for note in typing.get_args(field.annotation)[1:]:
            if isinstance(note, FieldInfo):
                for attribute in FieldInfo.__dataclass_fields__:
                    given, own = getattr(note, attribute), getattr(field, attribute)
                    default = FieldInfo.__dataclass_fields__[attribute].default
                    is_own_default = own is MISSING if attribute == "default" else own == default
                    if attribute not in ("annotation", "metadata") and is_own_default:
                        setattr(field, attribute, given)
    generator = config.get("alias_generator")
    if generator is None or field.alias is not None:
        return
    if isinstance(generator, AliasGenerator):
        alias = generator.alias(name) if generator.alias else None
        validation = generator.validation_alias(name) if generator.validation_alias else alias
        serialization = generator.serialization_alias(name) if generator.serialization_alias else alias
    else:
        alias = validation = serialization = generator(name)
    field.alias = alias
    field.validation_alias = validation if field.validation_alias is None else field.validation_alias
    field.serialization_alias = serialization if field.serialization_alias is None else field.serialization_alias
