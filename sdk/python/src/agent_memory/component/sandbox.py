"""Makes Python at home in the sandbox: time zones, chance, and a word for what is not there.

There are no files once a turn runs, so that all that Python reads from one later has to be read before.
"""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.machinery
import io
import linecache
import os
import random
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..errors import SandboxError

#: Modules that Python imports late, inside of functions, and that could not be found then.
_LATE_MODULES = """
_compat_pickle _pylong _strptime annotationlib ast bisect calendar concurrent.futures.thread copyreg dataclasses
decimal email.charset email.errors email.header email.message email.parser email.policy email.utils encodings.ascii
encodings.base64_codec encodings.cp1252 encodings.hex_codec encodings.idna encodings.iso8859_1 encodings.iso8859_15
encodings.latin_1 encodings.punycode encodings.raw_unicode_escape encodings.unicode_escape encodings.utf_16
encodings.utf_16_be encodings.utf_16_le encodings.utf_32 encodings.utf_8 encodings.utf_8_sig fractions hashlib heapq
html.entities importlib.metadata importlib.readers importlib.resources._adapters importlib.resources.readers
importlib.simple inspect json locale logging numbers opcode pickle platform queue quopri socket string.templatelib
stringprep tempfile textwrap threading tokenize traceback tracemalloc typing unicodedata urllib.parse uuid warnings
weakref zoneinfo
""".split()

#: What Python lacks in the sandbox. Imports of the project find a word for each of them instead.
UNAVAILABLE = {
    "bz2": "compression with bzip2",
    "concurrent.futures.process": "processes",
    "ctypes": "native code",
    "curses": "a terminal",
    "dbm.gnu": "files",
    "fcntl": "files",
    "grp": "users",
    "lzma": "compression with LZMA",
    "mmap": "files",
    "pty": "a terminal",
    "pwd": "users",
    "readline": "a terminal",
    "resource": "processes",
    "ssl": "a network",
    "syslog": "a system log",
    "termios": "a terminal",
    "tkinter": "a screen",
    "tty": "a terminal",
}

_SOCKET_FUNCTIONS = """
create_connection create_server getaddrinfo gethostbyaddr gethostbyname gethostbyname_ex getnameinfo socketpair
""".split()

#: All of `multiprocessing` that is for other processes.
_PROCESS_FUNCTIONS = """
Array Barrier BoundedSemaphore Condition Event JoinableQueue Lock Manager Pipe Pool Queue RLock RawArray RawValue
Semaphore SimpleQueue Value
""".split()

_PROCESSES = "functions have no processes: do one thing after another"
_THREADS = "functions have no threads: do one thing after another"
_NETWORK = (
    "functions have no network: ask the platform instead, as with `conv.api`, and have the embedding runtime answer"
)


def prepare() -> None:
    """Imports what would be missing later. To be called before the project is imported."""
    sys.dont_write_bytecode = True
    # An integer may have as many digits as memory holds.
    sys.set_int_max_str_digits(0)
    for name in _LATE_MODULES:
        importlib.import_module(name)
    _seed_late()


def provide_time_zones(tzdata: Path) -> None:
    """Reads all time zones of the package ``tzdata``, and tells ``zoneinfo`` of them."""
    import zoneinfo._common
    import zoneinfo._tzpath

    names = (tzdata / "zones").read_text().split()
    zones = {name: (tzdata / "zoneinfo" / name).read_bytes() for name in names}

    def load_tzdata(key: str) -> io.BytesIO:
        try:
            return io.BytesIO(zones[key])
        except KeyError:
            raise zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {key}") from None

    zoneinfo._common.load_tzdata = load_tzdata  # type: ignore[assignment]
    available = frozenset(zones)
    zoneinfo._tzpath.available_timezones = lambda: set(available)
    zoneinfo.available_timezones = lambda: set(available)


