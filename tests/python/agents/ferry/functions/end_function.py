from _gen import *  # <AUTO GENERATED>


def end_function(conv: Conversation):
    conv.write_metric("STEPS_SEEN", len(conv.state.steps_seen or ()))
    if conv.state.booking:
        conv.write_metric("BOOKED", conv.state.booking.sailing.route)
    route = conv.state.route
    if route and conv.state.get("booked"):
        conv.state["usual_route"] = route
    if not any(event.name == "OUTCOME" for event in conv.metric_events):
        conv.write_metric("OUTCOME", "none")
