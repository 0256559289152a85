"""It keeps in modules and classes, its own and others', what it was called with."""

import json

CALLERS = []


class Kept:
    calls = 0


def python_keeps_in_a_module(conv: Conversation, more=[]):
    CALLERS.append(conv.caller_number)
    Kept.calls += 1
    more.append(1)
    json.calls = getattr(json, "calls", 0) + 1
    __builtins__["calls"] = __builtins__.get("calls", 0) + 1
    return [len(CALLERS), Kept.calls, len(more), json.calls, __builtins__["calls"]]
