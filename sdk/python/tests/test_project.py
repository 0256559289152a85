"""Which functions a project has, and what is said of one that is not as it should be."""

from __future__ import annotations

import gc
import json
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_memory.agent import Agent
from agent_memory.component.build import Built, build
from agent_memory.component.problems import ProjectError
from agent_memory.testing import FakeHost

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Writes a project. Its modules are forgotten afterwards."""
    before = set(sys.modules)
    sys.path.insert(0, str(tmp_path))

    def write(files: dict[str, str]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content) if isinstance(content, str) else path.write_bytes(content)
        return tmp_path

    yield write
    sys.path.remove(str(tmp_path))
    for name in set(sys.modules) - before:
        module = sys.modules[name]
        if str(tmp_path) in (getattr(module, "__file__", None) or str(getattr(module, "__path__", ""))):
            del sys.modules[name]
    gc.collect()


def names(built: Built) -> list[str]:
    return [one.name for one in built.agent.describe()]


def call(agent: Agent, name: str, **arguments: Any) -> Any:
    return json.loads(agent.call(FakeHost(), name, json.dumps(arguments)))


def problem(root: Path, kind: Any = "project") -> str:
    with pytest.raises(ProjectError) as raised:
        build(root, kind)
    return str(raised.value)


def test_a_file_exports_every_public_function_that_takes_the_conversation(write: Write) -> None:
    root = write(
        {
            "shop.py": """
from agent_memory import Conversation
from json import dumps as book_later

LIMIT = 3

def start_function(conv): pass

def zoo(conversation): return "zoo"

def book(c: Conversation, day: str): return helper(day)

def helper(day): return f"booked {day}"

def _hidden(conv): pass

class Shop:
    def book(self, conv): pass

same = book
"""
        }
    )
    built = build(root, "file")
    assert names(built) == ["start_function", "zoo", "book"]
    assert call(built.agent, "book", day="Friday") == "booked Friday"


@pytest.mark.parametrize("name", ["random.py", "agent_memory.py", "my-shop.py", "class.py", "shop.v2.py"])
def test_a_file_may_have_any_name(write: Write, name: str) -> None:
    root = write(
        {name: "from dataclasses import dataclass\n\n@dataclass\nclass A:\n    x: int\n\ndef f(conv): return A(1).x\n"}
    )
    assert call(build(root, "file").agent, "f") == 1


def test_a_platforms_project_exports_the_functions_named_like_their_files(write: Write) -> None:
    root = write(
        {
            "functions/book.py": """
from functions.prices import price_of
from flows.pay.functions.charge import rate

def other(conv): pass

def book(conv, cheese: str):
    return [price_of(cheese), rate(), conv.functions.note("x")]
""",
            "functions/prices.py": "def price_of(cheese): return len(cheese)\n",
            "functions/note.py": "def note(conv, text): return text * 2\n",
            "functions/nested/deep.py": "from ..prices import price_of\n\ndef deep(conv): return price_of('abc')\n",
            "functions/my-notes.py": "this is no Python, and nothing imports it",
            "flows/pay/functions/charge.py": """
def rate(): return 7

def charge(conv, flow, amount: int): return flow.functions.receipt(amount)
""",
            "flows/pay/functions/receipt.py": "def receipt(conv, flow, amount): return f'{flow.name} {amount}'\n",
            "flows/pay/function_steps/check_card.py": "def check_card(conv, flow): return 'checked'\n",
            "flows/order/functions/charge.py": "def charge(conv, flow): return 'order'\n",
            "flows/order/functions/note.py": "def note(conv, flow): return 'of a flow'\n",
            "flows/order/functions/start_function.py": "def start_function(conv): return 'not by itself'\n",
            "unused.py": "raise RuntimeError('nobody imports this')\n",
        }
    )
    built = build(root, "project")
    assert names(built) == [
        "book",
        "deep",
        "note",
        "order.charge",
        "order.note",
        "order.start_function",
        "check_card",
        "pay.charge",
        "receipt",
    ]
    assert call(built.agent, "book", cheese="brie") == [4, 7, "xx"]
    assert call(built.agent, "deep") == 3
    assert call(built.agent, "pay.charge", amount=5) == "pay 5"
    assert call(built.agent, "order.note") == "of a flow"
    assert built.agent.registry.functions["pay.charge"].place == "flows/pay/functions/charge.py:4"


def test_a_package_exports_the_functions_of_all_its_modules(write: Write) -> None:
    root = write(
        {
            "shop/__init__.py": "from .orders import book\n",
            "shop/orders.py": "from . import shelf\n\ndef book(conv): return shelf.has()\n\ndef cancel(conv): pass\n",
            "shop/shelf.py": "def has(): return True\n",
            "shop/greet.py": "def greet(conv): return _say(conv)\n\ndef _say(conv): return 'hi'\n",
        }
    )
    built = build(root, "package")
    assert names(built) == ["greet", "book", "cancel"]
    assert call(built.agent, "book") is True


def test_modules_that_are_imported_only_in_functions_are_there(write: Write) -> None:
    root = write(
        {
            "functions/late.py": """
