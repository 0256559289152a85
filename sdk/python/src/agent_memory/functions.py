"""The functions of a project, and how they call one another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from .requests import act

if TYPE_CHECKING:
    from .conversation import Conversation

__all__ = ["Flow", "FlowFunctionExecutor", "FunctionExecutor"]


@dataclass(frozen=True)
class Function:
    """A function that can be called."""

    #: The name by which it is called from outside: ``FLOW.NAME`` where ``NAME`` alone is not unique.
    name: str
    #: The name by which functions call it.
    local_name: str
    #: The flow that it belongs to, if it belongs to one.
    flow: str | None
    #: The function itself.
    callable: Callable[..., Any]
    #: Whether it takes the flow after the conversation.
    takes_flow: bool
    #: Where it stands, such as ``functions/book.py:7``.
    place: str

    def __call__(self, conv: Conversation, flow: Flow, *args: Any, **kwargs: Any) -> Any:
        """Calls it."""
        if self.takes_flow:
            return self.callable(conv, flow, *args, **kwargs)
        return self.callable(conv, *args, **kwargs)


@dataclass
class Registry:
    """All functions of a project."""

    #: By the name by which they are called from outside, in the order in which they are listed.
    functions: dict[str, Function] = field(default_factory=dict)
    #: Those that belong to no flow, by the name by which functions call them.
    shared: dict[str, Function] = field(default_factory=dict)
    #: Those of each flow.
    flows: dict[str, dict[str, Function]] = field(default_factory=dict)

    def add(self, function: Function) -> None:
        """Adds a function, whose names have to be free."""
        scope = self.shared if function.flow is None else self.flows.setdefault(function.flow, {})
        if function.name in self.functions or function.local_name in scope:
            raise ValueError(f"there are two functions `{function.name}`")
        self.functions[function.name] = function
        scope[function.local_name] = function


class FunctionExecutor:
    """The project's functions, as other functions call them: ``conv.functions.NAME(...)``.

    A function runs within the same turn. It is given the conversation by itself.
    """

    def __init__(self, registry: Registry, conv: Conversation) -> None:
        self._registry = registry
        self._conv = conv

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        function = self._registry.shared.get(name)
        if function is None:
            raise AttributeError(self._missing(name))
        return _Bound(function, self._conv, Flow(self._conv, self._conv.current_flow))

    def __getitem__(self, name: str) -> Callable[..., Any]:
        try:
            return self.__getattr__(name)
        except AttributeError as error:
            raise KeyError(str(error)) from None

    def __contains__(self, name: object) -> bool:
        return name in self._registry.shared

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry.shared)

    def __dir__(self) -> list[str]:
        return list(self._registry.shared)

    def _missing(self, name: str) -> str:
        flows = [flow for flow, functions in self._registry.flows.items() if name in functions]
        if flows:
            return f"there is no function `{name}` but in the flow `{flows[0]}`: call it as `flow.functions.{name}`"
        return f"there is no function `{name}`{_suggestion(name, self._registry.shared)}"


class Flow:
    """The flow that a function belongs to."""

    def __init__(self, conv: Conversation, name: str | None) -> None:
        self._conv = conv
        #: The flow's name.
        self.name = name

    @property
    def current_step(self) -> str | None:
        """The step that the conversation is in."""
        return self._conv.current_step

    def goto_step(self, name: str, reason: str | None = None) -> None:
        """Asks for the conversation to go on in another step of the flow."""
        act(self._conv._host, "goto_step", name=name, reason=reason)

    @property
    def functions(self) -> FlowFunctionExecutor:
        """The flow's other functions: ``flow.functions.NAME(...)``. They run within this turn."""
        return FlowFunctionExecutor(self._conv._registry, self._conv, self)


class FlowFunctionExecutor(FunctionExecutor):
    """A flow's functions, as others of it call them: ``flow.functions.NAME(...)``."""

    def __init__(self, registry: Registry, conv: Conversation, flow: Flow) -> None:
        super().__init__(registry, conv)
        self._flow = flow

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        function = self._functions.get(name)
        if function is None:
            raise AttributeError(self._missing(name))
        return _Bound(function, self._conv, self._flow)

    def __contains__(self, name: object) -> bool:
        return name in self._functions

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __dir__(self) -> list[str]:
        return list(self._functions)

    @property
    def _functions(self) -> dict[str, Function]:
        return self._registry.flows.get(self._flow.name or "", {})

    def _missing(self, name: str) -> str:
        if name in self._registry.shared:
            return f"`{name}` belongs to no flow: call it as `conv.functions.{name}`"
        return f"the flow `{self._flow.name}` has no function `{name}`{_suggestion(name, self._functions)}"


class _Bound:
    """A function with the conversation that it is to be given."""

    def __init__(self, function: Function, conv: Conversation, flow: Flow) -> None:
        self._function = function
        self._conv = conv
        self._flow = flow

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(self._conv, self._flow, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<function {self._function.name} at {self._function.place}>"


def _suggestion(name: str, names: dict[str, Function]) -> str:
    close = get_close_matches(name, names, n=1)
    if close:
        return f": did you mean `{close[0]}`?"
    return f": there are {', '.join(f'`{known}`' for known in names)}" if names else ""
