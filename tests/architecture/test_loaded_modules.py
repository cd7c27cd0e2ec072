"""What a process has loaded after the cheap commands, with every plugin installed."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys

import pytest

REPORT = """
import json, sys
def command(*arguments):
    from proctor.cli.main import main
    sys.argv = ["proctor", *arguments]
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code
{code}
print()
print(json.dumps(sorted({{name.split(".")[0] for name in sys.modules}})))
"""


def loaded_after(code: str) -> tuple[set[str], str]:
    """The top-level packages that a fresh process has loaded after some code, and its output."""
    child = subprocess.run(
        [sys.executable, "-P", "-c", REPORT.format(code=code)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert child.returncode == 0, child.stderr
    output, _, packages = child.stdout.rstrip().rpartition("\n")
    return set(json.loads(packages)), output


def test_report_sees_what_is_loaded():
    packages, _ = loaded_after("import scipy")
    assert {"scipy", "numpy"} <= packages


@pytest.mark.parametrize(
    "code",
    [
        "import proctor",
        "command('--help')",
        "from proctor.plugins.active import plugin_manager; plugin_manager()",
        "command('plugins')",
        "command('list')",
    ],
)
def test_cheap_commands_load_no_heavy_package(code, heavy_packages):
    packages, _ = loaded_after(code)
    assert packages & heavy_packages == set()
    assert "proctor" in packages


def test_list_shows_components_of_every_plugin(distributions):
    """Without this, the list would be light for having left a plugin out."""
    for distribution in distributions:
        importlib.metadata.distribution(distribution.name)
    _, output = loaded_after("command('list', '--json')")
    rows = json.loads(output)
    assert {row["distribution"] for row in rows} >= {d.name for d in distributions}
    assert [row for row in rows if row["summary"].startswith("broken") or not row["summary"]] == []


def test_core_alone_has_no_grader_no_dataset_and_no_backend_but_tinker():
    _, output = loaded_after(
        "import os; os.environ['PROCTOR_PLUGINS'] = ''; command('list', '--json')"
    )
    rows = json.loads(output)
    assert {row["distribution"] for row in rows} == {"proctor"}
    assert {row["kind"] for row in rows} <= {"evaluator", "renderer", "backend", "command"}
    assert {row["name"] for row in rows if row["kind"] == "backend"} <= {"tinker"}