def late(conv):
    import colorsys
    from functions import shelf
    from functions.deeper import inner as found
    from . import relative
    try:
        import not_there_at_all
    except ImportError:
        not_there_at_all = None
    return [colorsys.rgb_to_hsv(1, 1, 1)[2], shelf.count(), found.VALUE, relative.VALUE, not_there_at_all]
""",
            "functions/shelf.py": "def count():\n    import chunked\n    return chunked.SIZE\n",
            "functions/deeper/__init__.py": "",
            "functions/deeper/inner.py": "VALUE = 'inner'\n",
            "functions/relative.py": "VALUE = 'relative'\n",
            "chunked.py": "SIZE = 8\n",
        }
    )
    sys.modules.pop("colorsys", None)
    built = build(root, "project")
    assert "colorsys" in sys.modules
    assert {"functions.deeper.inner", "functions.relative", "chunked"} <= set(sys.modules)
    assert call(built.agent, "late") == [1, 8, "inner", "relative", None]
    assert built.warnings == []


def test_what_may_be_wrong_is_told_with_its_line(write: Write) -> None:
    root = write(
        {
            "functions/book.py": """
import datetime
import time
import uuid
from datetime import date as d

from agent_memory import func_parameter

TODAY = datetime.datetime.now()
STARTED = time.time()
ID = uuid.uuid4()
FIXED = datetime.datetime(2026, 3, 2)

@func_parameter("chese", "The cheese.")
def book(conv, cheese: str, day=d.today()):
    import package_that_there_is_not
    return datetime.datetime.now()
"""
        }
    )
    warnings = [f"{remark.place}: {remark.message}" for remark in build(root, "project").warnings]
    assert [warning.partition(" is worked out")[0] for warning in warnings] == [
        "functions/book.py:9: `datetime.now()`",
        "functions/book.py:10: `time.time()`",
        "functions/book.py:11: `uuid.uuid4()`",
        "functions/book.py:15: `date.today()`",
        "functions/book.py:15: `@func_parameter` describes `chese`, which is no parameter of `book`",
        "functions/book.py:16: there is no module `package_that_there_is_not`: name its package in `requirements.txt`; "
        "packages with native code do not work here",
    ]


def test_functions_that_there_are_not_are_told_where_they_are_called(write: Write) -> None:
    root = write(
        {
            "functions/book.py": """
def book(conv):
    if conv.state.day:
        return conv.functions.handof("day")
    conv.functions.charge(5)
    return conv.functions.handoff("cheese")
""",
            "functions/handoff.py": "def handoff(conv, reason): return conv.functions.book\n",
            "functions/prepared.py": """
def prepared(conv):
    if "if_there" in conv.functions:
        conv.functions.if_there()
    return conv.functions.twice(conv.functions.twice(1))
""",
            "flows/pay/functions/charge.py": """
def charge(conv, flow):
    flow.functions.handoff("card")
    return flow.functions.charge_card() or flow.functions.charge()
""",
        }
    )
    warnings = [f"{remark.place}: {remark.message}" for remark in build(root, "project").warnings]
    assert warnings == [
        "flows/pay/functions/charge.py:3: `handoff` belongs to no flow: call it as `conv.functions.handoff`",
        "flows/pay/functions/charge.py:4: the flow `pay` has no function `charge_card`: did you mean `charge`?",
        "functions/book.py:4: there is no function `handof`: did you mean `handoff`?",
        "functions/book.py:5: there is no function `charge` but in the flow `pay`: call it as `flow.functions.charge`",
        "functions/prepared.py:5: there is no function `twice`: there are `book`, `handoff`, `prepared`",
    ]


def test_what_is_drawn_by_chance_when_the_agent_is_built_is_told(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    import random

    from agent_memory.component import sandbox

    monkeypatch.setattr(sandbox, "_frozen", [random._inst])  # type: ignore[attr-defined]
    root = write(
        {
            "shop.py": """
import os
import random
import secrets
import uuid
from dataclasses import dataclass, field

seeded = random.Random(7)
FIXED = [seeded.random(), seeded.choice("abc")]
source = random.SystemRandom()
DRAWN = random.random()
PICKED = random.choice("abc")
TOKEN = secrets.token_hex(4)
OWN = source.randint(1, 6)
BYTES = os.urandom(2)
SECRET = [secrets.choice("abc"),
    secrets.randbits(8)]
@dataclass
class Order:
    id: uuid.UUID = field(default_factory=uuid.uuid4)
DEFAULT = Order()

