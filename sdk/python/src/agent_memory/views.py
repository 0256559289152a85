"""What a function may read of its conversation beside memory and state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

__all__ = [
    "AgentResponse",
    "Entities",
    "MetricEvent",
    "RealtimeConfig",
    "SipHeaders",
    "Translations",
    "UserInput",
    "Variant",
    "Variants",
]


class _Attributed(dict[str, Any]):
    """A dict whose values are attributes too. A missing attribute reads ``None``."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class Variant(_Attributed):
    """The settings of a variant, by key and by attribute. A missing attribute reads ``None``."""


class Variants(dict[str, Variant]):
    """All variants, by name."""

    def __init__(self, variants: dict[str, Any]) -> None:
        super().__init__({name: Variant(_object(settings)) for name, settings in variants.items()})


class Entities(_Attributed):
    """What was understood so far, by key and by attribute. Their members are attributes too.

    >>> entities = Entities({"date": {"value": "2026-03-02", "valid": True}})
    >>> entities.date.value, entities.time
    ('2026-03-02', None)
    """

    def __init__(self, entities: dict[str, Any]) -> None:
        super().__init__(
            {name: _Attributed(entity) if isinstance(entity, dict) else entity for name, entity in entities.items()}
        )


class Translations(dict[str, Any]):
    """The project's translations by key. As an attribute, a text in the conversation's language.

    >>> translations = Translations({"bye": {"en": "Goodbye.", "de": "Tschüss."}, "shop": "Käse"}, "de-DE")
    >>> translations.bye, translations.shop, translations.hello, translations["bye"]["en"]
    ('Tschüss.', 'Käse', None, 'Goodbye.')
    """

    def __init__(self, translations: dict[str, Any], language: str | None) -> None:
        super().__init__(translations)
        self.__dict__["_language"] = language or ""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        text = self.get(name)
        if not isinstance(text, dict):
            return text
        language: str = self.__dict__["_language"]
        return text.get(language, text.get(language.split("-")[0]))


class RealtimeConfig(dict[str, Any]):
    """Settings that can be changed while the agent runs. Read-only."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("conv.real_time_config is read-only")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse


class SipHeaders(dict[str, str]):
    """The call's SIP headers. Names compare without case.

    >>> headers = SipHeaders([("X-Customer-Id", "42")])
    >>> headers["x-customer-id"], headers.get("X-Other"), "X-CUSTOMER-ID" in headers
    ('42', None, True)
    """

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        super().__init__(headers)
        self._names = {name.lower(): name for name in self}

    def __missing__(self, name: str) -> str:
        return super().__getitem__(self._names[name.lower()])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._names

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a header, or ``default``."""
        return self[name] if name in self else default


@dataclass(frozen=True)
class _Said:
    text: str

    def to_dict(self) -> dict[str, str]:
        """Its role and its text."""
        return {"role": self.role, "text": self.text}

    def to_string(self) -> str:
        """Its role and its text, on one line."""
        return f"{self.role}: {self.text}"

    @property
    def role(self) -> str:
        """Who said it: ``user`` or ``agent``."""
        raise NotImplementedError


class UserInput(_Said):
    """Something that the person said."""

    @property
    def role(self) -> str:
        """``user``"""
        return "user"


class AgentResponse(_Said):
    """Something that the assistant said."""

    @property
    def role(self) -> str:
        """``agent``"""
        return "agent"


@dataclass(frozen=True)
class MetricEvent:
    """A metric that a function of this conversation has written."""

    name: str
    value: float | int | str | None = None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
