"""How functions call one another, and how they are described and called from outside."""

from __future__ import annotations

import datetime
import enum
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, Union

import pytest
import typing_extensions

from agent_memory import Conversation, Flow, func_description, func_latency_control, func_parameter
from agent_memory.agent import Agent, Failed, InvalidArguments, UnknownFunction
from agent_memory.functions import Function, Registry
from agent_memory.testing import FakeHost, agent, conversation


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


@dataclass
class Line:
    item: str
    count: int = 1


class Address(typing_extensions.TypedDict):
    street: str
    number: typing_extensions.NotRequired[int]


def greet(conv: Conversation, name: str, loud: bool = False) -> str:
    conv.say(f"Hello {name}{'!' if loud else '.'}")
    return name.upper()


def test_functions_call_one_another_within_the_turn() -> None:
    conv = conversation(functions=(greet,))
    assert conv.functions.greet("Ada") == "ADA"
    assert conv.functions.greet(name="Bob", loud=True) == "BOB"
    assert conv.functions["greet"]("Cy") == "CY"
    assert conv.host.said == ["Hello Ada.", "Hello Bob!", "Hello Cy."]
    assert "greet" in conv.functions
    assert list(conv.functions) == dir(conv.functions) == ["greet"]


def test_a_function_that_there_is_not_is_said_to_be_none() -> None:
    conv = conversation(functions=(greet,))
    with pytest.raises(AttributeError, match="there is no function `gret`: did you mean `greet`"):
        conv.functions.gret()
    with pytest.raises(AttributeError, match="there is no function `unlike_any`: there are `greet`"):
        conv.functions.unlike_any()
    with pytest.raises(TypeError, match="nam"):
        conv.functions.greet(nam="Ada")


def in_flows() -> Registry:
    def charge(conv: Conversation, flow: Flow, amount: int) -> str:
        return f"{flow.name} {amount} {conv.functions.greet('Ada')}"

    def refund(conv: Conversation, flow: Flow) -> str:
        return str(flow.functions.charge(amount=-1))

    def without_flow(conv: Conversation) -> str:
        return "no flow"

    registry = Registry()
    registry.add(Function("greet", "greet", None, greet, False, "functions/greet.py:1"))
    for flow in ("pay", "order"):
        registry.add(Function(f"{flow}.charge", "charge", flow, charge, True, f"flows/{flow}/functions/charge.py:1"))
    registry.add(Function("refund", "refund", "pay", refund, True, "flows/pay/functions/refund.py:1"))
    registry.add(Function("without_flow", "without_flow", "pay", without_flow, False, "flows/pay/x.py:1"))
    return registry


def test_a_flows_functions_call_those_of_their_own_flow() -> None:
    whole = Agent(in_flows())
    host = FakeHost()
    assert json.loads(whole.call(host, "refund", "{}")) == "pay -1 ADA"
    assert json.loads(whole.call(host, "order.charge", '{"amount": 3}')) == "order 3 ADA"
    assert json.loads(whole.call(host, "without_flow", "{}")) == "no flow"
    with pytest.raises(UnknownFunction):
        whole.call(host, "charge", '{"amount": 3}')


def test_the_way_to_a_function_elsewhere_is_said() -> None:
    conv = conversation()
    conv._registry = in_flows()
    with pytest.raises(AttributeError, match=r"in the flow `pay`: call it as `flow\.functions\.refund`"):
        conv.functions.refund()
    flow = Flow(conv, "order")
    with pytest.raises(AttributeError, match=r"`greet` belongs to no flow: call it as `conv\.functions\.greet`"):
        flow.functions.greet("Ada")
    with pytest.raises(AttributeError, match="the flow `order` has no function `charg`: did you mean `charge`"):
        flow.functions.charg()


@func_description("Books a cheese.\n\nIt is kept until the evening.")
@func_parameter("cheese_type", "The cheese, such as brie.")
@func_parameter("booking_day", "The day to keep it for.")
@func_latency_control(delay_before_responses_start=1, delay_responses=[("One moment.", 2)])
def book(conv: Conversation, cheese_type: str, booking_day: str, count: int = 1, note: str | None = None) -> None:
    """Not shown, for the decorator says more."""


