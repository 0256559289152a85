from agent_memory import Conversation, func_description, func_parameter


# A language model is told this and the types, so that it knows when to call the function and with what.
@func_description("Orders a drink for the caller.")
@func_parameter("drink", "The drink, such as a flat white.")
@func_parameter("to_go", "Whether the caller takes it away.")
def order(conv: Conversation, drink: str, to_go: bool = False):
    # `drink` is one of the `state_keys` in config.json: the caller's next conversation finds it in `conv.memory`.
    conv.state["drink"] = drink
    # `to_go` is none of them: it lasts until this conversation ends.
    conv.state["to_go"] = to_go
    return f"One {drink} to go." if to_go else f"One {drink}."
