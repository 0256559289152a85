"""Types with constraints."""

from __future__ import annotations

import datetime
import decimal
from typing import Annotated, Any

from .fields import Constraints, Field
from .functional import AfterValidator


def StringConstraints(**constraints: Any) -> Constraints:
    """A note on ``str``: ``Annotated[str, StringConstraints(min_length=1)]``."""
    return Constraints(**constraints)


def constr(**constraints: Any) -> Any:
    """A text with constraints."""
    if "regex" in constraints:
        constraints["pattern"] = constraints.pop("regex")
    return Annotated[str, Constraints(**constraints)]


def conint(**constraints: Any) -> Any:
    """An integer with constraints."""
    return Annotated[int, Constraints(**constraints)]


def confloat(**constraints: Any) -> Any:
    """A float with constraints."""
    return Annotated[float, Constraints(**constraints)]


def condecimal(**constraints: Any) -> Any:
    """A decimal number with constraints."""
    return Annotated[decimal.Decimal, Constraints(**constraints)]


def conlist(item_type: Any, *, min_length: int | None = None, max_length: int | None = None) -> Any:
    """A list with constraints."""
    return Annotated[list[item_type], Field(min_length=min_length, max_length=max_length)]


def _is_past(value: Any) -> Any:
    if value >= _now(value):
        raise ValueError("Date should be in the past")
    return value


def _is_future(value: Any) -> Any:
    if value <= _now(value):
        raise ValueError("Date should be in the future")
    return value


def _now(value: Any) -> Any:
    return datetime.datetime.now(value.tzinfo) if isinstance(value, datetime.datetime) else datetime.date.today()


Strict = Constraints(strict=True)
StrictStr = Annotated[str, Strict]
StrictInt = Annotated[int, Strict]
StrictFloat = Annotated[float, Strict]
StrictBool = Annotated[bool, Strict]
StrictBytes = Annotated[bytes, Strict]
PositiveInt = Annotated[int, Constraints(gt=0)]
NegativeInt = Annotated[int, Constraints(lt=0)]
NonNegativeInt = Annotated[int, Constraints(ge=0)]
NonPositiveInt = Annotated[int, Constraints(le=0)]
PositiveFloat = Annotated[float, Constraints(gt=0)]
NegativeFloat = Annotated[float, Constraints(lt=0)]
NonNegativeFloat = Annotated[float, Constraints(ge=0)]
NonPositiveFloat = Annotated[float, Constraints(le=0)]
PastDate = Annotated[datetime.date, AfterValidator(_is_past)]
FutureDate = Annotated[datetime.date, AfterValidator(_is_future)]
