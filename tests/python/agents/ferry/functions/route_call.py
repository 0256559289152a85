from _gen import *  # <AUTO GENERATED>

FLOWS = {"book": "book_crossing", "change": "change_booking", "lost": "lost_property", "callback": "callback"}


@func_description("Call this as soon as it is clear what the caller wants.")
@func_parameter("intent", "One of book, change, lost, callback, person")
def route_call(conv: Conversation, intent: str):
    conv.write_metric("INTENT", intent.upper(), write_once=True)
    conv.state.steps_seen.add(intent)
    if intent == "person":
        return conv.functions.handoff("SPEAK_TO")
    if intent not in FLOWS:
        conv.log.warning("unknown intent", intent=intent, known=set(FLOWS))
        return "Ask the caller again."
    conv.goto_flow(FLOWS[intent])
    return {"content": f"Started {FLOWS[intent]}."}
