"""The functions of a project, and how they call one another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import suggestion
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

    def missing(self, name: str) -> str:
        """What to say of a function that belongs to no flow and that there is not."""
        flows = [flow for flow, functions in self.flows.items() if name in functions]
        if flows:
            return f"there is no function `{name}` but in the flow `{flows[0]}`: call it as `flow.functions.{name}`"
        return f"there is no function `{name}`{suggestion(name, self.shared)}"

    def missing_in_flow(self, flow: str, name: str) -> str:
        """What to say of a function that a flow has not."""
        if name in self.shared:
            return f"`{name}` belongs to no flow: call it as `conv.functions.{name}`"
        return f"the flow `{flow}` has no function `{name}`{suggestion(name, self.flows.get(flow, {}))}"


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
            raise AttributeError(self._registry.missing(name))
        return _Bound(function, self._conv, Flow(self._conv))

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


class Flow:
    """The flow that a function belongs to."""

    def __init__(self, conv: Conversation, name: str | None = None) -> None:
        self._conv = conv
        self._name = name

    @property
    def name(self) -> str | None:
        """The flow's name: that of the flow whose function this is, or of the flow that the conversation is in."""
        return self._name or self._conv.current_flow

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
            raise AttributeError(self._registry.missing_in_flow(self._flow.name or "", name))
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