def documented(conv: Conversation, flow: Flow, a: int, b: list[str], *args: Any, c: float = 0.5, **kwargs: Any) -> None:
    """Does what is written here.

    In several lines.

    Args:
        a: The first one,
            on two lines.
        b (list[str]): The second one.

    Returns:
        Nothing.
    """


def other_styles(conv: Conversation, a: int, b: int) -> None:
    """Does it.

    :param a: The a.
    :param int b: The b,
        on two lines.
    :returns: Nothing.
    """


def numpy_style(conv: Conversation, a: int, b: int) -> None:
    """Does it.

    Parameters
    ----------
    a : int
        The a.
    b
        The b.

    Returns
    -------
    None
    """


def typed(
    conv: Conversation,
    text: str,
    size: Size,
    kind: Literal["a", "b"],
    lines: list[Line],
    address: Address,
    when: datetime.datetime,
    maybe: int | None,
    either: int | str,
    both: int | list[int] | None,
    pairs: dict[str, float],
    two: tuple[int, str],
    tags: set[str],
    price: Decimal,
    noted: Annotated[int, "A note."],
    anything: Any,
    untyped,
) -> None:
    pass


def test_functions_are_described_as_language_models_are_told_of_tools() -> None:
    first, second = agent(book, documented).describe()
    assert first.description == "Books a cheese.\n\nIt is kept until the evening."
    assert json.loads(first.parameters) == {
        "type": "object",
        "properties": {
            "cheese_type": {"type": "string", "description": "The cheese, such as brie."},
            "booking_day": {"type": "string", "description": "The day to keep it for."},
            "count": {"type": "integer", "default": 1},
            "note": {"type": ["string", "null"]},
        },
        "required": ["cheese_type", "booking_day"],
    }
    assert json.loads(first.annotations or "") == {
        "latency_control": {
            "delay_before_responses_start": 1,
            "silence_after_each_response": 0,
            "delay_responses": [["One moment.", 2]],
        }
    }
    assert second.description == "Does what is written here.\n\nIn several lines."
    assert json.loads(second.parameters) == {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "description": "The first one, on two lines."},
            "b": {"type": "array", "items": {"type": "string"}, "description": "The second one."},
            "c": {"type": "number", "default": 0.5},
        },
        "required": ["a", "b"],
        "additionalProperties": True,
    }
    assert second.annotations is None


@pytest.mark.parametrize("function", [other_styles, numpy_style])
def test_docstrings_of_other_styles_are_read_too(function: Any) -> None:
    (described,) = agent(function).describe()
    properties = json.loads(described.parameters)["properties"]
    assert described.description == "Does it."
    assert properties["a"]["description"] == "The a."
    assert properties["b"]["description"].startswith("The b")


def test_types_become_schemas() -> None:
    (described,) = agent(typed).describe()
    properties = json.loads(described.parameters)["properties"]
    assert properties == {
        "text": {"type": "string"},
        "size": {"type": "string", "enum": ["small", "large"]},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"item": {"type": "string"}, "count": {"type": "integer"}},
                "required": ["item"],
            },
        },
        "address": {
            "type": "object",
            "properties": {"street": {"type": "string"}, "number": {"type": "integer"}},
            "required": ["street"],
        },
        "when": {"type": "string", "format": "date-time"},
        "maybe": {"type": ["integer", "null"]},
        "either": {"type": ["integer", "string"]},
        "both": {
            "anyOf": [
                {"type": "integer"},
                {"type": "array", "items": {"type": "integer"}},
                {"type": "null"},
            ]
        },
        "pairs": {"type": "object", "additionalProperties": {"type": "number"}},
        "two": {
            "type": "array",
            "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "minItems": 2,
            "maxItems": 2,
        },
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "price": {"type": "number"},
        "noted": {"type": "integer", "description": "A note."},
        "anything": {},
        "untyped": {},
    }


