"""What has to differ between turns, and what may not."""

from __future__ import annotations

import datetime
import random
import secrets
import time
import uuid
import zoneinfo

from agent_memory import Conversation

# Made when the agent is built.
SOURCE = random.Random()
CALLS = []


def chance(conv: Conversation):
    CALLS.append(1)
    return {
        "random": random.random(),
        "choice": random.sample(range(10**6), 2),
        "own_source": SOURCE.random(),
        "system": random.SystemRandom().random(),
        "uuid4": str(uuid.uuid4()),
        "uuid1": str(uuid.uuid1()),
        "token": secrets.token_hex(8),
        "calls": len(CALLS),
    }


def seeded(conv: Conversation):
    random.seed(7)
    return [random.random(), random.Random(7).random()]


def clock(conv: Conversation):
    now = datetime.datetime.now(datetime.timezone.utc)
    started = time.monotonic()
    sum(range(50_000))
    zone = zoneinfo.ZoneInfo("US/Central")
    return {
        "now": now.isoformat(),
        "naive": datetime.datetime.now().isoformat(),
        "again": datetime.datetime.now(datetime.timezone.utc) == now,
        "time": time.time(),
        "today": datetime.date.today().isoformat(),
        "central": now.astimezone(zone).strftime("%H:%M %Z"),
        "zones": len(zoneinfo.available_timezones()) > 500,
        "monotonic_runs": time.monotonic() > started,
        "parsed": datetime.datetime.strptime("2 March 2026", "%d %B %Y").date().isoformat(),
    }
