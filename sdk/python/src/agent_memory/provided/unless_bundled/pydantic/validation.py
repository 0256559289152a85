"""Makes models of data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .aliases import MISSING, AliasPath
from .core import Core, complete
from .errors import Invalid, ValidationError, guarded
from .functional import ValidationInfo, positional_count
from .scalars import State


def validated(cls: Any, data: Any, state: State, into: Any = None) -> Any:
    """A model of data. Raises :class:`ValidationError`."""
    try:
        return of_data(cls, data, state, into)
    except Invalid as invalid:
        raise ValidationError(cls.model_config.get("title") or cls.__name__, invalid.lines) from None


def of_data(cls: Any, data: Any, state: State, into: Any = None) -> Any:
    core = complete(cls)
    if core.config.get("strict") and not state.strict:
        state = state.but(strict=True)
    state = state.but(config=core.config)
    if not core.wrap:
        return _unwrapped(cls, core, data, state, into)

    def call(index: int, value: Any) -> Any:
        if index == len(core.wrap):
            return _unwrapped(cls, core, value, state, into)
        function = core.wrap[index]
        handler: Callable[[Any], Any] = lambda inner: call(index + 1, inner)  # noqa: E731
        arguments = [value, handler, *([_info(core, state)] if positional_count(function) > 2 else [])]
        return guarded(value, function, *arguments)

    return call(0, data)


def _unwrapped(cls: Any, core: Core, data: Any, state: State, into: Any) -> Any:
    for function in core.before:
        arguments = [data, *([_info(core, state)] if positional_count(function) > 1 else [])]
        data = guarded(data, function, *arguments)
    if isinstance(data, cls) and into is None:
        return data
    values = _mapping(cls, core, data, state)
    found, fields_set, extra = _fields(cls, core, values, state)
    for function in core.of_values:
        found = guarded(data, function, found)
    model = cls.__new__(cls) if into is None else into
    set_values(model, found, fields_set, extra)
    if cls.__pydantic_has_post_init__:
        guarded(data, model.model_post_init, state.context)
    for function in core.after:
        arguments = [_info(core, state)] if positional_count(function) > 1 else []
        result = guarded(data, function, model, *arguments)
        if into is None and result is not None:
            model = result
    return model


def _info(core: Core, state: State) -> ValidationInfo:
    return ValidationInfo(state.context, core.config, "json" if state.is_json else "python")


def _mapping(cls: Any, core: Core, data: Any, state: State) -> Any:
    if isinstance(data, dict):
        return data
    from_attributes = state.from_attributes if state.from_attributes is not None else core.config.get("from_attributes")
    if from_attributes and not isinstance(data, (str, bytes, int, float, list, tuple, set, type(None))):
        return _Attributes(data)
    name = cls.__name__
    if from_attributes:
        message = "Input should be a valid dictionary or object to extract fields from"
        raise Invalid.of("model_attributes_type", message, data)
    message = f"Input should be a valid dictionary or instance of {name}"
    raise Invalid.of("model_type", message, data, class_name=name)


class _Attributes:
    """An object's attributes, as if it was a dict."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    def __contains__(self, name: str) -> bool:
        return hasattr(self.owner, name)

    def __getitem__(self, name: str) -> Any:
        try:
            return getattr(self.owner, name)
        except AttributeError:
            raise KeyError(name) from None


def _fields(cls: Any, core: Core, values: Any, state: State) -> tuple[dict[str, Any], set[str], dict[str, Any] | None]:
    found: dict[str, Any] = {}
    lines = []
    fields_set: set[str] = set()
    used: set[str] = set()
    inner = state.but(data=found)
    for name, field in cls.__pydantic_fields__.items():
        names = _wanted(core, name, state)
        value, key, place = _looked_up(names, values)
        if key is not None:
            used.add(key)
        if value is MISSING:
            if field.is_required():
                lines.extend(Invalid.of("missing", "Field required", _shown(values)).within(*place).lines)
                continue
            found[name] = field.get_default(call_default_factory=True, validated_data=found)
            validates = (
                field.validate_default if field.validate_default is not None else core.config.get("validate_default")
            )
            if not validates and not _always(cls, name):
                continue
            value = found[name]
        else:
            fields_set.add(name)
        try:
            found[name] = core.fields[name](value, inner)
        except Invalid as invalid:
            found.pop(name, None)
            lines.extend(invalid.within(*place).lines)
    extra = _extra(core, values, used, lines)
    if lines:
        raise Invalid(*lines)
    return found, fields_set | set(extra or ()), extra


