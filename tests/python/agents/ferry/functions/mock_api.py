"""Stands for the ferry line's booking system."""

import calendar
import json
import logging
import random
import re
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import datetime, time, timedelta
from http import HTTPStatus
from itertools import count
from zoneinfo import ZoneInfo

import plog
import requests
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator, model_validator

from functions.clock import ZONE
from functions.models import Sailing

BASE_URL = "https://api.example.com/v1"
TIMES = {"island": ["08:15", "13:30", "18:45"], "mainland": ["07:00", "12:15", "17:30"], "skerries": ["10:00"]}

_references = count(1)
_log = logging.getLogger(__name__)


class Answer:
    def __init__(self, status_code, body):
        self.status_code = status_code
        self.body = deepcopy(body)

    def json(self):
        return self.body


class SavedBooking(BaseModel):
    """A booking, as the system sends it."""

    model_config = ConfigDict(populate_by_name=True, extra="ignore")

    reference: str = Field(validation_alias=AliasChoices("reference", "ref", "bookingRef"), pattern=r"^[A-Z]{2}\d{4}$")
    route: str
    departs: datetime
    adults: int = Field(1, ge=0)
    children: int = Field(0, ge=0)

    @field_validator("route", mode="before")
    @classmethod
    def known_route(cls, value):
        value = str(value).lower()
        if value not in TIMES:
            raise ValueError("no such route")
        return value

    @model_validator(mode="after")
    def somebody_travels(self):
        if self.adults + self.children == 0:
            raise ValueError("nobody travels")
        return self


BOOKINGS = {
    "FE1234": {"bookingRef": "FE1234", "route": "ISLAND", "departs": "2026-03-20T08:15:00+00:00", "adults": "2"},
    "FE9999": {"bookingRef": "broken", "route": "NOWHERE", "departs": "soon"},
}


@plog.tmp_bind(api_integration="ferry")
def find_booking(reference):
    reference = re.sub(r"[^A-Z0-9]", "", reference.upper())
    plog.info("looking for a booking", reference=reference)
    if reference not in BOOKINGS:
        return Answer(HTTPStatus.NOT_FOUND, {})
    return Answer(HTTPStatus.OK, BOOKINGS[reference])


def sailings_on(route, date):
    """All sailings of a day. There are fewer seats at the weekend."""
    seats = 4 if calendar.day_name[date.weekday()] in ("Saturday", "Sunday") else 40
    return [
        Sailing(
            id=f"{route}-{date:%Y%m%d}-{departs.replace(':', '')}",
            route=route,
            departs=datetime.combine(date, time.fromisoformat(departs), tzinfo=ZoneInfo(ZONE)),
            seats=seats,
        )
        for departs in TIMES[route]
    ]


def new_reference():
    return f"FE{random.randint(1000, 9999)}-{next(_references)}"


def live_weather():
    """Would ask a weather service."""
    with ThreadPoolExecutor() as pool:
        return pool.submit(requests.get, f"{BASE_URL}/weather", timeout=2).result()


def earliest(sailings):
    return min(sailings, key=lambda sailing: sailing.departs, default=None)


def as_json(value):
    return json.dumps(value, default=str, sort_keys=True)


def within(sailing, hours, now):
    return sailing.departs - now < timedelta(hours=hours)
