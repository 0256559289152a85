from _gen import *  # <AUTO GENERATED>
from functions.prices import price_of


def price(conv: Conversation, flow: Flow, vehicle: str):
    party = conv.state.party
    return price_of(conv.state.route, party.adults, party.children, vehicle)