def returned(function: Any, arguments: dict[str, Any]) -> Any:
    """What a function is given, as it gives it back."""
    seen: dict[str, Any] = {}

    def call(conv: Conversation, **_: Any) -> None: ...

    whole = agent(function)
    original = whole.registry.functions[function.__name__]

    def spy(conv: Conversation, **kwargs: Any) -> None:
        seen.update(kwargs)

    whole.registry.functions[function.__name__] = Function(
        original.name, original.local_name, None, spy, False, original.place
    )
    whole.call(FakeHost(), function.__name__, json.dumps(arguments))
    return seen


GOOD = {
    "text": "t",
    "size": "small",
    "kind": "a",
    "lines": [{"item": "brie"}, {"item": "feta", "count": 2}],
    "address": {"street": "s"},
    "when": "2026-03-02T10:20:00Z",
    "maybe": None,
    "either": "x",
    "both": [1],
    "pairs": {"a": 1},
    "two": [1, "b"],
    "tags": ["x", "x"],
    "price": 1.5,
    "noted": 3.0,
    "anything": {"a": [1]},
    "untyped": 5,
}


def test_arguments_come_in_the_types_that_the_function_names() -> None:
    seen = returned(typed, GOOD)
    assert seen == {
        "text": "t",
        "size": Size.SMALL,
        "kind": "a",
        "lines": [Line("brie"), Line("feta", 2)],
        "address": {"street": "s"},
        "when": datetime.datetime(2026, 3, 2, 10, 20, tzinfo=datetime.timezone.utc),
        "maybe": None,
        "either": "x",
        "both": [1],
        "pairs": {"a": 1},
        "two": (1, "b"),
        "tags": {"x"},
        "price": Decimal("1.5"),
        "noted": 3,
        "anything": {"a": [1]},
        "untyped": 5,
    }
    assert type(seen["noted"]) is int


WRONG: list[tuple[str, Any, str]] = [
    ("text", 5, "`text`: expected a text, found a number"),
    ("text", None, "`text`: expected a text, found null"),
    ("size", "huge", "`size`: expected one of `small`, `large`, found another text"),
    ("kind", 1, "`kind`: expected one of `a`, `b`, found another number"),
    ("lines", {}, "`lines`: expected an array, found an object"),
    ("lines", [{"item": "brie"}, {"count": 2}], "`lines[1].item`: expected a member, found none"),
    ("lines", [{"item": "brie", "count": "2"}], "`lines[0].count`: expected an integer, found a text"),
    ("lines", [{"item": "brie", "size": 2}], "`lines[0].size`: expected no such member, found one"),
    ("address", {}, "`address.street`: expected a member, found none"),
    ("when", "tomorrow", "`when`: expected a date and time such as 2026-03-02T10:20:00Z, found another text"),
    ("maybe", "1", "`maybe`: expected an integer or null, found a text"),
    ("either", True, "`either`: expected an integer or a text, found a boolean"),
    ("both", ["x"], "`both[0]`: expected an integer, found a text"),
    ("pairs", {"a": "x"}, "`pairs[...]`: expected a number, found a text"),
    ("two", [1], "`two`: expected 2 members, found 1"),
    ("two", [1, 2], "`two[1]`: expected a text, found a number"),
    ("tags", "x", "`tags`: expected an array, found a text"),
    ("price", "dear", "`price`: expected a number, found another text"),
    ("noted", 3.5, "`noted`: expected an integer, found a number"),
]


@pytest.mark.parametrize(("name", "value", "problem"), WRONG)
def test_an_argument_of_the_wrong_type_is_refused_without_its_value(name: str, value: Any, problem: str) -> None:
    with pytest.raises(InvalidArguments) as raised:
        agent(typed).call(FakeHost(), "typed", json.dumps({**GOOD, name: value}))
    assert problem in str(raised.value)
    assert "tomorrow" not in str(raised.value)
    assert "test_functions.py:" in str(raised.value)


