"""The tutorials, followed to the letter in an empty folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def follow(page: str, folder: Path) -> list[str]:
    """Writes a page's files and runs its commands, in their order; returns what they printed."""
    printed = []
    for language, file, body in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
        if file:
            (folder / file).write_text(body, encoding="utf-8")
        elif language == "bash":
            bin_folder = Path(sys.executable).parent
            path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", body],
                cwd=folder,
                env=os.environ | {"PATH": path, "COLUMNS": "200"},
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
            assert done.returncode == 0, body + done.stdout + done.stderr
            printed.append(done.stdout)
    return printed


def test_a_grader_in_five_minutes(tmp_path: Path) -> None:
    listed, tested, ran = follow("write-a-grader.md", tmp_path)
    assert re.search(r"^grader +names +house\.py +Correct when .* ignore_case *$", listed, re.M)
    assert "2 passed" in tested
    assert "capitals/names  0.667" in ran
    assert "capitals/names-2" in ran
    assert ran.count("names: graded 1") == 2
    results = json.loads((tmp_path / "runs" / "first" / "results.json").read_text())
    assert results["metrics"]["capitals/names/score"] == pytest.approx(2 / 3)


def test_its_self_test_would_catch_a_grader_that_is_wrong(tmp_path: Path) -> None:
    page = (DOCS / "write-a-grader.md").read_text(encoding="utf-8")
    files = {file: body for _, file, body in BLOCK.findall(page) if file.endswith(".py")}
    files["house.py"] = files["house.py"].replace(r"\b{re.escape(target)}\b", "{target}?")
    for file, body in files.items():
        (tmp_path / file).write_text(body)
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert tested.returncode == 1
    assert "test_part_of_a_word_is_no_name" in tested.stdout


def test_the_schemas_of_the_editor_page_hold_the_tutorials_config(
    tmp_path: Path,
) -> None:
    page = (DOCS / "write-a-grader.md").read_text(encoding="utf-8")
    for _, file, body in BLOCK.findall(page):
        if file:
            (tmp_path / file).write_text(body)
    follow("editor.md", tmp_path)
    config = yaml.safe_load((tmp_path / "evals.yaml").read_text())
    wrong = json.loads(json.dumps(config))
    wrong["evaluators"][0]["graders"][1]["ignore_cas"] = False
    for name, tells in (("proctor.schema.json", False), ("evals.schema.json", True)):
        schema = Draft202012Validator(json.loads((tmp_path / name).read_text()))
        assert schema.is_valid(config)
        assert schema.is_valid(wrong) is not tells


def test_the_settings_of_editors_are_what_they_read() -> None:
    page = (DOCS / "editor.md").read_text(encoding="utf-8")
    (settings,) = [body for language, _, body in BLOCK.findall(page) if language == "json"]
    assert json.loads(settings)["yaml.schemas"]
    assert "$schema=./proctor.schema.json" in page
