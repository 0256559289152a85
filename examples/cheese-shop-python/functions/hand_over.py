from _gen import *


@func_description("Hands the caller over to the cheesemonger.")
@func_parameter("reason", "What the caller wants from the cheesemonger.")
def hand_over(conv: Conversation, reason: str):
    conv.call_handoff("cheesemonger", reason=reason)
    return "One moment, I'll put you through."