def test_p3_what_callers_use_as_keys_is_not_told() -> None:
    def ring(conv: Conversation, contacts: dict[str, int], nested: dict[str, dict[str, int]]) -> None:
        pass

    arguments = {"contacts": {"+441632960001": "x"}, "nested": {"+441632960002": {"+441632960003": "x"}}}
    with pytest.raises(InvalidArguments) as raised:
        agent(ring).call(FakeHost(), "ring", json.dumps(arguments))
    assert "`contacts[...]`: expected an integer, found a text" in str(raised.value)
    assert "`nested[...][...]`: expected an integer, found a text" in str(raised.value)
    assert "+44" not in str(raised.value)


def test_the_members_of_a_union_are_tried_as_they_are_written() -> None:
    def pick(
        conv: Conversation,
        size_first: Size | str,
        text_first: str | Size,
        day_first: Union[datetime.date, str],
        noted_first: Annotated[Literal["1"], ["a list has no hash"]] | str,
        plain: int | str | None,
    ) -> None:
        pass

    given = {"size_first": "small", "text_first": "small", "day_first": "2026-03-02", "noted_first": "2", "plain": "3"}
    assert returned(pick, given) == {
        "size_first": Size.SMALL,
        "text_first": "small",
        "day_first": datetime.date(2026, 3, 2),
        "noted_first": "2",
        "plain": "3",
    }
    others = {"size_first": "huge", "text_first": "huge", "day_first": "soon", "noted_first": "1", "plain": None}
    assert returned(pick, others) == others


def test_all_that_is_wrong_with_arguments_is_said_at_once() -> None:
    with pytest.raises(InvalidArguments) as raised:
        agent(book).call(FakeHost(), "book", '{"chese_type": "brie", "booking_day": 1}')
    message = str(raised.value)
    assert "`chese_type` is no parameter: did you mean `cheese_type`?" in message
    assert "`booking_day`: expected a text, found a number" in message
    assert "`cheese_type` is missing" in message
    for arguments in ("[1]", "5", "{", "null"):
        with pytest.raises(InvalidArguments, match="no JSON object"):
            agent(book).call(FakeHost(), "book", arguments)


def test_names_that_are_for_type_checkers_only_cost_no_other() -> None:
    def half(conv: Conversation, a: int, b: "NotThere") -> None:  # noqa: F821, UP037
        pass

    (described,) = agent(half).describe()
    assert json.loads(described.parameters)["properties"] == {"a": {"type": "integer"}, "b": {}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        ("é", '"é"'),
        ({"utterance": "Hi", "hangup": True}, '{"utterance":"Hi","hangup":true}'),
        ((1, Size), None),
        ((1, 2.0), "[1,2.0]"),
    ],
)
def test_what_is_returned_becomes_json(value: Any, expected: str | None) -> None:
    def give(conv: Conversation) -> Any:
        return value

    if expected is not None:
        assert agent(give).call(FakeHost(), "give", "{}") == expected
        return
    with pytest.raises(Failed) as raised:
        agent(give).call(FakeHost(), "give", "{}")
    assert raised.value.failure.name == "TypeError"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"when": datetime.date(2026, 3, 2)}, "returned a `date`, for which JSON has no word"),
        ({1, 2}, "returned a `set`, for which JSON has no word"),
        (float("nan"), "returned a float that is no number"),
        ("\ud83d", "half a character"),
    ],
)
def test_what_json_has_no_word_for_cannot_be_returned(value: Any, problem: str) -> None:
    def give(conv: Conversation) -> Any:
        return value

    with pytest.raises(Failed) as raised:
        agent(give).call(FakeHost(), "give", "{}")
    assert problem in raised.value.failure.message
    assert "`give` (" in raised.value.failure.message


def test_a_function_that_asks_for_nothing_makes_no_crossing() -> None:
    def nothing(conv: Conversation, flow: Flow) -> None:
        pass

    host = FakeHost()
    agent(nothing).call(host, "nothing", "{}")
    assert host.crossings == {}
