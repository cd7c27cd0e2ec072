"""dev.py and noxfile.py for real, in a checkout of their own that installs nothing."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nox
import pytest

NOX_OF_THE_TESTS = f"""
import runpy, sys
sys.path.insert(0, {str(Path(nox.__file__).parents[1])!r})
runpy.run_module("nox", run_name="__main__", alter_sys=True)
"""
"""A module `nox` that is there without being installed: the one that the tests run with."""


@pytest.fixture
def checkout(tmp_path, root) -> Path:
    """A checkout whose requirements are empty, and whose one benchmark says where it runs."""
    for file in ("dev.py", "noxfile.py"):
        shutil.copy(root / file, tmp_path)
    (tmp_path / "nox.py").write_text(NOX_OF_THE_TESTS)
    for folder in ("requirements", "benchmarks", "core", "plugins/spare"):
        (tmp_path / folder).mkdir(parents=True)
    for file in (root / "requirements").glob("*.txt"):
        (tmp_path / "requirements" / file.name).touch()
    for folder in ("core", "plugins/spare"):
        (tmp_path / folder / "pyproject.toml").write_text("[project]\nname = 'nothing'\n")
    (tmp_path / "benchmarks" / "prefix.py").write_text(
        "import sys; print('in', sys.prefix, sys.argv[1:])"
    )
    return tmp_path


def dev(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, checkout / "dev.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_second_command_installs_nothing_until_a_requirement_changes(checkout):
    first = dev(checkout, "bench", "prefix")
    assert first.returncode == 0, first.stderr
    assert "Installing" in first.stdout
    assert f"in {checkout / '.venv'}" in first.stdout

    again = dev(checkout, "bench", "prefix")
    assert "Installing" not in again.stdout
    assert f"in {checkout / '.venv'}" in again.stdout

    with (checkout / "plugins/spare/pyproject.toml").open("a") as project:
        project.write("version = '1'\n")
    assert "Installing" in dev(checkout, "bench", "prefix").stdout
    assert "Installing" not in dev(checkout, "bench", "prefix").stdout


def test_failed_install_is_not_taken_for_done(checkout):
    requirements = checkout / "requirements" / "dev.txt"
    requirements.write_text("-e no-such-folder\n")
    for _ in range(2):
        failed = dev(checkout, "bench", "prefix")
        assert failed.returncode == 1
        assert "dev.py: installation failed" in failed.stderr
        assert "in " + str(checkout) not in failed.stdout
    leftover = checkout / ".venv" / "leftover"
    leftover.touch()
    requirements.write_text("")
    assert dev(checkout, "bench", "prefix").returncode == 0
    assert not leftover.exists(), "what a failed install left is not built upon"


def test_only_the_named_benchmarks_run_with_the_options(checkout):
    (checkout / "benchmarks" / "wrong.py").write_text("raise SystemExit(3)")
    ended = dev(checkout, "bench", "prefix", "--short")
    assert ended.returncode == 0, ended.stderr
    assert "['--short']" in ended.stdout


def test_failing_command_fails(checkout):
    (checkout / "benchmarks" / "wrong.py").write_text("raise SystemExit(3)")
    ended = dev(checkout, "bench")
    assert ended.returncode == 1
    assert "bench(wrong): failed" in ended.stderr
    assert "bench(prefix): success" in ended.stderr
    assert f"in {checkout / '.venv'}" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bench", "nope"], "no benchmark 'nope'; there are: prefix"),
        (["test", "--isolated", "nope"], "no distribution 'nope'; there are: core, spare"),
    ],
)
def test_unknown_names_are_one_line_before_anything_is_installed(checkout, arguments, message):
    ended = dev(checkout, *arguments)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", f"dev.py: {message}\n")
    assert not (checkout / ".venv").exists()


REPORTING_NOX = """
import os, pathlib, sys
print(sys.prefix, sys.argv[1:], os.environ.get("TINKER_API_KEY"))
folder = pathlib.Path("build/reports/isolated")
folder.mkdir(parents=True)
(folder / "core.xml").write_text('<testsuite tests="5" failures="1" errors="0" skipped="2"/>')
sys.exit(1)
"""
"""Stands where nox does, and leaves what a suite would, and one that came to no report."""


def test_isolated_suites_are_handed_to_nox_and_summed(checkout, monkeypatch):
    monkeypatch.setenv("TINKER_API_KEY", "personal")
    reports = checkout / "build" / "reports" / "isolated"
    reports.mkdir(parents=True)
    (reports / "spare.xml").write_text('<testsuite tests="7"/>')
    (checkout / "nox.py").write_text(REPORTING_NOX)
    ended = dev(checkout, "test", "--isolated")
    assert ended.returncode == 1
    *_, handed_over, last = ended.stdout.splitlines()
    sessions = ["--sessions", "isolated(core)", "isolated(spare)", "--"]
    assert handed_over == f"{checkout / '.venv'} {sessions} None"
    line = r"1 failed, 2 passed, 2 skipped, 1 error in \d+\.\d\ds"
    assert re.fullmatch(line, last), "a report of before is no report"


@pytest.mark.parametrize("suite", ["service", "peers"])
def test_tests_beside_a_program_wait_for_its_environment(suite, checkout):
    (checkout / "nox.py").write_text("import sys; print(sys.argv[1:]); sys.exit(1)")
    ended = dev(checkout, "test", f"--{suite}")
    assert ended.returncode == 1
    assert f"['--sessions', '{suite}', '--']" in ended.stdout
    assert ended.stderr.startswith(f"dev.py: the environment of tests/{suite} can't be made")


@pytest.fixture(scope="module")
def dev_module(root):
    spec = importlib.util.spec_from_file_location("dev_under_test", root / "dev.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_counts_come_from_what_pytest_reports(dev_module, tmp_path):
    (tmp_path / "test_ends.py").write_text(
        "import pytest\n"
        "def test_a(): pass\n"
        "def test_b(): pass\n"
        "def test_c(): assert 0\n"
        "@pytest.mark.skip\ndef test_d(): pass\n"
        "def test_e(absent): pass\n"
    )
    report = tmp_path / "report.xml"
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", tmp_path / "test_ends.py"],
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    counts = dev_module.sum_reports([report])
    assert counts == Counter(passed=2, failed=1, skipped=1, errors=1)
    line = dev_module.closing_line(counts, 0.0)
    assert line.startswith("1 failed, 2 passed, 1 skipped, 1 error in ")


def test_suite_in_which_no_test_ran_counts_as_an_error(dev_module, tmp_path):
    report = tmp_path / "report.xml"
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", tmp_path],
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    assert report.is_file()
    assert dev_module.sum_reports([report, tmp_path / "absent.xml"]) == Counter(errors=2)


@pytest.mark.parametrize(
    ("names", "reported", "status", "line"),
    [
        ([], ["core", "spare"], 0, "8 passed, 2 skipped in "),
        (["spare"], ["spare"], 0, "4 passed, 1 skipped in "),
        ([], ["core"], 1, "4 passed, 1 skipped, 1 error in "),
        ([], [], 1, "2 errors in "),
        ([], ["core", "spare"], 1, "8 passed, 2 skipped, 1 error in "),
    ],
)
def test_closing_line_of_the_isolated_suites(
    names, reported, status, line, dev_module, monkeypatch, tmp_path, capsys
):
    def leave_reports(sessions, **variables):
        assert variables == dev_module.ONE_THREAD
        assert list(sessions) == [f"isolated({name})" for name in names or ("core", "spare")]
        (tmp_path / "isolated").mkdir()
        for name in reported:
            report = '<testsuites><testsuite tests="5" failures="0" skipped="1"/></testsuites>'
            (tmp_path / "isolated" / f"{name}.xml").write_text(report)
        return status

    monkeypatch.setattr(dev_module, "REPORTS", tmp_path)
    monkeypatch.setattr(dev_module, "distributions", lambda: ["core", "spare"])
    monkeypatch.setattr(dev_module, "run_nox", leave_reports)
    assert dev_module.test_isolated(names) == status
    assert capsys.readouterr().out.startswith(line)


def test_pytest_that_is_cut_short_is_an_error(dev_module, monkeypatch, tmp_path):
    monkeypatch.setattr(dev_module, "prepare", lambda kind: sys.executable)
    tests = tmp_path / "test_cut_short.py"
    tests.write_text("def test_leaves(): __import__('os')._exit(0)\ndef test_lost(): assert 0\n")
    with pytest.raises(dev_module.DevError, match="pytest ended before it was done"):
        dev_module.run_pytest("cut-short", [tests])


def test_isolated_suite_without_tests_is_an_error_and_leaves_nothing(checkout):
    alone = [sys.executable, "-m", "nox", "--no-dependencies", "--sessions", "isolated(spare)"]
    ended = subprocess.run(alone, cwd=checkout, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "aborted: it has no tests in tests/plugins/spare" in ended.stderr
    assert not (checkout / ".nox" / "isolated-spare").exists()


def test_isolated_suite_gets_the_wheels_and_what_the_tests_declare(checkout):
    (checkout / "nox.py").unlink()
    (checkout / "requirements" / "without-dependencies.txt").write_text("# why\nweights\n")
    project = (
        "[project]\nname = 'proctor-spare'\n[dependency-groups]\ntest = ['needed', 'weights']\n"
    )
    (checkout / "plugins" / "spare" / "pyproject.toml").write_text(project)
    wheels = checkout / "build" / "wheels"
    wheels.mkdir(parents=True)
    for name in ("proctor", "proctor_spare", "proctor_other"):
        (wheels / f"{name}-1-py3-none-any.whl").touch()
    installed = """
