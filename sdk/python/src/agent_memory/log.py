"""The author's log."""

from __future__ import annotations

from typing import Any

from .host import Host, LogLevel
from .values import loose, plain_text

__all__ = ["ConversationLogger"]


class ConversationLogger:
    """Writes to the author's log, which goes to the embedding runtime and nowhere else.

    Nothing that is logged raises an error: ``str()`` stands for what JSON has no word for.

    >>> from agent_memory.testing import conversation
    >>> conv = conversation()
    >>> conv.log.info("no brie today", asked_for={"brie"})
    >>> conv.log.warning("the caller spelt out a name", is_pii=True)
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    def info(self, content: object, is_pii: bool = False, **kwargs: Any) -> None:
        """Writes for information. ``is_pii`` marks personal data, ``kwargs`` become the entry's fields."""
        self._write("info", content, is_pii, kwargs)

    def warning(self, content: object, is_pii: bool = False, **kwargs: Any) -> None:
        """Writes that something may be wrong."""
        self._write("warning", content, is_pii, kwargs)

    def error(self, content: object, is_pii: bool = False, **kwargs: Any) -> None:
        """Writes that something is wrong."""
        self._write("error", content, is_pii, kwargs)

    def _write(self, level: LogLevel, content: object, is_pii: bool, fields: dict[str, Any]) -> None:
        self._host.log(level, plain_text(content), bool(is_pii), loose(fields))
