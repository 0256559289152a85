from _gen import *  # <AUTO GENERATED>
from http import HTTPStatus

from pydantic import ValidationError

from functions import mock_api


@func_description("Finds a booking.")
@func_parameter("reference", "Two letters and four digits")
def find_booking(conv: Conversation, flow: Flow, reference: str):
    answer = mock_api.find_booking(reference)
    if answer.status_code != HTTPStatus.OK:
        conv.state.failures["lookup"] += 1
        if conv.state.failures["lookup"] >= 2:
            return conv.functions.handoff(reason="LOOKUP_FAILED")
        return "There is no such booking. Ask again."
    try:
        found = mock_api.SavedBooking.model_validate(answer.json())
    except ValidationError as error:
        conv.log.error("bad answer", problems=[one["loc"] for one in error.errors()])
        return conv.functions.handoff("LOOKUP_FAILED")
    conv.state.found = found
    flow.goto_step("Ask new day")
    return found.model_dump(mode="json")
