"""A grader for every evaluator: one line of config switches it on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor.components.fingerprints import fingerprint
from proctor.plugins.active import plugin_manager

REFUSALS = """
import proctor

@proctor.hookimpl
def proctor_register(registry):
    registry.grader("refused", "refusal_parts:Refused")

@proctor.hookimpl
def proctor_extra_graders(evaluator_spec):
    if evaluator_spec["name"] == "spared":
        return None
    return [{"type": "refused", "phrase": evaluator_spec.get("system") or "sorry"}]
"""

PARTS = """
import proctor

class Refused(proctor.Grader):
    '''Whether the answer is a refusal.'''
    worst, best = 1.0, 0.0
    needs_target = False
    phrase: str = "sorry"

    def grade(self, example, sample) -> bool:
        return self.phrase not in sample.text
"""

CONFIG = """\
model: {backend: fine_model}
evaluators:
  - {name: capitals, dataset: fine_rows, graders: [fine]}
  - {name: spared, dataset: fine_rows, graders: [fine]}
min_coverage: 0.0
"""


@pytest.fixture
def refusals(fine_folder: Any) -> Any:
    fine_folder.add(
        REFUSALS,
        name="refusals",
        distribution="refusal-evals",
        modules={"refusal_parts.py": PARTS},
    )
    return fine_folder


def run(command_line: Any, tmp_path: Path, extra: str) -> tuple[dict, dict]:
    (tmp_path / "evals.yaml").write_text(CONFIG + extra)
    out = tmp_path / f"run{len(extra)}"
    printed = command_line("run", "evals.yaml", "--json", "--out", str(out), with_backend=False)
    assert printed.code == 0, printed.err
    return json.loads(printed.out)["metrics"], json.loads((out / "run.json").read_text())


def test_one_line_adds_a_grader_and_renames_nothing(
    refusals: Any, command_line: Any, tmp_path: Path
) -> None:
    before, record = run(command_line, tmp_path, "")
    assert not [name for name in before if "refused" in name], "an installed plugin adds nothing"
    after, extended = run(command_line, tmp_path, "extra_graders: [refusals]\n")
    added = set(after) - set(before)
    assert {name: after[name] for name in before} == before
    assert added
    assert all(name.startswith("capitals/refused/") for name in added)
    assert after["capitals/refused/score"] == 0.0
    graders = [e["options"]["graders"] for e in extended["config"]["evaluators"]]
    assert [g["type"] for g in graders[0]] == ["fine-evals/fine", "refusal-evals/refused"]
    assert [g["type"] for g in graders[1]] == ["fine-evals/fine"]
    assert extended["config"]["extra_graders"] == ["refusals"]
    assert record["config"]["extra_graders"] == []


def load(*evaluators: Any, extra: tuple[str, ...] = ("refusals",)) -> list[Any]:
    config = {"evaluators": list(evaluators), "extra_graders": list(extra)}
    return [entry.evaluator for entry in proctor.load_config(config).evaluators]


def test_fingerprints_show_what_was_added(refusals: Any) -> None:
    spec = {"name": "a", "dataset": "fine_rows", "graders": ["fine"]}
    written = spec | {"graders": ["fine", {"type": "refused", "phrase": "sorry"}]}
    (added,), (plain,), (by_hand,) = load(spec), load(spec, extra=()), load(written, extra=())
    assert fingerprint(added) == fingerprint(by_hand) != fingerprint(plain)


def test_the_hook_sees_the_options_of_a_preset_and_of_a_suite(refusals: Any) -> None:
    refusals.add(
        "import proctor\n@proctor.hookimpl\ndef proctor_register(registry):\n"
        "    registry.evaluator('qa', {'dataset': 'fine_rows', 'graders': ['fine'],"
        " 'system': 'no way'})\n"
    )
    first, second = load(
        {"type": "suite", "name": "all", "evaluators": ["qa", {"type": "qa", "name": "b"}]}
    )
    assert [e.graders[-1].phrase for e in (first, second)] == ["no way", "no way"]


def test_an_evaluator_made_in_python_is_not_changed(refusals: Any) -> None:
    mine = proctor.GradedEvaluator(name="mine", dataset="fine_rows", graders=["fine"])
    for _ in range(2):
        (loaded,) = load(mine)
        assert loaded.grader_names() == ["fine", "refused"]
    assert mine.grader_names() == ["fine"]


def test_a_grader_that_is_there_already_is_numbered_last(refusals: Any) -> None:
    (loaded,) = load({"name": "a", "dataset": "fine_rows", "graders": ["refused", "fine"]})
    assert loaded.grader_names() == ["refused", "fine", "refused-2"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("refusal", "no plugin 'refusal' that adds graders; did you mean 'refusals'?"),
        ("fine", "plugin 'fine' adds no graders; it has no hook proctor_extra_graders"),
        ("broken", "plugin 'broken' is broken; ValueError: boom"),
    ],
)
def test_a_name_that_adds_nothing_is_an_error(name: str, message: str, refusals: Any) -> None:
    refusals.add("raise ValueError('boom')", name="broken", distribution="broken-evals")
    with pytest.raises(proctor.ConfigError) as caught:
        load({"dataset": "fine_rows", "graders": ["fine"]}, extra=(name,))
    assert str(caught.value).startswith("extra_graders[0]: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("1 / 0", "proctor_extra_graders raised ZeroDivisionError"),
        ("['refusd']", "unknown grader 'refusd'; did you mean 'refused'?"),
        ("[{'type': 'refused', 'phras': 1}]", "refused has no option 'phras'"),
    ],
)
def test_a_hook_that_is_wrong_ends_it_before_anything_runs(
    returned: str, message: str, refusals: Any
) -> None:
    refusals.add(
        "import proctor\n@proctor.hookimpl\ndef proctor_extra_graders(evaluator_spec):\n"
        f"    return {returned}\n"
    )
    with pytest.raises(proctor.ProctorError) as caught:
        load({"dataset": "fine_rows", "graders": ["fine"]}, extra=("house",))
    assert message in str(caught.value)
    assert "house" in str(caught.value)


def test_plugins_with_a_hook_are_those_that_work(refusals: Any) -> None:
    names = {plugin.name for plugin in plugin_manager().plugins_with("proctor_extra_graders")}
    assert "refusals" in names
    assert "fine" not in names
