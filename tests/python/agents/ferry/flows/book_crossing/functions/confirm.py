from _gen import *  # <AUTO GENERATED>
from functions.mock_api import new_reference
from functions.models import Booking, Status


@func_description("Call this when the caller confirms the booking.")
def confirm(conv: Conversation, flow: Flow):
    booking = Booking(new_reference(), conv.state.sailing, conv.state.party, conv.state.vehicle)
    booking.status = Status.CONFIRMED
    booking.price = flow.functions.price(conv.state.vehicle)
    booking.notes.append("booked by telephone")
    conv.state.booking = booking
    conv.state.cart.append({"route": conv.state.route, "price": booking.price})
    conv.state.booked = True
    conv.state["last_booking"] = {"reference": "FE0001", "route": conv.state.route}
    conv.write_metric("OUTCOME", "BOOKED")
    conv.exit_flow()
    return {"content": f"Booked for {booking.party.size}.", "variant": booking.status.name}
