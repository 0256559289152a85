"""Our stand-in for pydantic against the real one: every case is told to both, and both have to say the same."""

from __future__ import annotations

import datetime
import decimal
import enum
import importlib
import importlib.util
import json
import re
import sys
import typing
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Generic, Literal, Optional, TypeVar, Union

import pydantic as real
import pytest
import typing_extensions

Case = Callable[[Any], Any]


def _ours() -> ModuleType:
    folder = Path(__file__).parents[1] / "src/agent_memory/provided/unless_bundled/pydantic"
    spec = importlib.util.spec_from_file_location(
        "our_pydantic", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["our_pydantic"] = module
    spec.loader.exec_module(module)
    return module


ours = _ours()


class Cheese(enum.Enum):
    BRIE = "brie"
    FETA = "feta"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Day(str, enum.Enum):
    FRIDAY = "Friday"


@dataclass
class Point:
    x: int
    y: int = 0


class Options(typing_extensions.TypedDict, total=False):
    name: typing_extensions.Required[str]
    count: int


class Plain:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


def outcome(module: Any, case: Case) -> Any:
    """What comes of a case: its value, or the errors."""
    try:
        return case(module)
    except module.ValidationError as error:
        found = [{name: part for name, part in one.items() if name in ("type", "loc", "msg")} for one in error.errors()]
        return {"title": error.title, "count": error.error_count(), "errors": found}
    except module.PydanticUserError as error:
        return {"user error": error.code}


def same(case: Case) -> None:
    """Both say the same of a case."""
    expected = outcome(real, case)
    assert outcome(ours, case) == expected, f"expected {expected}"


VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    3,
    -2,
    3.0,
    3.5,
    float("inf"),
    float("nan"),
    "",
    "3",
    " 3 ",
    "3.0",
    "3.5",
    "1_000",
    "abc",
    "true",
    "No",
    "ON",
    "brie",
    "Friday",
    b"bytes",
    b"\xff",
    decimal.Decimal("3"),
    decimal.Decimal("3.25"),
    datetime.datetime(2026, 3, 2, 10, 20),
    datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc),
    datetime.date(2026, 3, 2),
    datetime.time(10, 20),
    datetime.timedelta(days=1, seconds=5),
    "2026-03-02",
    "2026-03-02T10:20:00Z",
    "2026-03-02 10:20",
    "2026-03-02T10:20:00.123+02:00",
    "2026-13-02",
    "10:20",
    "P1DT2H",
    "1772446800",
    1772446800,
    1772446800000,
    uuid.UUID("12345678-1234-5678-1234-567812345678"),
    "12345678-1234-5678-1234-567812345678",
    [1, "2"],
    ["x"],
    (1, 2),
    {1, 2},
    frozenset({"a"}),
    {"a": 1},
    {"x": 1, "y": 2},
    Cheese.BRIE,
    Size.LARGE,
    Day.FRIDAY,
    Point(1, 2),
    {"name": "n", "count": "2"},
    object,
    len,
]

TYPES: list[Any] = [
    str,
    int,
    float,
    bool,
    bytes,
    None,
    Any,
    decimal.Decimal,
    uuid.UUID,
    datetime.datetime,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    Cheese,
    Size,
    Day,
    Point,
    Options,
    list,
    dict,
    set,
    tuple,
    list[int],
    list[str],
    set[int],
    frozenset[str],
    tuple[int, ...],
    tuple[int, str],
    dict[str, int],
    dict[int, str],
    Optional[int],
    Optional[str],
    Union[int, str],
    Union[str, int],
    Union[float, int],
    Union[int, list[int]],
    Union[bool, str],
    Literal["brie", 1],
    Literal["one"],
    typing.Sequence[int],
    typing.Mapping[str, int],
    Callable,
    type[int],
]

