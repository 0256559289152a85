"""Names of statuses: ``codes.ok`` and ``codes.not_found``."""

from __future__ import annotations

from http import HTTPStatus
from types import SimpleNamespace

codes = SimpleNamespace(**{status.name.lower(): status.value for status in HTTPStatus})
