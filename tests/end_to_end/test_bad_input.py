"""Mistakes in a config or a dataset: one line, before anything is sampled."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

GOOD = """\
model: {backend: scripted, answers: {France: Paris}}
evaluators:
  - name: capitals
    dataset:
      type: inline
      rows:
        - {id: france, input: Capital of France, target: Paris}
    graders: [substring]
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "evals.yaml"
    path.write_text(text)
    return path


def test_the_config_that_the_mistakes_are_made_in_is_good(
    command_line: Any, tmp_path: Path, opened_marker: Path
) -> None:
    printed = command_line("run", str(write(tmp_path, GOOD)))
    assert printed.code == 0, printed.err
    assert opened_marker.exists()


MISTAKES = {
    "unknown grader": (
        GOOD.replace("[substring]", "[substrin]"),
        ["evals.yaml:8", "unknown grader 'substrin'", "'substring'"],
    ),
    "unknown dataset": (
        GOOD.replace("type: inline", "type: inlined"),
        ["evals.yaml:5", "unknown dataset 'inlined'", "'inline'"],
    ),
    "unknown backend": (
        GOOD.replace("backend: scripted", "backend: skripted"),
        ["evals.yaml:1", "unknown backend 'skripted'", "'scripted'"],
    ),
    "unknown evaluator": (
        "model: {backend: scripted}\nevaluators: [grade]\n",
        ["evals.yaml:2", "unknown evaluator 'grade'", "'graded'"],
    ),
    "unknown option of a grader": (
        GOOD.replace("[substring]", "[{type: substring, ignore_cas: true}]"),
        ["evals.yaml:8", "no option 'ignore_cas'", "'ignore_case'"],
    ),
    "unknown option of an evaluator": (
        GOOD + "    limt: 3\n",
        ["evals.yaml:9", "no option 'limt'", "'limit'"],
    ),
    "unknown key of the config": (
        GOOD + "samplin: {max_tokens: 3}\n",
        ["evals.yaml:9", "no option 'samplin'", "'sampling'"],
    ),
    "unknown option of the sampling": (
        GOOD + "sampling: {max_token: 3}\n",
        ["evals.yaml:9", "no option 'max_token'", "'max_tokens'"],
    ),
    "wrong type": (
        GOOD + "    num_samples: many\n",
        ["evals.yaml:9", "evaluators[0].num_samples", "'many'"],
    ),
    "wrong value": (GOOD + "sampling: {max_tokens: 0}\n", ["evals.yaml:9", "max_tokens", "0"]),
    "limit 0": (GOOD + "    limit: 0\n", ["evals.yaml:9", "limit", "0"]),
    "min_coverage 2": (GOOD + "min_coverage: 2\n", ["evals.yaml:9", "min_coverage", "2"]),
    "YAML syntax": (
        GOOD.replace("graders: [substring]", "graders: [substring"),
        ["evals.yaml:9:1"],
    ),
    "a key twice": (GOOD + "    graders: [exact]\n", ["evals.yaml:9", "'graders' stands twice"]),
    "no mapping": ("- capitals\n", ["evals.yaml", "mapping"]),
    "no evaluators": ("model: {backend: scripted}\nevaluators: []\n", ["evaluators"]),
    "no graders": (GOOD.replace("[substring]", "[]"), ["evals.yaml:8", "graders"]),
    "two evaluators of one name": (
        GOOD + GOOD[GOOD.index("  - name") :],
        ["2 evaluators are called 'capitals'"],
    ),
    "a name that no metric can have": (
        GOOD.replace("name: capitals", "name: capitals/eu"),
        ["evals.yaml:3", "'capitals/eu'"],
    ),
    "missing dataset file": (
        GOOD.replace("type: inline", "type: jsonl\n      path: nothing.jsonl").replace(
            "      rows:\n        - {id: france, input: Capital of France, target: Paris}\n", ""
        ),
        ["nothing.jsonl"],
    ),
    "a missing required option": (
        GOOD.replace("type: inline", "type: jsonl").replace(
            "      rows:\n        - {id: france, input: Capital of France, target: Paris}\n", ""
        ),
        ["evals.yaml:", "path"],
    ),
    "a target that the grader needs": (
        GOOD.replace(", target: Paris", ""),
        ["no target", "Substring"],
    ),
    "an empty target": (GOOD.replace("target: Paris", "target: ' '"), ["no target"]),
    "an id twice": (
        GOOD.replace(
            "    graders:",
            "        - {id: france, input: And of Gaul, target: Paris}\n    graders:",
        ),
        ["'france'", "row 1", "row 2"],
    ),
    "eval_every below zero": (
        GOOD + "inline: {eval_every: -1}\n",
        ["evals.yaml:9", "inline.eval_every", "greater than or equal to 0", "-1"],
    ),
    "every that is no number of steps": (GOOD + "    every: 0\n", ["evals.yaml:9", "every"]),
    "a plugin file that is not there": (
        GOOD + "plugins: [./nothing.py]\n",
        ["evals.yaml:9", "nothing.py"],
    ),
    "by a field that is none": (GOOD + "    by: [subject]\n", ["evals.yaml:9", "metadata.subject"]),
    "a suite in a suite": (
        "model: {backend: scripted}\nevaluators:\n"
        "  - {type: suite, evaluators: [{type: suite, name: b, evaluators: [graded]}]}\n",
        ["evals.yaml:3", "suite"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_before_anything_is_sampled(
    mistake: str, command_line: Any, tmp_path: Path, opened_marker: Path
) -> None:
    text, expected = MISTAKES[mistake]
    printed = command_line("run", str(write(tmp_path, text)))
    assert printed.code == 2, printed
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1, printed.err
    assert "Traceback" not in printed.err
    for part in expected:
        assert part in printed.err, printed.err
    assert not opened_marker.exists()
    assert not (tmp_path / "runs").exists()


JSONL_MISTAKES = {
    "malformed line": ('{"q": "a", "a": "b"}\n{"q": "a", \n', ["qa.jsonl:2"]),
    "missing column": ('{"q": "a", "ans": "b"}\n', ["qa.jsonl:1", "'a'", "ans"]),
    "empty": ("", ["qa.jsonl", "no rows"]),
}


@pytest.mark.parametrize("mistake", JSONL_MISTAKES)
def test_a_mistake_in_a_file_names_file_and_line(
    mistake: str, command_line: Any, tmp_path: Path, opened_marker: Path
) -> None:
    rows, expected = JSONL_MISTAKES[mistake]
    (tmp_path / "qa.jsonl").write_text(rows)
    text = (
        "model: {backend: scripted}\nevaluators:\n"
        "  - {name: qa, dataset: {type: jsonl, path: qa.jsonl, input: q, target: a},"
        " graders: [exact]}\n"
    )
    printed = command_line("run", str(write(tmp_path, text)))
    assert printed.code == 2
    assert printed.err.count("\n") == 1, printed.err
    for part in expected:
        assert part in printed.err, printed.err
    assert not opened_marker.exists()


def test_a_folder_that_cannot_be_written(
    command_line: Any, tmp_path: Path, opened_marker: Path
) -> None:
    (tmp_path / "taken").write_text("a file")
    printed = command_line("run", str(write(tmp_path, GOOD)), "--out", "taken/run")
    assert printed.code == 2
    assert printed.err.count("\n") == 1
    assert "taken" in printed.err
    assert "--out" in printed.err
    assert not opened_marker.exists()


def test_a_folder_that_holds_a_run_is_not_overwritten(command_line: Any, tmp_path: Path) -> None:
    config = str(write(tmp_path, GOOD))
    assert command_line("run", config, "--out", "first").code == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "first").iterdir()}
    printed = command_line("run", config, "--out", "first")
    assert printed.code == 2
    assert "first" in printed.err
    assert {path.name: path.read_bytes() for path in (tmp_path / "first").iterdir()} == before


def test_a_config_that_is_not_there(command_line: Any) -> None:
    printed = command_line("run", "nothing.yaml")
    assert printed.code == 2
    assert printed.err.count("\n") == 1
    assert "nothing.yaml" in printed.err


def test_a_config_without_a_model(command_line: Any, tmp_path: Path) -> None:
    printed = command_line("run", str(write(tmp_path, GOOD.split("\n", 1)[1])))
    assert printed.code == 2
    assert "model" in printed.err


def test_show_of_a_folder_that_is_no_run(command_line: Any, tmp_path: Path) -> None:
    printed = command_line("show", os.fspath(tmp_path))
    assert printed.code == 2
    assert printed.err.count("\n") == 1


def test_the_last_of_two_near_commands_is_suggested(command_line: Any) -> None:
    printed = command_line("rnu", "evals.yaml")
    assert printed.code == 2
    assert "run" in printed.err


def test_yaml_that_would_make_objects_is_refused(
    command_line: Any, tmp_path: Path, opened_marker: Path
) -> None:
    marker = tmp_path / "pwned"
    text = GOOD + f"seed: !!python/object/apply:os.system ['touch {marker}']\n"
    printed = command_line("run", str(write(tmp_path, text)))
    assert printed.code == 2
    assert not marker.exists()
    assert not opened_marker.exists()