# Where ours is meant to differ: the real one takes any enum for an integer, and tells more of an object's keys.
_NUMBERED = {1: "b"}
VALUES.append(_NUMBERED)
UNLIKE = [(annotation, Cheese.BRIE) for annotation in TYPES if "int" in str(annotation) or annotation is Size]
UNLIKE += [(Point, _NUMBERED), (Options, _NUMBERED)]

# What the real one says of a text that is no time tells the very character; ours only says that it is wrong.
_WORDS_DIFFER = (
    "date_from_datetime_parsing",
    "date_parsing",
    "datetime_from_date_parsing",
    "datetime_parsing",
    "time_parsing",
    "time_delta_parsing",
    "uuid_parsing",
    "bytes_invalid_encoding",
)


def _normal(found: Any) -> Any:
    """An outcome without what may differ."""
    if isinstance(found, dict) and "errors" in found:
        for error in found["errors"]:
            if error["type"] in _WORDS_DIFFER:
                error["msg"] = error["type"] = "is no time"
    # The real one has a class of its own for offsets.
    return re.sub(r"TzInfo\(0\)", "datetime.timezone.utc", re.sub(r"TzInfo\((\d+)\)", _offset, repr(found)))


def _offset(match: re.Match[str]) -> str:
    return match[0] if match[1] == "0" else f"datetime.timezone(datetime.timedelta(seconds={match[1]}))"


@pytest.mark.parametrize("strict", [False, True], ids=["lax", "strict"])
@pytest.mark.parametrize("annotation", TYPES, ids=str)
def test_every_value_as_every_type(annotation: Any, strict: bool) -> None:
    differences = []
    for value in VALUES:
        if any(annotation is kind and value is other for kind, other in UNLIKE):
            continue
        found = []
        for module in (real, ours):
            model = module.create_model("M", it=(annotation, ...)) if module is real else _model(annotation)
            read = lambda p, m=model, v=value: m.model_validate({"it": v}, strict=strict).it  # noqa: E731
            found.append(_normal(outcome(module, read)))
        if found[0] != found[1]:
            differences.append((value, *found))
    assert not differences, "\n".join(
        f"{value!r}\n  real {real_}\n  ours {ours_}" for value, real_, ours_ in differences
    )


def _model(annotation: Any) -> Any:
    return type(ours.BaseModel)("M", (ours.BaseModel,), {"__annotations__": {"it": annotation}, "__module__": __name__})


def defaults(p: Any) -> Any:
    class M(p.BaseModel):
        a: int
        b: str = "b"
        c: list[int] = []
        d: dict[str, int] = p.Field(default_factory=dict)
        e: int | None = None

    one, two = M(a="1"), M(a=2)
    one.c.append(5)
    return [one.model_dump(), two.model_dump(), sorted(one.model_fields_set), repr(one), str(two), one == M(a=1, c=[5])]


def missing_and_wrong(p: Any) -> Any:
    class Inner(p.BaseModel):
        x: int
        tags: list[str]

    class M(p.BaseModel):
        a: int
        inner: Inner
        many: list[Inner]
        by_name: dict[str, Inner]

    return M.model_validate(
        {"inner": {"x": "q", "tags": [1]}, "many": [{"x": 1, "tags": []}, {}], "by_name": {"k": {"x": 1}}}
    )


def constraints(p: Any) -> Any:
    class M(p.BaseModel):
        a: int = p.Field(gt=0, le=10)
        b: str = p.Field(min_length=2, max_length=3, pattern="^[a-z]+$")
        c: list[int] = p.Field(min_length=1, max_length=2)
        d: float = p.Field(multiple_of=0.5)
        e: int | None = p.Field(None, ge=3)
        f: Annotated[str, p.StringConstraints(strip_whitespace=True, to_upper=True)] = "x"

    good = M(a=10, b="ab", c=[1], d=1.5, e=3, f=" y ").model_dump()
    found = []
    for change in (
        {"a": 0},
        {"a": 11},
        {"b": "a"},
        {"b": "abcd"},
        {"b": "A1"},
        {"c": []},
        {"c": [1, 2, 3]},
        {"d": 0.3},
        {"e": 1},
    ):
        found.append(outcome(p, lambda p, change=change: M(**{**good, **change})))
    return [good, found]


