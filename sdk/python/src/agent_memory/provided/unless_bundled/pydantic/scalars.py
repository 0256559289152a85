"""Validation of values without members."""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from .errors import Invalid


@dataclass
class State:
    """How validation goes on."""

    strict: bool = False
    #: Whether the data was JSON, where there are texts for much that Python has types for.
    is_json: bool = False
    context: Any = None
    config: Any = field(default_factory=dict)
    from_attributes: bool | None = None
    by_alias: bool | None = None
    by_name: bool | None = None
    #: The fields of the model that are valid so far.
    data: dict[str, Any] = field(default_factory=dict)

    def but(self, **changes: Any) -> State:
        """The same with changes."""
        return State(**{**self.__dict__, **changes})


Validator = Callable[[Any, State], Any]


def any_value(value: Any, state: State) -> Any:
    """Anything."""
    return value


def none(value: Any, state: State) -> None:
    """``None``"""
    if value is not None:
        raise Invalid.of("none_required", "Input should be None", value)


def text(value: Any, state: State) -> str:
    """A text."""
    if isinstance(value, str):
        found = str.__str__(value) if isinstance(value, enum.Enum) else value
    elif not state.strict and isinstance(value, (bytes, bytearray)):
        try:
            found = bytes(value).decode()
        except UnicodeDecodeError:
            raise Invalid.of(
                "string_unicode", "Input should be a valid string, unable to parse raw data as a unicode string", value
            ) from None
    elif not state.strict and isinstance(value, enum.Enum) and isinstance(value.value, (str, int, float)):
        found = str(value.value)
    elif state.config.get("coerce_numbers_to_str") and _is_number(value):
        found = str(value)
    else:
        raise Invalid.of("string_type", "Input should be a valid string", value)
    return _of_config(found, state.config, value)


def _of_config(found: str, config: Any, value: Any) -> str:
    if config.get("str_strip_whitespace"):
        found = found.strip()
    if config.get("str_to_lower"):
        found = found.lower()
    if config.get("str_to_upper"):
        found = found.upper()
    low, high = config.get("str_min_length", 0), config.get("str_max_length")
    check_length("string", len(found), low or None, high, value)
    return found


