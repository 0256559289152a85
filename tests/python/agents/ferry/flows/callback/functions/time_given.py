from _gen import *  # <AUTO GENERATED>
from datetime import timedelta
from zoneinfo import ZoneInfo

from functions.clock import now


@func_description("Call this when the caller says when to be called back.")
@func_parameter("hours", "In how many hours")
@func_parameter("zone", "The caller's time zone")
def time_given(conv: Conversation, flow: Flow, hours: float, zone: str):
    at = (now() + timedelta(hours=hours)).astimezone(ZoneInfo(zone))
    conv.state.callback_at = at
    return f"{at:%H:%M} {at:%Z}"
