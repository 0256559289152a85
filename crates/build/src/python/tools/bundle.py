"""Installs a project's requirements for the sandbox: plain Python alone, and without what the SDK stands in for.

Reads a JSON object from standard input: the `requirements` file, the `folder` to install into, the `version` of the
sandbox's Python, and what the SDK has a `stand_in` for. Writes one to standard output, which is empty if all is well: a
`problem` with the `line` that it comes from, and `pip`'s own words where they help.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

NATIVE = (".so", ".pyd", ".dylib", ".dll")

# What pip says of a package index that it cannot reach.
UNREACHABLE = re.compile(r"Retrying \(|connection error|ConnectionError", re.IGNORECASE)

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
    is_ours, is_continued = False, False
    for line in lines:
        if not is_continued:
            name = name_of(line)
            is_old = name == "pydantic" and is_old_pydantic(line)
            bundled = bundled or is_old
            is_ours = name in request["stand_in"] and not is_old
        is_continued = line.endswith("\\")
        # What is ours leaves an empty line, so that pip counts lines as the author does.
        wanted.append("" if is_ours else absolute(line, requirements.parent))
    if not any(name_of(line) or line.strip().startswith("-") for line in wanted):
        return {}
    with tempfile.TemporaryDirectory() as scratch:
        stand_in = [name for name in request["stand_in"] if not (bundled and name.startswith("pydantic"))]
        for name in stand_in:
            empty_wheel(Path(scratch), name)
        file = Path(scratch, "requirements.txt")
        file.write_text("\n".join(wanted), encoding="utf-8")
        output = install(request, file, scratch)
    if output is not None:
        return failure(output, lines, file, requirements.parent)
    native = native_package(Path(request["folder"]))
    if native:
        return {"problem": native_code(native), "line": line_of(native, lines, requirements.parent)}
    return {}


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


def failure(output, lines, file, folder):
    """What pip's words mean. `file` is what it was given in the place of the lines, which are of a file in `folder`."""
    unreachable = next((line for line in output.splitlines() if UNREACHABLE.search(line)), None)
    if unreachable is not None:
        problem = "the package index cannot be reached: connect, or name another one by the variable `PIP_INDEX_URL`"
        return {"problem": problem, "line": line_of(None, lines, folder), "pip": unreachable}
    found = re.search(r"No matching distribution found for ([A-Za-z0-9._-]+)([^\s(]*)", output)
    if not found:
        told = re.search(r" \((?:from|at) line (\d+) of (.+?)\)(?=\s|$)", output)
        if told and told[2] == str(file):
            line, output = int(told[1]), output.replace(told[0], "")
        else:
            line = naming(told[2], lines, folder) if told else 1
        return {"problem": "pip cannot install what this names", "line": line, "pip": output}
    name = normal(found[1])
    line = line_of(name, lines, folder)
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


def line_of(name, lines, folder):
    """The line that names a package, or the first one that names any: it may be needed by another."""
    numbers = {}
    for number, line in enumerate(lines, 1):
        for named in names_of(line, folder):
            numbers.setdefault(named, number)
    return numbers.get(name, min(numbers.values(), default=1))


def names_of(line, folder):
    """The packages that a line names, by itself or by a file of requirements."""
    option = path_option(line)
    if option is None:
        return filter(None, [name_of(line)])
    file = folder / option[1]
    if option[0] not in ("-r", "--requirement") or not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return [name for inner in lines for name in names_of(inner, file.parent)]


def naming(file, lines, folder):
    """The line that names another file of requirements, or the first that names any: a file may name further ones."""
    paths = [(number, option[1]) for number, line in enumerate(lines, 1) if (option := path_option(line))]
    for number, path in paths:
        if str(folder / path) == file:
            return number
    return paths[0][0] if paths else 1


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
    option = path_option(line)
    if option and "://" not in option[1]:
        return f"{option[0]} {shlex.quote(str(folder / option[1]))}"
    return line


def path_option(line):
    """The option that a line has, and the path that it gives, if it is one of those that give a path."""
    try:
        # A comment begins where pip has it begin: not within a word.
        words = shlex.split(re.sub(r"(^|\s+)#.*$", "", line))
    except ValueError:
        return None
    found = re.fullmatch(r"(-[rcf])(.+)?|(--requirement|--constraint|--find-links)(?:=(.+))?", words[0] if words else "")
    if not found:
        return None
    path = found[2] or found[4] or "".join(words[1:2])
    return (found[1] or found[3], path) if path else None


def empty_wheel(folder, name):
    """A package without anything in it, for what would need the real one."""
    plain = name.replace("-", "_")
    info = f"{plain}-{NEWEST}.dist-info"
    with zipfile.ZipFile(folder / f"{plain}-{NEWEST}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {NEWEST}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: agent-memory\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


print(json.dumps(main()))
