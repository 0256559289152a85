from _gen import *  # <AUTO GENERATED>


@func_description("Cancels the booking.")
def cancel_booking(conv: Conversation, flow: Flow):
    del conv.state.found
    conv.write_metric("OUTCOME", "CANCELLED")
    conv.exit_flow()
