from _gen import *  # <AUTO GENERATED>
from functions.handoff import CLOSES, OPENS, is_open


@func_description("Tells when the office is open.")
def opening_hours(conv: Conversation):
    state = "open" if conv.state.is_open else "closed"
    return f"The office is {state} now. It is open Monday to Saturday, {OPENS:%H:%M} to {CLOSES:%H:%M}."
