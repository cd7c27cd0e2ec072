"""Presets: composed evaluators with a name, from a plugin or a config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor.components import presets
from proctor.components.build import build
from proctor.components.fingerprints import describe, fingerprint
from proctor.components.presets import expand
from proctor.configs import loading

PRESETS = """
import proctor

@proctor.hookimpl
def proctor_register(registry):
    registry.evaluator("house-qa", {
        "dataset": "fine_rows", "graders": ["fine"], "limit": 10, "every": 5,
        "sampling": {"max_tokens": 7, "temperature": 0.5},
    })
    registry.evaluator("house-suite", {
        "type": "suite",
        "evaluators": ["house-qa", {"type": "house-qa", "name": "more", "limit": 20}],
    })
    registry.evaluator("from-file", {"dataset": {"type": "lines", "path": "rows.txt"},
                                     "graders": ["fine"]})
    registry.dataset("lines", "house_lines:Lines")
"""

LINES = """
from pathlib import Path
import proctor

class Lines(proctor.Dataset):
    '''Lines of a file.'''
    path: Path

    def examples(self):
        for number, line in enumerate(self.path.read_text().split()):
            yield proctor.Example(str(number), line, line)
"""


@pytest.fixture
def house(fine_folder: Any) -> Any:
    fine_folder.add(PRESETS, modules={"house_lines.py": LINES, "rows.txt": "a b c"})
    return fine_folder


def load(*evaluators: Any, **keys: Any) -> list[Any]:
    return proctor.load_config({"evaluators": list(evaluators), **keys}).evaluators


def test_a_preset_is_used_by_name(house: Any) -> None:
    (entry,) = load("house-qa")
    assert (entry.name, entry.every, entry.evaluator.limit) == ("house-qa", 5, 10)
    assert entry.presets == ("house-evals/house-qa",)


def test_a_preset_is_expanded_once(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    expanded = []

    def counted(spec: Any, *rest: Any) -> Any:
        expanded.append(spec["type"])
        return expand(spec, *rest)

    monkeypatch.setattr(presets, "expand", counted)
    monkeypatch.setattr(loading, "expand", counted)
    load("house-qa")
    assert expanded == ["house-qa"]
    expanded.clear()
    load("house-suite")
    assert expanded == ["house-suite", "house-qa", "house-qa"]
    expanded.clear()
    build("evaluator", "from-file")
    assert expanded == ["from-file"]


def test_options_are_overridden_one_by_one(house: Any) -> None:
    (entry,) = load({"type": "house-evals/house-qa", "limit": 50, "every": 2})
    assert (entry.name, entry.every, entry.evaluator.limit) == ("house-qa", 2, 50)
    assert entry.evaluator.grader_names() == ["fine"]
    assert entry.evaluator.sampling.max_tokens == 7


def test_an_option_is_replaced_as_a_whole(house: Any) -> None:
    (entry,) = load({"type": "house-qa", "sampling": {"max_tokens": 9}})
    assert entry.evaluator.sampling == proctor.SamplingOptions(max_tokens=9)


def test_resolved_options_are_what_is_recorded(house: Any) -> None:
    (entry,) = load({"type": "house-qa", "limit": 3, "sampling": None})
    (plain,) = load({"name": "q", "dataset": "fine_rows", "graders": ["fine"], "limit": 3})
    assert describe(entry.evaluator) == describe(plain.evaluator)
    assert fingerprint(entry.evaluator) == fingerprint(plain.evaluator)
    assert describe(entry.evaluator)["options"]["limit"] == 3


def test_a_preset_may_be_a_suite_of_presets(house: Any) -> None:
    entries = load("house-suite")
    assert [(e.name, e.suite, e.evaluator.limit) for e in entries] == [
        ("house-qa", "house-suite", 10),
        ("more", "house-suite", 20),
    ]


def test_paths_of_a_plugins_preset_are_read_against_the_plugin(house: Any, tmp_path: Path) -> None:
    (tmp_path / "evals.yaml").write_text("evaluators: [from-file]\n")
    (entry,) = proctor.load_config(tmp_path / "evals.yaml").evaluators
    assert [example.id for example in entry.evaluator.dataset.examples()] == ["0", "1", "2"]


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder / f"{next(iter(files))}.yaml"


def test_a_configs_own_preset_may_be_built_on_a_plugins(house: Any, tmp_path: Path) -> None:
    config = write(
        tmp_path,
        evals="presets:\n  mine: {type: house-qa, limit: 4, name: ours}\n"
        "evaluators: [mine, {type: mine, name: b, limit: 5}]\n",
    )
    first, second = proctor.load_config(config).evaluators
    assert first.name == "ours"
    assert first.presets == ("evals.yaml/mine", "house-evals/house-qa")
    assert (first.evaluator.limit, second.evaluator.limit) == (4, 5)


def test_other_configs_presets_with_their_paths_and_plugins(house: Any, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    write(
        shared,
        shared="plugins: [./more.py]\npresets:\n"
        "  lined: {dataset: {type: lines, path: own.txt}, graders: [more], limit: 1}\n",
    )
    (shared / "own.txt").write_text("x y")
    (shared / "more.py").write_text(
        "import proctor\nclass More(proctor.Grader):\n    'More.'\n"
        "    def grade(self, example, sample) -> bool:\n        return True\n"
        "@proctor.hookimpl\ndef proctor_register(registry):\n    registry.grader('more', More)\n"
    )
    (tmp_path / "own.txt").write_text("not this one")
    config = write(
        tmp_path,
        evals="presets: [shared/shared.yaml, {two: {type: lined, limit: 2}}]\n"
        "evaluators: [{type: two, by: [metadata.x]}]\n",
    )
    (entry,) = proctor.load_config(config).evaluators
    assert [e.input for e in entry.evaluator.dataset.examples()] == ["x", "y"]
    assert entry.evaluator.limit == 2
    assert entry.presets == ("evals.yaml/two", "shared.yaml/lined")


MISTAKES = {
    "itself": (
        "presets:\n  a: {type: b}\n  b: {type: a}\nevaluators: [a]\n",
        "evals.yaml:4: evaluators[0]: a preset is built on itself: evals.yaml/a -> evals.yaml/b",
    ),
    "in the preset": (
        "presets:\n  a: {dataset: fine_rows, graders: [fine], limt: 3}\nevaluators: [a]\n",
        "evals.yaml:2: presets.a.limt: graded has no option 'limt'; did you mean 'limit'?",
    ),
    "in its use": (
        "presets:\n  a: {dataset: fine_rows, graders: [fine]}\n"
        "evaluators:\n- {type: a, limit: 0}\n",
        "evals.yaml:4: evaluators[0].limit: Input should be greater than or equal to 1, not 0",
    ),
    "misspelt": (
        "presets:\n  mine: {dataset: fine_rows, graders: [fine]}\nevaluators: [mien]\n",
        "unknown evaluator 'mien'; did you mean 'mine'?",
    ),
    "taken": (
        "presets:\n  suite: {dataset: fine_rows, graders: [fine]}\nevaluators: [suite]\n",
        "evals.yaml:2: presets.suite: 'suite' is also the evaluator proctor/suite; call",
    ),
    "no mapping": ("presets:\n  a: 3\nevaluators: [a]\n", "presets.a: a preset is an evaluator's"),
    "no presets": ("presets: 3\nevaluators: [a]\n", "presets: presets are names with evaluators"),
    "no file": ("presets: gone.yaml\nevaluators: [a]\n", "no config file"),
    "no presets there": ("presets: evals.yaml\nevaluators: [a]\n", "takes presets from itself"),
    "twice": (
        "presets: [{a: {type: house-qa}}, {a: {type: house-qa}}]\nevaluators: [a]\n",
        "there are two presets 'a'; the other is at",
    ),
    "used twice": (
        "presets:\n  a: {dataset: fine_rows, graders: [fine]}\nevaluators: [a, {type: a}]\n",
        "2 evaluators are called 'a'",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_found_where_they_are(mistake: str, house: Any, tmp_path: Path) -> None:
    text, message = MISTAKES[mistake]
    (tmp_path / "evals.yaml").write_text(text)
    if mistake == "no presets there":
        text = text.replace("presets: evals.yaml", "presets: other.yaml")
        (tmp_path / "other.yaml").write_text("presets: evals.yaml\n")
        (tmp_path / "evals.yaml").write_text("presets: other.yaml\nevaluators: [a]\n")
    with pytest.raises(proctor.ProctorError) as caught:
        proctor.load_config(tmp_path / "evals.yaml")
    assert message in str(caught.value)
    assert str(caught.value).count("->") in (0, 2)


def test_a_preset_of_two_plugins_is_ambiguous(house: Any) -> None:
    house.add(PRESETS, name="rival", distribution="rival-evals")
    with pytest.raises(proctor.UnknownComponentError, match="house-evals/house-qa and rival-eval"):
        load("house-qa")
    (entry,) = load("rival-evals/house-qa")
    assert entry.name == "house-qa"
