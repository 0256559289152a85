from _gen import *  # <AUTO GENERATED>
from functions.models import Party


@func_description("Call this when the caller says how many travel.")
@func_parameter("adults", "How many adults")
@func_parameter("children", "How many children")
def party_given(conv: Conversation, flow: Flow, adults: int, children: int):
    conv.state.party = Party(adults, children)
    conv.state.usual_party = {"adults": adults, "children": children}
    flow.goto_step("Ask vehicle")