import pathlib, noxfile
class Session:
    def install(self, *words):
        print(sorted(pathlib.Path(word).name for word in words))
noxfile.install_alone(Session(), noxfile.DISTRIBUTIONS["spare"])
"""
    alone = [sys.executable, "-c", installed]
    ended = subprocess.run(alone, cwd=checkout, capture_output=True, text=True, check=True)
    pinned = ["--no-compile", "-c", "constraints.txt"]
    ours = ["proctor-1-py3-none-any.whl", "proctor_spare-1-py3-none-any.whl"]
    assert [ast.literal_eval(line) for line in ended.stdout.splitlines()] == [
        sorted([*pinned, "-r", "test.txt", *ours, "needed"]),
        sorted([*pinned, "--no-deps", "weights"]),
    ]


def test_tests_see_nothing_personal(dev_module, monkeypatch):
    ours = ("PROCTOR_PLUGINS", "TINKER_API_KEY", "HF_HOME")
    for name in (*ours, "PYTHONPATH", "PYTEST_ADDOPTS", "NOX_DEFAULT_VENV_BACKEND"):
        monkeypatch.setenv(name, "personal")
    monkeypatch.setenv("UNRELATED", "kept")
    environment = dev_module.test_environment()
    assert "personal" not in environment.values()
    assert environment["UNRELATED"] == "kept"
    assert environment["HF_HUB_OFFLINE"] == "1"
