from _gen import *  # <AUTO GENERATED>


@func_description("Call this when the caller is silent.")
def user_silence(conv: Conversation):
    conv.state.silences = (conv.state.silences or 0) + 1
    if conv.state.silences > 2:
        return conv.functions.hangup()
    return {"utterance": "Are you still there?", "silence": conv.state.silences}
