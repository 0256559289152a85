"""It reads every wall clock that Python has ten thousand times. Returns how many times there were."""

import time
from datetime import datetime, timezone


def python_measures_time(conv: Conversation):
    times = [{time.time_ns(), time.clock_gettime_ns(time.CLOCK_REALTIME), int(datetime.now(timezone.utc).timestamp() * 1e9)}
             for _ in range(1_000)]
    return len(set().union(*times))
