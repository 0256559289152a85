"""Further names that the platform gives to every file, and that few functions use."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .requests import AgenticDial, Requests, Utils, Webchat
from .views import Entities
from .voices import Emotion, EmotionIntensity, EmotionKind, VoiceType

__all__ = [
    "Address",
    "AgenticDial",
    "ApiExecutor",
    "Attachment",
    "ChatCallAction",
    "Emotion",
    "EmotionIntensity",
    "EmotionKind",
    "Entities",
    "ExternalEvents",
    "Integrations",
    "MissingHandoff",
    "MissingTemplate",
    "OutgoingSMS",
    "OutgoingSMSTemplate",
    "SMSIntegrationNotFound",
    "SMSMissingAssistantAccess",
    "SMSReceived",
    "SMSTemplate",
    "Utils",
    "VoiceType",
    "WebchatInterface",
]

ApiExecutor = Requests
Integrations = Requests
WebchatInterface = Webchat


class MissingTemplate(Exception):
    """There is no template of that name."""


class MissingHandoff(Exception):
    """There is no handoff destination of that name."""


class SMSIntegrationNotFound(Exception):
    """Nothing that sends text messages is set up."""


class SMSMissingAssistantAccess(Exception):
    """What sends text messages may not be used by this agent."""


class _Record:
    def to_dict(self) -> dict[str, Any]:
        """Its members as JSON knows them. What is ``None`` is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}  # type: ignore[call-overload]


@dataclass
class Attachment(_Record):
    """A file that is shown with the answer."""

    content_url: str | None = None
    content_type: str = "unspecified"
    title: str | None = None
    preview_image_url: str | None = None
    call_to_action: str | None = None
    chart_spec: dict[str, Any] | None = None


@dataclass
class ChatCallAction(_Record):
    """A button that starts a call."""

    contact_number: str
    title: str | None = None


@dataclass
class Address(_Record):
    """A postal address."""

    street_number: str | None = None
    street_name: str | None = None
    city: str | None = None
    state: str | None = None
    postcode: str | None = None
    country: str | None = None


@dataclass
class SMSTemplate(_Record):
    """A template of a text message."""

    name: str
    content: str
    phone_number: str


@dataclass
class OutgoingSMS(_Record):
    """A text message that is to be sent."""

    to_number: str
    from_number: str
    content: str
    content_id: str | None = None


@dataclass
class OutgoingSMSTemplate(_Record):
    """A text message that is to be sent, made from a template."""

    to_number: str
    template: str


@dataclass
class SMSReceived(_Record):
    """A text message that has come in."""

    from_number: str
    to_number: str
    text: str


@dataclass
class ExternalEvents:
    """What has come in from elsewhere."""

    sms_received: list[SMSReceived] = field(default_factory=list)

    def get_sms_received_history(self) -> list[SMSReceived]:
        """The text messages that have come in."""
        return list(self.sms_received)
