"""dev.py for real, in a checkout of its own that installs nothing."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest


@pytest.fixture
def checkout(tmp_path, root) -> Path:
    """A checkout whose requirements are empty, and whose one benchmark says where it runs."""
    shutil.copy(root / "dev.py", tmp_path)
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


def test_options_of_a_benchmark_reach_it(checkout):
    assert "['--short']" in dev(checkout, "bench", "prefix", "--short").stdout


def test_failing_command_fails(checkout):
    (checkout / "benchmarks" / "wrong.py").write_text("raise SystemExit(3)")
    ended = dev(checkout, "bench")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "dev.py: benchmarks failed: wrong"
    assert "in " in ended.stdout, "the others ran"


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
    counts = dev_module.read_report(report)
    assert counts == Counter(passed=2, failed=1, skipped=1, errors=1)
    line = dev_module.closing_line(counts, 0.0)
    assert line.startswith("1 failed, 2 passed, 1 skipped, 1 error in ")


def test_pytest_that_is_cut_short_has_no_report(dev_module, tmp_path):
    tests = tmp_path / "test_cut_short.py"
    tests.write_text("def test_leaves(): __import__('os')._exit(0)\ndef test_lost(): assert 0\n")
    status, report = dev_module.run_pytest(sys.executable, "cut-short", [tests])
    assert (status, report.is_file()) == (0, False)


def test_isolated_suite_without_tests_is_an_error(dev_module, tmp_path):
    with pytest.raises(dev_module.DevError, match="it has no tests in tests/plugins/absent"):
        dev_module.isolated_suite("absent", tmp_path, {})


def test_tests_see_nothing_personal(dev_module, monkeypatch):
    for name in ("PYTHONPATH", "PROCTOR_PLUGINS", "TINKER_API_KEY", "HF_HOME", "PYTEST_ADDOPTS"):
        monkeypatch.setenv(name, "personal")
    monkeypatch.setenv("UNRELATED", "kept")
    environment = dev_module.test_environment()
    assert "personal" not in environment.values()
    assert environment["UNRELATED"] == "kept"
    assert environment["HF_HUB_OFFLINE"] == "1"
