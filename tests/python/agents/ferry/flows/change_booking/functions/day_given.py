from _gen import *  # <AUTO GENERATED>
from functions.clock import day_called, now, spoken_date


@func_description("Call this when the caller says the new day.")
@func_parameter("day", "today, tomorrow, the name of a day, or YYYY-MM-DD")
def day_given(conv: Conversation, flow: Flow, day: str):
    conv.state.new_date = day_called(day, now().date())
    return f"Moved to {spoken_date(conv.state.new_date)}."
