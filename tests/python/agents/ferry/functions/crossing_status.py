from _gen import *  # <AUTO GENERATED>


@func_description("Tells whether the ships of a route sail today.")
@func_parameter("route", "island, mainland or skerries")
@func_latency_control(
    delay_before_responses_start=1,
    silence_after_each_response=2,
    delay_responses=[("One moment please.", 2), ("Nearly there.", 2)],
)
def crossing_status(conv: Conversation, route: str):
    from functions import clock, mock_api

    sailings = mock_api.sailings_on(route, clock.now().date())
    left = [sailing for sailing in sailings if sailing.departs > clock.now()]
    first = mock_api.earliest(left)
    return f"{len(left)} more today, next at {first.departs:%H:%M}." if first else "None today any more."
