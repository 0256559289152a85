from _gen import *  # <AUTO GENERATED>
from functions.mock_api import TIMES


@func_description("Call this when the caller says where to go.")
@func_parameter("route", "island, mainland, skerries, or usual")
def route_given(conv: Conversation, flow: Flow, route: str):
    if route == "usual":
        route = conv.memory.get("usual_route", "")
    if route not in TIMES:
        return "Ask again: there are " + ", ".join(sorted(TIMES))
    conv.state.route = route
    conv.state.steps_seen.add("route")
    flow.goto_step("Ask day", "route given")
