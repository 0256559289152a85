"""What an author declares of a function, for the language model that calls it and for the platform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

__all__ = ["func_description", "func_latency_control", "func_parameter"]

F = TypeVar("F", bound=Callable[..., Any])

_ATTRIBUTE = "__agent_memory_declared__"


@dataclass
class Declared:
    """What decorators said of a function."""

    description: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    latency_control: dict[str, Any] | None = None


def declared(function: Callable[..., Any]) -> Declared:
    """What decorators said of a function so far."""
    found = getattr(function, _ATTRIBUTE, None)
    return found if isinstance(found, Declared) else Declared()


def func_description(description: str) -> Callable[[F], F]:
    """Says what a function is for, in words for a language model.

    >>> @func_description("Books a cheese for a day.")
    ... @func_parameter("day", "The day to keep it for.")
    ... def book(conv, day: str): ...
    """

    def decorate(function: F) -> F:
        _declare(function).description = description
        return function

    return decorate


def func_parameter(name: str, description: str) -> Callable[[F], F]:
    """Says what a parameter is, in words for a language model."""

    def decorate(function: F) -> F:
        parameters = _declare(function).parameters
        # The decorator that stands last is called first; the schema lists them as they stand.
        _declare(function).parameters = {name: description, **parameters}
        return function

    return decorate


def func_latency_control(
    delay_before_responses_start: float = 0,
    silence_after_each_response: float = 0,
    delay_responses: list[Any] | None = None,
) -> Callable[[F], F]:
    """Says what the platform is to say while a function takes its time: texts, with seconds each."""
    settings: dict[str, Any] = {
        "delay_before_responses_start": delay_before_responses_start,
        "silence_after_each_response": silence_after_each_response,
        "delay_responses": [list(one) if isinstance(one, tuple) else one for one in delay_responses or []],
    }

    def decorate(function: F) -> F:
        _declare(function).latency_control = settings
        return function

    return decorate


def _declare(function: Callable[..., Any]) -> Declared:
    found = function.__dict__.get(_ATTRIBUTE)
    if not isinstance(found, Declared):
        found = Declared()
        setattr(function, _ATTRIBUTE, found)
    return found
