from _gen import *  # <AUTO GENERATED>


@func_description("Call this when the caller says their name.")
@func_parameter("first_name", "The first name")
def save_first_name(conv: Conversation, first_name: str):
    conv.log.info("got a name", is_pii=True, first_name=first_name)
    if conv.memory.get("first_name") != first_name:
        conv.state["first_name"] = first_name
    return f"Thank the caller by name: {first_name.title()}."
