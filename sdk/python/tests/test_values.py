"""Values on their way into the contract and back."""

from __future__ import annotations

import json
import math
import pickle
import sys
from typing import Any

import pytest

from agent_memory.errors import NotJsonError
from agent_memory.host import Json, Opaque
from agent_memory.values import MAX_LEVELS, decode, encode, from_contract, loose, to_contract

PLAIN: list[Any] = [
    None,
    True,
    False,
    0,
    -12345678901234567890,
    1.5,
    1e300,
    -0.0,
    "",
    'a "quoted" \\ text\n\t\x00\x7f\u2028 with käse and 🧀',
    [],
    {},
    [1, [2.5, None], {"a": [True]}],
    {"": "", "käse": {"b": [{}]}, '"': 1},
]


@pytest.mark.parametrize("value", PLAIN)
def test_v4_json_is_written_as_python_writes_it(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert encode(value) == text
    assert loose(value) == text
    assert to_contract("key", value) == Json(text)
    assert decode(text) == value


@pytest.mark.parametrize("text", [" 1", "1\n", ' {"a" : [ 1 , 2 ] } ', "\t[]\r\n"])
def test_json_is_read_with_white_space_around_it(text: str) -> None:
    assert decode(text) == json.loads(text)


@pytest.mark.parametrize("text", ["", " ", "1 2", "{} {}", "[1", "\ufeff1", "nul"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|Extra data|BOM"):
        decode(text)


@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf], {"a": math.nan}])
def test_a_float_that_is_no_number_is_never_json(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode(value)
    assert isinstance(to_contract("key", value), Opaque)


def test_half_a_character_is_never_json() -> None:
    with pytest.raises(ValueError, match="half a character"):
        encode(["\ud800"])
    assert isinstance(to_contract("key", {"\ud800": 1}), Opaque)


def test_as_many_levels_as_the_contract_has_are_json() -> None:
    def nested(levels: int) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return value

    assert isinstance(to_contract("key", nested(MAX_LEVELS)), Json)
    assert isinstance(to_contract("key", nested(MAX_LEVELS + 1)), Opaque)


def test_lists_and_dicts_that_would_be_read_back_as_others_are_not_json() -> None:
    class Names(list[str]):
        """A list that is not quite one."""

    for value in (Names(["a"]), (1,), {1: "a"}):
        assert encode(value) == json.dumps(value, separators=(",", ":"))
    assert isinstance(to_contract("key", (1,)), Opaque)
    assert isinstance(to_contract("key", {1: "a"}), Opaque)


class Caller:
    """Something that cannot be pickled, and whose text holds an identifier."""

    def __repr__(self) -> str:
        return "+441632960001"

    def __reduce__(self) -> Any:
        raise TypeError(f"{self!r} stays here")


def unreadable(number: str) -> None:
    raise LookupError(number)


class Unreadable:
    """Something that can be pickled and not be read."""

    def __reduce__(self) -> Any:
        return unreadable, ("+441632960001",)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (Caller(), "a `Caller` does not outlast the turn (TypeError)"),
        ([1, {"who": Caller()}], "a `list with a Caller` does not outlast the turn (TypeError)"),
        (Unreadable(), "a `Unreadable` does not outlast the turn (LookupError)"),
    ],
)
def test_p3_why_a_value_cannot_be_kept_is_told_without_the_value(value: Any, reason: str) -> None:
    with pytest.raises(NotJsonError) as raised:
        to_contract("caller", value)
    assert reason in str(raised.value)
    assert "+44" not in str(raised.value)


def test_p3_why_a_value_cannot_be_read_back_is_told_without_the_value() -> None:
    pickled = pickle.dumps(Unreadable())
    with pytest.raises(NotJsonError) as raised:
        from_contract("caller", Opaque("Unreadable", pickled))
    assert "its `Unreadable` cannot be read back (LookupError)" in str(raised.value)
    assert "+44" not in str(raised.value) + str(raised.value.__cause__)


def test_an_integer_that_is_too_long_for_a_text_is_kept_all_the_same() -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(4300)
    try:
        for value in (10**5000, {"a": [10**5000]}):
            kept = to_contract("key", value)
            assert isinstance(kept, Opaque)
            assert from_contract("key", kept) == value
    finally:
        sys.set_int_max_str_digits(before)


def test_the_part_that_is_no_json_is_named() -> None:
    for value, name in (
        ([1, {"a": (2,)}], "list with a tuple"),
        ({"a": [1], "b": [math.nan]}, "dict with a float"),
        ([["\ud800"]], "list with a str"),
        ({"a": {1: 2}}, "dict with a dict"),
        ({1: 2}, "dict"),
    ):
        found = to_contract("key", value)
        assert isinstance(found, Opaque)
        assert found.type_name == name
