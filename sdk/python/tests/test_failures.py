"""What a function that fails leaves, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from agent_memory import Conversation
from agent_memory.agent import Agent, Failed
from agent_memory.errors import NestedValueError
from agent_memory.failure import Failure
from agent_memory.testing import FakeHost, agent


class NoCheese(Exception):
    pass


class Evil(Exception):
    def __str__(self) -> str:
        raise RuntimeError("even its text fails")


def helper(count: int) -> float:
    return 1 / count


def failing(conv: Conversation) -> None:
    conv.say("before")
    conv.state["cart"] = ["brie"]
    conv.state["cart"].append("feta")
    helper(0)


def chained(conv: Conversation) -> None:
    try:
        helper(0)
    except ZeroDivisionError as error:
        raise NoCheese("no cheese today") from error


def missing_key(conv: Conversation) -> None:
    conv.memory["cheese_type"]


def leaving(conv: Conversation) -> None:
    raise SystemExit(3)


def evil(conv: Conversation) -> None:
    raise Evil


def endless(conv: Conversation) -> None:
    endless(conv)


def nesting(conv: Conversation) -> None:
    conv.state["kept"] = []
    conv.state["kept"].append([1])


def failing_and_nesting(conv: Conversation) -> None:
    nesting(conv)
    raise NoCheese("first")


def failure(function: Any, host: FakeHost | None = None) -> Failure:
    whole: Agent = agent(function)
    whole._authors_file = lambda filename: "functions/book.py" if filename == __file__ else None
    with pytest.raises(Failed) as raised:
        whole.call(host or FakeHost(), function.__name__, "{}")
    return raised.value.failure


def line_of(function: Any, offset: int) -> int:
    return int(function.__code__.co_firstlineno) + offset


def test_an_exception_is_told_with_its_type_message_and_the_authors_lines() -> None:
    found = failure(failing)
    assert (found.name, found.message) == ("ZeroDivisionError", "division by zero")
    assert found.trace.splitlines() == [
        "Traceback (most recent call last):",
        f'  File "functions/book.py", line {line_of(failing, 4)}, in failing',
        "    helper(0)",
        f'  File "functions/book.py", line {line_of(helper, 1)}, in helper',
        "    return 1 / count",
        "ZeroDivisionError: division by zero",
    ]


def test_w6_what_a_failing_function_did_still_stands() -> None:
    host = FakeHost()
    failure(failing, host)
    assert host.said == ["before"]
    assert host.state == {"cart": ["brie", "feta"]}


def test_what_led_to_an_exception_is_told_before_it() -> None:
    trace = failure(chained).trace
    first, second = trace.split("\n\nWhich led to:\n\n")
    assert first.endswith("ZeroDivisionError: division by zero")
    assert second.endswith("NoCheese: no cheese today")


def test_frames_of_others_are_left_out() -> None:
    found = failure(missing_key)
    assert (found.name, found.message) == ("KeyError", "'cheese_type'")
    assert found.trace.count("File ") == 1
    assert f"line {line_of(missing_key, 1)}, in missing_key" in found.trace


def test_a_function_cannot_end_the_program() -> None:
    assert (failure(leaving).name, failure(leaving).message) == ("SystemExit", "3")


def test_an_exception_without_a_text_is_told_all_the_same() -> None:
    found = failure(evil)
    assert (found.name, found.message) == ("Evil", "<a Evil that has no text>")
    assert "in evil" in found.trace


def test_a_long_stack_is_told_by_its_innermost_frames() -> None:
    found = failure(endless)
    assert found.name == "RecursionError"
    assert 0 < found.trace.count("in endless") <= 32


def refusing() -> FakeHost:
    host = FakeHost()
    host.refuse = lambda key, value: NestedValueError(key, "/0") if "[[" in getattr(value, "text", "") else None
    return host


def test_v2_a_change_in_place_that_breaks_a_rule_is_the_turns_error() -> None:
    host = refusing()
    found = failure(nesting, host)
    assert found.name == "NestedValueError"
    assert "`kept` is remembered" in found.message
    assert host.state == {"kept": []}


def test_v2_when_the_function_failed_too_that_comes_first_and_the_other_is_logged() -> None:
    host = refusing()
    assert failure(failing_and_nesting, host).message == "first"
    assert host.state == {"kept": []}
    assert host.logged[0].level == "warning"
    assert "`kept` is remembered" in host.logged[0].content