def aliases(p: Any) -> Any:
    class M(p.BaseModel):
        a: int = p.Field(alias="A")
        b: int = p.Field(validation_alias=p.AliasChoices("b1", "b2", p.AliasPath("deep", "b", 0)))
        c: int = p.Field(0, serialization_alias="see")

    found = [
        M.model_validate({"A": 1, "b2": 2}).model_dump(by_alias=True),
        M.model_validate({"A": 1, "deep": {"b": [3]}}).model_dump(),
        M(A=1, b1=1, b2=2).model_dump_json(by_alias=True),
    ]
    return [
        found,
        outcome(p, lambda p: M(a=1, b=2)),
        outcome(p, lambda p: M.model_validate({})),
        outcome(p, lambda p: M(A="x", b2="y")),
        outcome(p, lambda p: M(A=1, deep={"b": ["y"]})),
        outcome(p, lambda p: M(A=1, deep={"b": []})),
    ]


def populate_by_name(p: Any) -> Any:
    class M(p.BaseModel):
        model_config = p.ConfigDict(
            populate_by_name=True, alias_generator=importlib.import_module(f"{p.__name__}.alias_generators").to_camel
        )
        cheese_type: str
        booking_day: str = p.Field("Friday", alias="day")

    return [
        M(cheese_type="brie").model_dump(by_alias=True),
        M(cheeseType="feta", day="Monday").model_dump(),
        outcome(p, lambda p: M()),
    ]


def extra(p: Any) -> Any:
    class Forbid(p.BaseModel, extra="forbid"):
        a: int = 0

    class Allow(p.BaseModel):
        model_config = p.ConfigDict(extra="allow")
        a: int = 0

    allowed = Allow(a=1, b=[2])
    allowed.c = 3
    return [
        outcome(p, lambda p: Forbid(b=1)),
        allowed.model_dump(),
        allowed.b,
        allowed.model_extra,
        repr(allowed),
        sorted(allowed.model_fields_set),
    ]


def field_validators(p: Any) -> Any:
    calls: list[Any] = []

    class M(p.BaseModel):
        a: int
        b: str = "b"
        c: int = 0

        @p.field_validator("a", mode="before")
        @classmethod
        def words(cls, value: Any) -> Any:
            calls.append(("before", value))
            return {"one": 1}.get(value, value)

        @p.field_validator("a")
        @classmethod
        def positive(cls, value: int) -> int:
            calls.append(("after", value))
            if value < 0:
                raise ValueError("has to be positive")
            assert value < 100, "too large"
            return value * 2

        @p.field_validator("b", "c")
        def with_info(cls, value: Any, info: Any) -> Any:
            calls.append((info.field_name, dict(info.data), info.mode))
            return value

        @p.field_validator("c", mode="wrap")
        @classmethod
        def around(cls, value: Any, handler: Any) -> Any:
            return handler(value) + 1 if value != "skip" else -1

    return [
        M(a="one", b="x", c="4").model_dump(),
        M(a=3, c="skip").model_dump(),
        outcome(p, lambda p: M(a=-1)),
        outcome(p, lambda p: M(a=100)),
        outcome(p, lambda p: M(a="x")),
        calls,
    ]


def model_validators(p: Any) -> Any:
    class M(p.BaseModel):
        a: int
        b: int = 0

        @p.model_validator(mode="before")
        @classmethod
        def from_number(cls, data: Any) -> Any:
            return {"a": data} if isinstance(data, int) else data

        @p.model_validator(mode="after")
        def check(self) -> Any:
            if self.b > self.a:
                raise ValueError("b is larger than a")
            return self

    class W(p.BaseModel):
        a: int

        @p.model_validator(mode="wrap")
        @classmethod
        def around(cls, data: Any, handler: Any) -> Any:
            made = handler(data)
            made.a += 1
            return made

    return [
        M.model_validate(5).model_dump(),
        outcome(p, lambda p: M(a=1, b=2)),
        W.model_validate({"a": 1}).a,
        outcome(p, lambda p: M.model_validate("x")),
    ]


