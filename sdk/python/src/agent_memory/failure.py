"""What is told of an exception: its type, its message, and where it came from in the author's own files."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from traceback import FrameSummary, StackSummary, TracebackException

from .values import plain_text

#: Gives the name that a trace shows for one of the author's files, and ``None`` for any other.
AuthorsFile = Callable[[str], str | None]

#: The most frames of a stack that are told, and the most exceptions that led to one another.
FRAMES = 32


@dataclass(frozen=True)
class Failure:
    """An exception, as the turn's result has it."""

    name: str
    message: str
    trace: str


def failure_of(error: BaseException, authors_file: AuthorsFile) -> Failure:
    """What is told of an exception that a function raised."""
    return Failure(type(error).__name__, plain_text(error), trace_of(error, authors_file))


def trace_of(error: BaseException, authors_file: AuthorsFile) -> str:
    """Where an exception came from, as Python shows it, but of the author's files alone. Empty if from none."""
    try:
        parts = [_part(one, authors_file) for one in _chain(error)]
    except Exception:
        # An exception may do anything when it is looked at. It is better told without a trace than not at all.
        return ""
    return plain_text(_CONNECTION.join(part for part in parts if part))


def place_of(error: BaseException, authors_file: AuthorsFile) -> tuple[str, int] | None:
    """The author's file and line that an exception came from, the innermost one."""
    place: tuple[str, int] | None = None
    for frame in traceback.extract_tb(error.__traceback__):
        name = authors_file(frame.filename)
        if name is not None:
            place = (name, frame.lineno or 0)
    if isinstance(error, SyntaxError) and error.filename:
        name = authors_file(error.filename)
        if name is not None:
            place = (name, error.lineno or 0)
    return place


_CONNECTION = "\n\nWhich led to:\n\n"


def _chain(error: BaseException) -> list[BaseException]:
    """An exception after those that led to it."""
    chain = [error]
    while len(chain) < FRAMES:
        earlier = chain[0].__cause__ or (None if chain[0].__suppress_context__ else chain[0].__context__)
        if earlier is None or earlier in chain:
            break
        chain.insert(0, earlier)
    return chain


def _part(error: BaseException, authors_file: AuthorsFile) -> str:
    found = TracebackException(type(error), error, error.__traceback__, compact=True)
    frames = [shown for frame in found.stack if (shown := _shown(frame, authors_file)) is not None]
    if not frames:
        return ""
    # The innermost frames tell the most.
    lines = "".join(StackSummary.from_list(frames[-FRAMES:]).format())
    return f"Traceback (most recent call last):\n{lines}{type(error).__name__}: {plain_text(error)}"


def _shown(frame: FrameSummary, authors_file: AuthorsFile) -> FrameSummary | None:
    name = authors_file(frame.filename)
    return None if name is None else FrameSummary(name, frame.lineno or 0, frame.name, line=frame.line or "")
