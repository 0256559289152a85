"""A client of the Agent Memory service."""

from .client import Agent, Client, Conversation
from .problem import Problem
from .types import (
    Action,
    AgentDescription,
    CommitReport,
    EndResult,
    Export,
    FunctionError,
    LogEntry,
    MemoryField,
    Tool,
    TurnResult,
)

__all__ = [
    "Action",
    "Agent",
    "AgentDescription",
    "Client",
    "CommitReport",
    "Conversation",
    "EndResult",
    "Export",
    "FunctionError",
    "LogEntry",
    "MemoryField",
    "Problem",
    "Tool",
    "TurnResult",
]
