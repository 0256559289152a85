"""The files of the project and of its packages, which a turn can read although it has no files.

They are kept in memory when the agent is built. What reads a file by its path finds it: ``open``, ``pathlib``,
``importlib.resources``, and ``os.path.exists`` and the like.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import stat
from pathlib import Path
from typing import Any

#: Files that nobody reads but Python, which has done so.
_UNREAD = (".py", ".pyc", ".pyi", ".so")

_files: dict[str, bytes] = {}
_folders: dict[str, list[str]] = {}

_real_open = builtins.open
_real_stat = os.stat
_real_listdir = os.listdir


def keep(*roots: Path) -> None:
    """Keeps all files of these folders, and has those who read files find them."""
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if name != "__pycache__" and not name.endswith(".dist-info")]
            kept = [name for name in names if not name.endswith(_UNREAD)]
            _folders[folder] = sorted([*folders, *kept])
            for name in kept:
                path = os.path.join(folder, name)
                with _real_open(path, "rb") as file:
                    _files[path] = file.read()
    builtins.open = io.open = _open
    os.stat = _stat
    os.listdir = _listdir  # type: ignore[assignment]


def _open(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
    content = _files.get(_path(file))
    if content is None:
        return _real_open(file, mode, *args, **kwargs)
    if set(mode) & set("wax+"):
        raise OSError(errno.EROFS, "files cannot be written here", os.fspath(file))
    raw = io.BytesIO(content)
    if "b" in mode:
        return raw
    names = ("buffering", "encoding", "errors", "newline")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    return io.TextIOWrapper(
        raw, encoding=given.get("encoding") or "utf-8", errors=given.get("errors"), newline=given.get("newline")
    )


def _stat(path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
    name = _path(path)
    content = _files.get(name)
    if content is not None:
        return _result(stat.S_IFREG | 0o444, len(content))
    if name in _folders:
        return _result(stat.S_IFDIR | 0o555, 0)
    return _real_stat(path, *args, **kwargs)


def _listdir(path: Any = ".") -> list[str]:
    names = _folders.get(_path(path))
    return list(names) if names is not None else _real_listdir(path)


def _result(mode: int, size: int) -> os.stat_result:
    return os.stat_result((mode, 0, 0, 1, 0, 0, size, 0, 0, 0))


def _path(path: str | bytes | int | os.PathLike[Any] | None) -> str:
    """A path as the files are kept by, or an empty text for what is none."""
    if isinstance(path, int) or path is None:
        return ""
    return os.path.normpath(os.fsdecode(path))
