"""The exceptions of ``requests``."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from agent_memory.errors import SandboxError


class RequestException(IOError):
    """Something about a request is wrong."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.response = kwargs.pop("response", None)
        self.request = kwargs.pop("request", None)
        super().__init__(*args, **kwargs)


class InvalidJSONError(RequestException):
    """A text is no JSON."""


class JSONDecodeError(InvalidJSONError, json.JSONDecodeError):
    """An answer is no JSON."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        json.JSONDecodeError.__init__(self, *args)
        InvalidJSONError.__init__(self, *self.args, **kwargs)


class HTTPError(RequestException):
    """An answer's status is that of an error."""


class ConnectionError(RequestException):
    """There is no connection."""


class ProxyError(ConnectionError):
    """A proxy fails."""


class SSLError(ConnectionError):
    """A connection is not safe."""


class Timeout(RequestException):
    """It takes too long."""


class ConnectTimeout(ConnectionError, Timeout):
    """Connecting takes too long."""


class ReadTimeout(Timeout):
    """The answer takes too long."""


class URLRequired(RequestException):
    """There is no URL."""


class TooManyRedirects(RequestException):
    """One address leads to another for ever."""


class MissingSchema(RequestException, ValueError):
    """A URL has no scheme."""


class InvalidSchema(RequestException, ValueError):
    """A URL's scheme is not known."""


class InvalidURL(RequestException, ValueError):
    """A URL is none."""


class InvalidHeader(RequestException, ValueError):
    """A header is none."""


class ChunkedEncodingError(RequestException):
    """An answer ends too soon."""


class ContentDecodingError(RequestException):
    """An answer cannot be decoded."""


class StreamConsumedError(RequestException, TypeError):
    """An answer has been read already."""


class RetryError(RequestException):
    """Trying again did not help."""


class NoNetworkError(ConnectionError, SandboxError):
    """Functions have no network."""


def no_network() -> NoReturn:
    """Says that there is no network."""
    raise NoNetworkError(
        "`requests` does not work here: functions have no network; ask the platform instead, as with `conv.api`, and "
        "have the embedding runtime answer"
    )
