from _gen import *  # <AUTO GENERATED>
from functions.mock_api import TIMES


@func_description("Sends the timetable of a route by text message.")
@func_parameter("route", "island, mainland or skerries")
def send_timetable(conv: Conversation, route: str):
    number = conv.caller_number
    if not number:
        return "There is no number to send it to."
    conv.send_sms(to_number=number, from_number="+441632960100", content=f"{route}: {', '.join(TIMES[route])}")
    conv.state.setdefault("sent", []).append(route)