def integer(value: Any, state: State) -> int:
    """An integer."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if state.strict:
        raise Invalid.of("int_type", "Input should be a valid integer", value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (float, decimal.Decimal)):
        if not math.isfinite(value):
            raise Invalid.of("finite_number", "Input should be a finite number", value)
        if value != int(value):
            message = "Input should be a valid integer, got a number with a fractional part"
            raise Invalid.of("int_from_float", message, value)
        return int(value)
    if isinstance(value, (str, bytes)):
        found = re.fullmatch(r"([+-]?\d+(?:_\d+)*)(?:\.0*)?", _plain_text(value))
        if found is None:
            message = "Input should be a valid integer, unable to parse string as an integer"
            raise Invalid.of("int_parsing", message, value)
        return int(found[1])
    if isinstance(value, enum.Enum) and isinstance(value.value, int):
        return int(value.value)
    raise Invalid.of("int_type", "Input should be a valid integer", value)


def number(value: Any, state: State) -> float:
    """A float."""
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, decimal.Decimal):
        return float(value)
    if state.strict:
        raise Invalid.of("float_type", "Input should be a valid number", value)
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, (str, bytes)):
        try:
            return float(_plain_text(value))
        except ValueError:
            message = "Input should be a valid number, unable to parse string as a number"
            raise Invalid.of("float_parsing", message, value) from None
    raise Invalid.of("float_type", "Input should be a valid number", value)


_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "f", "no", "n", "off"})


def boolean(value: Any, state: State) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    if not state.strict:
        if isinstance(value, (str, bytes)):
            word = _plain_text(value, strip=False).lower()
            if word in _TRUE or word in _FALSE:
                return word in _TRUE
            raise Invalid.of("bool_parsing", "Input should be a valid boolean, unable to interpret input", value)
        if isinstance(value, (int, float, decimal.Decimal)) and value in (0, 1):
            return value == 1
        if isinstance(value, (int, float, decimal.Decimal)) and math.isfinite(value) and value == int(value):
            raise Invalid.of("bool_parsing", "Input should be a valid boolean, unable to interpret input", value)
    raise Invalid.of("bool_type", "Input should be a valid boolean", value)


def octets(value: Any, state: State) -> bytes:
    """Bytes."""
    if isinstance(value, bytes):
        return value
    if not state.strict and isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, str) and (state.is_json or not state.strict):
        return value.encode()
    raise Invalid.of("bytes_type", "Input should be a valid bytes", value)


def decimal_number(value: Any, state: State) -> decimal.Decimal:
    """A decimal number."""
    plain = value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, decimal.Decimal):
        found = value
    elif state.strict and not state.is_json:
        raise Invalid.of("is_instance_of", "Input should be an instance of Decimal", value, **{"class": "Decimal"})
    elif isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            found = decimal.Decimal(str(plain).strip())
        except decimal.InvalidOperation:
            raise Invalid.of("decimal_parsing", "Input should be a valid decimal", value) from None
    else:
        message = "Decimal input should be an integer, float, string or Decimal object"
        raise Invalid.of("decimal_type", message, value)
    if not found.is_finite():
        raise Invalid.of("finite_number", "Input should be a finite number", value)
    return found


def identifier(value: Any, state: State) -> uuid.UUID:
    """A UUID."""
    if isinstance(value, uuid.UUID):
        return value
    text = _read_text(value, state)
    if text is not None:
        try:
            return uuid.UUID(text)
        except ValueError as error:
            message = f"Input should be a valid UUID, {error}"
            raise Invalid.of("uuid_parsing", message, value, error=str(error)) from None
    if state.strict:
        raise Invalid.of("is_instance_of", "Input should be an instance of UUID", value, **{"class": "UUID"})
    raise Invalid.of("uuid_type", "UUID input should be a string, bytes or UUID object", value)


def path(value: Any, state: State) -> Path:
    """A path."""
    if isinstance(value, Path):
        return value
    if isinstance(value, str):
        return Path(value)
    raise Invalid.of("path_type", "Input is not a valid path", value)


#: Numbers of seconds above this are of milliseconds.
_MILLISECONDS = 2e10

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def date_time(value: Any, state: State) -> datetime.datetime:
    """A date with a time."""
    if isinstance(value, datetime.datetime):
        return value
    text = _read_text(value, state)
    if text is not None:
        if _NUMBER.fullmatch(text):
            return _from_number(float(text))
        return _from_text(datetime.datetime, text, "datetime", "datetime")
    if not state.strict:
        if isinstance(value, datetime.date):
            return datetime.datetime(value.year, value.month, value.day)
        if _is_number(value):
            return _from_number(value)
    raise Invalid.of("datetime_type", "Input should be a valid datetime", value)


def date(value: Any, state: State) -> datetime.date:
    """A date."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    text = _read_text(value, state)
    if text is not None:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return _from_text(datetime.date, text, "date", "date")
        if _NUMBER.fullmatch(text):
            return _without_time(_from_number(float(text)), value)
        return _without_time(_from_text(datetime.datetime, text, "date_from_datetime", "date or datetime"), value)
    if not state.strict:
        if isinstance(value, datetime.datetime):
            return _without_time(value, value)
        if _is_number(value):
            return _without_time(_from_number(value), value)
    raise Invalid.of("date_type", "Input should be a valid date", value)


def time(value: Any, state: State) -> datetime.time:
    """A time of day."""
    if isinstance(value, datetime.time):
        return value
    text = _read_text(value, state)
    if text is not None:
        return _from_text(datetime.time, text, "time", "time")
    if not state.strict and _is_number(value):
        if not 0 <= value < 86400:
            raise Invalid.of("time_parsing", "Input should be in a valid time format, it is out of range", value)
        return (_EPOCH + datetime.timedelta(seconds=float(value))).timetz()
    raise Invalid.of("time_type", "Input should be a valid time", value)


_DURATION = re.compile(
    r"(?P<sign>[+-])?P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_CLOCK = re.compile(
    r"(?P<sign>[+-])?(?:(?P<days>\d+)(?: days?,? |d,? ))?(?P<hours>\d{1,2}):(?P<minutes>\d{2})"
    r"(?::(?P<seconds>\d{2}(?:\.\d+)?))?"
)


