"""Stands in for ``requests``: it can be imported, and whatever would use the network says that there is none.

What is raised is a :class:`ConnectionError` of this module too, so that a function that is prepared for a network that
fails goes on as it would then.
"""

from __future__ import annotations

from typing import Any, NoReturn

from . import adapters, auth, exceptions, models, sessions, status_codes, structures
from .exceptions import (
    ConnectionError,
    ConnectTimeout,
    HTTPError,
    JSONDecodeError,
    ReadTimeout,
    RequestException,
    Timeout,
    TooManyRedirects,
    URLRequired,
    no_network,
)
from .models import PreparedRequest, Request, Response
from .sessions import Session, session
from .status_codes import codes

__version__ = "2.32.0"


def request(method: str, url: str, **kwargs: Any) -> NoReturn:
    """Says that there is no network."""
    no_network()


def get(url: str, params: Any = None, **kwargs: Any) -> NoReturn:
    """Says that there is no network."""
    no_network()


def options(url: str, **kwargs: Any) -> NoReturn:
    """Says that there is no network."""
    no_network()


def head(url: str, **kwargs: Any) -> NoReturn:
    """Says that there is no network."""
    no_network()


def post(url: str, data: Any = None, json: Any = None, **kwargs: Any) -> NoReturn:
    """Says that there is no network."""
    no_network()


def put(url: str, data: Any = None, **kwargs: Any) -> NoReturn:
    """Says that there is no network."""
    no_network()


def patch(url: str, data: Any = None, **kwargs: Any) -> NoReturn:
    """Says that there is no network."""
    no_network()


def delete(url: str, **kwargs: Any) -> NoReturn:
    """Says that there is no network."""
    no_network()


__all__ = [
    "ConnectTimeout",
    "ConnectionError",
    "HTTPError",
    "JSONDecodeError",
    "PreparedRequest",
    "ReadTimeout",
    "Request",
    "RequestException",
    "Response",
    "Session",
    "Timeout",
    "TooManyRedirects",
    "URLRequired",
    "adapters",
    "auth",
    "codes",
    "delete",
    "exceptions",
    "get",
    "head",
    "models",
    "options",
    "patch",
    "post",
    "put",
    "request",
    "session",
    "sessions",
    "status_codes",
    "structures",
]
