"""Sets up this checkout and runs it: the demo, the tests, the checks, the benchmarks.

It needs Python 3.11 or newer with pip, and nothing else: it makes ``.venv``, installs there what
the command needs, once, and runs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
CONSTRAINTS = REQUIREMENTS / "constraints.txt"
WITHOUT_DEPENDENCIES = REQUIREMENTS / "without-dependencies.txt"
ISOLATED = ROOT / "build" / "isolated"
SERVICE = ROOT / "build" / "service"

ENVIRONMENTS = {"demo": "demo.txt", "dev": "dev.txt"}
"""The requirements file of each kind of environment; ``dev`` contains ``demo``."""

EXAMPLES = """\
examples:
  python dev.py demo                    evaluate a real model on three questions
  python dev.py test                    run every test
  python dev.py test -k number -x       what dev.py does not know goes to pytest
  python dev.py test --isolated         each distribution's tests, with only what it declares
  python dev.py test --isolated text    those of proctor-text only
  python dev.py test --service          tests against a real server of Tinker's API
  python dev.py check                   ruff, mypy --strict and the architecture tests
  python dev.py bench                   every benchmark; `bench NAME` for one
"""


Command = Sequence["str | Path"]


class DevError(Exception):
    """Something that the person at the keyboard can mend, said in one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python dev.py",
        description="Set up this checkout in .venv and run it. Each command is enough by itself.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("demo", help="run examples/quickstart.yaml on a real model")
    test = commands.add_parser(
        "test",
        help="run the tests; other arguments go to pytest",
        allow_abbrev=False,
        epilog="Other arguments go to pytest: `python dev.py test tests/core -k loop -x`.",
    )
    test.add_argument(
        "--isolated",
        action="store_true",
        help="run each distribution's tests in an environment with only the core and that plugin; "
        "names after it choose some of them",
    )
    test.add_argument(
        "--service",
        action="store_true",
        help="run tests/service, against SkyRL's server of Tinker's API on this machine",
    )
    commands.add_parser("check", help="ruff, mypy --strict and the architecture tests")
    bench = commands.add_parser("bench", help="run the benchmarks; options go to each")
    bench.add_argument(
        "names", nargs="*", metavar="NAME", help="a file of benchmarks/, without .py"
    )
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command not in ("test", "bench"):
        parser.error(f"unknown argument: {rest[0]}")
    try:
        if options.command == "demo":
            return demo()
        if options.command == "check":
            return check()
        if options.command == "bench":
            return bench_all(options.names, rest)
        if options.isolated:
            return test_isolated(rest)
        return test_service(rest) if options.service else test_all(rest)
    except DevError as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def demo() -> int:
    """Runs the quickstart on the real model."""
    python = prepare("demo")
    environment = clean_environment() | {"HF_HUB_OFFLINE": "1"}
    proctor = python.with_name("proctor.exe" if os.name == "nt" else "proctor")
    return run([proctor, "run", "examples/quickstart.yaml"], environment)


def test_all(pytest_arguments: Sequence[str]) -> int:
    """Runs pytest with the given arguments."""
    # a file's tests stay together, since they share fixtures
    parallel = ("--numprocesses=auto", "--dist=loadfile")
    status, report = run_pytest(prepare("dev"), "tests", [*parallel, *pytest_arguments])
    if status == 0 and not report.is_file():
        # Something called os._exit: the tests after it did not run, whatever the status says.
        raise DevError("pytest ended before it was done")
    return status


def test_service(pytest_arguments: Sequence[str]) -> int:
    """Runs the tests that need a server which samples and trains, and makes it fit to start."""
    server = prepare_service()
    python = prepare("dev")
    arguments = ["tests/service", *pytest_arguments]
    return run_pytest(python, "service", arguments, SERVICE_PYTHON=str(server))[0]


