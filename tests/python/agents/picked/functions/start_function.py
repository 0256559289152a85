def start_function(conv: Conversation):
    cheese = conv.memory.get("cheese_type")
    if cheese:
        conv.say(f"You previously picked {cheese}.")