def start_function(conv): return random.random()
"""
        }
    )
    warnings = [f"{remark.place}: {remark.message}" for remark in build(root, "file").warnings]
    assert [warning.partition(" is worked out")[0] for warning in warnings] == [
        "shop.py:11: `random.random()`",
        "shop.py:12: `random.choice()`",
        "shop.py:13: `secrets.token_hex()`",
        "shop.py:14: `random.randint()`",
        "shop.py:15: `os.urandom()`",
        "shop.py:16: `secrets.choice()`",
        "shop.py:17: `secrets.randbits()`",
        "shop.py:21: `uuid.uuid4()`",
    ]


CLOCKS = (
    "ctime() gmtime() localtime() monotonic() monotonic_ns() perf_counter() perf_counter_ns() strftime('%Y') time_ns()"
)
IDS = [name for name in ("uuid1", "uuid4", "uuid6", "uuid7", "uuid8") if hasattr(uuid, name)]


@pytest.mark.parametrize("call", [*(f"time.{call}" for call in CLOCKS.split()), *(f"uuid.{name}()" for name in IDS)])
def test_every_clock_and_id_that_is_read_when_the_agent_is_built_is_told(write: Write, call: str) -> None:
    root = write({"shop.py": f"import time\nimport uuid\n\nVALUE = {call}\n\ndef start_function(conv): {call}\n"})
    (warning,) = build(root, "file").warnings
    name = call.partition("(")[0]
    assert f"{warning.place}: {warning.message}" == (
        f"shop.py:4: `{name}()` is worked out when the agent is built, and is the same in every turn: call it in a "
        "function"
    )


BAD: list[tuple[str, dict[str, Any], str]] = [
    (
        "a syntax error",
        {"functions/book.py": "def book(conv):\n    return (1,\n"},
        "functions/book.py:2: SyntaxError: '(' was never closed",
    ),
    (
        "syntax errors in two files",
        {"functions/a.py": "def a(conv:\n", "functions/b.py": "  x = 1\n"},
        "functions/a.py:1: SyntaxError: '(' was never closed; functions/b.py:1: IndentationError: unexpected indent",
    ),
    (
        "a file that fails when it is imported",
        {"functions/book.py": "import json\n\njson.loads('{')\n\ndef book(conv): pass\n"},
        "functions/book.py:3: this fails when it is imported: JSONDecodeError: Expecting property name enclosed in "
        "double quotes: line 1 column 2 (char 1)",
    ),
    (
        "a file that ends the program",
        {"functions/book.py": "import sys\nsys.exit(1)\n"},
        "functions/book.py:2: this fails when it is imported: SystemExit: 1",
    ),
    (
        "a module of the project that there is not",
        {"functions/book.py": "from functions.price import price_of\n", "functions/prices.py": ""},
        "functions/book.py:1: there is no module `functions.price`: did you mean `functions.prices`?",
    ),
    (
        "the same in a function",
        {"functions/book.py": "def book(conv):\n    from functions.price import price_of\n", "functions/prices.py": ""},
        "functions/book.py:2: there is no module `functions.price`: did you mean `functions.prices`?",
    ),
    (
        "a name that there is not",
        {"functions/book.py": "from functions.prices import price\n", "functions/prices.py": "price_of = 1\n"},
        "functions/book.py:1: `functions.prices` has no `price`: did you mean `price_of`?",
    ),
    (
        "a name unlike any",
        {"functions/book.py": "from functions.prices import cheese\n", "functions/prices.py": "price_of = 1\n"},
        "functions/book.py:1: `functions.prices` has no `cheese`",
    ),
    (
        "a module beside it that there is not",
        {"functions/book.py": "from . import price\n", "functions/prices.py": ""},
        "functions/book.py:1: `functions` has no `price`: did you mean `prices`?",
    ),
    (
        "a package that there is not",
        {"functions/book.py": "\nimport numpy_of_another_name as np\n"},
        "functions/book.py:2: there is no module `numpy_of_another_name`: name its package in `requirements.txt`; "
        "packages with native code do not work here",
    ),
    (
        "a circular import",
        {
            "functions/a.py": "from functions.b import one\n\ndef a(conv): pass\n",
            "functions/b.py": "from functions.c import two\n\none = 1\n",
            "functions/c.py": "from functions.a import a\n\ntwo = 2\n",
        },
        "functions/c.py:1: circular import: `functions/a.py` imports `functions/b.py` imports `functions/c.py` imports "
        "`functions/a.py`; import one of them inside of the function that needs it",
    ),
    (
        "no functions",
        {"functions/helpers.py": "def price_of(cheese): return 1\n"},
        "functions/helpers.py:1: the project has no functions: each file in `functions` and `flows/*/functions` has "
        "one that is named like the file and whose first parameter is `conv`",
    ),
    (
        "a file that is no UTF-8",
        {"functions/book.py": "# fine\n\n# Käse\ndef book(conv): pass\n".encode("latin-1")},
        "functions/book.py:3: the file is not UTF-8: there is a byte 0xE4 in this line; save it as UTF-8",
    ),
    (
        "a file of another kind altogether",
        {"functions/book.py": "def book(conv): pass\n".encode("utf-16")},
        "functions/book.py:1: the file is not UTF-8: there is a byte 0xFF in this line; save it as UTF-8",
    ),
    (
        "a zero byte",
        {"functions/book.py": b"def book(conv): pass\n\0"},
        "functions/book.py:1: SyntaxError: source code string cannot contain null bytes",
    ),
    (
        "a function that stands twice in its file",
        {"functions/book.py": "def book(conv): pass\n\n\ndef book(conv, day): pass\n"},
        "functions/book.py:4: there are two functions `book`, the other one at functions/book.py:1: give one another "
        "name",
    ),
    (
        "two functions of one name in one folder",
        {"functions/book.py": "def book(conv): pass\n", "functions/more/book.py": "\ndef book(conv): pass\n"},
        "functions/more/book.py:2: there are two functions `book`, the other one at functions/book.py:1: give one "
        "another name",
    ),
    (
        "an asynchronous function",
        {"functions/book.py": "async def book(conv): pass\n"},
        "functions/book.py:1: `book` is asynchronous, which functions cannot be: write `def` for `async def`",
    ),
    (
        "a module with the name of one of Python's own",
        {"functions/book.py": "import calendar\n\ndef book(conv): pass\n", "calendar.py": "X = 1\n"},
        "calendar.py:1: `calendar` is the name of another module, which is imported in its place: give it another name",
    ),
]


@pytest.mark.parametrize(("files", "expected"), [one[1:] for one in BAD], ids=[one[0] for one in BAD])
def test_what_is_wrong_is_told_with_file_and_line(write: Write, files: dict[str, Any], expected: str) -> None:
    assert problem(write(files)) == expected


def test_a_syntax_error_shows_the_line_and_the_place_in_it(write: Write) -> None:
    root = write({"functions/book.py": "def book(conv):\n    retrun 1\n"})
    with pytest.raises(ProjectError) as raised:
        build(root, "project")
    (remark,) = raised.value.remarks
    assert remark.excerpt.splitlines()[0] == "    retrun 1"
    assert remark.excerpt.splitlines()[1].strip() == "^"


def test_an_import_that_fails_shows_the_line_and_what_led_to_it(write: Write) -> None:
    root = write(
        {
            "functions/book.py": "from shelf import find\n\nCHEESE = find('brie')\n\ndef book(conv): pass\n",
            "shelf.py": "def find(name):\n    return {}[name]\n",
        }
    )
    with pytest.raises(ProjectError) as raised:
        build(root, "project")
    (remark,) = raised.value.remarks
    assert f"{remark.place}: {remark.message}" == "shelf.py:2: this fails when it is imported: KeyError: 'brie'"
    assert remark.excerpt == "    return {}[name]\n    reached from functions/book.py:3: CHEESE = find('brie')"


def test_functions_that_share_a_name_on_purpose_are_let_through(write: Write) -> None:
    root = write(
        {
            "shop.py": """