def inherited(p: Any) -> Any:
    class Base(p.BaseModel):
        model_config = p.ConfigDict(str_strip_whitespace=True)
        a: str
        b: int = 1

        @p.field_validator("a")
        @classmethod
        def upper(cls, value: str) -> str:
            return value.upper()

    class Child(Base):
        b: float = 2.5
        c: int = 3

    class Grandchild(Child):
        @p.field_validator("a")
        @classmethod
        def upper(cls, value: str) -> str:
            return value + "!"

    return [Child(a=" x ").model_dump(), Grandchild(a=" x ").model_dump(), list(Child.model_fields)]


def dumping(p: Any) -> Any:
    class Inner(p.BaseModel):
        when: datetime.datetime = datetime.datetime(2026, 3, 2, 10, 20, tzinfo=datetime.timezone.utc)
        day: datetime.date = datetime.date(2026, 3, 2)
        span: datetime.timedelta = datetime.timedelta(days=1, hours=2, seconds=3.5)
        cheese: Cheese = Cheese.BRIE
        id: uuid.UUID = uuid.UUID(int=1)
        price: decimal.Decimal = decimal.Decimal("1.50")
        tags: set[str] = {"a"}
        pair: tuple[int, str] = (1, "x")
        raw: bytes = b"raw"
        numbers: dict[int, float] = {1: 2.5}
        point: Point = Point(1)

    class M(p.BaseModel):
        inner: Inner = Inner()
        many: list[Inner] = []
        none: int | None = None
        hidden: str = p.Field("x", exclude=True)

    m = M(many=[Inner()])
    return [
        m.model_dump(),
        m.model_dump(mode="json"),
        json.loads(m.model_dump_json()),
        m.model_dump_json(),
        m.model_dump(exclude_none=True, include={"none", "inner"}),
        m.model_dump(exclude={"inner": {"when", "point"}, "many": {0: True}}),
        m.model_dump(exclude_unset=True),
        m.model_dump(exclude_defaults=True),
        m.model_dump_json(indent=2, include={"none"}),
    ]


def serializers(p: Any) -> Any:
    class M(p.BaseModel):
        a: datetime.date
        b: int

        @p.field_serializer("a")
        def short(self, value: datetime.date) -> str:
            return value.strftime("%d/%m")

        @p.field_serializer("b", when_used="json")
        def as_text(self, value: int, info: Any) -> str:
            return f"{value} in {info.mode}"

        @p.computed_field
        @property
        def double(self) -> int:
            return self.b * 2

    m = M(a="2026-03-02", b=2)
    return [m.model_dump(), m.model_dump_json(), repr(m), m.double]


def frozen(p: Any) -> Any:
    class M(p.BaseModel, frozen=True):
        a: int = 1

    class F(p.BaseModel):
        a: int = p.Field(1, frozen=True)

    m = M()

    def change(model: Any) -> Any:
        def case(_: Any) -> None:
            model.a = 2

        return case

    return [hash(m) == hash(M()), outcome(p, change(m)), outcome(p, change(F())), {m: 1}[M()]]


def assignment(p: Any) -> Any:
    class M(p.BaseModel, validate_assignment=True):
        a: int = 1

    m = M()
    m.a = "5"

    def wrong(_: Any) -> None:
        m.a = "x"

    class Free(p.BaseModel):
        a: int = 1

    free = Free()
    free.a = "text"
    unknown = None
    try:
        free.b = 1
    except ValueError as error:
        unknown = str(error)
    return [m.a, outcome(p, wrong), m.a, free.a, unknown]


def copies(p: Any) -> Any:
    class M(p.BaseModel):
        a: list[int] = []
        b: int = 0

    m = M(a=[1])
    shallow, deep = m.model_copy(update={"b": 5}), m.model_copy(deep=True)
    m.a.append(2)
    return [shallow.model_dump(), deep.model_dump(), sorted(shallow.model_fields_set), dict(m), list(m)]