def check() -> int:
    """Runs the linter, the formatter, the type checker and the architecture tests, all of them."""
    python = prepare("dev")
    sources = [folder / "src" for folder in distributions().values()]
    steps: dict[str, Command] = {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "mypy": [python, "-m", "mypy", "dev.py", *sources],
        "architecture": [python, "-P", "-m", "pytest", "-q", "tests/architecture"],
    }
    failed = []
    for name, command in steps.items():
        print(f"== {name}", flush=True)
        if run(command, test_environment()) != 0:
            failed.append(name)
    if failed:
        raise DevError(f"check failed: {', '.join(failed)}")
    return 0


def bench_all(names: Sequence[str], arguments: Sequence[str]) -> int:
    """Runs the named benchmarks, or all, each with the given arguments."""
    scripts = {script.stem: script for script in sorted((ROOT / "benchmarks").glob("[!_]*.py"))}
    unknown = [name for name in names if name not in scripts]
    if unknown:
        raise DevError(f"no benchmark {unknown[0]!r}; there are: {', '.join(scripts) or 'none'}")
    python = prepare("dev")
    failed = []
    for name in names or scripts:
        print(f"== {name}", flush=True)
        if run([python, scripts[name], *arguments], test_environment()) != 0:
            failed.append(name)
    if failed:
        raise DevError(f"benchmarks failed: {', '.join(failed)}")
    return 0


# Environments


def distributions() -> dict[str, Path]:
    """The folder of each distribution of this checkout, by its short name; the core first."""
    plugins = sorted((ROOT / "plugins").glob("*/pyproject.toml"))
    return {"core": ROOT / "core"} | {file.parent.name: file.parent for file in plugins}


def prepare(kind: str) -> Path:
    """Makes .venv fit for a kind of command, unless it is already, and returns its Python.

    Raises:
        DevError: It can't be made, or something can't be installed.
    """
    stamp = VENV / f"installed-{kind}"
    state = installed_state(kind)
    if stamp.is_file() and stamp.read_text() == state and runs(venv_python(VENV)):
        return venv_python(VENV)
    for other in ENVIRONMENTS:
        (VENV / f"installed-{other}").unlink(missing_ok=True)
    # An install that was cut short may have left half a package, which pip takes for a whole one.
    unfinished = VENV / "unfinished"
    python = make_venv(VENV, afresh=unfinished.exists())
    unfinished.touch()
    print(f"Installing {ENVIRONMENTS[kind]} into .venv (once; some minutes when new)", flush=True)
    pip(python, "install", "-r", REQUIREMENTS / "build.txt")
    pip(python, "install", "--no-build-isolation", "-r", REQUIREMENTS / ENVIRONMENTS[kind])
    pip(python, "install", "--no-deps", "-r", WITHOUT_DEPENDENCIES)
    for covered in ENVIRONMENTS if kind == "dev" else (kind,):
        (VENV / f"installed-{covered}").write_text(installed_state(covered))
    unfinished.unlink()
    return python


def prepare_service() -> Path:
    """Makes the environment of SkyRL's server, unless it is there, and returns its Python.

    Raises:
        DevError: It can't be made, or something can't be installed.
    """
    requirements = REQUIREMENTS / "service.txt"
    stamp = SERVICE / "installed"
    python = venv_python(SERVICE / "venv")
    if stamp.is_file() and stamp.read_bytes() == requirements.read_bytes() and runs(python):
        return python
    stamp.unlink(missing_ok=True)
    print("Installing service.txt into build/service (once; some minutes)", flush=True)
    make_venv(SERVICE / "venv", afresh=True)
    everything: Command = ["--no-deps", "--ignore-requires-python", "-r", requirements]
    pip(python, "install", *everything, constraints=None)
    stamp.write_bytes(requirements.read_bytes())
    return python


