"""Models: classes whose instances are made of data that fits."""

from __future__ import annotations

import copy
import sys
import typing
from collections.abc import Iterator
from typing import Any, ClassVar

from . import dump, json_schema
from .aliases import MISSING
from .config import ConfigDict
from .core import complete
from .errors import Invalid, PydanticUserError, ValidationError
from .fields import FieldInfo, ModelPrivateAttr
from .functional import Decorated
from .scalars import State
from .validation import assign, of_data, parsed, set_values, validated


class ModelMetaclass(type):
    """Makes classes of models."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> Any:
        if not any(isinstance(base, ModelMetaclass) for base in bases):
            return super().__new__(mcs, name, bases, namespace)
        config = _config(bases, namespace, options)
        namespace["model_config"] = config
        decorated = _unwrap(namespace)
        defaults = {key: value for key, value in namespace.items() if not key.startswith("__")}
        private = {key: value for key, value in namespace.items() if isinstance(value, ModelPrivateAttr)}
        cls: Any = super().__new__(mcs, name, bases, {k: v for k, v in namespace.items() if k not in private})
        cls.__pydantic_decorated__ = {**_inherited(bases, "__pydantic_decorated__"), **decorated}
        cls.__pydantic_private_attributes__ = {**_inherited(bases, "__pydantic_private_attributes__"), **private}
        cls.__pydantic_namespace__ = _surroundings()
        cls.__pydantic_core__ = None
        cls.__pydantic_own_fields__ = _collect(cls, defaults, decorated)
        cls.__pydantic_fields__ = {**_inherited(bases, "__pydantic_fields__"), **cls.__pydantic_own_fields__}
        for field in cls.__pydantic_own_fields__:
            # A field's default is not an attribute of the class.
            if field in namespace and field in vars(cls):
                type.__delattr__(cls, field)
        if config.get("frozen") and "__hash__" not in namespace:
            cls.__hash__ = _hash
        cls.__pydantic_has_post_init__ = any("model_post_init" in vars(base) for base in cls.__mro__[:-2])
        complete(cls, is_last_chance=False)
        cls.__pydantic_init_subclass__(**options)
        return cls

    @property
    def model_fields(cls) -> dict[str, FieldInfo]:
        """The fields, by name."""
        complete(cls)
        fields: dict[str, FieldInfo] = cls.__pydantic_fields__  # type: ignore[attr-defined]
        return fields

    @property
    def __fields__(cls) -> dict[str, FieldInfo]:
        return cls.model_fields

    @property
    def model_computed_fields(cls) -> dict[str, Decorated]:
        """The properties that are dumped with the fields."""
        found: dict[str, Decorated] = cls.__pydantic_decorated__  # type: ignore[attr-defined]
        return {name: one for name, one in found.items() if one.kind == "computed_field"}


class BaseModel(metaclass=ModelMetaclass):
    """A model. Its annotated attributes are its fields."""

    if typing.TYPE_CHECKING:
        model_fields: ClassVar[dict[str, FieldInfo]]
        __pydantic_fields__: ClassVar[dict[str, FieldInfo]]
        __pydantic_decorated__: ClassVar[dict[str, Decorated]]
        __pydantic_private_attributes__: ClassVar[dict[str, ModelPrivateAttr]]
        __pydantic_fields_set__: set[str]
        __pydantic_extra__: dict[str, Any] | None
        __pydantic_private__: dict[str, Any] | None

    __slots__ = ("__dict__", "__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__", "__weakref__")

    model_config: ClassVar[ConfigDict] = ConfigDict()

    def __init__(self, /, **data: Any) -> None:
        """Makes a model of data. Raises :class:`ValidationError` if the data does not fit."""
        validated(type(self), data, State(), into=self)

    # Reading data

    @classmethod
    def model_validate(
        cls,
        obj: Any,
        *,
        strict: bool | None = None,
        from_attributes: bool | None = None,
        context: Any = None,
        by_alias: bool | None = None,
        by_name: bool | None = None,
        **_: Any,
    ) -> Any:
        """Makes a model of a dict, or of an object if ``from_attributes`` says so."""
        state = State(
            strict=bool(strict), from_attributes=from_attributes, context=context, by_alias=by_alias, by_name=by_name
        )
        return validated(cls, obj, state)

    @classmethod
    def model_validate_json(
        cls, json_data: str | bytes, *, strict: bool | None = None, context: Any = None, **_: Any
    ) -> Any:
        """Makes a model of a JSON text."""
        return validated(cls, parsed(cls.__name__, json_data), State(bool(strict), is_json=True, context=context))

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Any:
        """Makes a model of values that are known to fit. Nothing is checked."""
        complete(cls)
        self = cls.__new__(cls)
        found, fields_set = {}, set()
        for name, field in cls.__pydantic_fields__.items():
            names = [
                name,
                *([field.alias] if field.alias else []),
                *([field.validation_alias] if isinstance(field.validation_alias, str) else []),
            ]
            given = next((key for key in names if key in values), None)
            if given is not None:
                found[name] = values.pop(given)
                fields_set.add(name)
            elif not field.is_required():
                found[name] = field.get_default(call_default_factory=True, validated_data=found)
        extra = values if cls.model_config.get("extra") == "allow" else None
        set_values(self, found, _fields_set if _fields_set is not None else fields_set | set(extra or ()), extra)
        return self

    @classmethod
    def model_rebuild(cls, *, force: bool = False, raise_errors: bool = True, **_: Any) -> bool | None:
        """Looks again for the types of fields that could not be found before."""
        cls.__pydantic_core__ = None  # type: ignore[attr-defined]
        complete(cls, is_last_chance=raise_errors)
        return True

    @classmethod
    def model_json_schema(cls, by_alias: bool = True, **_: Any) -> dict[str, Any]:
        """The model as a JSON Schema."""
        return json_schema.of_model(cls, by_alias)

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """The name of a model whose types are given."""
        return f"{cls.__name__}[{', '.join(getattr(param, '__name__', str(param)) for param in params)}]"

    @classmethod
    def __class_getitem__(cls, params: Any) -> Any:
        """A model of which the types that it leaves open are given."""
        params = params if isinstance(params, tuple) else (params,)
        variables = getattr(cls, "__parameters__", ())
        if not variables:
            raise TypeError(f"{cls} cannot be parametrized because it does not inherit from typing.Generic")
        given = dict(zip(variables, params, strict=True))
        if all(variable is param for variable, param in given.items()):
            return cls
        known = cls.__dict__.get("__pydantic_parametrized__")
        if known is None:
            known = {}
            cls.__pydantic_parametrized__ = known  # type: ignore[attr-defined]
        if params not in known:
            annotations = {name: _replaced(field.annotation, given) for name, field in cls.model_fields.items()}
            namespace = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__annotations__": {}}
            model: Any = ModelMetaclass(cls.model_parametrized_name(params), (cls,), namespace)
            for name, annotation in annotations.items():
                field = copy.copy(cls.__pydantic_fields__[name])
                field.annotation = annotation
                model.__pydantic_fields__[name] = field
            model.__pydantic_core__ = None
            known[params] = model
        return known[params]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Called for each model that is made of this one."""

    def model_post_init(self, context: Any, /) -> None:
        """Called when a model was made of data."""

    # Writing data

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: Any = None,
        exclude: Any = None,
        context: Any = None,
        by_alias: bool | None = None,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
        **_: Any,
    ) -> dict[str, Any]:
        """The model as a dict, and what is in it as dicts too. With ``mode="json"`` only of what JSON knows."""
        options = dump.Options(mode, context, bool(by_alias), exclude_unset, exclude_defaults, exclude_none)
        dumped: dict[str, Any] = dump.of_model(self, options, include, exclude)
        return dumped

    def model_dump_json(self, *, indent: int | None = None, **options: Any) -> str:
        """The model as JSON."""
        return dump.as_json(self.model_dump(mode="json", **options), indent)

    def model_copy(self, *, update: dict[str, Any] | None = None, deep: bool = False) -> Any:
        """A copy, with values of which nothing is checked."""
        copied = copy.deepcopy(self) if deep else copy.copy(self)
        for name, value in (update or {}).items():
            if name in type(self).__pydantic_fields__ or copied.__pydantic_extra__ is None:
                copied.__dict__[name] = value
            else:
                copied.__pydantic_extra__[name] = value
            copied.__pydantic_fields_set__.add(name)
        return copied

    @property
    def model_fields_set(self) -> set[str]:
        """The fields that data had."""
        return self.__pydantic_fields_set__

    @property
    def model_extra(self) -> dict[str, Any] | None:
        """What data had beside the fields, if it is kept."""
        return self.__pydantic_extra__

    # The older names

    @classmethod
    def parse_obj(cls, obj: Any) -> Any:
        """The older name of :meth:`model_validate`."""
        return cls.model_validate(obj)

    @classmethod
    def parse_raw(cls, b: str | bytes, **_: Any) -> Any:
        """The older name of :meth:`model_validate_json`."""
        return cls.model_validate_json(b)

    @classmethod
    def construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Any:
        """The older name of :meth:`model_construct`."""
        return cls.model_construct(_fields_set, **values)

    @classmethod
    def schema(cls, by_alias: bool = True, **_: Any) -> dict[str, Any]:
        """The older name of :meth:`model_json_schema`."""
        return cls.model_json_schema(by_alias)

    def dict(self, **options: Any) -> dict[str, Any]:
        """The older name of :meth:`model_dump`."""
        return self.model_dump(**options)

    def json(self, **options: Any) -> str:
        """The older name of :meth:`model_dump_json`."""
        return self.model_dump_json(**options)

    def copy(self, *, update: typing.Dict[str, Any] | None = None, deep: bool = False, **_: Any) -> Any:  # noqa: UP006
        """The older name of :meth:`model_copy`."""
        return self.model_copy(update=update, deep=deep)

    # What every object has

    @classmethod
    def __pydantic_validate__(cls, value: Any, state: State) -> Any:
        return of_data(cls, value, state)

    def __setattr__(self, name: str, value: Any) -> None:
        cls = type(self)
        if name.startswith("_"):
            if name in cls.__pydantic_private_attributes__:
                private = self.__pydantic_private__
                if private is not None:
                    private[name] = value
                return
            object.__setattr__(self, name, value)
            return
        field = cls.__pydantic_fields__.get(name)
        if cls.model_config.get("frozen") or (field is not None and field.frozen):
            kind = "frozen_instance" if cls.model_config.get("frozen") else "frozen_field"
            noun = "Instance" if kind == "frozen_instance" else "Field"
            raise ValidationError(cls.__name__, Invalid.of(kind, f"{noun} is frozen", value).within(name).lines)
        if field is None and isinstance(getattr(cls, name, None), property):
            object.__setattr__(self, name, value)
            return
        if field is None and cls.model_config.get("extra") != "allow":
            raise ValueError(f'"{cls.__name__}" object has no field "{name}"')
        if cls.model_config.get("validate_assignment"):
            assign(self, name, value)
            return
        if field is None and self.__pydantic_extra__ is not None:
            self.__pydantic_extra__[name] = value
        else:
            self.__dict__[name] = value
        self.__pydantic_fields_set__.add(name)

    def __getattr__(self, name: str) -> Any:
        if name in type(self).__pydantic_private_attributes__:
            private = object.__getattribute__(self, "__pydantic_private__")
            if private is not None and name in private:
                return private[name]
        elif not name.startswith("__"):
            extra = object.__getattribute__(self, "__pydantic_extra__")
            if extra is not None and name in extra:
                return extra[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        if type(self).model_config.get("frozen"):
            raise ValidationError(type(self).__name__, Invalid.of("frozen_instance", "Instance is frozen", None).lines)
        if self.__pydantic_extra__ and name in self.__pydantic_extra__:
            del self.__pydantic_extra__[name]
        else:
            object.__delattr__(self, name)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        yield from [(name, value) for name, value in self.__dict__.items() if not name.startswith("_")]
        yield from (self.__pydantic_extra__ or {}).items()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BaseModel):
            return NotImplemented
        return (
            type(self) is type(other)
            and self.__dict__ == other.__dict__
            and (self.__pydantic_extra__ or {}) == (other.__pydantic_extra__ or {})
            and (self.__pydantic_private__ or {}) == (other.__pydantic_private__ or {})
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """What a model shows of itself."""
        fields = type(self).__pydantic_fields__
        for name, value in self:
            if name not in fields or fields[name].repr:
                yield name, value
        for name, one in type(self).__pydantic_decorated__.items():
            if one.kind == "computed_field" and one.options.get("repr", True):
                yield name, getattr(self, name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__repr_args__())})"

    def __str__(self) -> str:
        return " ".join(f"{name}={value!r}" for name, value in self.__repr_args__())

    def __copy__(self) -> Any:
        copied = type(self).__new__(type(self))
        extra = None if self.__pydantic_extra__ is None else dict(self.__pydantic_extra__)
        set_values(copied, dict(self.__dict__), set(self.__pydantic_fields_set__), extra)
        if self.__pydantic_private__ is not None:
            object.__setattr__(copied, "__pydantic_private__", dict(self.__pydantic_private__))
        return copied

    def __deepcopy__(self, memo: typing.Dict[int, Any] | None = None) -> Any:  # noqa: UP006
        copied = self.__copy__()
        for name in ("__pydantic_extra__", "__pydantic_private__"):
            object.__setattr__(copied, name, copy.deepcopy(getattr(copied, name), memo))
        copied.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return copied

    def __getstate__(self) -> Any:
        return {
            "__dict__": self.__dict__,
            "__pydantic_extra__": self.__pydantic_extra__,
            "__pydantic_fields_set__": self.__pydantic_fields_set__,
            "__pydantic_private__": self.__pydantic_private__,
        }

    def __setstate__(self, state: Any) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)


