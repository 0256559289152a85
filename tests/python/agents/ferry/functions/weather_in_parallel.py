from _gen import *  # <AUTO GENERATED>
from functions.weather_notice import in_parallel


def weather_in_parallel(conv: Conversation):
    return in_parallel(conv)