def _always(cls: Any, name: str) -> bool:
    """Whether a validator of the older form wants to see defaults too."""
    return any(
        one.options.get("always") and (name in one.fields or "*" in one.fields)
        for one in cls.__pydantic_decorated__.values()
        if one.kind == "field_validator"
    )


def _wanted(core: Core, name: str, state: State) -> list[Any]:
    names = core.aliases[name]
    config = core.config
    by_alias = state.by_alias if state.by_alias is not None else config.get("validate_by_alias", True)
    by_name = state.by_name if state.by_name is not None else config.get("validate_by_name", False)
    by_name = by_name or config.get("populate_by_name", False)
    if not by_alias:
        return [name]
    return [*names, name] if by_name and name not in names else names


def _looked_up(names: list[Any], values: Any) -> tuple[Any, str | None, tuple[str | int, ...]]:
    """The value under the first of the names that is there, the key that it is under, and what errors call it."""
    first = names[0]
    place = tuple(first.path) if isinstance(first, AliasPath) else (first,)
    for name in names:
        if isinstance(name, AliasPath):
            value = name.search_dict_for_path(values)
            if value is not MISSING:
                return value, str(name.path[0]), tuple(name.path)
        elif name in values:
            return values[name], name, (name,)
    return MISSING, None, place


def _extra(core: Core, values: Any, used: set[str], lines: list[Any]) -> dict[str, Any] | None:
    wanted = core.config.get("extra") or "ignore"
    if wanted == "ignore" or not isinstance(values, dict):
        return {} if wanted == "allow" else None
    others = {key: value for key, value in values.items() if key not in used}
    if wanted == "allow":
        return others
    for key, value in others.items():
        message = "Extra inputs are not permitted"
        lines.extend(Invalid.of("extra_forbidden", message, value).within(key).lines)
    return None


def _shown(values: Any) -> Any:
    return values.owner if isinstance(values, _Attributes) else values


def assign(model: Any, name: str, value: Any) -> None:
    """Sets a field after it was validated with the others as they are."""
    cls = type(model)
    core = complete(cls)
    state = State(strict=bool(core.config.get("strict")), config=core.config, data=dict(model.__dict__))
    before = dict(model.__dict__)
    try:
        if name in core.fields:
            model.__dict__[name] = core.fields[name](value, state)
        else:
            model.__pydantic_extra__[name] = value
        model.__pydantic_fields_set__.add(name)
        for function in core.after:
            guarded(value, function, model)
    except Invalid as invalid:
        model.__dict__.clear()
        model.__dict__.update(before)
        lines = invalid.lines if any(line.loc for line in invalid.lines) else invalid.within(name).lines
        raise ValidationError(cls.__name__, lines) from None


def set_values(model: Any, values: dict[str, Any], fields_set: set[str], extra: dict[str, Any] | None) -> None:
    private = {
        name: attribute.get_default()
        for name, attribute in type(model).__pydantic_private_attributes__.items()
        if attribute.default is not MISSING or attribute.default_factory is not None
    }
    has_private = bool(type(model).__pydantic_private_attributes__)
    object.__setattr__(model, "__dict__", values)
    object.__setattr__(model, "__pydantic_fields_set__", fields_set)
    object.__setattr__(model, "__pydantic_extra__", extra)
    object.__setattr__(model, "__pydantic_private__", private if has_private else None)


def parsed(title: str, text: str | bytes) -> Any:
    import json

    try:
        return json.loads(text)
    except ValueError as error:
        raise ValidationError(
            title, Invalid.of("json_invalid", f"Invalid JSON: {error}", text, error=str(error)).lines
        ) from None
