"""Sets up this checkout and runs it: the demo, the tests, the checks, the benchmarks.

It needs Python 3.11 or newer with pip, and nothing else: it makes ``.venv``, installs there what
the command needs, once, and runs. What needs more environments than that is in ``noxfile.py``.
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
REPORTS = ROOT / "build" / "reports"
NOX = ROOT / ".nox"

PARALLEL = ("--numprocesses=auto", "--dist=loadfile", "--no-loadscope-reorder")
"""Tests on all cores, in their order; those of a file stay together, since they share fixtures."""

ONE_THREAD = {"OMP_NUM_THREADS": "1"}
"""For models of parallel tests: the threads of one would wait for those of another."""

ENVIRONMENTS = ("demo", "dev")
"""The kinds of environment, each with a file of requirements; ``dev`` contains ``demo``."""

EXAMPLES = """\
examples:
  python dev.py demo                    evaluate a real model on three questions
  python dev.py test                    run every test
  python dev.py test -k number -x       what dev.py does not know goes to pytest
  python dev.py test --isolated         each distribution's tests, with only what it declares
  python dev.py test --isolated text    those of proctor-text only
  python dev.py test --service          tests against a real server of Tinker's API
  python dev.py test --peers            tests against lm-evaluation-harness
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
        action="store_const",
        const="service",
        dest="beside",
        help="run tests/service, against SkyRL's server of Tinker's API on this machine",
    )
    test.add_argument(
        "--peers",
        action="store_const",
        const="peers",
        dest="beside",
        help="run tests/peers, against lm-evaluation-harness in an environment of its own",
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
            return benchmark(options.names, rest)
        if options.isolated:
            return test_isolated(rest)
        return test_beside(options.beside, rest) if options.beside else test_all(rest)
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
    return run_pytest("tests", [*PARALLEL, *pytest_arguments], **ONE_THREAD)


def test_isolated(names: Sequence[str]) -> int:
    """Runs each distribution's tests in an environment of its own, and sums up their ends."""
    chosen = choose(names, distributions(), "distribution")
    shutil.rmtree(REPORTS / "isolated", ignore_errors=True)
    started = time.monotonic()
    status = run_nox([f"isolated({name})" for name in chosen], **ONE_THREAD)
    counts = sum_reports(REPORTS / "isolated" / f"{name}.xml" for name in chosen)
    if status != 0 and not counts["failed"]:
        counts["errors"] = max(counts["errors"], 1)
    print(closing_line(counts, started), flush=True)
    return status


def test_beside(suite: str, pytest_arguments: Sequence[str]) -> int:
    """Runs tests against a program in an environment of its own, and makes that first."""
    if run_nox([suite]) != 0:
        raise DevError(f"the environment of tests/{suite} can't be made, see nox's message above")
    variables = {f"{suite.upper()}_PYTHON": str(venv_python(NOX / suite))}
    return run_pytest(suite, [f"tests/{suite}", *pytest_arguments], **variables)


def check() -> int:
    """Runs the linter, the formatter, the type checker and the architecture tests, all of them."""
    python = prepare("dev")
    sources = [folder / "src" for folder in distributions().values()]
    steps: dict[str, Command] = {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "mypy": [python, "-m", "mypy", "dev.py", "noxfile.py", *sources],
        "architecture": [python, "-P", "-m", "pytest", "-q", *PARALLEL, "tests/architecture"],
    }
    failed = []
    for name, command in steps.items():
        print(f"== {name}", flush=True)
        if run(command, test_environment()) != 0:
            failed.append(name)
    if failed:
        raise DevError(f"check failed: {', '.join(failed)}")
    return 0


def benchmark(names: Sequence[str], arguments: Sequence[str]) -> int:
    """Runs the named benchmarks, or all, each with the given arguments."""
    chosen = choose(names, benchmarks(), "benchmark")
    return run_nox([f"bench({name})" for name in chosen], arguments)


# Parts of this checkout


def distributions() -> dict[str, Path]:
    """The folder of each distribution of this checkout, by its short name; the core first."""
    plugins = sorted((ROOT / "plugins").glob("*/pyproject.toml"))
    return {"core": ROOT / "core"} | {file.parent.name: file.parent for file in plugins}


def benchmarks() -> dict[str, Path]:
    """The script of each benchmark, by its name."""
    return {script.stem: script for script in sorted((ROOT / "benchmarks").glob("[!_]*.py"))}


def choose(names: Sequence[str], known: Iterable[str], kind: str) -> list[str]:
    """The given names, or all that there are where none is given.

    Raises:
        DevError: A name is of none of them.
    """
    known = list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise DevError(f"no {kind} {unknown[0]!r}; there are: {', '.join(known)}")
    return list(names) or known


# Environments


def prepare(kind: str) -> Path:
    """Makes .venv fit for a kind of command, unless it is already, and returns its Python.

    Raises:
        DevError: It can't be made, or something can't be installed.
    """
    stamp = VENV / f"installed-{kind}"
    state = installed_state(kind)
    python = venv_python(VENV)
    if stamp.is_file() and stamp.read_text() == state and runs(python):
        return python
    for other in ENVIRONMENTS:
        (VENV / f"installed-{other}").unlink(missing_ok=True)
    # An install that was cut short may have left half a package, which pip takes for a whole one.
    unfinished = VENV / "unfinished"
    if unfinished.exists() or not runs(python):
        make_venv()
    unfinished.touch()
    print(f"Installing {kind}.txt into .venv (once; some minutes when new)", flush=True)
    pip_install(python, "-r", REQUIREMENTS / "build.txt")
    pip_install(python, "--no-build-isolation", "-r", REQUIREMENTS / f"{kind}.txt")
    pip_install(python, "--no-deps", "-r", WITHOUT_DEPENDENCIES)
    for covered in ENVIRONMENTS if kind == "dev" else (kind,):
        (VENV / f"installed-{covered}").write_text(installed_state(covered))
    unfinished.unlink()
    return python


def installed_state(kind: str) -> str:
    """A digest of everything that decides what an environment holds."""
    files = sorted(REQUIREMENTS.glob("*.txt"))
    files += [folder / "pyproject.toml" for folder in distributions().values()]
    digest = hashlib.sha256(f"{kind} {ROOT}".encode())
    for file in files:
        digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def make_venv() -> None:
    """Makes .venv afresh, also where ensurepip is missing."""
    make: Command = [outer_python(), "-m", "venv", "--without-pip", "--clear", VENV]
    if run(make, clean_environment()) != 0:
        raise DevError(
            f"no virtual environment in {VENV}; on Debian or Ubuntu install python3-venv"
        )


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


def pip_install(python: Path, *arguments: str | Path) -> None:
    """Has the pip of the outer Python install for the environment of another."""
    outer_pip: Command = [outer_python(), "-m", "pip", "--python", python]
    # what is imported gets compiled then; most of what is installed never is
    options: Command = ["--quiet", "--no-input", "--no-compile", "--disable-pip-version-check"]
    command = [*outer_pip, "install", *options, "-c", CONSTRAINTS, *arguments]
    if run(command, clean_environment()) == 0:
        return
    version = subprocess.run([*outer_pip, "--version"], capture_output=True, check=False)
    if version.returncode != 0:
        raise DevError(
            f"{outer_python()} has no pip 22.3 or newer; "
            f"run `{outer_python()} -m ensurepip --upgrade`, or install python3-pip"
        )
    raise DevError("installation failed, see pip's message above; the same command tries again")


# Processes


def run(command: Command, environment: dict[str, str]) -> int:
    """Runs a command in the checkout's root and returns its exit status."""
    words = [str(word) for word in command]
    with subprocess.Popen(words, cwd=ROOT, env=environment) as child:
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
        r"(PROCTOR|PYTEST|HF|HUGGING_FACE|TRANSFORMERS|TINKER|OPENAI|ANTHROPIC|INSPECT|NOX)_.*"
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


def run_nox(sessions: Iterable[str], arguments: Sequence[str] = (), **variables: str) -> int:
    """Has nox run sessions of noxfile.py, each with the given arguments."""
    nox: Command = [prepare("dev"), "-m", "nox", "--sessions", *sessions, "--", *arguments]
    return run(nox, test_environment() | variables)


def run_pytest(name: str, arguments: Sequence[str], **variables: str) -> int:
    """Runs pytest in .venv, and returns its exit status.

    Raises:
        DevError: It ended before it was done: something called os._exit, whatever the status says.
    """
    report = REPORTS / f"{name}.xml"
    report.unlink(missing_ok=True)
    command = pytest_command(prepare("dev"), report, arguments)
    status = run(command, test_environment() | variables)
    if status == 0 and not report.is_file():
        raise DevError("pytest ended before it was done")
    return status


def pytest_command(
    python: str | Path, report: Path, arguments: Sequence[str | Path]
) -> list[str | Path]:
    """What runs pytest so that it writes a JUnit report when it is done."""
    return [python, "-P", "-m", "pytest", f"--junitxml={report}", *arguments]


# What tests ended with


def sum_reports(reports: Iterable[Path]) -> Counter[str]:
    """How many tests ended how, from JUnit reports of pytest.

    A report that is missing and one in which no test ran count as errors.
    """
    total: Counter[str] = Counter()
    for report in reports:
        counts: Counter[str] = Counter()
        for suite in ElementTree.parse(report).iter("testsuite") if report.is_file() else ():
            ends = {"failed": "failures", "errors": "errors", "skipped": "skipped"}
            ended = {end: int(suite.get(key, 0)) for end, key in ends.items()}
            counts.update(ended, passed=int(suite.get("tests", 0)) - sum(ended.values()))
        total += counts if counts.total() else Counter(errors=1)
    return total


def closing_line(counts: Counter[str], started: float) -> str:
    """What pytest prints last, for these counts."""
    error = "error" if counts["errors"] == 1 else "errors"
    ends = {"failed": "failed", "passed": "passed", "skipped": "skipped", "errors": error}
    parts = [f"{counts[end]} {word}" for end, word in ends.items() if counts[end]]
    return f"{', '.join(parts)} in {time.monotonic() - started:.2f}s"


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036, this file is what an older Python meets first
        sys.exit(f"dev.py: Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    sys.exit(main())