def duration(value: Any, state: State) -> datetime.timedelta:
    """A length of time."""
    if isinstance(value, datetime.timedelta):
        return value
    text = _read_text(value, state)
    if text is not None:
        found = _DURATION.fullmatch(text) or _CLOCK.fullmatch(text)
        if found is None or not any(part for name, part in found.groupdict().items() if name != "sign"):
            message = "Input should be a valid timedelta, invalid digit in duration"
            raise Invalid.of("time_delta_parsing", message, value)
        parts = {name: float(part) for name, part in found.groupdict().items() if part and name != "sign"}
        length = datetime.timedelta(**parts)
        return -length if found["sign"] == "-" else length
    if not state.strict and isinstance(value, (int, float, decimal.Decimal)):
        try:
            return datetime.timedelta(seconds=float(value))
        except (OverflowError, ValueError):
            message = "Input should be a valid timedelta, it is out of range"
            raise Invalid.of("time_delta_parsing", message, value) from None
    raise Invalid.of("time_delta_type", "Input should be a valid timedelta", value)


T = TypeVar("T", datetime.datetime, datetime.date, datetime.time)


def _from_text(kind: type[T], value: str, error: str, noun: str) -> T:
    # Older versions of Python read fewer forms.
    text = re.sub(r"[zZ]$", "+00:00", value)
    text = re.sub(r"([+-]\d{2})(\d{2})$", r"\1:\2", text)
    text = re.sub(r"\.(\d+)", lambda match: "." + match[1][:6].ljust(6, "0"), text)
    try:
        return kind.fromisoformat(text)
    except ValueError:
        raise Invalid.of(f"{error}_parsing", f"Input should be a valid {noun}, input is invalid", value) from None


def _from_number(value: Any) -> datetime.datetime:
    seconds = float(value)
    if abs(seconds) > _MILLISECONDS:
        seconds /= 1000
    try:
        return _EPOCH + datetime.timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        raise Invalid.of("datetime_parsing", "Input should be a valid datetime, it is out of range", value) from None


def _without_time(found: datetime.datetime, value: Any) -> datetime.date:
    if found.time() != datetime.time():
        message = "Datetimes provided to dates should have zero time - e.g. be exact dates"
        raise Invalid.of("date_from_datetime_inexact", message, value)
    return found.date()


def check_length(noun: str, length: int, low: int | None, high: int | None, value: Any) -> None:
    """Whether something is as long as it may be."""
    if noun == "string":
        if low is not None and length < low:
            message = f"String should have at least {low} character{'' if low == 1 else 's'}"
            raise Invalid.of("string_too_short", message, value, min_length=low)
        if high is not None and length > high:
            message = f"String should have at most {high} character{'' if high == 1 else 's'}"
            raise Invalid.of("string_too_long", message, value, max_length=high)
        return
    if low is not None and length < low:
        message = f"{noun} should have at least {low} item{'' if low == 1 else 's'} after validation, not {length}"
        raise Invalid.of("too_short", message, value, field_type=noun, min_length=low, actual_length=length)
    if high is not None and length > high:
        message = f"{noun} should have at most {high} item{'' if high == 1 else 's'} after validation, not {length}"
        raise Invalid.of("too_long", message, value, field_type=noun, max_length=high, actual_length=length)


def _read_text(value: Any, state: State) -> str | None:
    """The text that may be read as something else. None if there is none."""
    if isinstance(value, str) and (state.is_json or not state.strict):
        return value
    return value.decode(errors="replace") if isinstance(value, bytes) and not state.strict else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool)


def _plain_text(value: str | bytes, strip: bool = True) -> str:
    found = value.decode(errors="replace") if isinstance(value, bytes) else value
    return found.strip() if strip else found


SCALARS: dict[Any, Validator] = {
    Any: any_value,
    object: any_value,
    None: none,
    type(None): none,
    str: text,
    int: integer,
    float: number,
    bool: boolean,
    bytes: octets,
    decimal.Decimal: decimal_number,
    uuid.UUID: identifier,
    Path: path,
    datetime.datetime: date_time,
    datetime.date: date,
    datetime.time: time,
    datetime.timedelta: duration,
}
