from _gen import *  # <AUTO GENERATED>


def check_seats(conv: Conversation, flow: Flow):
    enough = conv.state.sailing.seats >= conv.state.party.size
    flow.goto_step("Ask vehicle" if enough else "No seats", reason="seats checked")
    return enough
