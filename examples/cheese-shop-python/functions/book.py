from _gen import *


@func_description("Books a cheese for the caller, or only notes which one it is to be as long as the day is open.")
@func_parameter("cheese_type", "The cheese, such as brie.")
@func_parameter("booking_day", "The day on which the caller comes to fetch it, if it is settled.")
def book(conv: Conversation, cheese_type: str, booking_day: str | None = None):
    conv.state["cheese_type"] = cheese_type
    # The configuration does not list `mood` among its `state_keys`, so it is forgotten when the call ends.
    conv.state["mood"] = "hungry"
    conv.write_metric("cheese_picked", cheese_type)
    conv.log.info("The caller picked a cheese.", day_is_settled=booking_day is not None)

    if booking_day is None:
        return f"Picked {cheese_type}. Which day?"
    conv.state["booking_day"] = booking_day
    return f"Booked {cheese_type} for {booking_day}."
