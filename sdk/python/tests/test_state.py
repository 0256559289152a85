"""S1, S2, V1 to V5: what the state takes, what it refuses, and when a change counts."""

from __future__ import annotations

import copy
import datetime
import decimal
import enum
import json
import pickle
import uuid
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import Any

import pytest

from agent_memory.errors import (
    NestedValueError,
    NotJsonError,
    OpaqueValueError,
    SetError,
    ValueTooLargeError,
)
from agent_memory.host import Json, Opaque, Value
from agent_memory.testing import FakeHost, TestConversation, conversation


class Cheese(str, enum.Enum):
    BRIE = "brie"


@dataclass
class Order:
    cheese: str
    day: datetime.date


class Unreadable(Exception):
    """An exception that can be pickled, and cannot be read back."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__("message")


def remembers(key: str) -> TestConversation:
    """A conversation whose host refuses for a key what memory refuses."""
    conv = conversation()

    def refuse(found: str, value: Value) -> SetError | None:
        if found != key:
            return None
        if isinstance(value, Opaque):
            return OpaqueValueError(key, value.type_name)
        members = json.loads(value.text)
        members = members.values() if isinstance(members, dict) else members if isinstance(members, list) else ()
        nested = [index for index, member in enumerate(members) if isinstance(member, (dict, list))]
        return NestedValueError(key, f"/{nested[0]}") if nested else None

    conv.host.refuse = refuse
    return conv


def text(host: FakeHost, key: str) -> str:
    """What the host has under a key, which has to be JSON."""
    value = host.entries[key]
    assert isinstance(value, Json)
    return value.text


def test_s1_values_are_there_in_the_next_turn() -> None:
    conv = conversation()
    conv.state["cart"] = {"lines": [{"item": "brie", "count": 2}], "": None}
    conv.state.name = "Ada"
    assert conv.end_turn().state == {"cart": {"lines": [{"item": "brie", "count": 2}], "": None}, "name": "Ada"}


def test_s1_a_key_is_an_attribute_and_a_missing_one_reads_none() -> None:
    state = conversation(state={"cheese_type": "brie"}).state
    assert state.cheese_type == "brie"
    assert state.booking_day is None
    assert not state.counter
    state.counter = (state.counter or 0) + 1
    assert state["counter"] == 1
    with pytest.raises(KeyError):
        state["booking_day"]
    del state.counter
    assert state.counter is None
    with pytest.raises(AttributeError):
        del state.counter


def test_s1_names_that_look_private_are_keys_like_others() -> None:
    conv = conversation()
    conv.state._step = 1
    conv.state["__known"] = [2]
    assert conv.end_turn().state == {"_step": 1, "__known": [2]}
    assert conv.state._step == 1


OPAQUE: list[tuple[str, Any]] = [
    ("datetime", datetime.datetime(2026, 3, 2, 10, 20, tzinfo=datetime.timezone.utc)),
    ("date", datetime.date(2026, 3, 2)),
    ("set", {"a", "b"}),
    ("tuple", (1, "two")),
    ("Decimal", decimal.Decimal("1.50")),
    ("UUID", uuid.UUID(int=7)),
    ("Order", Order("brie", datetime.date(2026, 3, 2))),
    ("Cheese", Cheese.BRIE),
    ("bytes", b"\x00\xff"),
    ("dict", {1: "one"}),
    ("dict with a date", {"order": {"day": datetime.date(2026, 3, 2)}}),
    ("list with a set", [1, [{2}]]),
    ("float", float("inf")),
    ("str", "half \ud83d a character"),
    ("defaultdict", defaultdict(list, {"a": [1]})),
    ("OrderedDict", OrderedDict(a=1)),
]


@pytest.mark.parametrize(("name", "value"), OPAQUE, ids=[name for name, _ in OPAQUE])
def test_s1_values_that_json_has_no_word_for_survive_as_they_are(name: str, value: Any) -> None:
    conv = conversation()
    conv.state["value"] = value
    stored = conv.host.entries["value"]
    assert isinstance(stored, Opaque)
    assert stored.type_name == name
    again = conv.end_turn().state["value"]
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize(
    ("name", "value"), [one for one in OPAQUE if one[0] not in ("tuple", "Cheese", "defaultdict", "OrderedDict")]
)
def test_v3_an_opaque_value_under_a_memory_key_is_refused_by_its_types_name(name: str, value: Any) -> None:
    conv = remembers("kept")
    with pytest.raises(OpaqueValueError) as raised:
        conv.state["kept"] = value
    assert f"a `{name}` is opaque" in str(raised.value)
    assert (raised.value.key, raised.value.type_name) == ("kept", name)
    assert "kept" not in conv.state


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, "two"), '[1,"two"]'),
        (Cheese.BRIE, '"brie"'),
        (OrderedDict(a=1), '{"a":1}'),
        ({"cheese": Cheese.BRIE}, '{"cheese":"brie"}'),
    ],
)
def test_what_json_says_in_other_types_is_remembered_as_json(value: Any, expected: str) -> None:
    conv = remembers("kept")
    conv.state["kept"] = value
    assert text(conv.host, "kept") == expected
    conv.end_turn()
    assert text(conv.host, "kept") == expected


def test_v2_a_nested_value_is_refused_when_it_is_set_and_the_old_one_stays() -> None:
    conv = remembers("kept")
    conv.state["kept"] = ["flat"]
    with pytest.raises(NestedValueError) as raised:
        conv.state["kept"] = ["flat", ["nested"]]
    assert (raised.value.key, raised.value.path) == ("kept", "/1")
    assert '"nested_values": true' in str(raised.value)
    assert conv.state["kept"] == ["flat"]
    conv.state["other"] = [["nested"]]


def test_v2_a_change_in_place_counts_as_set() -> None:
    conv = conversation(state={"cart": [], "prefs": {"a": {"b": 1}}, "seen": {1}, "name": "Ada", "same": [1]})
    conv.state["cart"].append("brie")
    conv.state.prefs["a"]["b"] = 2
    conv.state.seen.add(2)
    after = conv.end_turn()
    assert conv.host.set_keys == ["cart", "prefs", "seen"]
    assert (after.state.cart, after.state.prefs, after.state.seen) == (["brie"], {"a": {"b": 2}}, {1, 2})


def test_v2_a_change_in_place_of_what_was_set_in_the_same_turn_counts_too() -> None:
    conv = conversation()
    cart: list[str] = []
    conv.state["cart"] = cart
    cart.append("brie")
    assert conv.end_turn().state["cart"] == ["brie"]


def test_v2_a_change_in_place_that_breaks_a_rule_is_undone_and_others_stay() -> None:
    conv = remembers("kept")
    conv.state["kept"] = ["flat"]
    conv.state["free"] = []
    conv.state["kept"].append(["nested"])
    conv.state["free"].append(["nested"])
    with pytest.raises(NestedValueError, match="`kept`"):
        conv.end_turn()
    assert conv.host.state == {"kept": ["flat"], "free": [["nested"]]}
    assert conv.state["kept"] == ["flat"]


def test_s2_what_nobody_changes_is_not_set() -> None:
    conv = conversation(state={"cart": [1, 2.50, {"a": None}], "when": datetime.date(2026, 3, 2), "seen": {"x", "y"}})
    conv.host.entries["spaced"] = Json('{ "a" : 1.50 }')
    assert conv.state["spaced"] == {"a": 1.5}
    assert len(conv.state) == 4
    conv.end_turn()
    assert conv.host.set_keys == []


def test_s2_assigning_an_equal_value_counts_as_set() -> None:
    conv = conversation(state={"cheese_type": "brie"})
    conv.state["cheese_type"] = "brie"
    conv.end_turn()
    assert conv.host.set_keys == ["cheese_type"]


def test_every_way_of_a_dict_to_change_reaches_the_host() -> None:
    conv = conversation(state={"a": 1, "b": 2, "c": 3, "d": 4})
    state = conv.state
    state.update({"e": 5}, f=6)
    state |= {"g": 7}
    assert state.setdefault("h", []) == []
    assert state.setdefault("a", 9) == 1
    assert state.pop("b") == 2
    assert state.pop("b", "none") == "none"
    with pytest.raises(KeyError):
        state.pop("b")
    del state["c"]
    state["h"].append(8)
    assert conv.end_turn().state == {"a": 1, "d": 4, "e": 5, "f": 6, "g": 7, "h": [8]}
    key, value = state.popitem()
    assert (key, value) == ("h", [8])
    state.clear()
    assert conv.host.entries == {}
    with pytest.raises(KeyError):
        state.popitem()


def test_a_key_is_a_text() -> None:
    with pytest.raises(TypeError, match="a key of the state is a text, not a int"):
        conversation().state[1] = "one"


def test_copies_are_dicts_that_belong_to_nobody() -> None:
    conv = conversation(state={"cart": [1]})
    for other in (
        conv.state.copy(),
        copy.copy(conv.state),
        copy.deepcopy(conv.state),
        dict(conv.state),
        {**conv.state},
    ):
        assert type(other) is dict
        assert other == {"cart": [1]}
        other["new"] = 1
    assert "new" not in conv.state
    assert pickle.loads(pickle.dumps(conv.state)) == {"cart": [1]}
    assert json.dumps(conv.state) == '{"cart": [1]}'
    with pytest.raises(TypeError):
        type(conv.state).fromkeys(["a"])


@pytest.mark.parametrize("value", [lambda: 1, (one for one in [1]), Unreadable(1, 2), conversation()], ids=repr)
def test_what_does_not_outlast_the_turn_is_refused_when_it_is_set(value: Any) -> None:
    conv = conversation()
    with pytest.raises(NotJsonError) as raised:
        conv.state["value"] = value
    assert f"a `{type(value).__qualname__}` does not outlast the turn" in str(raised.value)
    assert conv.host.entries == {}


def test_v5_the_hosts_limits_are_told_with_their_numbers() -> None:
    conv = conversation()
    conv.host.refuse = lambda key, value: ValueTooLargeError(key, 9000, 8192)
    with pytest.raises(ValueTooLargeError, match="9000 bytes where 8192 are allowed") as raised:
        conv.state["kept"] = "x" * 9000
    again = pickle.loads(pickle.dumps(raised.value))
    assert (str(again), again.key, again.actual, again.limit) == (str(raised.value), "kept", 9000, 8192)


def test_one_crossing_brings_the_state_over_and_none_is_made_before() -> None:
    conv = conversation(state={"a": [1], "b": 2})
    conv.end_turn()
    assert conv.host.crossings == {}
    assert (conv.state.a, conv.state.b, conv.state.c, len(conv.state)) == ([1], 2, None, 2)
    conv.end_turn()
    assert conv.host.crossings == {"state_entries": 1}
