"""Requests and answers, for those who make them by hand, as a mock does."""

from __future__ import annotations

import datetime
import json
from typing import Any

from .exceptions import HTTPError, JSONDecodeError
from .structures import CaseInsensitiveDict


class Request:
    """A request that is not sent."""

    def __init__(self, method: str | None = None, url: str | None = None, **kwargs: Any) -> None:
        self.method = method
        self.url = url
        self.headers = kwargs.get("headers") or {}
        self.params = kwargs.get("params") or {}
        self.data = kwargs.get("data")
        self.json = kwargs.get("json")


class PreparedRequest(Request):
    """A request that is ready to be sent."""


class Response:
    """An answer."""

    def __init__(self) -> None:
        self._content: bytes | None = None
        self.status_code: int = 200
        self.reason: str | None = None
        self.url: str | None = None
        self.headers: CaseInsensitiveDict = CaseInsensitiveDict()
        self.encoding: str | None = "utf-8"
        self.elapsed = datetime.timedelta(0)
        self.request: Request | None = None
        self.history: list[Response] = []

    @property
    def ok(self) -> bool:
        """Whether its status is not that of an error."""
        return self.status_code < 400

    @property
    def content(self) -> bytes:
        """Its bytes."""
        return self._content or b""

    @property
    def text(self) -> str:
        """Its text."""
        return self.content.decode(self.encoding or "utf-8", errors="replace")

    def json(self, **kwargs: Any) -> Any:
        """Its JSON."""
        try:
            return json.loads(self.text, **kwargs)
        except json.JSONDecodeError as error:
            raise JSONDecodeError(error.msg, error.doc, error.pos) from None

    def raise_for_status(self) -> None:
        """Raises an error if its status is that of one."""
        if not self.ok:
            side = "Client" if self.status_code < 500 else "Server"
            message = f"{self.status_code} {side} Error: {self.reason} for url: {self.url}"
            raise HTTPError(message, response=self)

    def __bool__(self) -> bool:
        return self.ok
