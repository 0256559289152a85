"""Ways to say who asks."""

from __future__ import annotations

from dataclasses import dataclass


class AuthBase:
    """A way to say who asks."""


@dataclass
class HTTPBasicAuth(AuthBase):
    """A name and a password."""

    username: str
    password: str


@dataclass
class HTTPDigestAuth(AuthBase):
    """A name and a password."""

    username: str
    password: str


class HTTPProxyAuth(HTTPBasicAuth):
    """A name and a password for a proxy."""