def installed_state(kind: str) -> str:
    """A digest of everything that decides what an environment holds."""
    files = sorted(REQUIREMENTS.glob("*.txt"))
    files += [folder / "pyproject.toml" for folder in distributions().values()]
    digest = hashlib.sha256(f"{kind} {ROOT}".encode())
    for file in files:
        digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def make_venv(folder: Path, *, afresh: bool = False) -> Path:
    """Makes a virtual environment, also where ensurepip is missing, and returns its Python."""
    python = venv_python(folder)
    if not afresh and runs(python):
        return python
    make: Command = [outer_python(), "-m", "venv", "--without-pip", "--clear", folder]
    if run(make, clean_environment()) != 0:
        raise DevError(
            f"no virtual environment in {folder}; on Debian or Ubuntu install python3-venv"
        )
    return python


def venv_python(folder: Path) -> Path:
    """The Python of a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def outer_python() -> Path:
    """The Python that makes environments: never that of .venv, which has to survive a rebuild."""
    if Path(sys.prefix).resolve() == VENV:
        return Path(getattr(sys, "_base_executable", sys.executable))
    return Path(sys.executable)


def runs(python: Path) -> bool:
    """Whether a Python is there, works and is new enough."""
    if not python.exists():
        return False
    try:
        probe: Command = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        return subprocess.run(probe, env=clean_environment(), check=False).returncode == 0
    except OSError:
        return False


def pip(
    python: Path, action: str, *arguments: str | Path, constraints: Path | None = CONSTRAINTS
) -> None:
    """Has the pip of the outer Python install, or build wheels, for the environment of another."""
    outer_pip: Command = [outer_python(), "-m", "pip", "--python", python]
    options: list[str | Path] = ["--quiet", "--no-input", "--disable-pip-version-check"]
    options += ["-c", constraints] if constraints else []
    if run([*outer_pip, action, *options, *arguments], clean_environment()) == 0:
        return
    if run([*outer_pip, "--version"], clean_environment(), quiet=True) != 0:
        raise DevError(
            f"{outer_python()} has no pip 22.3 or newer; "
            f"run `{outer_python()} -m ensurepip --upgrade`, or install python3-pip"
        )
    raise DevError("installation failed, see pip's message above; the same command tries again")


# Processes


def run(command: Command, environment: dict[str, str], *, quiet: bool = False) -> int:
    """Runs a command in the checkout's root and returns its exit status."""
    output = subprocess.DEVNULL if quiet else None
    words = [str(word) for word in command]
    with subprocess.Popen(words, cwd=ROOT, env=environment, stdout=output, stderr=output) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                # The child got the interrupt too, and ends in its own way: a run saves its answers.
                continue


def clean_environment() -> dict[str, str]:
    """The environment without what would mix other installations into ours."""
    unwanted = ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def test_environment() -> dict[str, str]:
    """The environment for tests: nothing that this machine happens to have changes a result."""
    personal = re.compile(
        r"(PROCTOR|PYTEST|HF|HUGGING_FACE|TRANSFORMERS|TINKER|OPENAI|ANTHROPIC|INSPECT)_.*"
        r"|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|PYTHONWARNINGS|PYTHONOPTIMIZE"
    )
    kept = {
        name: value for name, value in clean_environment().items() if not personal.fullmatch(name)
    }
    cache = ROOT / ".cache"
    return kept | {
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(cache / "huggingface"),
        "PROCTOR_CACHE": str(cache / "proctor"),
        "TOKENIZERS_PARALLELISM": "false",
    }


def run_pytest(
    python: Path, name: str, arguments: Sequence[str | Path], **variables: str
) -> tuple[int, Path]:
    """Runs pytest, and returns its exit status and where its report is, if it came to write one."""
    report = ROOT / "build" / "reports" / f"{name}.xml"
    report.unlink(missing_ok=True)
    pytest: Command = [python, "-P", "-m", "pytest", f"--junitxml={report}", *arguments]
    return run(pytest, test_environment() | variables), report


# Isolated tests


