"""What is wrong with data, and with models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Location = tuple[str | int, ...]


class PydanticUserError(TypeError):
    """A model is not written as it should be."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class PydanticSchemaGenerationError(PydanticUserError):
    """A type is not known."""


class PydanticUndefinedAnnotation(PydanticUserError, NameError):
    """A type's name is not known."""


class PydanticCustomError(ValueError):
    """An error with a type and a message of a validator's own."""

    def __init__(self, error_type: str, message_template: str, context: dict[str, Any] | None = None) -> None:
        super().__init__(error_type, message_template, context)
        self.type = error_type
        self.context = context or {}
        self.message_template = message_template

    def message(self) -> str:
        """The message with what the context has for its gaps."""
        return self.message_template.format(**self.context)


@dataclass
class Line:
    """One thing that is wrong."""

    type: str
    msg: str
    input: Any
    loc: Location = ()
    ctx: dict[str, Any] = field(default_factory=dict)

    def within(self, *place: str | int) -> Line:
        """The same, further inside."""
        return Line(self.type, self.msg, self.input, (*place, *self.loc), self.ctx)


class Invalid(Exception):
    """Raised while data is validated."""

    def __init__(self, *lines: Line) -> None:
        super().__init__()
        self.lines = list(lines)

    @classmethod
    def of(cls, kind: str, message: str, value: Any, **context: Any) -> Invalid:
        """One thing that is wrong."""
        return cls(Line(kind, message, value, ctx=context))

    def within(self, *place: str | int) -> Invalid:
        """The same, further inside."""
        return Invalid(*(line.within(*place) for line in self.lines))


class ValidationError(ValueError):
    """Data that does not fit a model."""

    def __init__(self, title: str, lines: list[Line]) -> None:
        super().__init__(title, lines)
        self.title = title
        self._lines = lines

    def errors(
        self, *, include_url: bool = True, include_context: bool = True, include_input: bool = True
    ) -> list[dict[str, Any]]:
        """All that is wrong."""
        errors = []
        for line in self._lines:
            error: dict[str, Any] = {"type": line.type, "loc": line.loc, "msg": line.msg}
            if include_input:
                error["input"] = line.input
            if include_context and line.ctx:
                error["ctx"] = line.ctx
            errors.append(error)
        return errors

    def error_count(self) -> int:
        """How much is wrong."""
        return len(self._lines)

    def json(self, *, indent: int | None = None, **kwargs: Any) -> str:
        """All that is wrong, as JSON."""
        import json

        return json.dumps(self.errors(**kwargs), indent=indent, default=str)

    def __str__(self) -> str:
        count = self.error_count()
        lines = [f"{count} validation error{'' if count == 1 else 's'} for {self.title}"]
        for line in self._lines:
            if line.loc:
                lines.append(".".join(str(part) for part in line.loc))
            shown = repr(line.input)
            if len(shown) > 50:
                shown = f"{shown[:25]}...{shown[-24:]}"
            kind = type(line.input).__name__
            lines.append(f"  {line.msg} [type={line.type}, input_value={shown}, input_type={kind}]")
        return "\n".join(lines)

    __repr__ = __str__

    def __reduce__(self) -> tuple[Any, ...]:
        return ValidationError, (self.title, self._lines)


def of_exception(error: Exception, value: Any) -> Invalid:
    """What a validator's own exception means."""
    if isinstance(error, ValidationError):
        return Invalid(*error._lines)
    if isinstance(error, PydanticCustomError):
        return Invalid(Line(error.type, error.message(), value, ctx=dict(error.context)))
    if isinstance(error, AssertionError):
        return Invalid(Line("assertion_error", f"Assertion failed, {error}", value, ctx={"error": error}))
    return Invalid(Line("value_error", f"Value error, {error}", value, ctx={"error": error}))


def guarded(about: Any, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Calls a function of somebody else's, whose exceptions are about a value."""
    try:
        return function(*arguments, **named)
    except Invalid:
        raise
    except (ValueError, AssertionError) as error:
        raise of_exception(error, about) from None
