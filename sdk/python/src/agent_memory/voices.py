"""Voices, which a function gives to ``conv.set_voice`` and ``conv.randomize_voice``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

__all__ = [
    "CartesiaVoice",
    "CustomVoice",
    "ElevenLabsVoice",
    "Emotion",
    "EmotionIntensity",
    "EmotionKind",
    "GoogleVoice",
    "HumeVoice",
    "MinimaxVoice",
    "PlayHTVoice",
    "RimeVoice",
    "TTSVoice",
    "VoiceType",
    "VoiceWeighting",
]


class TTSVoice:
    """A voice of any provider."""

    def __init__(self, provider: str, provider_voice_id: str, config: dict[str, Any] | None = None) -> None:
        #: Who makes the voice.
        self.provider = provider
        #: The provider's name for it.
        self.provider_voice_id = provider_voice_id
        #: What else the provider wants to know.
        self.config = dict(config or {})

    def to_dict(self) -> dict[str, Any]:
        """The voice as JSON knows it. What was not chosen is left out."""
        chosen = {name: _plain(value) for name, value in self.config.items() if value is not None}
        return {"provider": self.provider, "provider_voice_id": self.provider_voice_id, **chosen}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.to_dict()}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TTSVoice) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.provider, self.provider_voice_id))

    def __getattr__(self, name: str) -> Any:
        # The parameters that a voice was made with.
        config = self.__dict__.get("config", {})
        if name in config:
            return config[name]
        raise AttributeError(f"a {type(self).__name__} has no `{name}`")


class CustomVoice(TTSVoice):
    """A voice of a provider that has no class here."""

    def __init__(self, provider: str, provider_voice_id: str, **kwargs: Any) -> None:
        super().__init__(provider, provider_voice_id, kwargs)


class ElevenLabsVoice(TTSVoice):
    """A voice of ElevenLabs."""

    def __init__(
        self,
        provider_voice_id: str,
        similarity_boost: float | None = None,
        stability: float | None = None,
        model_id: str | None = None,
        speed: float | None = None,
    ) -> None:
        config = {
            "similarity_boost": similarity_boost,
            "stability": stability,
            "model_id": model_id,
            "speed": speed,
        }
        super().__init__("elevenlabs", provider_voice_id, config)


class RimeVoice(TTSVoice):
    """A voice of Rime."""

    def __init__(self, provider_voice_id: str, speech_alpha: float | None = None, model_id: str | None = None) -> None:
        super().__init__("rime", provider_voice_id, {"speech_alpha": speech_alpha, "model_id": model_id})


class EmotionKind:
    """Kinds of emotions."""

    ANGER = "anger"
    POSITIVITY = "positivity"
    SURPRISE = "surprise"
    SADNESS = "sadness"
    CURIOSITY = "curiosity"


class EmotionIntensity:
    """How strong an emotion is."""

    LOWEST = "lowest"
    LOW = "low"
    HIGH = "high"
    HIGHEST = "highest"


@dataclass
class Emotion:
    """An emotion of a voice."""

    kind: str | None = None
    intensity: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The emotion as JSON knows it."""
        return _chosen(self)


class CartesiaVoice(TTSVoice):
    """A voice of Cartesia."""

    def __init__(
        self,
        provider_voice_id: str,
        speed: float | None = None,
        emotions: list[Emotion] | None = None,
        model_id: str | None = None,
        volume: float | None = None,
        emotion: str | None = None,
        language: str | None = None,
    ) -> None:
        config = {
            "speed": speed,
            "emotions": emotions,
            "model_id": model_id,
            "volume": volume,
            "emotion": emotion,
            "language": language,
        }
        super().__init__("cartesia", provider_voice_id, config)


class PlayHTVoice(TTSVoice):
    """A voice of PlayHT."""

    def __init__(
        self,
        provider_voice_id: str,
        speed: float | None = None,
        temperature: float | None = None,
        emotion: str | None = None,
        voice_guidance: float | None = None,
        style_guidance: float | None = None,
        voice_engine: str | None = None,
    ) -> None:
        config = {
            "speed": speed,
            "temperature": temperature,
            "emotion": emotion,
            "voice_guidance": voice_guidance,
            "style_guidance": style_guidance,
            "voice_engine": voice_engine,
        }
        super().__init__("playht", provider_voice_id, config)


class MinimaxVoice(TTSVoice):
    """A voice of MiniMax."""

    def __init__(
        self,
        model_id: str,
        voice_id: str,
        speed: float | None = None,
        vol: float | None = None,
        pitch: float | None = None,
        emotion: str | None = None,
    ) -> None:
        config = {"model_id": model_id, "speed": speed, "vol": vol, "pitch": pitch, "emotion": emotion}
        super().__init__("minimax", voice_id, config)


class HumeVoice(TTSVoice):
    """A voice of Hume."""

    def __init__(
        self,
        provider_voice_id: str,
        voice_description: str | None = None,
        version: str | None = None,
        instant_mode: bool | None = None,
        provider: str | None = None,
    ) -> None:
        config = {
            "voice_description": voice_description,
            "version": version,
            "instant_mode": instant_mode,
            "hume_provider": provider,
        }
        super().__init__("hume", provider_voice_id, config)


class GoogleVoice(TTSVoice):
    """A voice of Google."""

    def __init__(self, provider_voice_id: str, gender: str | None = None) -> None:
        super().__init__("google", provider_voice_id, {"gender": gender})


VoiceType = (
    CustomVoice | ElevenLabsVoice | PlayHTVoice | CartesiaVoice | RimeVoice | MinimaxVoice | HumeVoice | GoogleVoice
)


@dataclass
class VoiceWeighting:
    """A voice, and how likely it is to be chosen."""

    voice: TTSVoice
    weight: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The voice and its weight as JSON knows them."""
        return _chosen(self)


def _chosen(value: Any) -> dict[str, Any]:
    members = {member.name: _plain(getattr(value, member.name)) for member in fields(value)}
    return {name: member for name, member in members.items() if member is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    return value.to_dict() if hasattr(value, "to_dict") else value
