"""Every plugin of this repository, as the doctor and the testing kit see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from proctor import Example
from proctor.testing import check_backend, check_dataset, check_grader
from proctor.testing.grader_checks import QUESTIONS

ROOT = Path(__file__).parents[2]


def test_every_plugin_of_the_repository_is_sound(command_line: Any) -> None:
    printed = command_line("plugins", "doctor", "--json", with_backend=False)
    ours = {f"proctor-{folder.parent.name}" for folder in (ROOT / "plugins").glob("*/*.toml")}
    assert [row for row in json.loads(printed.out) if row["distribution"] in ours] == []
    listed = json.loads(command_line("plugins", "--json", with_backend=False).out)
    assert {row["distribution"] for row in listed if row["status"] == "ok"} >= ours


LOOKS_FOR_A_STRING = {"negated gold": "it looks for a string, and sees no negation"}
SUMS = (Example("6x7", "What is 6 times 7?", "42"), Example("2+3", "What is 2 plus 3?", "5"))
CHOICES = (
    Example("france", "The capital of France?", 1, ("Rome", "Paris")),
    Example("italy", "The capital of Italy?", 0, ("Rome", "Paris")),
)


@pytest.mark.parametrize(
    ("grader", "examples", "excused"),
    [
        ("exact", QUESTIONS, {}),
        ("f1", QUESTIONS, {}),
        ("choice", CHOICES, {}),
        ("substring", QUESTIONS, LOOKS_FOR_A_STRING),
        ("number", SUMS, LOOKS_FOR_A_STRING),
        ({"type": "regex", "pattern": r"(\w+)\.?$"}, QUESTIONS, LOOKS_FOR_A_STRING),
    ],
    ids=str,
)
def test_graders_keep_the_rules(grader: Any, examples: Any, excused: dict[str, str]) -> None:
    check_grader(grader, examples, except_for=excused)


def test_datasets_keep_the_rules(tmp_path: Path) -> None:
    rows = [{"input": f"{n}?", "target": str(n)} for n in range(5)]
    check_dataset({"type": "inline", "rows": rows})
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    check_dataset({"type": "jsonl", "path": str(tmp_path / "rows.jsonl")})


def test_the_local_backend_keeps_the_rules() -> None:
    check_backend("local")
