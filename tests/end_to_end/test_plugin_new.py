"""What ``proctor plugins new`` writes installs and passes its tests, untouched."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from proctor.plugins.template import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_installs_and_passes_its_tests(
    kind: str, bare_environment: Any, tmp_path: Path
) -> None:
    name = f"proctor-new-{kind}"
    made = bare_environment.run("proctor", "plugins", "new", name, "--kind", kind, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    folder = tmp_path / name
    readme = (folder / "README.md").read_text()
    assert "pip install -e '.[test]'" in readme
    bare_environment.install("-e", ".[test]", cwd=folder)
    try:
        tested = bare_environment.run("python", "-m", "pytest", "-q", cwd=folder)
        assert tested.returncode == 0, tested.stdout
        assert re.search(r"^3 passed", tested.stdout, re.MULTILINE)
        listed = bare_environment.run("proctor", "list", kind, "--json", cwd=tmp_path)
        row = next(r for r in json.loads(listed.stdout) if r["distribution"] == name)
        assert (row["name"], bool(row["summary"])) == (f"new_{kind}", True)
        checked = bare_environment.run("proctor", "plugins", "doctor", cwd=tmp_path)
        assert checked.returncode == 0, checked.stdout
    finally:
        bare_environment.pip("uninstall", "--yes", name)


def test_its_tests_fail_where_the_plugin_is_wrong(bare_environment: Any, tmp_path: Path) -> None:
    """Tests that pass whatever the code does would prove nothing."""
    made = bare_environment.run("proctor", "plugins", "new", "proctor-wrong", cwd=tmp_path)
    assert made.returncode == 0
    folder = tmp_path / "proctor-wrong"
    source = folder / "src" / "proctor_wrong" / "wrong_grader.py"
    source.write_text(source.read_text().replace("== answer", "in answer"))
    bare_environment.install("-e", ".[test]", cwd=folder)
    try:
        tested = bare_environment.run("python", "-m", "pytest", "-q", cwd=folder)
        assert tested.returncode == 1
        assert "negated gold" in tested.stdout
    finally:
        bare_environment.pip("uninstall", "--yes", "proctor-wrong")


def test_the_commands_of_the_docs(bare_environment: Any, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "publish-a-plugin.md").read_text()
    blocks = re.findall(r"^```bash\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    *commands, upload = blocks
    assert "twine upload" in upload
    bare_environment.install("pip")
    try:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "".join(commands)],
            cwd=tmp_path,
            env=bare_environment.variables,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "3 passed" in done.stdout
        assert done.stdout.rstrip().endswith("1 plugin, no problem")
    finally:
        bare_environment.pip("uninstall", "--yes", "proctor-polite", "pip")