def forbid() -> None:
    """Has whatever needs a thread, a process or a network say that there is none."""
    import _thread
    import concurrent.futures
    import multiprocessing.context
    import multiprocessing.process
    import socket
    import threading

    def no_threads(*_: Any, **__: Any) -> NoReturn:
        raise SandboxError(_THREADS)

    for module, names in (
        (_thread, ("start_new_thread", "start_new", "start_joinable_thread")),
        (threading, ("_start_new_thread", "_start_joinable_thread")),
    ):
        for name in names:
            if hasattr(module, name):
                setattr(module, name, no_threads)

    class ProcessError(SandboxError, OSError):
        """There are no processes. Libraries take it for a platform that has none."""

    def no_processes(*_: Any, **__: Any) -> NoReturn:
        raise ProcessError(_PROCESSES)

    for name in _PROCESS_FUNCTIONS:
        setattr(multiprocessing.context.BaseContext, name, no_processes)
        # It has the methods of a context as functions.
        setattr(multiprocessing, name, no_processes)
    multiprocessing.process.BaseProcess.start = no_processes  # type: ignore[method-assign]
    stand_in_for("concurrent.futures.process")
    executors: Any = concurrent.futures
    executors.ProcessPoolExecutor = sys.modules["concurrent.futures.process"].ProcessPoolExecutor

    class NetworkError(SandboxError, OSError):
        """There is no network. Libraries take it for any other failure of the network."""

    def no_network(*_: Any, **__: Any) -> NoReturn:
        raise NetworkError(_NETWORK)

    socket.socket.__init__ = no_network  # type: ignore[method-assign]
    for name in _SOCKET_FUNCTIONS:
        if hasattr(socket, name):
            setattr(socket, name, no_network)


class Unavailable(types.ModuleType):
    """A module that there is not. Whatever is asked of it says so when it is used."""

    def __init__(self, name: str, purpose: str) -> None:
        super().__init__(name)
        self.__dict__["_purpose"] = purpose
        # Its submodules can be imported like itself.
        self.__dict__["__path__"] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if name.endswith(("Error", "Exception", "Warning")):
            # For `except`: nothing raises it.
            return type(name, (Exception,), {"__module__": self.__name__})
        return _unavailable(f"{self.__name__}.{name}", self.__dict__["_purpose"])


def _unavailable(name: str, purpose: str) -> type:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise SandboxError(f"`{name}` does not work here: functions have no access to {purpose}")

    class Refusing(type):
        def __getattr__(cls, member: str) -> Any:
            if member.startswith("__") and member.endswith("__"):
                raise AttributeError(member)
            refuse()

    return Refusing(name.rpartition(".")[2], (), {"__new__": refuse, "__module__": name.rpartition(".")[0]})


def stand_in_for(module: str) -> bool:
    """Puts a word in the place of a module that there is not. Tells whether there is a word for it."""
    root = next((name for name in UNAVAILABLE if module == name or module.startswith(f"{name}.")), None)
    if root is None:
        return False
    parts = module.split(".")
    for end in range(len(parts)):
        name = ".".join(parts[: end + 1])
        if name not in sys.modules:
            sys.modules[name] = Unavailable(name, UNAVAILABLE[root])
    return True


# The sources of chance that were made when the agent was built. Their seeds are part of the image.
_frozen: list[random.Random] = []
_seed = random.Random.seed


def _seed_late() -> None:
    """Remembers every source of chance that is seeded by chance, for a seed that is taken now is the same for ever."""

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        if a is None and not any(known is self for known in _frozen):
            _frozen.append(self)
        _seed(self, a, version)
        if a is not None:
            _frozen[:] = [known for known in _frozen if known is not self]

    random.Random.seed = seed  # type: ignore[method-assign]
    random._inst.seed()
    random.seed = random._inst.seed


def is_seeded_by_chance(source: object) -> bool:
    """Whether what this draws cannot be foreseen."""
    return isinstance(source, random.SystemRandom) or any(known is source for known in _frozen)


def reseed() -> None:
    """Gives new seeds to the sources of chance that are part of the image. To be called when a turn begins."""
    for source in _frozen:
        _seed(source)


class _TooLate(importlib.abc.MetaPathFinder):
    """Says why a module cannot be found in a turn."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        raise ModuleNotFoundError(
            f"No module named {name!r}: there are no files in a turn, and it was not imported when the agent was "
            "built; import it by an `import` statement anywhere in the project",
            name=name,
        )


def freeze(sources: dict[str, str]) -> None:
    """Leaves memory as every turn shall find it. To be called when the project is imported.

    ``sources`` are the author's files, so that a trace can show their lines.
    """
    random.Random.seed = _seed  # type: ignore[method-assign]
    for filename, source in sources.items():
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    # The variables of the machine that it was built on, and ours.
    os.environ.clear()
    sys.path.clear()
    sys.path_importer_cache.clear()
    sys.meta_path.append(_TooLate())
    gc.collect()
    # A collection in a turn would look at, and so copy, every page of the image.
    gc.freeze()
