"""Sessions, which have nobody to talk with."""

from __future__ import annotations

from typing import Any, NoReturn

from .exceptions import no_network
from .structures import CaseInsensitiveDict


class Session:
    """A session. It can be set up, and whatever would use the network says that there is none."""

    def __init__(self) -> None:
        self.headers: CaseInsensitiveDict = CaseInsensitiveDict()
        self.auth: Any = None
        self.params: dict[str, Any] = {}
        self.cookies: dict[str, Any] = {}
        self.proxies: dict[str, str] = {}
        self.verify: Any = True
        self.cert: Any = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def mount(self, prefix: str, adapter: Any) -> None:
        """Does nothing, for nothing is sent."""

    def close(self) -> None:
        """Does nothing, for nothing is open."""

    def request(self, method: str, url: str, **kwargs: Any) -> NoReturn:
        """Says that there is no network."""
        no_network()

    def send(self, request: Any, **kwargs: Any) -> NoReturn:
        """Says that there is no network."""
        no_network()

    def get(self, url: str, **kwargs: Any) -> NoReturn:
        """Says that there is no network."""
        no_network()

    options = head = post = put = patch = delete = get


def session() -> Session:
    """A session."""
    return Session()
