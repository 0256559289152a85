"""The handle that every function is given."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, NoReturn

from .errors import AgentMemoryError
from .functions import FunctionExecutor, Registry
from .host import Attributes, Host
from .log import ConversationLogger
from .memory import Memory
from .requests import AgenticDial, Requests, Utils, Webchat, act, response_summary
from .state import State
from .values import decode, loose, plain_text
from .views import (
    AgentResponse,
    Entities,
    MetricEvent,
    RealtimeConfig,
    SipHeaders,
    Translations,
    UserInput,
    Variant,
    Variants,
)
from .voices import TTSVoice, VoiceWeighting

__all__ = ["Conversation"]


class Conversation:
    """The conversation that a function takes part in: what it may know of it, and what it may ask for.

    What a function says and asks for is handed on in order when it returns, and also when it raises an error. Nothing
    of it happens if the sandbox has to stop the function for using too much time or memory.
    """

    def __init__(self, host: Host, registry: Registry | None = None) -> None:
        self._host = host
        self._registry = registry or Registry()

    # Memory and state

    @cached_property
    def memory(self) -> Memory:
        """What earlier conversations left on this caller. Read-only."""
        return Memory(self._host)

    @cached_property
    def _state(self) -> State:
        return State(self._host)

    @property
    def state(self) -> State:
        """What this conversation knows. What is set here under one of the ``state_keys`` is remembered."""
        return self._state

    # Attributes

    @property
    def id(self) -> str:
        """The conversation's id."""
        return self._attributes.id

    @property
    def account_id(self) -> str:
        """The account that the agent belongs to."""
        return self._attributes.account_id

    @property
    def project_id(self) -> str:
        """The project that the agent belongs to."""
        return self._attributes.project_id

    @property
    def env(self) -> str:
        """The environment: ``sandbox``, ``pre-release``, ``live`` or ``draft``."""
        return self._attributes.env

    @property
    def channel_type(self) -> str:
        """The channel, such as ``sip.polyai`` or ``webchat.polyai``."""
        return self._attributes.channel

    @property
    def caller_number(self) -> str | None:
        """The caller's number, where the channel has one."""
        return self._attributes.caller_number

    @property
    def callee_number(self) -> str | None:
        """The number that was called."""
        return self._attributes.callee_number

    @property
    def language(self) -> str | None:
        """The language's code."""
        return self._attributes.language

    @property
    def variant_name(self) -> str | None:
        """The name of the variant in use."""
        return self._attributes.variant_name

    @property
    def current_flow(self) -> str | None:
        """The flow that the conversation is in."""
        return self._attributes.current_flow

    @property
    def current_step(self) -> str | None:
        """The step of that flow."""
        return self._attributes.current_step

    @cached_property
    def sip_headers(self) -> SipHeaders:
        """The call's SIP headers. Names compare without case."""
        return SipHeaders(self._attributes.sip_headers)

    @cached_property
    def integration_attributes(self) -> dict[str, Any] | None:
        """What integrations attached to the conversation."""
        text = self._attributes.integration_attributes
        return None if text is None else decode(text)

    @cached_property
    def transcript_alternatives(self) -> list[str]:
        """What was heard, in the recogniser's order, where it was not sure."""
        return list(self._attributes.transcript_alternatives)

    @cached_property
    def variants(self) -> Variants:
        """The settings of all variants, by name."""
        return Variants(self._setting("variants"))

    @cached_property
    def variant(self) -> Variant:
        """The settings of the variant in use, by key and by attribute. Empty, and so false, where there is none."""
        settings = self._setting("variant")
        return Variant(settings) if settings else self.variants.get(self.variant_name or "", Variant())

    @cached_property
    def entities(self) -> Entities:
        """What was understood so far."""
        return Entities(self._setting("entities"))

    @cached_property
    def real_time_config(self) -> RealtimeConfig:
        """Settings that can be changed while the agent runs."""
        return RealtimeConfig(self._setting("real_time_config"))

    @cached_property
    def translations(self) -> Translations:
        """The project's translations by key. As an attribute, a text in the conversation's language."""
        return Translations(self._setting("translations"), self.language)

    @cached_property
    def handoffs(self) -> dict[str, Any]:
        """The project's handoff destinations, by name."""
        return self._setting("handoffs")

    @cached_property
    def history(self) -> list[UserInput | AgentResponse]:
        """What was said before this turn, oldest first."""
        return [UserInput(text) if role == "user" else AgentResponse(text) for role, text in self._host.history()]

    @property
    def metric_events(self) -> list[MetricEvent]:
        """The metrics that functions have written in this conversation, oldest first, this turn's included."""
        return [
            MetricEvent(name, None if value is None else decode(value)) for name, value in self._host.metric_events()
        ]

    # Speech, log, metrics, handoff

    def say(self, utterance: str) -> None:
        """Says something to the caller."""
        self._host.say(plain_text(utterance))

    @cached_property
    def log(self) -> ConversationLogger:
        """The author's log."""
        return ConversationLogger(self._host)

    def write_metric(self, name: str, value: Any = None, *, write_once: bool = False) -> None:
        """Writes a metric. With ``write_once``, only if the conversation has written none of that name."""
        self._host.write_metric(plain_text(name), None if value is None else loose(value), bool(write_once))

    def call_handoff(
        self,
        destination: str,
        reason: str | None = None,
        utterance: str | None = None,
        sip_headers: Mapping[str, Any] | None = None,
        route: str | None = None,
    ) -> None:
        """Asks for the caller to be handed over to somebody else."""
        self._host.handoff(
            plain_text(destination),
            None if reason is None else plain_text(reason),
            None if utterance is None else plain_text(utterance),
            None if sip_headers is None else loose(dict(sip_headers)),
            None if route is None else plain_text(route),
        )

    # Where the conversation goes

    def goto_flow(self, name: str) -> None:
        """Asks for the conversation to go on in a flow."""
        act(self._host, "goto_flow", name=name)

    def exit_flow(self) -> None:
        """Asks for the conversation to leave its flow."""
        act(self._host, "exit_flow")

    def goto_csat_flow(self) -> None:
        """Asks for the conversation to go on with the survey of how content the caller is."""
        act(self._host, "goto_csat_flow")

    def set_variant(self, name: str) -> None:
        """Asks for another variant."""
        act(self._host, "set_variant", name=name)

    def set_language(self, code: str) -> None:
        """Asks for another language."""
        act(self._host, "set_language", code=code)

    def discard_recording(self) -> None:
        """Asks for the recording to be thrown away."""
        act(self._host, "discard_recording")

    # Messages

    def send_sms(self, to_number: str, from_number: str, content: str, retry_count: int | None = None) -> None:
        """Asks for a text message."""
        act(
            self._host,
            "send_sms",
            to_number=to_number,
            from_number=from_number,
            content=content,
            retry_count=retry_count,
        )

    def send_sms_template(self, to_number: str, template: str, retry_count: int | None = None) -> None:
        """Asks for a text message made from one of the project's templates."""
        act(self._host, "send_sms_template", to_number=to_number, template=template, retry_count=retry_count)

    def send_email(self, to: str, body: str, subject: str = "") -> None:
        """Asks for an email."""
        act(self._host, "send_email", to=to, body=body, subject=subject or None)

    def send_whatsapp(
        self,
        to_number: str,
        from_number: str,
        content_id: str,
        content: str | None = "",
        retry_count: int | None = None,
    ) -> None:
        """Asks for a WhatsApp message."""
        act(
            self._host,
            "send_whatsapp",
            to_number=to_number,
            from_number=from_number,
            content_id=content_id,
            content=content or None,
            retry_count=retry_count,
        )

    def send_content_template(
        self,
        messaging_service_id: str,
        to_number: str,
        content_id: str,
        content: str | None = "",
        whatsapp: bool | None = False,
        content_variables: dict[str, Any] | None = None,
        retry_count: int | None = None,
    ) -> None:
        """Asks for a message made from a template of the messaging service."""
        act(
            self._host,
            "send_content_template",
            messaging_service_id=messaging_service_id,
            to_number=to_number,
            content_id=content_id,
            content=content or None,
            whatsapp=whatsapp or None,
            content_variables=content_variables,
            retry_count=retry_count,
        )

    def add_attachments(self, attachments: Iterable[Any]) -> None:
        """Asks for files to be shown with the answer."""
        act(self._host, "add_attachments", attachments=list(attachments))

    def set_response_suggestions(self, suggestions: Iterable[str]) -> None:
        """Asks for answers to be suggested to the person."""
        act(self._host, "set_response_suggestions", suggestions=list(suggestions))

    # Sound

    def set_voice(self, voice: TTSVoice) -> None:
        """Asks for another voice."""
        act(self._host, "set_voice", voice=voice)

    def randomize_voice(self, weights: Iterable[VoiceWeighting]) -> None:
        """Asks for one of several voices, each as likely as its weight says."""
        act(self._host, "randomize_voice", weights=list(weights))

    def set_background_track(self, name: str, loudness: float = -40) -> None:
        """Asks for a sound in the background."""
        act(self._host, "set_background_track", name=name, loudness=None if loudness == -40 else loudness)

    def set_asr_biasing(self, keywords: list[str] | None = None, custom_biases: dict[str, float] | None = None) -> None:
        """Asks for words to be expected when the caller speaks."""
        act(self._host, "set_asr_biasing", keywords=keywords, custom_biases=custom_biases)

    def clear_asr_biasing(self) -> None:
        """Asks for no words to be expected any more."""
        act(self._host, "clear_asr_biasing")

    # How content the caller is

    def set_csat_score(self, score: int) -> None:
        """Gives the survey's score."""
        act(self._host, "set_csat_score", score=score)

    def set_csat_eligibility(self, eligible: bool, reason: str | None = None) -> None:
        """Says whether the caller may be asked for the survey."""
        act(self._host, "set_csat_eligibility", eligible=eligible, reason=reason)

    def set_csat_phone_number(self, n: str) -> None:
        """Says which number the survey goes to."""
        act(self._host, "set_csat_phone_number", n=n)

    def set_csat_survey_entered(self) -> None:
        """Says that the caller has begun the survey."""
        act(self._host, "set_csat_survey_entered")

    # The platform

    def generate_external_event(self, *, send_to_llm: bool = False) -> str:
        """Asks for an event that another system can raise later, and returns its id."""
        event_id = str(uuid.uuid4())
        act(self._host, "generate_external_event", event_id=event_id, send_to_llm=send_to_llm or None)
        return event_id

    def log_api_response(self, response: Any, override_url: str | None = None) -> None:
        """Hands on what an API answered, for the platform's log of API calls."""
        act(self._host, "log_api_response", response=response_summary(response), override_url=override_url)

    @cached_property
    def utils(self) -> Utils:
        """What the platform can work out, such as the answer of a language model."""
        return Utils(self._host)

    @cached_property
    def api(self) -> Requests:
        """The project's APIs: ``conv.api.NAME.OPERATION(...)``."""
        return Requests(self._host, "api")

    @cached_property
    def integrations(self) -> Requests:
        """The project's integrations: ``conv.integrations.NAME.OPERATION(...)``."""
        return Requests(self._host, "integrations")

    @cached_property
    def webchat(self) -> Webchat:
        """The web chat that the person writes in."""
        return Webchat(self._host)

    @cached_property
    def agentic_dial(self) -> AgenticDial:
        """Calls that the agent makes."""
        return AgenticDial(self._host)

    @cached_property
    def functions(self) -> FunctionExecutor:
        """The project's other functions: ``conv.functions.NAME(...)``. They run within this turn."""
        return FunctionExecutor(self._registry, self)

    # The rest

    @cached_property
    def _attributes(self) -> Attributes:
        # One crossing brings all of them over.
        return self._host.attributes()

    @cached_property
    def _settings(self) -> dict[str, Any]:
        settings = decode(self._attributes.settings)
        return settings if isinstance(settings, dict) else {}

    def _setting(self, name: str) -> dict[str, Any]:
        setting = self._settings.get(name)
        return setting if isinstance(setting, dict) else {}

    def _finish(self) -> None:
        """Sets what a function has changed in place. Raises the first error, when all is set."""
        state = self.__dict__.get("_state")
        error = None if state is None else state._changed_in_place()
        if error is not None:
            raise error

    def __repr__(self) -> str:
        return "<Conversation>"

    def __reduce__(self) -> NoReturn:
        raise AgentMemoryError("a conversation lasts longer than any value of it: keep what you need of it instead")
