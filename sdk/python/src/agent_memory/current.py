"""The host of the call that is running, for what has no conversation at hand, such as a logger of a module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .host import Host

_host: Host | None = None


def running() -> Host | None:
    """The host of the call that is running, if one is."""
    return _host


@contextmanager
def host(host: Host) -> Iterator[None]:
    """Runs a call with a host."""
    global _host
    before = _host
    _host = host
    try:
        yield
    finally:
        _host = before
