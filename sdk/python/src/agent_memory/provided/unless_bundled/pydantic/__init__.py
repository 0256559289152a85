"""Stands in for ``pydantic`` 2, whose core is native code and so does not work in the sandbox.

It has what functions use of it: models with fields, aliases, constraints, validators and serializers, validated as the
real one does it, with the same errors. What is not here cannot be imported. A project that names ``pydantic<2`` in its
``requirements.txt`` gets the real one, which was Python then; ``pydantic.v1`` is the real one always.
"""

from __future__ import annotations

import os
import sys

from .alias_generators import to_camel, to_pascal, to_snake
from .aliases import AliasChoices, AliasGenerator, AliasPath
from .config import ConfigDict
from .errors import (
    PydanticSchemaGenerationError,
    PydanticUndefinedAnnotation,
    PydanticUserError,
    ValidationError,
)
from .fields import Field, PrivateAttr
from .functional import (
    AfterValidator,
    BeforeValidator,
    FieldSerializationInfo,
    PlainSerializer,
    PlainValidator,
    SerializationInfo,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    computed_field,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
    root_validator,
    validator,
)
from .main import BaseModel
from .type_adapter import TypeAdapter
from .types import (
    FutureDate,
    NegativeFloat,
    NegativeInt,
    NonNegativeFloat,
    NonNegativeInt,
    NonPositiveFloat,
    NonPositiveInt,
    PastDate,
    PositiveFloat,
    PositiveInt,
    Strict,
    StrictBool,
    StrictBytes,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
    condecimal,
    confloat,
    conint,
    conlist,
    constr,
)

VERSION = __version__ = "2.0.0"

# The real one's `v1` stands in a folder of its own, where the project uses it.
__path__ += [
    found
    for path in sys.path
    if os.path.isdir(os.path.join(found := os.path.join(path, "pydantic_v1", "pydantic"), "v1"))
]

__all__ = [
    "AfterValidator",
    "AliasChoices",
    "AliasGenerator",
    "AliasPath",
    "BaseModel",
    "BeforeValidator",
    "ConfigDict",
    "Field",
    "FieldSerializationInfo",
    "FutureDate",
    "NegativeFloat",
    "NegativeInt",
    "NonNegativeFloat",
    "NonNegativeInt",
    "NonPositiveFloat",
    "NonPositiveInt",
    "PastDate",
    "PlainSerializer",
    "PlainValidator",
    "PositiveFloat",
    "PositiveInt",
    "PrivateAttr",
    "PydanticSchemaGenerationError",
    "PydanticUndefinedAnnotation",
    "PydanticUserError",
    "SerializationInfo",
    "Strict",
    "StrictBool",
    "StrictBytes",
    "StrictFloat",
    "StrictInt",
    "StrictStr",
    "StringConstraints",
    "TypeAdapter",
    "ValidationError",
    "ValidationInfo",
    "ValidatorFunctionWrapHandler",
    "WrapValidator",
    "computed_field",
    "condecimal",
    "confloat",
    "conint",
    "conlist",
    "constr",
    "field_serializer",
    "field_validator",
    "model_serializer",
    "model_validator",
    "root_validator",
    "to_camel",
    "to_pascal",
    "to_snake",
    "validator",
]
