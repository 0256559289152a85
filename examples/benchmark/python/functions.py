"""The function that `agent-memory bench` calls in every turn."""

from agent_memory import Conversation


def turn(conv: Conversation, first: str | None = None, second: str | None = None) -> int:
    """Read three keys of the caller's memory, set two keys if texts are given, and tell how many characters were read."""
    characters = sum(len(conv.memory.get(key, "")) for key in ("field_0", "field_1", "field_2"))
    if first is not None:
        conv.state["field_3"] = first
    if second is not None:
        conv.state["field_4"] = second
    return characters
