"""A client of the Agent Memory service."""

from .client import Agent, Client, Conversation
from .problem import Problem
from .types import (
    Act,
    Action,
    AgentDescription,
    CommitReport,
    EndResult,
    Erasure,
    Export,
    FunctionError,
    LogEntry,
    MemoryField,
    Tool,
    TurnResult,
)

__all__ = [
    "Act",
    "Action",
    "Agent",
    "AgentDescription",
    "Client",
    "CommitReport",
    "Conversation",
    "EndResult",
    "Erasure",
    "Export",
    "FunctionError",
    "LogEntry",
    "MemoryField",
    "Problem",
    "Tool",
    "TurnResult",
]
