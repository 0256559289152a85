"""What functions are called with, what they ask for, and how they fail."""

from __future__ import annotations

from typing import Literal

from agent_memory import Conversation, func_description, func_latency_control, func_parameter

from . import shelf


@func_description("Books a table.")
@func_parameter("seats", "How many people come.")
@func_latency_control(delay_before_responses_start=1, delay_responses=[("One moment.", 2)])
def book_table(conv: Conversation, seats: int, where: Literal["inside", "outside"] = "inside"):
    conv.say(f"Booked {seats} {where}.")
    return seats


def book_twice(conv: Conversation):
    return [conv.functions.book_table(1), conv.functions.book_table(seats=2, where="outside")]


def call_what_there_is_not(conv: Conversation):
    name = "book_tabel"
    return conv.functions[name](1)


def ask_for_effects(conv: Conversation):
    conv.say("Hello.")
    conv.write_metric("cheese", "brie", write_once=True)
    conv.write_metric("cheese", "feta", write_once=True)
    conv.call_handoff("cheesemonger", reason="forty kilos", sip_headers={"X-A": "1"})
    conv.goto_flow("payment")
    conv.send_sms(to_number="+1", from_number="+2", content="hi")
    conv.log.warning("careful", is_pii=True, seen={1}, where=shelf)
    return [conv.metric_events[0].name, conv.caller_number, conv.channel_type, conv.sip_headers["x-customer-id"]]


def ask(conv: Conversation, name: str):
    try:
        return getattr(conv.api, name)(cheese="brie")
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def fail(conv: Conversation):
    conv.say("I'll have a look.")
    conv.state["looked"] = True
    try:
        shelf.find("feta")
    except KeyError as error:
        raise shelf.NoCheese("no feta today") from error
