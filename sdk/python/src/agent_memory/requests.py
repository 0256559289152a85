"""What a function asks of the platform beside speech, metrics and handoffs."""

from __future__ import annotations

from typing import Any

from .host import Host
from .values import decode, loose

__all__ = ["AgenticDial", "Requests", "Utils", "Webchat"]


def act(host: Host, name: str, /, **arguments: Any) -> None:
    """Asks for an effect. What is ``None`` is left out."""
    host.act(name, _arguments(arguments))


def request(host: Host, name: str, /, **arguments: Any) -> Any:
    """Asks for an answer. What is ``None`` is left out."""
    return decode(host.request(name, _arguments(arguments)))


def response_summary(response: Any) -> Any:
    """What is worth telling of an API's answer: the object that HTTP libraries give, or any value."""
    if not hasattr(response, "status_code"):
        return response
    names = ("status_code", "url", "reason", "text")
    return {name: getattr(response, name) for name in names if getattr(response, name, None) is not None}


class Requests:
    """Questions that only the platform can answer, by a dotted name.

    ``conv.api.crm.find(id=1)`` asks for ``api.crm.find`` with ``{"id": 1}``. Raises
    :class:`~agent_memory.errors.NotAnsweredError` if nobody answers.
    """

    def __init__(self, host: Host, name: str) -> None:
        self._host = host
        self._name = name

    def __getattr__(self, name: str) -> Requests:
        if name.startswith("_"):
            raise AttributeError(name)
        return Requests(self._host, f"{self._name}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Asks, and waits for the answer."""
        if args:
            kwargs = {"args": list(args), **kwargs}
        return request(self._host, self._name, **kwargs)

    def __repr__(self) -> str:
        return f"<{self._name}>"


class Utils:
    """What the platform can work out. Each raises an error if nobody answers."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def prompt_llm(
        self, prompt: str, *, show_history: bool = False, return_json: bool = False, model: str | None = None
    ) -> Any:
        """Asks a language model."""
        return request(
            self._host,
            "prompt_llm",
            prompt=prompt,
            show_history=show_history or None,
            return_json=return_json or None,
            model=model,
        )

    def get_secret(self, secret_name: str) -> Any:
        """One of the project's secrets."""
        return request(self._host, "get_secret", secret_name=secret_name)

    def __getattr__(self, name: str) -> Requests:
        if name.startswith("_"):
            raise AttributeError(name)
        return Requests(self._host, name)


class Webchat:
    """The web chat that the person writes in."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._actions: list[Any] = []

    @property
    def chat_call_actions(self) -> list[Any]:
        """What was set in this turn."""
        return list(self._actions)

    def set_chat_call_actions(self, actions: list[Any]) -> None:
        """Asks for buttons that start a call."""
        self._actions = list(actions)
        act(self._host, "set_chat_call_actions", actions=self._actions)


class AgenticDial:
    """Calls that the agent makes."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def send_to_parent(self, content: str) -> None:
        """Tells something to the conversation that this one was started from."""
        act(self._host, "send_to_parent", content=content)

    def send_to_child(self, destination: str, content: str) -> None:
        """Tells something to a conversation that was started from this one."""
        act(self._host, "send_to_child", destination=destination, content=content)


def _arguments(arguments: dict[str, Any]) -> str:
    return loose({name: _plain(value) for name, value in arguments.items() if value is not None})


def _plain(value: Any) -> Any:
    """A value in which objects that know their JSON form, such as voices, have it."""
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    to_dict = getattr(value, "to_dict", None)
    return to_dict() if callable(to_dict) else value
