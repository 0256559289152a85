"""Installs a project's requirements for the sandbox: plain Python alone, and without what the SDK stands in for.

Reads a JSON object from standard input: the `requirements` file, the `folder` to install into, the `version` of the
sandbox's Python, and what the SDK has a `stand_in` for. Writes one to standard output: a `problem` with the `line` that
it comes from, and `pip`'s own words where they help, or else whether a real pydantic was `bundled`.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

NATIVE = (".so", ".pyd", ".dylib", ".dll")

# A version that is newer than any, so that the empty packages of that version are taken.
NEWEST = "999.0"


def main():
    request = json.load(sys.stdin)
    requirements = Path(request["requirements"])
    try:
        lines = requirements.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return {"problem": "the file is not UTF-8: save it as UTF-8", "line": 1}
    wanted, bundled = [], False
    for line in lines:
        name = name_of(line)
        if name == "pydantic" and is_old_pydantic(line):
            bundled = True
        elif name in request["stand_in"]:
            continue
        wanted.append(absolute(line, requirements.parent))
    if not any(name_of(line) or line.strip().startswith("-") for line in wanted):
        return {"bundled": bundled}
    with tempfile.TemporaryDirectory() as scratch:
        stand_in = [name for name in request["stand_in"] if not (bundled and name.startswith("pydantic"))]
        for name in stand_in:
            empty_wheel(Path(scratch), name)
        file = Path(scratch, "requirements.txt")
        file.write_text("\n".join(wanted), encoding="utf-8")
        output = install(request, file, scratch)
    if output is not None:
        return failure(output, lines, request)
    native = native_package(Path(request["folder"]))
    if native:
        return {"problem": native_code(native), "line": line_of(native, lines)}
    return {"bundled": bundled}


def install(request, file, scratch):
    """Installs, and gives what pip says if it fails."""
    return pip(
        "install",
        "--target",
        request["folder"],
        "--requirement",
        str(file),
        "--find-links",
        scratch,
        *plain_python(request["version"]),
    )


def plain_python(version):
    return (
        "--only-binary=:all:",
        "--platform=any",
        "--implementation=py",
        "--abi=none",
        f"--python-version={version}",
    )


def pip(command, *arguments):
    settings = ("--no-input", "--disable-pip-version-check", "--no-color", "--quiet")
    extra = ("--no-compile", "--no-warn-conflicts") if command == "install" else ()
    # Settings of other installations are not for this one.
    unwanted = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_NO_BINARY", "PIP_ONLY_BINARY")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    done = subprocess.run(
        [sys.executable, "-m", "pip", command, *settings, *extra, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
    )
    return None if done.returncode == 0 else done.stdout.decode(errors="replace").strip()


def failure(output, lines, request):
    """What pip's words mean."""
    found = re.search(r"No matching distribution found for ([A-Za-z0-9._-]+)([^\s(]*)", output)
    if not found:
        return {"problem": "pip cannot install what it names", "line": 1, "pip": output}
    name = normal(found[1])
    line = line_of(name, lines)
    if is_there(found[1] + found[2]):
        return {"problem": native_code(name), "line": line}
    return {"problem": f"there is no package `{found[1]}{found[2]}`", "line": line, "pip": output}


def is_there(requirement):
    """Whether there is such a package for this machine, which may have native code."""
    with tempfile.TemporaryDirectory() as scratch:
        return pip("download", "--no-deps", "--only-binary=:all:", "--dest", scratch, requirement) is None


def native_code(name):
    return (
        f"`{name}` has native code, which does not work in the sandbox: do without it, or name a release that is plain "
        "Python"
    )


def native_package(folder):
    for path in sorted(folder.rglob("*")):
        if path.name.endswith(NATIVE):
            return normal(path.relative_to(folder).parts[0].split(".")[0])
    return None


def line_of(name, lines):
    """The line that names a package, or the first one that names any: it may be needed by another."""
    numbered = [(number, name_of(line)) for number, line in enumerate(lines, 1) if name_of(line)]
    for number, named in numbered:
        if named == name:
            return number
    return numbered[0][0] if numbered else 1


def name_of(line):
    """The package that a line names, if it names one."""
    found = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line)
    return normal(found[1]) if found else None


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def is_old_pydantic(line):
    """Whether a line asks for a pydantic before version 2."""
    for operator, version in re.findall(r"(===|==|~=|<=|<)\s*(\d+(?:\.\d+)*)", line.split("#")[0].split(";")[0]):
        major, _, rest = version.partition(".")
        is_zero = not rest.strip("0.")
        if int(major) < 2 or (operator == "<" and int(major) == 2 and is_zero):
            return True
    return False


def absolute(line, folder):
    """A line whose paths are not relative to the file that it stands in any more."""
    found = re.match(r"\s*(-r|--requirement|-c|--constraint|-f|--find-links)[\s=]+(\S+)", line)
    if found and "://" not in found[2]:
        return f"{found[1]} {folder / found[2]}"
    return line


def empty_wheel(folder, name):
    """A package without anything in it, for what would need the real one."""
    plain = name.replace("-", "_")
    info = f"{plain}-{NEWEST}.dist-info"
    with zipfile.ZipFile(folder / f"{plain}-{NEWEST}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {NEWEST}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: agent-memory\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


print(json.dumps(main()))
