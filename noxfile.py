"""Sessions of nox: what runs in environments of its own, and the benchmarks.

dev.py starts them, from .venv and with the variables of tests: `python dev.py test --isolated`,
`python dev.py test --service`, `python dev.py test --peers` and `python dev.py bench`.
"""

from __future__ import annotations

import filecmp
import shutil
import sys
from pathlib import Path

import dev
import nox

WHEELS = dev.ROOT / "build" / "wheels"

BARE = ["--no-setuptools"]
"""Parameters for an environment without what could be imported and is declared nowhere."""

DISTRIBUTIONS = dev.distributions()
BENCHMARKS = dev.benchmarks()


@nox.session(venv_backend="none")
def wheels(session: nox.Session) -> None:
    """Builds every distribution's wheel, once for all environments."""
    shutil.rmtree(WHEELS, ignore_errors=True)
    pip_wheel = (sys.executable, "-m", "pip", "wheel", "--quiet")
    options = ("--no-build-isolation", "--no-deps", "-w", WHEELS)
    session.run(*pip_wheel, *options, *DISTRIBUTIONS.values())


@nox.session(requires=["wheels"], venv_params=BARE)
@nox.parametrize("name", [nox.param(name, id=name) for name in DISTRIBUTIONS])
def isolated(session: nox.Session, name: str) -> None:
    """Runs one distribution's tests where only it, the core and its tests' needs are installed.

    A distribution without tests and a suite in which no test ran are errors.
    """
    tests = Path("tests", DISTRIBUTIONS[name].relative_to(dev.ROOT))
    report = dev.REPORTS / "isolated" / f"{name}.xml"
    try:
        if not tests.is_dir():
            session.error(f"it has no tests in {tests.as_posix()}")
        install_alone(session, DISTRIBUTIONS[name])
        session.run(*dev.pytest_command("python", report, ["-q", *dev.PARALLEL, tests]))
        if not report.is_file():
            session.error("pytest ended before it was done")
    finally:
        # all of them together would not fit on a small disk
        shutil.rmtree(session.env_dir, ignore_errors=True)


def install_alone(session: nox.Session, folder: Path) -> None:
    """Installs a distribution and the core, from their wheels, and what the tests need."""
    project = nox.project.load_toml(folder / "pyproject.toml")
    needs = set(project.get("dependency-groups", {}).get("test", []))
    alone = needs & set(dev.WITHOUT_DEPENDENCIES.read_text(encoding="utf-8").splitlines())
    ours = {wheel("proctor"), wheel(project["project"]["name"])}
    options = ("--no-compile", "-c", str(dev.CONSTRAINTS))
    shared = ("-r", str(dev.REQUIREMENTS / "test.txt"))
    session.install(*options, *shared, *ours, *(needs - alone))
    if alone:
        session.install(*options, "--no-deps", *alone)


def wheel(distribution: str) -> str:
    """The wheel of a distribution: pip would look for a mere name in the registry too."""
    (found,) = WHEELS.glob(f"{distribution.replace('-', '_')}-*.whl")
    return str(found)


def requirements_of(suite: str) -> Path:
    """What the environment beside a suite has: all of it, exactly."""
    return dev.REQUIREMENTS / f"{suite}.txt"


def installed_in(suite: str) -> Path:
    """A copy of the requirements, written when all of them are installed."""
    return dev.NOX / suite / "installed.txt"


def is_made(suite: str) -> bool:
    """Whether the environment beside a suite is whole, and for these requirements."""
    installed = installed_in(suite)
    return installed.is_file() and filecmp.cmp(requirements_of(suite), installed, shallow=False)


def make_whole(session: nox.Session, suite: str) -> None:
    """Installs the environment beside a suite, unless it is there."""
    # nox has emptied an environment that was cut short, or made for other requirements
    if not installed_in(suite).is_file():
        options = ("--no-compile", "--no-deps", "--ignore-requires-python")
        session.install(*options, "-r", str(requirements_of(suite)))
        shutil.copy(requirements_of(suite), installed_in(suite))


@nox.session(venv_params=BARE, reuse_venv=is_made("service"))
def service(session: nox.Session) -> None:
    """Makes the environment of SkyRL's server, unless it is there."""
    make_whole(session, "service")


@nox.session(venv_params=BARE, reuse_venv=is_made("peers"))
def peers(session: nox.Session) -> None:
    """Makes the environment of lm-evaluation-harness, unless it is there."""
    make_whole(session, "peers")


@nox.session(venv_backend="none")
@nox.parametrize("script", [nox.param(script, id=name) for name, script in BENCHMARKS.items()])
def bench(session: nox.Session, script: Path) -> None:
    """Runs one benchmark."""
    session.run(sys.executable, script, *session.posargs)
