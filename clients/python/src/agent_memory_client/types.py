"""What the service answers."""

from __future__ import annotations

from typing import Any, Literal, TypedDict


class Action(TypedDict):
    """Something that a function asked for, for the platform to carry out."""

    name: str
    arguments: dict[str, Any]


class LogEntry(TypedDict):
    """An entry of a function author's log."""

    level: Literal["info", "warning", "error"]
    content: str
    is_pii: bool
    fields: dict[str, Any]


class FunctionError(TypedDict):
    """What a function that failed says about it."""

    name: str
    message: str
    trace: str


class TurnResult(TypedDict):
    """What a function did."""

    call: str
    outcome: Literal["returned", "error", "stopped"]
    returns: Any
    say: list[str]
    actions: list[Action]
    logs: list[LogEntry]
    error: FunctionError | None
    memory_unavailable: bool
    micros: int


class KeyReport(TypedDict, total=False):
    """What became of a key: `expires_at` if it was kept, `reason` if it was not."""

    kept: bool
    expires_at: str
    reason: str


class Warning(TypedDict):
    """Something about a stored value that its author should know."""

    code: str
    key: str


class CommitReport(TypedDict):
    """What a conversation's end has written, key by key."""

    status: Literal["committed", "no-identifier", "memory-off", "preview"]
    identifier: str
    keys: dict[str, KeyReport]
    first_interaction: bool
    warnings: list[Warning]


class EndResult(TypedDict):
    """What a conversation's end did."""

    turn: TurnResult | None
    commit: CommitReport
    metrics: dict[str, str]


class ToolFunction(TypedDict):
    """The function of a tool."""

    name: str
    description: str
    parameters: dict[str, Any]


class Tool(TypedDict):
    """A function in the form in which language models are given tools."""

    type: Literal["function"]
    function: ToolFunction


class AgentDescription(TypedDict):
    """An agent, in the version that conversations begin with."""

    account: str
    project: str
    environment: str
    version: str
    component: str
    state_keys: list[str]
    functions: list[dict[str, Any]]
    warnings: list[dict[str, str]]


class MemoryField(TypedDict):
    """A field as it is stored."""

    value: Any
    expires_at: str


class _ActAlways(TypedDict):
    id: str
    #: The hour in which it was done.
    at: str
    act: str
    #: How much it concerned, by what that is.
    counts: dict[str, int]
    #: Whether it is known to have been completed.
    completed: bool
    #: SHA-256 of this object without this member.
    digest: str


class Act(_ActAlways, total=False):
    """What an administrator did. It names no caller."""

    #: The name of the token with which it was done.
    by: str
    account: str
    project: str
    environment: str
    #: From when no copy of what was erased can be read any more, not in backups either.
    unreadable_from: str


class Erasure(TypedDict):
    """What was erased, and the erasure as the audit trail has it."""

    deleted: dict[str, int]
    receipt: Act


class Export(TypedDict):
    """All that is held on a caller."""

    identifier_kind: Literal["phone", "custom"]
    fields: dict[str, MemoryField]
    first_interaction: dict[str, str] | None
    conversations: list[str]
