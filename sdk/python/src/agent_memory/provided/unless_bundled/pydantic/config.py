"""How a model behaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypedDict

ExtraValues = Literal["allow", "ignore", "forbid"]


class ConfigDict(TypedDict, total=False):
    """How a model behaves. What is not listed here has no effect."""

    title: str | None
    extra: ExtraValues | None
    frozen: bool
    populate_by_name: bool
    validate_by_name: bool
    validate_by_alias: bool
    serialize_by_alias: bool
    use_enum_values: bool
    validate_assignment: bool
    validate_default: bool
    arbitrary_types_allowed: bool
    from_attributes: bool
    strict: bool
    str_strip_whitespace: bool
    str_to_lower: bool
    str_to_upper: bool
    str_min_length: int
    str_max_length: int | None
    coerce_numbers_to_str: bool
    alias_generator: Callable[[str], str] | Any
    revalidate_instances: Literal["always", "never", "subclass-instances"]
    json_schema_extra: dict[str, Any] | Any
    use_attribute_docstrings: bool
    protected_namespaces: tuple[str, ...]
