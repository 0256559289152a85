"""Memory and state."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from agent_memory import Conversation


class Size(enum.Enum):
    SMALL = 1


@dataclass
class Cart:
    items: list[str] = field(default_factory=list)
    opened: datetime.date | None = None


SPECIAL = {
    "datetime": datetime.datetime(2026, 3, 2, 10, 20, tzinfo=ZoneInfo("Europe/London")),
    "set": {"a", "b"},
    "tuple": (1, "two"),
    "enum": Size.SMALL,
    "object": Cart(["brie"], datetime.date(2026, 3, 2)),
    "decimal": decimal.Decimal("1.50"),
    "uuid": uuid.UUID(int=7),
    "bytes": b"\x00\xff",
    "nested": {"at": [datetime.time(10, 20)]},
    "nan": float("nan"),
}


def remembered(conv: Conversation, key: str):
    """All that memory tells of a key."""
    try:
        by_key = conv.memory[key]
    except KeyError as error:
        by_key = f"KeyError {error}"
    return {
        "get": conv.memory.get(key),
        "get_default": conv.memory.get(key, "default"),
        "by_key": by_key,
        "in": key in conv.memory,
        "len": len(conv.memory),
        "fields": conv.memory.fields(),
    }


def assign_memory(conv: Conversation):
    conv.memory["cheese_type"] = "feta"


def put(conv: Conversation, key: str, value):
    conv.state[key] = value


def put_attribute(conv: Conversation, key: str, value):
    setattr(conv.state, key, value)
    return getattr(conv.state, key)


def put_special(conv: Conversation, key: str, kind: str):
    conv.state[key] = SPECIAL[kind]


def put_all_special(conv: Conversation):
    for kind, value in SPECIAL.items():
        conv.state[f"special_{kind}"] = value


def special_values_are_the_same(conv: Conversation):
    def same(one, other):
        return one == other or (one != one and other != other)

    found = {kind: conv.state[f"special_{kind}"] for kind in SPECIAL}
    return {
        kind: same(value, SPECIAL[kind]) and type(value) is type(SPECIAL[kind]) for kind, value in found.items()
    }


def look(conv: Conversation, key: str):
    return conv.state[key]


def look_attribute(conv: Conversation, key: str):
    return getattr(conv.state, key)


def delete(conv: Conversation, key: str):
    del conv.state[key]


def append(conv: Conversation, key: str, value):
    conv.state[key].append(value)


def append_to_both_and_fail(conv: Conversation, value):
    conv.state["cart"].append(value)
    conv.state["cheese_type"].append([value])
    raise RuntimeError("after both")


def append_to_both(conv: Conversation, value):
    conv.state["cart"].append(value)
    conv.state["cheese_type"].append([value])


def only_look_at_everything(conv: Conversation):
    return len(str(dict(conv.state)))
