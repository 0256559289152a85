"""Notices values that are worked out when an agent is built and that an author expects to be new in each turn."""

from __future__ import annotations

import datetime
import os
import random
import secrets
import sys
import time
import uuid
from pathlib import Path
from types import FrameType, FunctionType, MethodType, TracebackType
from typing import Any

from ..failure import AuthorsFile
from . import sandbox
from .problems import Place, Remark

_CLOCKS = "ctime gmtime localtime monotonic monotonic_ns perf_counter perf_counter_ns strftime time time_ns".split()
#: Older versions of Python do not have all of them.
_IDS = "uuid1 uuid4 uuid6 uuid7 uuid8".split()

_BUILT_IN = {**{getattr(time, name): f"time.{name}" for name in _CLOCKS}, os.urandom: "os.urandom"}
_IN_PYTHON = {
    **{getattr(uuid, name).__code__: f"uuid.{name}" for name in _IDS if hasattr(uuid, name)},
    **{
        function.__code__: f"secrets.{function.__name__}"
        for function in (secrets.randbelow, secrets.token_bytes, secrets.token_hex, secrets.token_urlsafe)
    },
}
#: What draws from a source of chance, and does not only set one up.
_DRAWING = {
    function.__code__: f"random.{name}"
    for source in (random.Random, random.SystemRandom)
    for name, function in vars(source).items()
    if isinstance(function, FunctionType) and not name.startswith("_") and name not in ("seed", "getstate", "setstate")
}
#: What `secrets` calls those that it takes from a source of chance of its own.
_OF_SECRETS = {
    function.__code__: f"secrets.{name}"
    for name, function in (("choice", secrets.choice), ("randbits", secrets.randbits))
    if isinstance(function, MethodType)
}
_SECRET = secrets.choice.__self__  # type: ignore[attr-defined]
#: Where the modules are that stand in for packages, and that call what an author gives them.
_PROVIDED = str(Path(__file__).parent.parent / "provided")


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
            name = _built_in(argument)
            caller: FrameType | None = frame
        elif event == "call":
            name = _in_python(frame)
            caller = frame.f_back
        else:
            return
        while name is not None and caller is not None and _calls_for_author(caller.f_code.co_filename):
            caller = caller.f_back
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


def _calls_for_author(filename: str) -> bool:
    """Whether a file's code calls what an author has given it, as a dataclass does with a default's factory."""
    is_generated = filename.startswith("<") and not filename.startswith("<frozen ")
    return is_generated or filename.startswith(_PROVIDED)


def _in_python(frame: FrameType) -> str | None:
    """What to call a function in Python that makes an id, or draws by chance. None if it is another."""
    name = _DRAWING.get(frame.f_code)
    if name is None:
        return _IN_PYTHON.get(frame.f_code)
    source = frame.f_locals.get("self")
    if source is _SECRET:
        return _OF_SECRETS.get(frame.f_code, name)
    return name if sandbox.is_seeded_by_chance(source) else None


def _built_in(function: Any) -> str | None:
    """What to call a function in C that tells the time, or draws by chance. None if it is another."""
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if isinstance(owner, type) and issubclass(owner, datetime.date):
        return f"{owner.__name__}.{name}" if name in ("now", "utcnow", "today") else None
    if isinstance(owner, random.Random):
        is_drawing = name in ("random", "getrandbits") and sandbox.is_seeded_by_chance(owner)
        return f"random.{name}" if is_drawing else None
    try:
        return _BUILT_IN.get(function)
    except TypeError:
        return None
