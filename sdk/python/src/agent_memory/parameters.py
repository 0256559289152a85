"""A function's parameters, and their description as a JSON Schema."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .decorators import declared
from .docstrings import docstring_of
from .schema import schema_of
from .values import similar_json

#: Stands for "there is none", where ``None`` could be one.
NOTHING: Any = inspect.Parameter.empty


@dataclass(frozen=True)
class Parameter:
    """A parameter that a caller gives an argument for."""

    name: str
    #: Its type, or :data:`NOTHING` where it has none that can be known.
    annotation: Any
    #: Its default, or :data:`NOTHING`.
    default: Any
    #: What it is, in words for a language model. May be empty.
    description: str

    @property
    def is_required(self) -> bool:
        """Whether a call without it is wrong."""
        return self.default is NOTHING


@dataclass(frozen=True)
class Signature:
    """What a function takes, beside the conversation."""

    parameters: tuple[Parameter, ...]
    #: Whether it is given the flow after the conversation.
    takes_flow: bool
    #: Whether it takes arguments of any name.
    takes_any: bool
    #: What the function is for, in words for a language model. May be empty.
    description: str

    def schema(self) -> dict[str, Any]:
        """The parameters as a JSON Schema of type ``object``, as language models are told of tools."""
        properties = {parameter.name: _property(parameter) for parameter in self.parameters}
        schema: dict[str, Any] = {"type": "object", "properties": properties}
        required = [parameter.name for parameter in self.parameters if parameter.is_required]
        if required:
            schema["required"] = required
        if self.takes_any:
            schema["additionalProperties"] = True
        return schema


def takes_conversation(function: Callable[..., Any]) -> bool:
    """Whether a function's first parameter is the conversation, by its name or by its type."""
    try:
        parameters = _parameters(function)
    except (TypeError, ValueError):
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if not parameters or parameters[0].kind not in positional:
        return False
    return parameters[0].name in ("conv", "_conv", "conversation") or _is("Conversation", parameters[0].annotation)


def signature_of(function: Callable[..., Any]) -> Signature:
    """What a function takes whose first parameter is the conversation."""
    given = _parameters(function)[1:]
    takes_flow = bool(given) and (given[0].name in ("flow", "_flow") or _is("Flow", given[0].annotation))
    said = declared(function)
    docstring = docstring_of(function)
    annotations = annotations_of(function)
    parameters = []
    for parameter in given[1:] if takes_flow else given:
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            continue
        name = parameter.name
        description = said.parameters.get(name) or docstring.parameters.get(name, "")
        parameters.append(
            Parameter(name, annotations.get(name, NOTHING), _default(parameter.default), " ".join(description.split()))
        )
    return Signature(
        parameters=tuple(parameters),
        takes_flow=takes_flow,
        takes_any=any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in given),
        description=said.description if said.description is not None else docstring.description,
    )


def annotations_of(function: Any) -> dict[str, Any]:
    """The types that a function or class names. Those that cannot be found are left out."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:
        # One name that is not there, such as one for type checkers only, must not cost all the others.
        function = inspect.unwrap(function) if callable(function) else function
        module = sys.modules.get(getattr(function, "__module__", ""))
        names = {**vars(typing), **(vars(module) if module else {})}
        return {
            name: found
            for name, annotation in _raw_annotations(function).items()
            if (found := _evaluated(annotation, names)) is not NOTHING
        }


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    if sys.version_info >= (3, 14):
        import annotationlib

        # A type whose name is not known, as in a file that imports nothing, is no reason to fail.
        signature = inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)
    else:
        signature = inspect.signature(function)
    return list(signature.parameters.values())


def _raw_annotations(function: Any) -> dict[str, Any]:
    if sys.version_info >= (3, 14):
        import annotationlib

        return dict(annotationlib.get_annotations(function, format=annotationlib.Format.FORWARDREF))
    return dict(getattr(function, "__annotations__", {}))


def _evaluated(annotation: Any, names: dict[str, Any]) -> Any:
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__forward_arg__", None)
    if text is None:
        return annotation
    try:
        # The author's own code, which was going to be evaluated by Python in the same way.
        return eval(text, names)
    except Exception:
        return NOTHING


def _is(name: str, annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.strip("'\"").rpartition(".")[2] == name
    return getattr(annotation, "__name__", None) == name or getattr(annotation, "__forward_arg__", None) == name


def _default(default: Any) -> Any:
    return NOTHING if default is inspect.Parameter.empty else default


def _property(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {} if parameter.annotation is NOTHING else schema_of(parameter.annotation)
    if parameter.description:
        schema["description"] = parameter.description
    default = parameter.default
    if default is not NOTHING and default is not None and similar_json(default) is not None:
        schema.setdefault("default", default)
    return schema


def unknown_declarations(function: Callable[..., Any], signature: Signature) -> str | None:
    """The name of a parameter that a decorator describes and that the function does not have."""
    names = {parameter.name for parameter in signature.parameters}
    unknown = [name for name in declared(function).parameters if name not in names]
    return unknown[0] if unknown and not signature.takes_any else None
