"""Everything else that a function may know of its conversation, and what it may ask for."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable
from typing import Any

import pytest

from agent_memory import AgentResponse, Conversation, ElevenLabsVoice, Flow, MetricEvent, UserInput, VoiceWeighting
from agent_memory.errors import NotAnsweredError
from agent_memory.platform import Attachment, ChatCallAction
from agent_memory.testing import TestConversation, conversation
from agent_memory.voices import CartesiaVoice, CustomVoice, Emotion


class Colour(enum.Enum):
    RED = 1


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_attributes_are_as_the_embedder_gave_them() -> None:
    conv = conversation(
        id="call-1",
        env="live",
        channel="webchat.polyai",
        caller_number="+441632960001",
        callee_number="+441632960100",
        language="en-GB",
        variant_name="north",
        current_flow="booking",
        current_step="Collect day",
        sip_headers={"X-Customer-Id": "42"},
        integration_attributes={"customer_id": 42},
        transcript_alternatives=["brie", "breeze"],
        history=[("user", "Hi"), ("agent", "Hello")],
        settings={
            "variants": {"north": {"rid": 7}, "south": {}},
            "entities": {"day": {"value": "Friday", "valid": True}},
            "real_time_config": {"settings": {"on": True}},
            "translations": {"bye": {"en": "Goodbye", "de": "Tschüss"}},
            "handoffs": {"billing": {"sip_type": "refer"}},
        },
    )
    assert (conv.id, conv.account_id, conv.project_id, conv.env) == ("call-1", "local", "local", "live")
    assert (conv.channel_type, conv.language, conv.variant_name) == ("webchat.polyai", "en-GB", "north")
    assert (conv.caller_number, conv.callee_number) == ("+441632960001", "+441632960100")
    assert (conv.current_flow, conv.current_step) == ("booking", "Collect day")
    assert conv.sip_headers == {"X-Customer-Id": "42"}
    assert conv.sip_headers["x-customer-id"] == conv.sip_headers.get("X-CUSTOMER-ID") == "42"
    assert conv.integration_attributes == {"customer_id": 42}
    assert conv.transcript_alternatives == ["brie", "breeze"]
    assert [(said.role, said.text) for said in conv.history] == [("user", "Hi"), ("agent", "Hello")]
    assert conv.history == [UserInput("Hi"), AgentResponse("Hello")]
    assert conv.variant.rid == conv.variant["rid"] == 7
    assert conv.variant.missing is None
    assert set(conv.variants) == {"north", "south"}
    assert conv.entities.day.value == "Friday"
    assert conv.entities.time is None
    assert conv.real_time_config.get("settings", {}).get("on") is True
    assert conv.translations.bye == "Goodbye"
    assert conv.translations["bye"]["de"] == "Tschüss"
    assert conv.handoffs == {"billing": {"sip_type": "refer"}}
    assert conv.host.crossings == {"attributes": 1, "history": 1}


def test_what_there_is_not_reads_as_nothing() -> None:
    conv = conversation()
    assert (conv.caller_number, conv.language, conv.integration_attributes) == (None, None, None)
    assert not conv.variant
    assert conv.variant.anything is None
    assert (conv.sip_headers, conv.entities, conv.history, conv.handoffs) == ({}, {}, [], {})
    with pytest.raises(TypeError, match="read-only"):
        conv.real_time_config["a"] = 1


def test_say_and_metrics_come_in_order() -> None:
    conv = conversation()
    conv.say("One.")
    conv.say(2)
    conv.write_metric("booked", "brie")
    conv.write_metric("ratio", 1.5, write_once=True)
    conv.write_metric("ratio", 2.5, write_once=True)
    conv.write_metric("when", datetime.date(2026, 3, 2))
    conv.write_metric("reached")
    assert conv.host.said == ["One.", "2"]
    assert conv.host.actions == [
        ("write_metric", {"name": "booked", "value": "brie"}),
        ("write_metric", {"name": "ratio", "value": 1.5, "write_once": True}),
        ("write_metric", {"name": "when", "value": "2026-03-02"}),
        ("write_metric", {"name": "reached"}),
    ]
    assert conv.metric_events[:2] == [MetricEvent("booked", "brie"), MetricEvent("ratio", 1.5)]
    assert conv.metric_events[3] == MetricEvent("reached", None)


def test_logging_takes_anything_and_never_raises() -> None:
    conv = conversation(state={"name": "Ada"})
    circular: list[Any] = []
    circular.append(circular)
    conv.log.info("plain")
    conv.log.warning(Colour.RED, is_pii=True, number=1, ratio=float("nan"), when=datetime.date(2026, 3, 2))
    conv.log.error(
        Unprintable(),
        bad=Unprintable(),
        circular=circular,
        half="\ud83d",
        state=conv.state,
        keys={1: {2}, Colour.RED: (3,)},
        huge=10**5000,
    )
    first, second, third = conv.host.logged
    assert (first.level, first.content, first.is_pii, first.fields) == ("info", "plain", False, {})
    assert (second.level, second.content, second.is_pii) == ("warning", "Colour.RED", True)
    assert second.fields == {"number": 1, "ratio": "nan", "when": "2026-03-02"}
    assert third.content == "<a Unprintable that has no text>"
    assert third.fields["state"] == {"name": "Ada"}
    assert third.fields["keys"] == {"1": [2], "Colour.RED": [3]}
    assert third.fields["half"] == "?"


def test_a_handoff_leaves_out_what_was_not_given() -> None:
    conv = conversation()
    conv.call_handoff("billing")
    conv.call_handoff("sales", reason="offer", utterance="One moment.", sip_headers={"X-A": "1"}, route="r")
    assert conv.host.actions == [
        ("call_handoff", {"destination": "billing"}),
        (
            "call_handoff",
            {
                "destination": "sales",
                "reason": "offer",
                "utterance": "One moment.",
                "sip_headers": {"X-A": "1"},
                "route": "r",
            },
        ),
    ]


EFFECTS: list[tuple[Callable[[Conversation], Any], str, dict[str, Any]]] = [
    (lambda conv: conv.goto_flow("pay"), "goto_flow", {"name": "pay"}),
    (lambda conv: conv.exit_flow(), "exit_flow", {}),
    (lambda conv: conv.goto_csat_flow(), "goto_csat_flow", {}),
    (lambda conv: conv.set_variant("north"), "set_variant", {"name": "north"}),
    (lambda conv: conv.set_language("de"), "set_language", {"code": "de"}),
    (lambda conv: conv.discard_recording(), "discard_recording", {}),
    (
        lambda conv: conv.send_sms("+1", "+2", "Hi"),
        "send_sms",
        {"to_number": "+1", "from_number": "+2", "content": "Hi"},
    ),
    (
        lambda conv: conv.send_sms_template("+1", "welcome", retry_count=2),
        "send_sms_template",
        {"to_number": "+1", "template": "welcome", "retry_count": 2},
    ),
    (lambda conv: conv.send_email("a@b.c", "Hi"), "send_email", {"to": "a@b.c", "body": "Hi"}),
    (
        lambda conv: conv.send_email("a@b.c", "Hi", subject="S"),
        "send_email",
        {"to": "a@b.c", "body": "Hi", "subject": "S"},
    ),
    (
        lambda conv: conv.send_whatsapp("+1", "+2", "id"),
        "send_whatsapp",
        {"to_number": "+1", "from_number": "+2", "content_id": "id"},
    ),
    (
        lambda conv: conv.send_content_template("m", "+1", "id", content_variables={"1": "x"}),
        "send_content_template",
        {"messaging_service_id": "m", "to_number": "+1", "content_id": "id", "content_variables": {"1": "x"}},
    ),
    (
        lambda conv: conv.set_voice(ElevenLabsVoice("v", stability=0.5, model_id="any")),
        "set_voice",
        {
            "voice": {
                "provider": "elevenlabs",
                "provider_voice_id": "v",
                "stability": 0.5,
                "model_id": "any",
            }
        },
    ),
    (
        lambda conv: conv.randomize_voice([VoiceWeighting(CustomVoice("p", "v", pitch=2), 0.5)]),
        "randomize_voice",
        {"weights": [{"voice": {"provider": "p", "provider_voice_id": "v", "pitch": 2}, "weight": 0.5}]},
    ),
    (
        lambda conv: conv.set_voice(CartesiaVoice("v", emotions=[Emotion("anger", "low")])),
        "set_voice",
        {
            "voice": {
                "provider": "cartesia",
                "provider_voice_id": "v",
                "emotions": [{"kind": "anger", "intensity": "low"}],
            }
        },
    ),
    (lambda conv: conv.set_asr_biasing(["brie"]), "set_asr_biasing", {"keywords": ["brie"]}),
    (
        lambda conv: conv.set_asr_biasing(custom_biases={"brie": 2.0}),
        "set_asr_biasing",
        {"custom_biases": {"brie": 2.0}},
    ),
    (lambda conv: conv.clear_asr_biasing(), "clear_asr_biasing", {}),
    (
        lambda conv: conv.add_attachments([Attachment("https://a.b/c", title="C")]),
        "add_attachments",
        {"attachments": [{"content_url": "https://a.b/c", "content_type": "unspecified", "title": "C"}]},
    ),
    (
        lambda conv: conv.set_response_suggestions(["Yes", "No"]),
        "set_response_suggestions",
        {"suggestions": ["Yes", "No"]},
    ),
    (lambda conv: conv.set_background_track("cafe"), "set_background_track", {"name": "cafe"}),
    (
        lambda conv: conv.set_background_track("cafe", loudness=-20),
        "set_background_track",
        {"name": "cafe", "loudness": -20},
    ),
    (lambda conv: conv.set_csat_score(5), "set_csat_score", {"score": 5}),
    (
        lambda conv: conv.set_csat_eligibility(False, "short"),
        "set_csat_eligibility",
        {"eligible": False, "reason": "short"},
    ),
    (lambda conv: conv.set_csat_phone_number("+1"), "set_csat_phone_number", {"n": "+1"}),
    (lambda conv: conv.set_csat_survey_entered(), "set_csat_survey_entered", {}),
    (
        lambda conv: conv.log_api_response({"status": 200}, override_url="u"),
        "log_api_response",
        {"response": {"status": 200}, "override_url": "u"},
    ),
    (
        lambda conv: conv.webchat.set_chat_call_actions([ChatCallAction("+1")]),
        "set_chat_call_actions",
        {"actions": [{"contact_number": "+1"}]},
    ),
    (lambda conv: conv.agentic_dial.send_to_parent("Hi"), "send_to_parent", {"content": "Hi"}),
    (
        lambda conv: conv.agentic_dial.send_to_child("d", "Hi"),
        "send_to_child",
        {"destination": "d", "content": "Hi"},
    ),
    (lambda conv: Flow(conv, "pay").goto_step("Card"), "goto_step", {"name": "Card"}),
    (lambda conv: Flow(conv, "pay").goto_step("Card", "ready"), "goto_step", {"name": "Card", "reason": "ready"}),
]


@pytest.mark.parametrize(("act", "name", "arguments"), EFFECTS, ids=[name for _, name, _ in EFFECTS])
def test_every_other_effect_is_an_action_by_its_name(
    act: Callable[[TestConversation], Any], name: str, arguments: dict[str, Any]
) -> None:
    conv = conversation()
    act(conv)
    assert conv.host.actions == [(name, arguments)]


def test_an_external_event_has_an_id_that_the_platform_is_told() -> None:
    conv = conversation()
    first, second = conv.generate_external_event(), conv.generate_external_event(send_to_llm=True)
    assert first != second
    assert conv.host.actions == [
        ("generate_external_event", {"event_id": first}),
        ("generate_external_event", {"event_id": second, "send_to_llm": True}),
    ]


def test_what_only_the_platform_can_answer_is_asked_by_name() -> None:
    conv = conversation()
    conv.host.answers["prompt_llm"] = lambda arguments: {"asked": arguments}
    conv.host.answers["api.crm.find"] = [1]
    assert conv.utils.prompt_llm("Which?", return_json=True) == {"asked": {"prompt": "Which?", "return_json": True}}
    assert conv.api.crm.find(id=1) == [1]
    for ask, name in (
        (lambda: conv.utils.get_secret("key"), "get_secret"),
        (lambda: conv.utils.extract_city(["L"]), "extract_city"),
        (lambda: conv.integrations.opentable.book(1, day="Friday"), "integrations.opentable.book"),
    ):
        with pytest.raises(NotAnsweredError, match=f"`{name}` can only be answered by the platform") as raised:
            ask()
        assert raised.value.name == name


def test_an_unknown_name_is_said_to_be_one() -> None:
    with pytest.raises(AttributeError, match="nothing_like_it"):
        conversation().nothing_like_it  # noqa: B018
