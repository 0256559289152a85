"""What stands behind a conversation: the contract's functions, as Python calls them.

Inside a component these are the imports of the component; in tests they are a
:class:`~agent_memory.testing.FakeHost`. Authors of functions need nothing of this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

LogLevel = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Json:
    """A value that JSON can express, as its text."""

    text: str


@dataclass(frozen=True)
class Opaque:
    """A value that JSON cannot express. Only the sandbox that made the bytes reads them."""

    type_name: str
    bytes: bytes


Value = Json | Opaque


@dataclass(frozen=True)
class Attributes:
    """A conversation's attributes, as they stand in this turn."""

    id: str = ""
    account_id: str = "local"
    project_id: str = "local"
    env: str = "sandbox"
    channel: str = "sip.polyai"
    caller_number: str | None = None
    callee_number: str | None = None
    language: str | None = None
    variant_name: str | None = None
    current_flow: str | None = None
    current_step: str | None = None
    sip_headers: list[tuple[str, str]] = field(default_factory=list)
    #: A JSON object, if there are any.
    integration_attributes: str | None = None
    transcript_alternatives: list[str] = field(default_factory=list)
    #: A JSON object.
    settings: str = "{}"


class Host(Protocol):
    """The contract's imports. Texts named ``json`` and the like are JSON."""

    def memory_fields(self) -> list[tuple[str, str]]:
        """All remembered fields and their JSON, ordered by key."""

    def state_entries(self) -> list[tuple[str, Value]]:
        """All entries of the state, in the order in which their keys were first set."""

    def state_set(self, key: str, value: Value) -> None:
        """Sets a value, or raises a :class:`~agent_memory.errors.SetError`."""

    def state_remove(self, key: str) -> bool:
        """Removes a key, and tells whether it was there."""

    def attributes(self) -> Attributes:
        """The conversation's attributes."""

    def history(self) -> list[tuple[str, str]]:
        """Who said what so far, oldest first. A role is ``user`` or ``agent``."""

    def metric_events(self) -> list[tuple[str, str | None]]:
        """The metrics of this conversation, oldest first, and their values as JSON."""

    def say(self, text: str) -> None:
        """Says something to the caller."""

    def log(self, level: LogLevel, content: str, is_pii: bool, fields: str) -> None:
        """Writes an entry to the author's log. The fields are a JSON object."""

    def write_metric(self, name: str, value: str | None, write_once: bool) -> None:
        """Writes a metric, whose value is JSON."""

    def handoff(
        self,
        destination: str,
        reason: str | None,
        utterance: str | None,
        sip_headers: str | None,
        route: str | None,
    ) -> None:
        """Asks for a handoff. The headers are a JSON object."""

    def act(self, name: str, arguments: str) -> None:
        """Asks for any other effect. The arguments are a JSON object."""

    def request(self, name: str, arguments: str) -> str:
        """Asks for an answer, which is JSON, or raises a :class:`~agent_memory.errors.RequestError`."""
