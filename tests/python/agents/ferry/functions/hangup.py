from _gen import *  # <AUTO GENERATED>


@func_description("Ends the call.")
def hangup(conv: Conversation):
    return {"utterance": "Goodbye.", "hangup": True}
