"""Runs the SDK's own tests inside of the sandbox, by the real pytest. They are put into `suite` beside this folder."""

import importlib
import io
import os
import pkgutil
import sys
from contextlib import redirect_stdout
from pathlib import Path

import _pytest
import pytest

SUITE = Path(__file__).parents[1] / "suite"

# There are no files in a turn: all of pytest and all tests are imported when the agent is built.
for _module in pkgutil.iter_modules(_pytest.__path__):
    importlib.import_module(f"_pytest.{_module.name}")
MODULES = [importlib.import_module(f"suite.{path.stem}") for path in sorted(SUITE.glob("test_*.py"))]

# Parts of pytest that write files or start threads.
UNWANTED = ["cacheprovider", "debugging", "faulthandler", "junitxml", "logging", "pastebin", "stepwise", "tmpdir"]


class Imported(pytest.Module):
    """A module of tests that is imported already."""

    def _getobj(self):
        return sys.modules[f"suite.{self.path.stem}"]


class Suite:
    """Collects the tests, for which there are no files, and keeps what comes of them."""

    def __init__(self):
        self.passed = 0
        self.failed = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session):
        session.items = []
        for module in MODULES:
            node = Imported.from_parent(session, path=SUITE / f"{module.__name__.rpartition('.')[2]}.py")
            session.items.extend(session.genitems(node))
        session.testscollected = len(session.items)
        return True

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed.append(f"{report.nodeid}: {report.longreprtext}")
        elif report.when == "call":
            self.passed += 1


def run_suite(conv):
    suite, output = Suite(), io.StringIO()
    options = ["--capture=no", "--noconftest", "-q", f"--rootdir={SUITE}"]
    options += [option for name in UNWANTED for option in ("-p", f"no:{name}")]
    # pytest goes back to where it was started.
    os.chdir = lambda path: None
    with redirect_stdout(output):
        code = pytest.main(options, plugins=[suite])
    return {"code": int(code), "passed": suite.passed, "failed": suite.failed, "output": output.getvalue()[-2000:]}