def constructed(p: Any) -> Any:
    class M(p.BaseModel):
        a: int
        b: int = p.Field(2, alias="bee")

    m = M.model_construct(a="not checked", bee=3)
    return [m.model_dump(), sorted(m.model_fields_set), M.model_construct().model_dump()]


def private(p: Any) -> Any:
    class M(p.BaseModel):
        a: int
        _count: int = p.PrivateAttr(default=0)
        _names: list[str] = p.PrivateAttr(default_factory=list)

        def model_post_init(self, context: Any) -> None:
            self._count = self.a + 1

    m = M(a=1)
    m._names.append("x")
    return [m._count, m._names, M(a=1)._names, m.model_dump(), repr(m)]


def unions_of_models(p: Any) -> Any:
    class Cat(p.BaseModel):
        kind: Literal["cat"]
        lives: int = 9

    class Dog(p.BaseModel):
        kind: Literal["dog"]
        barks: bool = True

    class M(p.BaseModel):
        pet: Cat | Dog
        told: Cat | Dog = p.Field(Cat(kind="cat"), discriminator="kind")

    return [
        type(M(pet={"kind": "dog"}).pet).__name__,
        M(pet={"kind": "cat", "lives": "3"}).model_dump(),
        outcome(p, lambda p: M(pet={"kind": "dog"}, told={"kind": "cow"})),
        outcome(p, lambda p: M(pet={"kind": "dog"}, told={})),
        outcome(p, lambda p: M(pet={"kind": "dog"}, told={"kind": "cat", "lives": "x"})),
        outcome(p, lambda p: M(pet=1)),
    ]


def from_json(p: Any) -> Any:
    class M(p.BaseModel):
        a: int
        when: datetime.datetime
        id: uuid.UUID
        choices: set[int] = set()

    text = '{"a": 1, "when": "2026-03-02T10:20:00", "id": "12345678-1234-5678-1234-567812345678", "choices": [1, 1]}'
    return [
        M.model_validate_json(text).model_dump(),
        M.model_validate_json(text, strict=True).model_dump(),
        outcome(p, lambda p: M.model_validate_json('{"a": "x"}')),
        outcome(p, lambda p: M.model_validate_json("{"))["errors"][0]["type"],
    ]


def from_attributes(p: Any) -> Any:
    class M(p.BaseModel):
        model_config = p.ConfigDict(from_attributes=True)
        a: int
        b: str = "b"

    return [M.model_validate(Plain(a="1")).model_dump(), outcome(p, lambda p: M.model_validate(Plain(b="x")))]


def enum_values(p: Any) -> Any:
    class M(p.BaseModel, use_enum_values=True):
        a: Cheese
        b: Cheese = Cheese.FETA

    m = M(a="brie")
    return [m.a, m.b, m.model_dump()]


def forward_references(p: Any) -> Any:
    class Node(p.BaseModel):
        value: int
        children: list[Node] = []
        parent: Node | None = None

    return Node(value=1, children=[{"value": "2", "children": [{"value": 3}]}]).model_dump()


T = TypeVar("T")


def generic(p: Any) -> Any:
    class Answer(p.BaseModel, Generic[T]):
        data: T
        more: list[T] = []

    class Item(p.BaseModel):
        name: str

    found = Answer[Item](data={"name": "x"}, more=[{"name": "y"}])
    return [
        found.model_dump(),
        Answer[int](data="1").data,
        outcome(p, lambda p: Answer[int](data="x")),
        Answer(data=1).data,
    ]


