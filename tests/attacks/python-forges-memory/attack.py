"""It changes what it was given of memory, in every way that Python has, to find it there in the next turn. Returns what it
finds of an earlier turn."""


def python_forges_memory(conv: Conversation):
    found = conv.memory.get("booking_day")
    for forge in [
        lambda: conv.memory.__setitem__("booking_day", "forged"),
        lambda: conv.memory.fields().update(booking_day="forged"),
        lambda: setattr(conv.memory, "booking_day", "forged"),
        lambda: object.__setattr__(conv.memory, "_fields", {"booking_day": "forged"}),
        lambda: setattr(type(conv.memory), "get", lambda self, key, default=None: "forged"),
        lambda: vars(conv.memory).update(_fields={"booking_day": "forged"}),
    ]:
        try:
            forge()
        except (AttributeError, TypeError, KeyError):
            pass
    return found
