from _gen import *  # <AUTO GENERATED>


@func_description("Call this when the caller chooses a time.")
@func_parameter("departs", "The time, as HH:MM")
def time_chosen(conv: Conversation, flow: Flow, departs: str):
    for sailing in conv.state.offers:
        if f"{sailing.departs:%H:%M}" == departs:
            conv.state.sailing = sailing
            flow.goto_step("Ask party")
            return f"Chosen {sailing.id}."
    return "There is no such time."