def notes_on_types(p: Any) -> Any:
    Even = Annotated[int, p.AfterValidator(lambda value: value if value % 2 == 0 else value + 1)]
    Word = Annotated[str, p.BeforeValidator(lambda value: str(value)), p.Field(max_length=3)]
    Shout = Annotated[str, p.PlainSerializer(lambda value: value.upper())]

    class M(p.BaseModel):
        a: Even
        b: Word
        c: list[Annotated[int, p.Field(gt=0)]] = []
        d: Annotated[int, p.Field(description="dee", alias="D")] = 4
        e: Shout = "e"

    return [
        M(a=3, b=12).model_dump(),
        outcome(p, lambda p: M(a=1, b=12, c=[0, 1], D="x")),
        M.model_fields["d"].description,
        M(a=2, b="x", D=5).d,
    ]


def strict_types(p: Any) -> Any:
    class M(p.BaseModel):
        a: p.StrictInt
        b: p.PositiveInt = 1
        c: p.StrictStr = "c"
        d: p.NonNegativeFloat = 0.0

    return [outcome(p, lambda p: M(a="1", b=0, c=1, d=-1)), M(a=1).model_dump()]


def old_names(p: Any) -> Any:
    class M(p.BaseModel):
        a: int = 1

        @p.validator("a", pre=True, allow_reuse=True)
        def words(cls, value: Any) -> Any:
            return {"one": 1}.get(value, value)

        @p.validator("a")
        def limit(cls, value: int) -> int:
            if value > 5:
                raise ValueError("too large")
            return value

    m = M.parse_obj({"a": "one"})
    return [m.dict(), m.json(), m.copy(update={"a": 3}).a, outcome(p, lambda p: M(a=6)), M.construct(a="x").a]


def adapters(p: Any) -> Any:
    class M(p.BaseModel):
        a: int

    adapter = p.TypeAdapter(list[M])
    found = adapter.validate_python([{"a": "1"}])
    return [
        found[0].a,
        adapter.dump_python(found),
        adapter.dump_json(found),
        adapter.validate_json('[{"a": 2}]')[0].a,
        outcome(p, lambda p: adapter.validate_python([{"a": "x"}]))["errors"],
    ]


def default_factories(p: Any) -> Any:
    class M(p.BaseModel):
        a: int
        b: int = p.Field(default_factory=lambda data: data["a"] + 1)
        c: str = p.Field("5", validate_default=True)
        d: int = p.Field("7", validate_default=True)

    return M(a=1).model_dump()


def schemas(p: Any) -> Any:
    class Inner(p.BaseModel):
        """What is inside."""

        x: int = p.Field(description="The x.", ge=0)

    class M(p.BaseModel):
        name: str = p.Field(min_length=1, examples=["a"])
        inner: Inner
        cheese: Cheese = Cheese.BRIE
        kind: Literal["a", "b"] = "a"
        many: list[Inner] = []
        maybe: int | None = None
        by_name: dict[str, float] = p.Field(default_factory=dict, alias="byName")
        when: datetime.datetime | None = None

    return M.model_json_schema()


def wrong_models(p: Any) -> Any:
    def unknown_type(p: Any) -> Any:
        class M(p.BaseModel):
            a: Plain

        return M

    class Allowed(p.BaseModel):
        model_config = p.ConfigDict(arbitrary_types_allowed=True)
        a: Plain

    return [
        outcome(p, unknown_type),
        outcome(p, lambda p: Allowed(a=1)),
        isinstance(Allowed(a=Plain()).a, Plain),
    ]


def errors_as_text(p: Any) -> Any:
    class M(p.BaseModel):
        a: int
        b: list[int] = []

    try:
        M(a="x", b=[1, "y" * 80])
    except p.ValidationError as error:
        # Links to a page are left out: nobody follows them in a log.
        lines = [line for line in str(error).splitlines() if "For further information" not in line]
        return [lines, isinstance(error, ValueError)]
    return None


CASES = [
    value
    for name, value in list(globals().items())
    if callable(value)
    and getattr(value, "__module__", "") == __name__
    and list(getattr(value, "__annotations__", {})) == ["p", "return"]
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
@pytest.mark.filterwarnings("ignore")
def test_models(case: Case) -> None:
    same(case)


def test_every_case_is_found() -> None:
    assert len(CASES) > 25
