from _gen import *  # <AUTO GENERATED>
from datetime import time

OPENS, CLOSES = time(8), time(18)
DESTINATIONS = {"SPEAK_TO": "front_desk", "LOOKUP_FAILED": "bookings", "COMPLAINT": "customer_care"}


def is_open(moment):
    return moment.weekday() < 6 and OPENS <= moment.timetz().replace(tzinfo=None) < CLOSES


@func_description("Transfers the caller to a person.")
@func_parameter("reason", "Why: SPEAK_TO, LOOKUP_FAILED or COMPLAINT")
def handoff(conv: Conversation, reason: str):
    if not conv.state.is_open:
        conv.write_metric("OUTCOME", "CLOSED")
        return "Say that the office is closed and offer a callback."
    conv.write_metric("OUTCOME", "HANDOFF")
    conv.call_handoff(
        destination=DESTINATIONS.get(reason, "front_desk"),
        reason=reason,
        utterance="One moment, I'll put you through.",
        sip_headers={"X-Reason": reason},
    )
