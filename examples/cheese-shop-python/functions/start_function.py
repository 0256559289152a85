from _gen import *


def start_function(conv: Conversation):
    """Greets the caller with what earlier calls left, if any."""
    cheese_type = conv.memory.get("cheese_type")
    booking_day = conv.memory.get("booking_day")
    if cheese_type and booking_day:
        conv.say(f"You booked {cheese_type} for {booking_day}. Rebook?")
    elif cheese_type:
        conv.say(f"You previously picked {cheese_type}.")
    else:
        conv.say("Welcome to the cheese shop. What may it be?")
