from _gen import *  # <AUTO GENERATED>


@func_description("Call this when the caller confirms the callback.")
def confirm(conv: Conversation, flow: Flow):
    conv.state["callback_count"] = conv.memory.get("callback_count", 0) + 1
    event = conv.generate_external_event(send_to_llm=True)
    conv.state.event = event
    conv.write_metric("OUTCOME", "CALLBACK")
    return len(event)
