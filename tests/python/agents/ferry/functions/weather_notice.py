from _gen import *  # <AUTO GENERATED>
import requests

from functions import mock_api


@func_description("Tells of the weather at sea.")
def weather_notice(conv: Conversation):
    try:
        requests.get(f"{mock_api.BASE_URL}/weather", timeout=2)
    except requests.exceptions.RequestException as error:
        conv.log.error("no weather", error=str(error))
        return "Say that the weather is not known."


def in_parallel(conv):
    return mock_api.live_weather()
