"""Write functions with memory in Python.

A conversation's functions greet, book, look up; what they set in ``conv.state`` under one of the agent's
``state_keys`` comes back as ``conv.memory`` in the same caller's next conversation::

    from agent_memory import Conversation, func_description, func_parameter

    def start_function(conv: Conversation):
        cheese = conv.memory.get("cheese_type")
        if cheese:
            conv.say(f"You previously picked {cheese}.")

    @func_description("Books a cheese for a day.")
    @func_parameter("cheese_type", "The cheese, such as brie.")
    def book(conv: Conversation, cheese_type: str, booking_day: str):
        conv.state["cheese_type"] = cheese_type
        return f"Booked {cheese_type} for {booking_day}."

A file's public functions whose first parameter is ``conv`` are the agent's. Two names are special:
``start_function`` runs when a conversation starts, ``end_function`` when it ends. ``agent-memory build`` makes a
component of them, ``agent-memory run`` plays a scenario with them, and :mod:`agent_memory.testing` is for tests
without either.
"""

from .conversation import Conversation
from .decorators import func_description, func_latency_control, func_parameter
from .errors import (
    AgentMemoryError,
    ArgumentsError,
    KeyTooLongError,
    NestedValueError,
    NotAnsweredError,
    NotJsonError,
    OpaqueValueError,
    RequestError,
    SandboxError,
    SetError,
    StateTooLargeError,
    ValueTooLargeError,
)
from .functions import Flow, FlowFunctionExecutor, FunctionExecutor
from .log import ConversationLogger
from .memory import Memory
from .state import State
from .views import AgentResponse, MetricEvent, UserInput, Variant
from .voices import (
    CartesiaVoice,
    CustomVoice,
    ElevenLabsVoice,
    GoogleVoice,
    HumeVoice,
    MinimaxVoice,
    PlayHTVoice,
    RimeVoice,
    TTSVoice,
    VoiceWeighting,
)

__version__ = "0.1.0"

__all__ = [
    "AgentMemoryError",
    "AgentResponse",
    "ArgumentsError",
    "CartesiaVoice",
    "Conversation",
    "ConversationLogger",
    "CustomVoice",
    "ElevenLabsVoice",
    "Flow",
    "FlowFunctionExecutor",
    "FunctionExecutor",
    "GoogleVoice",
    "HumeVoice",
    "KeyTooLongError",
    "Memory",
    "MetricEvent",
    "MinimaxVoice",
    "NestedValueError",
    "NotAnsweredError",
    "NotJsonError",
    "OpaqueValueError",
    "PlayHTVoice",
    "RequestError",
    "RimeVoice",
    "SandboxError",
    "SetError",
    "State",
    "StateTooLargeError",
    "TTSVoice",
    "UserInput",
    "ValueTooLargeError",
    "Variant",
    "VoiceWeighting",
    "func_description",
    "func_latency_control",
    "func_parameter",
]
