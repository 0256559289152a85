from _gen import *  # <AUTO GENERATED>
from functions.models import Vehicle
from functions.prices import spoken


@func_description("Call this when the caller says what they bring.")
def vehicle_given(conv: Conversation, flow: Flow, vehicle: Vehicle):
    conv.state.vehicle = vehicle
    pence = flow.functions.price(vehicle)
    return f"That is {spoken(pence)}."
