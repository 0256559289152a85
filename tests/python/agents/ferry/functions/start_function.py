from _gen import *  # <AUTO GENERATED>
import plog

from functions.clock import now, spoken_date
from functions.handoff import is_open

VOICE = ElevenLabsVoice("any-voice", stability=0.4, similarity_boost=0.8, model_id="a_model_of_any_name")


def greeting(conv):
    name = conv.memory.get("first_name")
    if not name:
        return "Northern Ferries, good day. How can I help?"
    booking = conv.memory.get("last_booking")
    if booking:
        return f"Welcome back, {name}. Is it about your booking {booking['reference']}?"
    return f"Welcome back, {name}."


def start_function(conv: Conversation):
    conv.set_voice(VOICE)
    conv.set_asr_biasing(keywords=["Skerries"])
    moment = now()
    conv.state.called_at = moment
    conv.state.today = spoken_date(moment.date())
    conv.state.is_open = is_open(moment)
    conv.state.cart = []
    conv.state.failures = {"lookup": 0, "date": 0}
    conv.state.steps_seen = {"start"}
    if "callback_count" in conv.memory:
        conv.write_metric("CALLED_BACK_BEFORE", conv.memory["callback_count"], write_once=True)
    plog.info("call started", remembered=len(conv.memory), env=conv.env)
    conv.say(greeting(conv))
    return {"utterance": "", "listen": {"asr": {"timeout": 5}}}
