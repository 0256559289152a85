"""Plays turns when an agent is built, so that no turn has to do again what can be done once.

Python rewrites code while it runs it for the first times, and makes what it needs on the way. All of that would be done
anew, and would copy pages of the image, in every turn: each begins with memory as the build left it. So a function is
played that does what most functions do, with nothing behind the contract's imports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import componentize_py_runtime
from componentize_py_types import Ok
from wit_world.imports import conversation, memory, state

from ..agent import Agent
from ..conversation import Conversation
from ..functions import Function, Registry

#: How often the function is played. What has run a few times has become what it will be.
_TURNS = 8

_ARGUMENTS = '{"text": "text", "number": 1, "values": ["text", {"text": null}]}'


def warm_up(call: Callable[[Agent, str, str], str]) -> None:
    """Plays turns. ``call`` calls a function of an agent, as the component does it."""
    agent = Agent(Registry())
    registry = agent.registry
    for function in (_usual, _other):
        registry.add(Function(function.__name__, function.__name__, None, function, False, ""))
    agent = Agent(registry)
    agent.describe()
    with _nothing_behind_imports():
        for _ in range(_TURNS):
            call(agent, _usual.__name__, _ARGUMENTS)


def _usual(conv: Conversation, text: str, number: int | None = None, values: list[Any] | None = None) -> dict[str, Any]:
    """Does what most functions do."""
    known = (conv.memory.get("text"), conv.memory.get("none"), "text" in conv.memory, len(conv.memory))
    conv.state["text"] = text
    conv.state.list = [number, *(values or ())]
    conv.state.list.append(conv.state.none)
    conv.state.get("kept")
    conv.say(f"{text} {known}")
    conv.write_metric("metric", text, write_once=True)
    conv.write_metric("metric")
    conv.call_handoff("destination", reason="reason")
    conv.goto_flow(conv.caller_number or "flow")
    conv.log.info("content", number=number, is_settled=True)
    conv.functions._other()
    return {"utterance": text, "values": [1.5, True, None]}


def _other(conv: Conversation) -> str:
    return "text"


@contextmanager
def _nothing_behind_imports() -> Iterator[None]:
    """Has the contract's imports, which cannot be called before there is a turn, answer what they might answer."""
    attributes = conversation.ConversationAttributes(
        "id", "local", "local", "sandbox", "", "+44", None, None, None, None, None, [], None, [], "{}"
    )
    answers = _Answers()
    real = componentize_py_runtime.call_import
    componentize_py_runtime.call_import = answers.learn
    try:
        for function, answer in (
            (memory.fields, [memory.Field("text", '"text"')]),
            (state.entries, [state.Entry("kept", state.Value_Json('["text"]'))]),
            (conversation.attributes, attributes),
            (conversation.say, None),
            (conversation.log, None),
            (state.set, Ok(None)),
            (conversation.write_metric, Ok(None)),
            (conversation.handoff, Ok(None)),
            (conversation.act, Ok(None)),
        ):
            answers.answer = answer
            function(*[None] * function.__code__.co_argcount)
        componentize_py_runtime.call_import = answers.give
        yield
    finally:
        componentize_py_runtime.call_import = real


class _Answers:
    """What imports answer, by what distinguishes their calls from one another."""

    def __init__(self) -> None:
        self.answer: Any = None
        self._answers: dict[tuple[Any, ...], Any] = {}

    def learn(self, *call: Any) -> Any:
        """Answers with ``answer``, and will so when the same function is called again."""
        self._answers[self._function(call)] = self.answer
        return self.answer

    def give(self, *call: Any) -> Any:
        """Answers as it was learnt."""
        return self._answers[self._function(call)]

    def _function(self, call: tuple[Any, ...]) -> tuple[Any, ...]:
        # All but the arguments, which come as a list.
        return tuple(part for part in call if not isinstance(part, list))
