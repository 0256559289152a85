from _gen import *  # <AUTO GENERATED>


@func_description("Call this when the caller confirms the change.")
def confirm(conv: Conversation, flow: Flow):
    moved = conv.state.found.model_copy(update={"departs": conv.state.new_date})
    conv.state.found = moved
    conv.write_metric("OUTCOME", "CHANGED")
    conv.exit_flow()
    return f"{moved.reference} is on {moved.departs.isoformat()} now."
