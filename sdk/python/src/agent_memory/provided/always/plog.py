"""The platform's logger: what it writes goes to the author's log.

``plog.info("booked", day="Friday")`` is like ``conv.log.info``, where there is no ``conv`` at hand. What is bound is
written with every entry. Nothing that is logged raises an error.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agent_memory import current
from agent_memory.host import LogLevel
from agent_memory.values import loose, plain_text

__all__ = [
    "Logger",
    "bind",
    "critical",
    "debug",
    "error",
    "exception",
    "fatal",
    "getLogger",
    "get_logger",
    "info",
    "new",
    "tmp_bind",
    "unbind",
    "warn",
    "warning",
]


class Logger:
    """A logger with values that it writes with every entry."""

    def __init__(self, **bound: Any) -> None:
        self._bound = bound

    def bind(self, **values: Any) -> Logger:
        """A logger that writes these values too."""
        return Logger(**{**self._bound, **values})

    def unbind(self, *names: str) -> Logger:
        """A logger without these values."""
        return Logger(**{name: value for name, value in self._bound.items() if name not in names})

    def new(self, **values: Any) -> Logger:
        """A logger with these values alone."""
        return Logger(**values)

    @contextmanager
    def tmp_bind(self, *_: Any, **values: Any) -> Iterator[Logger]:
        """Binds values for a while: in a ``with`` block, or in a function that it decorates."""
        before = self._bound
        self._bound = {**before, **values}
        try:
            yield self
        finally:
            self._bound = before

    def debug(self, event: object = "", *args: Any, **values: Any) -> None:
        """Writes for information."""
        self._write("info", event, args, values)

    def info(self, event: object = "", *args: Any, **values: Any) -> None:
        """Writes for information."""
        self._write("info", event, args, values)

    def warning(self, event: object = "", *args: Any, **values: Any) -> None:
        """Writes that something may be wrong."""
        self._write("warning", event, args, values)

    warn = warning

    def error(self, event: object = "", *args: Any, **values: Any) -> None:
        """Writes that something is wrong."""
        self._write("error", event, args, values)

    critical = fatal = error

    def exception(self, event: object = "", *args: Any, **values: Any) -> None:
        """Writes that something is wrong, with the exception that is being handled."""
        self._write("error", event, args, {"exc_info": True, **values})

    def _write(self, level: LogLevel, event: object, args: tuple[Any, ...], values: dict[str, Any]) -> None:
        fields = {**self._bound, **values}
        is_pii = bool(fields.pop("is_pii", False))
        if fields.get("exc_info") is True:
            fields["exc_info"] = traceback.format_exc() if sys.exc_info()[0] else None
        host = current.running()
        if host is None:
            # No conversation: the agent is being built, or a test runs.
            return
        host.log(level, _formatted(event, args), is_pii, loose(fields))


def get_logger(*_: Any, **bound: Any) -> Logger:
    """A logger with these values."""
    return _logger.bind(**bound)


getLogger = get_logger


def _formatted(event: object, args: tuple[Any, ...]) -> str:
    text = plain_text(event)
    if not args:
        return text
    try:
        return plain_text(text % args)
    except (TypeError, ValueError):
        return " ".join([text, *(plain_text(arg) for arg in args)])


_logger = Logger()

bind = _logger.bind
unbind = _logger.unbind
new = _logger.new
tmp_bind = _logger.tmp_bind
debug = _logger.debug
info = _logger.info
warning = warn = _logger.warning
error = critical = fatal = _logger.error
exception = _logger.exception
