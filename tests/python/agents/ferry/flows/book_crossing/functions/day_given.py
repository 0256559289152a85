from _gen import *  # <AUTO GENERATED>
from functions.clock import day_called, now, spoken_date
from functions.mock_api import sailings_on


@func_description("Call this when the caller says which day.")
@func_parameter("day", "today, tomorrow, the name of a day, or YYYY-MM-DD")
def day_given(conv: Conversation, flow: Flow, day: str):
    try:
        date = day_called(day, now().date())
    except ValueError:
        conv.state.failures["date"] += 1
        if conv.state.failures["date"] > 1:
            return conv.functions.handoff("LOOKUP_FAILED")
        return "Ask for the day again."
    conv.state.date = date
    conv.state.offers = sailings_on(conv.state.route, date)
    times = [f"{sailing.departs:%H:%M}" for sailing in conv.state.offers]
    flow.goto_step("Ask time")
    return f"On {spoken_date(date)} there are: {', '.join(times)}."
