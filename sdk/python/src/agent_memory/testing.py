"""For tests of functions outside of a sandbox: a conversation that keeps what a function did.

>>> from agent_memory.testing import conversation
>>> def book(conv, cheese_type: str):
...     conv.state["cheese_type"] = cheese_type
...     conv.say(f"Last time it was {conv.memory.get('cheese_type')}.")
>>> conv = conversation(memory={"cheese_type": "brie"})
>>> book(conv, "feta")
>>> conv.host.said, conv.state
(['Last time it was brie.'], {'cheese_type': 'feta'})

The rules of memory are not here: a real sandbox has them, and a scenario plays in one (``agent-memory run``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .agent import Agent
from .conversation import Conversation
from .errors import NotAnsweredError, SetError
from .functions import Function, Registry
from .host import Attributes, LogLevel, Value
from .parameters import signature_of
from .values import from_contract, to_contract

__all__ = ["FakeHost", "LoggedEntry", "TestConversation", "agent", "conversation"]


@dataclass(frozen=True)
class LoggedEntry:
    """An entry of the author's log."""

    level: LogLevel
    content: str
    is_pii: bool = False
    fields: dict[str, Any] = field(default_factory=dict)


class FakeHost:
    """A host that is made of what a test tells it, and keeps what functions do."""

    def __init__(
        self,
        memory: Mapping[str, Any] | None = None,
        state: Mapping[str, Any] | None = None,
        attributes: Attributes | None = None,
        history: list[tuple[str, str]] | None = None,
    ) -> None:
        #: What earlier conversations left: texts of JSON.
        self.memory = {key: json.dumps(value) for key, value in (memory or {}).items()}
        #: The state, as the contract knows it.
        self.entries: dict[str, Value] = {key: to_contract(key, value) for key, value in (state or {}).items()}
        #: The keys that functions have set, in the order in which they first did.
        self.set_keys: list[str] = []
        #: What functions have said.
        self.said: list[str] = []
        #: What else functions have asked for: names and arguments.
        self.actions: list[tuple[str, dict[str, Any]]] = []
        #: What functions have logged.
        self.logged: list[LoggedEntry] = []
        #: Answers to requests, by name: values, or functions of the arguments.
        self.answers: dict[str, Any] = {}
        #: Refuses a value that is to be set, by raising or returning an error.
        self.refuse: Callable[[str, Value], SetError | None] = lambda key, value: None
        #: How often each function of the contract was called.
        self.crossings: dict[str, int] = {}
        self._attributes = attributes or Attributes(id="test")
        self._history = history or []
        self._metrics: list[tuple[str, str | None]] = []

    @property
    def state(self) -> dict[str, Any]:
        """The state as the next turn would find it."""
        return {key: from_contract(key, value) for key, value in self.entries.items()}

    def action(self, name: str) -> dict[str, Any]:
        """The arguments of the last action of a name."""
        return [arguments for called, arguments in self.actions if called == name][-1]

    def memory_fields(self) -> list[tuple[str, str]]:
        self._cross("memory_fields")
        return sorted(self.memory.items())

    def state_entries(self) -> list[tuple[str, Value]]:
        self._cross("state_entries")
        return list(self.entries.items())

    def state_set(self, key: str, value: Value) -> None:
        self._cross("state_set")
        error = self.refuse(key, value)
        if error is not None:
            raise error
        if key not in self.set_keys:
            self.set_keys.append(key)
        self.entries[key] = value

    def state_remove(self, key: str) -> bool:
        self._cross("state_remove")
        return self.entries.pop(key, None) is not None

    def attributes(self) -> Attributes:
        self._cross("attributes")
        return self._attributes

    def history(self) -> list[tuple[str, str]]:
        self._cross("history")
        return self._history

    def metric_events(self) -> list[tuple[str, str | None]]:
        self._cross("metric_events")
        return list(self._metrics)

    def say(self, text: str) -> None:
        self._cross("say")
        self.said.append(text)

    def log(self, level: LogLevel, content: str, is_pii: bool, fields: str) -> None:
        self._cross("log")
        self.logged.append(LoggedEntry(level, content, is_pii, json.loads(fields)))

    def write_metric(self, name: str, value: str | None, write_once: bool) -> None:
        self._cross("write_metric")
        if write_once and any(written == name for written, _ in self._metrics):
            return
        self._metrics.append((name, value))
        arguments = {"name": name}
        if value is not None:
            arguments["value"] = json.loads(value)
        self.actions.append(("write_metric", {**arguments, **({"write_once": True} if write_once else {})}))

    def handoff(
        self,
        destination: str,
        reason: str | None,
        utterance: str | None,
        sip_headers: str | None,
        route: str | None,
    ) -> None:
        self._cross("handoff")
        arguments = {
            "destination": destination,
            "reason": reason,
            "utterance": utterance,
            "sip_headers": None if sip_headers is None else json.loads(sip_headers),
            "route": route,
        }
        given = {name: value for name, value in arguments.items() if value is not None}
        self.actions.append(("call_handoff", given))

    def act(self, name: str, arguments: str) -> None:
        self._cross("act")
        self.actions.append((name, json.loads(arguments)))

    def request(self, name: str, arguments: str) -> str:
        self._cross("request")
        if name not in self.answers:
            raise NotAnsweredError(name)
        answer = self.answers[name]
        return json.dumps(answer(json.loads(arguments)) if callable(answer) else answer)

    def _cross(self, function: str) -> None:
        self.crossings[function] = self.crossings.get(function, 0) + 1


class TestConversation(Conversation):
    """A conversation for a test. Its ``host`` keeps what functions did."""

    # pytest takes what begins with Test for a collection of tests.
    __test__ = False

    def __init__(self, host: FakeHost, registry: Registry | None = None) -> None:
        super().__init__(host, registry)
        self.host = host

    def end_turn(self) -> TestConversation:
        """Ends the turn, as when a function returns, and gives the conversation as the next turn has it.

        Raises the error of a value that was changed in place and may not be kept.
        """
        self._finish()
        return TestConversation(self.host, self._registry)


def conversation(
    memory: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    *,
    functions: tuple[Callable[..., Any], ...] = (),
    history: list[tuple[str, str]] | None = None,
    settings: Mapping[str, Any] | None = None,
    integration_attributes: Mapping[str, Any] | None = None,
    sip_headers: Mapping[str, str] | None = None,
    **attributes: Any,
) -> TestConversation:
    """A conversation for a test.

    ``functions`` are those that ``conv.functions`` finds, ``settings`` has ``variant``, ``entities`` and so on, and
    ``attributes`` are those of :class:`~agent_memory.host.Attributes`.
    """
    known = Attributes(
        id="test",
        settings=json.dumps(settings or {}),
        integration_attributes=None if integration_attributes is None else json.dumps(integration_attributes),
        sip_headers=list((sip_headers or {}).items()),
    )
    host = FakeHost(memory, state, replace(known, **attributes), history)
    return TestConversation(host, _registry(functions))


def agent(*functions: Callable[..., Any]) -> Agent:
    """An agent of these functions, to be described and called as a sandbox does it."""
    return Agent(_registry(functions))


def _registry(functions: tuple[Callable[..., Any], ...]) -> Registry:
    registry = Registry()
    for function in functions:
        code = function.__code__
        registry.add(
            Function(
                name=function.__name__,
                local_name=function.__name__,
                flow=None,
                callable=function,
                takes_flow=signature_of(function).takes_flow,
                place=f"{code.co_filename}:{code.co_firstlineno}",
            )
        )
    return registry
