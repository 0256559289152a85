"""Notices values that are worked out when an agent is built and that an author expects to be new in each turn."""

from __future__ import annotations

import datetime
import sys
import time
import uuid
from types import FrameType, TracebackType
from typing import Any

from ..failure import AuthorsFile
from .problems import Place, Remark

_CLOCKS = {time.time: "time.time", time.time_ns: "time.time_ns", time.localtime: "time.localtime"}
_IDS = {function.__code__: f"uuid.{function.__name__}" for function in (uuid.uuid1, uuid.uuid4)}


class Watch:
    """Watches a project while it is imported."""

    def __init__(self, authors_file: AuthorsFile) -> None:
        self.remarks: list[Remark] = []
        self._authors_file = authors_file

    def __enter__(self) -> Watch:
        sys.setprofile(self._event)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        sys.setprofile(None)

    def _event(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            name = _clock(argument)
            caller: FrameType | None = frame
        elif event == "call":
            name = _IDS.get(frame.f_code)
            caller = frame.f_back
        else:
            return
        if name is None or caller is None:
            return
        file = self._authors_file(caller.f_code.co_filename)
        if file is None:
            return
        remark = Remark(
            Place(file, caller.f_lineno),
            f"`{name}()` is worked out when the agent is built, and is the same in every turn: call it in a function",
        )
        if remark not in self.remarks:
            self.remarks.append(remark)


def _clock(function: Any) -> str | None:
    """What to call a function of Python's that tells the time. None if it is another."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, type) and issubclass(owner, datetime.date):
        name = getattr(function, "__name__", "")
        return f"{owner.__name__}.{name}" if name in ("now", "utcnow", "today") else None
    try:
        return _CLOCKS.get(function)
    except TypeError:
        return None
