"""The package's page: what it shows has to run."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest


def test_the_example_passes_its_own_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
    files = dict(re.findall(r"In `(\w+\.py)`:\n\n```python\n(.*?)```", page, re.DOTALL))
    assert len(files) == page.count("```python"), "every block has a name"
    for name, content in files.items():
        tmp_path.joinpath(name).write_text(content, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        tests = [test for name, test in vars(importlib.import_module("test_shop")).items() if name.startswith("test_")]
        for test in tests:
            test()
        assert len(tests) == 2
    finally:
        for name in ("shop", "test_shop"):
            sys.modules.pop(name, None)
