"""What the service refuses, and why."""

from __future__ import annotations

from typing import Any

import httpx


class Problem(Exception):
    """A problem document (RFC 9457)."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        #: Which problem it is, for programs: `urn:agent-memory:problem:` and a name.
        self.type: str = document.get("type", "about:blank")
        #: Which problem it is, for people.
        self.title: str = document.get("title", "The service has failed")
        #: The status of the answer.
        self.status = status
        #: What is wrong here, and what to do.
        self.detail: str = document.get("detail", "")
        #: All mistakes, where there can be several: each has `path` and `detail`.
        self.errors: list[dict[str, str]] = document.get("errors", [])
        lines = [f"{error['path']}: {error['detail']}" for error in self.errors]
        super().__init__("\n  ".join([f"{self.title}: {self.detail}", *lines]))

    @classmethod
    def of(cls, response: httpx.Response) -> Problem:
        """Reads an answer that is no success. One that the service did not write has no document."""
        try:
            document = response.json()
        except ValueError:
            document = {}
        return cls(response.status_code, document if isinstance(document, dict) else {})
