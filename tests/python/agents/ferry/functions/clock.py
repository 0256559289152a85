from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = "Europe/London"
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def now():
    return datetime.now(ZoneInfo(ZONE))


def day_called(word, today):
    """The day that somebody means: a date, "tomorrow" or the name of a day."""
    word = word.strip().lower()
    if word in ("today", "tomorrow"):
        return today + timedelta(days=word == "tomorrow")
    if word in DAYS:
        ahead = (DAYS.index(word) - today.weekday()) % 7
        return today + timedelta(days=ahead or 7)
    return datetime.strptime(word, "%Y-%m-%d").date()


def ordinal(number):
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def spoken_date(date):
    return f"{date:%A} the {ordinal(date.day)} of {date:%B}"
