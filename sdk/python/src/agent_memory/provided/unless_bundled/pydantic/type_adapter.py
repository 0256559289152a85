"""Validation of types that are no models."""

from __future__ import annotations

from typing import Any

from . import dump, json_schema
from .by_type import validator_of
from .errors import Invalid, ValidationError
from .main import BaseModel
from .scalars import State
from .validation import parsed


class TypeAdapter:
    """Validates values of any type, such as ``list[Order]``."""

    def __init__(self, type: Any, *, config: Any = None) -> None:
        self._type = type
        self._config = config or {}
        self._validator = validator_of(type, self._config)

    @classmethod
    def __class_getitem__(cls, item: Any) -> Any:
        return cls

    def validate_python(self, object: Any, *, strict: bool | None = None, context: Any = None, **_: Any) -> Any:
        """The value as the type. Raises :class:`ValidationError`."""
        return self._validated(object, State(bool(strict), context=context, config=self._config))

    def validate_json(self, data: str | bytes, *, strict: bool | None = None, context: Any = None, **_: Any) -> Any:
        """The value of a JSON text as the type. Raises :class:`ValidationError`."""
        value = parsed(self._title(), data)
        return self._validated(value, State(bool(strict), is_json=True, context=context, config=self._config))

    def dump_python(self, instance: Any, *, mode: str = "python", **options: Any) -> Any:
        """A value as dicts and lists."""
        known = {name: value for name, value in options.items() if name in dump.Options.__dataclass_fields__}
        return dump.of_value(instance, dump.Options(mode, **known))

    def dump_json(self, instance: Any, *, indent: int | None = None, **options: Any) -> bytes:
        """A value as JSON."""
        return dump.as_json(self.dump_python(instance, mode="json", **options), indent).encode()

    def json_schema(self, *, by_alias: bool = True, **_: Any) -> dict[str, Any]:
        """The type as a JSON Schema."""
        return json_schema.of_type(self._type, by_alias)

    def _validated(self, value: Any, state: State) -> Any:
        try:
            return self._validator(value, state)
        except Invalid as invalid:
            raise ValidationError(self._title(), invalid.lines) from None

    def _title(self) -> str:
        if isinstance(self._type, type) and issubclass(self._type, BaseModel):
            return self._type.__name__
        return getattr(self._type, "__name__", str(self._type)) if isinstance(self._type, type) else str(self._type)