def test_isolated(names: Sequence[str]) -> int:
    """Runs each distribution's tests in an environment of its own, from wheels.

    An environment that can't be made, a distribution without tests and a suite in which no test
    ran count as errors.
    """
    known = distributions()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise DevError(f"no distribution {unknown[0]!r}; there are: {', '.join(known)}")
    started = time.monotonic()
    wheels = build_wheels(known.values())
    total: Counter[str] = Counter()
    lines = []
    for name in names or known:
        print(f"== {name}", flush=True)
        suite_started = time.monotonic()
        try:
            counts = isolated_suite(name, known[name], wheels)
        except DevError as error:
            print(f"dev.py: {name}: {error}", file=sys.stderr, flush=True)
            counts = Counter(errors=1)
        finally:
            shutil.rmtree(ISOLATED / "venv", ignore_errors=True)
        total += counts
        lines.append(f"{name:<12} {closing_line(counts, suite_started)}")
    print("\n".join(["== isolated", *lines]))
    print(closing_line(total, started), flush=True)
    return 1 if total["failed"] or total["errors"] else 0


def build_wheels(folders: Iterable[Path]) -> dict[str, Path]:
    """Builds every distribution's wheel, once for all environments, and returns them by name."""
    shutil.rmtree(ISOLATED, ignore_errors=True)
    builder = make_venv(ISOLATED / "builder")
    pip(builder, "install", "-r", REQUIREMENTS / "build.txt")
    pip(builder, "wheel", "--no-build-isolation", "--no-deps", "-w", ISOLATED / "wheels", *folders)
    wheels = (ISOLATED / "wheels").glob("*.whl")
    return {wheel.name.split("-")[0].replace("_", "-"): wheel for wheel in wheels}


def isolated_suite(name: str, folder: Path, wheels: dict[str, Path]) -> Counter[str]:
    """Runs one distribution's tests where only it, the core and its tests' needs are installed."""
    tests = ROOT / "tests" / ("core" if name == "core" else f"plugins/{name}")
    if not tests.is_dir():
        raise DevError(f"it has no tests in {tests.relative_to(ROOT).as_posix()}")
    project, needs = read_project(folder)
    alone = set(needs) & set(WITHOUT_DEPENDENCIES.read_text(encoding="utf-8").splitlines())
    python = make_venv(ISOLATED / "venv")
    ours = {wheels["proctor"], wheels[project]}
    pip(python, "install", "-r", REQUIREMENTS / "test.txt", *ours, *(set(needs) - alone))
    if alone:
        pip(python, "install", "--no-deps", *alone)
    status, report = run_pytest(python, name, ["-q", tests])
    if not report.is_file():
        raise DevError(f"pytest ended with status {status} before it ran a test")
    counts = read_report(report)
    if status != 0 and not counts["failed"]:
        counts["errors"] = max(counts["errors"], 1)
    return counts


def read_project(folder: Path) -> tuple[str, list[str]]:
    """A distribution's name, and what its tests need beside requirements/test.txt."""
    import tomllib

    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"]["name"], project.get("dependency-groups", {}).get("test", [])


def read_report(report: Path) -> Counter[str]:
    """How many tests ended how, from a JUnit report of pytest."""
    counts: Counter[str] = Counter()
    for suite in ElementTree.parse(report).iter("testsuite"):
        ends = {"failed": "failures", "errors": "errors", "skipped": "skipped"}
        ended = {end: int(suite.get(key, 0)) for end, key in ends.items()}
        counts.update(ended, passed=int(suite.get("tests", 0)) - sum(ended.values()))
    return counts


def closing_line(counts: Counter[str], started: float) -> str:
    """What pytest prints last, for these counts."""
    error = "error" if counts["errors"] == 1 else "errors"
    ends = {"failed": "failed", "passed": "passed", "skipped": "skipped", "errors": error}
    parts = [f"{counts[end]} {word}" for end, word in ends.items() if counts[end]]
    return f"{', '.join(parts or ['no tests ran'])} in {time.monotonic() - started:.2f}s"


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036, this file is what an older Python meets first
        sys.exit(f"dev.py: Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    sys.exit(main())
