"""An agent: its functions, described and called as the contract wants it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import current
from .arguments import fitted
from .conversation import Conversation
from .decorators import declared
from .errors import ArgumentsError
from .failure import AuthorsFile, Failure, failure_of
from .functions import Flow, Function, Registry
from .host import Host
from .parameters import Signature, signature_of
from .values import decode, encode, loose


class UnknownFunction(Exception):
    """There is no function of that name."""


class InvalidArguments(Exception):
    """The arguments do not fit the function's parameters. The message says which and why."""


class Failed(Exception):
    """The function failed. What it said, asked for and set before still stands."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True)
class Description:
    """A function, as the contract describes it."""

    name: str
    #: What it is for, in words for a language model. May be empty.
    description: str
    #: A JSON Schema of type ``object``.
    parameters: str
    #: What else its author declared: a JSON object.
    annotations: str | None


class Agent:
    """A project's functions."""

    def __init__(self, registry: Registry, authors_file: AuthorsFile | None = None) -> None:
        self.registry = registry
        self._authors_file: AuthorsFile = authors_file or (lambda filename: filename)
        # Worked out once, when the agent is built, and not in each turn.
        self._signatures: dict[str, Signature] = {
            name: signature_of(function.callable) for name, function in registry.functions.items()
        }
        self._descriptions = [self._description(function) for function in registry.functions.values()]

    def describe(self) -> list[Description]:
        """The functions, in their order."""
        return self._descriptions

    def call(self, host: Host, name: str, arguments: str) -> str:
        """Calls a function by its name. The arguments are a JSON object, and so is the value.

        Raises :class:`UnknownFunction`, :class:`InvalidArguments` or :class:`Failed`.
        """
        function = self.registry.functions.get(name)
        if function is None:
            raise UnknownFunction(name)
        with current.host(host):
            fitting = self._fitting(function, arguments)
            conv = Conversation(host, self.registry)
            return self._called(function, conv, fitting)

    def _fitting(self, function: Function, arguments: str) -> dict[str, Any]:
        try:
            given = decode(arguments)
            if not isinstance(given, dict):
                raise ArgumentsError("the arguments are no JSON object")
            return fitted(function.name, function.place, self._signatures[function.name], given)
        except ArgumentsError as error:
            raise InvalidArguments(str(error)) from None
        except (ValueError, RecursionError):
            raise InvalidArguments("the arguments are no JSON object") from None

    def _called(self, function: Function, conv: Conversation, arguments: dict[str, Any]) -> str:
        # An exception of any kind that left the component would end the sandbox without a word.
        try:
            try:
                value = function(conv, Flow(conv, function.flow), **arguments)
            except BaseException:
                # What it changed in place before it failed still stands.
                _finish_after_failure(conv)
                raise
            conv._finish()
            return _returned(function, value)
        except BaseException as error:
            raise Failed(failure_of(error, self._authors_file)) from None

    def _description(self, function: Function) -> Description:
        signature = self._signatures[function.name]
        said = declared(function.callable)
        annotations = {
            name: value
            for name, value in (("flow", function.flow), ("latency_control", said.latency_control))
            if value is not None
        }
        return Description(
            name=function.name,
            description=signature.description,
            parameters=loose(signature.schema()),
            annotations=loose(annotations) if annotations else None,
        )


def _returned(function: Function, value: Any) -> str:
    try:
        return encode(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"`{function.name}` ({function.place}) returned {_problem(error)}") from None


def _problem(error: Exception) -> str:
    if isinstance(error, TypeError):
        return str(error)
    if "float" in str(error):
        return "a float that is no number, for which JSON has no word"
    return f"what is no JSON: {error}"


def _finish_after_failure(conv: Conversation) -> None:
    try:
        conv._finish()
    except Exception as error:
        # The turn's outcome is the failure that came first.
        conv.log.warning(f"what was changed in place is undone: {error}")