from typing import overload

@overload
def book(conv, day: str): ...
@overload
def book(conv, day: int): ...
def book(conv, day): return day

if True:
    def cancel(conv): return 1
else:
    def cancel(conv): return 2
"""
        }
    )
    assert names(build(root, "file")) == ["book", "cancel"]


def test_two_functions_of_one_name_in_a_package_are_refused(write: Write) -> None:
    root = write({"shop/__init__.py": "", "shop/a.py": "def book(conv): pass\n", "shop/b.py": "def book(conv): pass\n"})
    expected = "shop/b.py:1: there are two functions `book`, the other one at shop/a.py:1: give one another name"
    assert problem(root, "package") == expected


def test_a_module_that_the_sandbox_has_nothing_for_can_be_imported(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent_memory.component import sandbox
    from agent_memory.errors import SandboxError

    monkeypatch.setitem(sandbox.UNAVAILABLE, "no_such_hardware", "hardware")
    root = write(
        {
            "shop.py": """
import no_such_hardware
from no_such_hardware.parts import Screen, ScreenError

def watch(conv):
    try:
        return Screen(1)
    except ScreenError:
        return "never"
"""
        }
    )
    agent = build(root, "file").agent
    with pytest.raises(Exception) as raised:
        call(agent, "watch")
    failure = raised.value.failure
    assert failure.name == SandboxError.__name__
    assert failure.message == (
        "`no_such_hardware.parts.Screen` does not work here: functions have no access to hardware"
    )
    for name in [name for name in sys.modules if name.startswith("no_such_hardware")]:
        del sys.modules[name]
