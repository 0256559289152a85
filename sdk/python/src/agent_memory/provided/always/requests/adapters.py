"""Adapters, which can be set up."""

from __future__ import annotations

from typing import Any


class BaseAdapter:
    """An adapter."""


class HTTPAdapter(BaseAdapter):
    """An adapter. Nothing is sent by it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.max_retries = kwargs.get("max_retries", 0)
