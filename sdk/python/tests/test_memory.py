"""M2: what memory gives to read, and that it gives nothing to write."""

from __future__ import annotations

import pytest

from agent_memory.testing import conversation

FIELDS = {"booking_day": "Friday", "prefs": {"spicy": True, "sizes": [1, 2]}, "visits": 3}


def test_m2_get_gives_the_value_or_the_default() -> None:
    memory = conversation(memory=FIELDS).memory
    assert memory.get("booking_day") == "Friday"
    assert memory.get("cheese_type") is None
    assert memory.get("cheese_type", "brie") == "brie"


def test_m2_a_missing_key_raises_key_error() -> None:
    memory = conversation(memory=FIELDS).memory
    assert memory["visits"] == 3
    with pytest.raises(KeyError) as raised:
        memory["cheese_type"]
    assert raised.value.args == ("cheese_type",)


def test_m2_in_and_len() -> None:
    memory = conversation(memory=FIELDS).memory
    assert "visits" in memory
    assert "cheese_type" not in memory
    assert len(memory) == 3
    assert not conversation().memory


def test_m2_fields_are_a_copy() -> None:
    memory = conversation(memory=FIELDS).memory
    fields = memory.fields()
    assert fields == FIELDS
    fields["prefs"]["sizes"].append(3)
    del fields["visits"]
    assert memory.fields() == FIELDS


def test_m2_what_is_read_can_be_changed_without_changing_memory() -> None:
    memory = conversation(memory=FIELDS).memory
    memory["prefs"]["spicy"] = False
    memory.get("prefs")["sizes"].clear()
    assert memory.get("prefs") == {"spicy": True, "sizes": [1, 2]}


def test_m2_assigning_raises_and_says_what_to_do() -> None:
    memory = conversation(memory=FIELDS).memory
    for assign in (
        lambda: memory.__setitem__("visits", 4),
        lambda: memory.__delitem__("visits"),
        lambda: setattr(memory, "visits", 4),
    ):
        with pytest.raises(TypeError, match=r"read-only: set `conv.state\['visits'\]`"):
            assign()
    assert memory["visits"] == 3


def test_m3_what_is_set_in_this_conversation_is_not_in_memory() -> None:
    conv = conversation(memory={"cheese_type": "brie"})
    conv.state["cheese_type"] = "feta"
    conv.state["booking_day"] = "Friday"
    assert conv.memory.fields() == {"cheese_type": "brie"}
    assert conv.end_turn().memory.fields() == {"cheese_type": "brie"}


def test_v4_integers_keep_all_their_digits() -> None:
    conv = conversation(memory={"number": 12345678901234567890123, "float": 1.0})
    assert conv.memory["number"] == 12345678901234567890123
    conv.state["number"] = conv.memory["number"] + 1
    conv.state["float"] = conv.memory["float"]
    assert [value.text for value in conv.host.entries.values()] == ["12345678901234567890124", "1.0"]


def test_one_crossing_brings_all_fields_over_and_none_is_made_before() -> None:
    conv = conversation(memory=FIELDS)
    assert conv.host.crossings == {}
    for _ in range(3):
        conv.memory.get("visits")
        len(conv.memory)
        conv.memory.fields()
    assert conv.host.crossings == {"memory_fields": 1}


def test_p3_memory_shows_nothing_of_what_it_holds() -> None:
    assert repr(conversation(memory=FIELDS).memory) == "<Memory of 3 fields>"