def _hash(self: BaseModel) -> int:
    return hash((type(self), *self.__dict__.values()))


def _config(bases: tuple[type, ...], namespace: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for base in reversed(bases):
        config.update(getattr(base, "model_config", {}))
    config.update(namespace.get("model_config", {}))
    old = namespace.get("Config")
    if isinstance(old, type):
        config.update({name: value for name, value in vars(old).items() if not name.startswith("_")})
        config.setdefault("populate_by_name", config.get("allow_population_by_field_name", False))
        config.setdefault("from_attributes", config.get("orm_mode", False))
    for name in list(options):
        if name in ConfigDict.__annotations__:
            config[name] = options.pop(name)
    return config


def _unwrap(namespace: dict[str, Any]) -> dict[str, Decorated]:
    """Takes out what decorators have marked, and leaves the functions."""
    decorated = {name: value for name, value in namespace.items() if isinstance(value, Decorated)}
    for name, one in decorated.items():
        is_of_instance = one.kind in ("computed_field", "field_serializer", "model_serializer") or (
            one.kind == "model_validator" and one.mode == "after"
        )
        function = one.function
        namespace[name] = function if is_of_instance or hasattr(function, "__func__") else classmethod(function)
    return decorated


def _inherited(bases: tuple[type, ...], name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in reversed(bases):
        found.update(getattr(base, name, {}))
    return found


def _surroundings() -> dict[str, Any]:
    """The names that are known where a class is written, if that is in a function."""
    frame = sys._getframe(2)
    return {} if frame.f_code.co_name == "<module>" else dict(frame.f_locals)


def _raw_annotations(cls: type) -> dict[str, Any]:
    if sys.version_info >= (3, 14):
        import annotationlib

        return dict(annotationlib.get_annotations(cls, format=annotationlib.Format.FORWARDREF))
    return dict(vars(cls).get("__annotations__", {}))


def _collect(cls: Any, defaults: dict[str, Any], decorated: dict[str, Decorated]) -> dict[str, FieldInfo]:
    """A class's own fields. Their types may still be names."""
    fields: dict[str, FieldInfo] = {}
    annotations = _raw_annotations(cls)
    for name, annotation in annotations.items():
        if name.startswith("__") or name == "model_config" or _is_class_variable(annotation):
            continue
        if name.startswith("_"):
            default = defaults.get(name, MISSING)
            if not isinstance(default, ModelPrivateAttr):
                cls.__pydantic_private_attributes__[name] = ModelPrivateAttr(default)
                if name in vars(cls):
                    type.__delattr__(cls, name)
            continue
        default = defaults.get(name, MISSING)
        field = copy.copy(default) if isinstance(default, FieldInfo) else FieldInfo(default=default)
        field.annotation = annotation
        fields[name] = field
    for name, value in defaults.items():
        if isinstance(value, FieldInfo) and name not in annotations:
            raise PydanticUserError(
                f"Field {name!r} defined on a base class was overridden by a non-annotated attribute. All field "
                "definitions, including overrides, require a type annotation.",
                code="model-field-overridden",
            )
    return fields


def _is_class_variable(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.startswith(("ClassVar", "typing.ClassVar"))
    forward = getattr(annotation, "__forward_arg__", "")
    return annotation is ClassVar or typing.get_origin(annotation) is ClassVar or forward.startswith("ClassVar")


def _replaced(annotation: Any, given: dict[Any, Any]) -> Any:
    """A type in which others stand for the open ones."""
    if annotation in given:
        return given[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is None:
        parameters = getattr(annotation, "__parameters__", ())
        if isinstance(annotation, ModelMetaclass) and parameters:
            return annotation[tuple(given.get(one, one) for one in parameters)]  # type: ignore[index]
        return annotation
    new = tuple(_replaced(argument, given) for argument in arguments)
    if origin is typing.Annotated:
        return typing.Annotated.__class_getitem__((new[0], *arguments[1:]))
    if hasattr(annotation, "copy_with"):
        return annotation.copy_with(new)
    if type(annotation).__name__ == "UnionType":
        return typing.Union[new]  # noqa: UP007
    return origin[new]
