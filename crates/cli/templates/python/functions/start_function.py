from agent_memory import Conversation


def start_function(conv: Conversation):
    """Greets the caller. Runs by itself when a conversation starts."""
    # What earlier conversations of this caller left. It is read here, and set in `conv.state`.
    drink = conv.memory.get("drink")
    if drink:
        conv.say(f"Welcome back. A {drink} again?")
    else:
        conv.say("Welcome to the coffee bar. What can I get you?")
