from _gen import *  # <AUTO GENERATED>
import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import List, Optional


class Vehicle(str, enum.Enum):
    NONE = "none"
    BICYCLE = "bicycle"
    CAR = "car"
    VAN = "van"


class Status(enum.Enum):
    HELD = 1
    CONFIRMED = 2
    CANCELLED = 3


@dataclass
class Party:
    adults: int = 1
    children: int = 0

    @property
    def size(self) -> int:
        return self.adults + self.children


@dataclass
class Sailing:
    id: str
    route: str
    departs: datetime
    seats: int


@dataclass
class Booking:
    reference: str
    sailing: Sailing
    party: Party
    vehicle: Vehicle = Vehicle.NONE
    status: Status = Status.HELD
    notes: List[str] = field(default_factory=list)
    price: Optional[int] = None


@func_description("[UTIL] NOT TO BE CALLED. What the other functions talk about.")
def models(conv: Conversation):
    pass
