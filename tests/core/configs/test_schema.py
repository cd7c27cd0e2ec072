"""The schema of configs: names and options of what is installed, and their help."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import proctor
from proctor.configs.config import ConfigOptions
from proctor.configs.schema import config_schema
from proctor.testing import PluginFolder

HOUSE = """
import proctor

@proctor.hookimpl
def proctor_register(registry):
    registry.grader("near", "house_parts:Near")
    registry.grader("wrapped", "house_parts:Wrapped")
    registry.grader("by_function", "house_parts:by_function")
    registry.grader("absent", "house_parts:Absent")
    registry.grader("graded", "house_parts:Near")
    registry.dataset("rows", "house_parts:Rows")
    registry.backend("model", "house_parts:Model")
    registry.evaluator("plain", "house_parts:Plain")
    registry.evaluator("qa", {"dataset": "rows", "graders": ["near"]})
    registry.renderer("house_chat", "house_parts:Chat")

@proctor.hookimpl
def proctor_extra_graders(evaluator_spec):
    return []
"""
PARTS = '''
from pathlib import Path
from typing import Annotated, Any, Literal
import proctor
from pydantic import BaseModel, ConfigDict, Field

class Near(proctor.Grader):
    """Near enough."""

    within: float = Field(default=0.5, gt=0)
    """How far is near."""
    mode: Literal["words", "letters"] = "words"
    """What is counted."""
    odd: Any = object()
    """Anything."""

    def grade(self, example, sample) -> bool:
        return True

class Limits(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    inner: Annotated[proctor.Grader, proctor.ComponentKind("grader")] | None = None
    most: int = 3

class Wrapped(proctor.Grader):
    """A grader around others."""

    parts: list[Annotated[proctor.Grader, proctor.ComponentKind("grader")]]
    """What it is made of."""
    limits: Limits | None = None
    judge: Annotated[proctor.Backend, proctor.ComponentKind("backend")] | None = None

    def grade(self, example, sample) -> bool:
        return True

def by_function(response: str, target: str) -> bool:
    """A function."""
    return response == target

class Rows(proctor.Dataset):
    """Rows of a file."""

    path: Path = Path("rows.txt")
    """The file."""

class Model(proctor.Backend):
    """A model."""

    size: int = Field(ge=1)

class Plain:
    """A plain class."""

    def __init__(self, depth: int, note: str = "") -> None: ...

    async def __call__(self, client): ...

class Chat: ...
'''
TWIN = """
import proctor

@proctor.hookimpl
def proctor_register(registry):
    registry.grader("near", "house_parts:Near")
"""


@pytest.fixture
def house(plugin_folder: Any) -> Any:
    plugin_folder.add(HOUSE, modules={"house_parts.py": PARTS})
    return plugin_folder


@pytest.fixture(scope="module")
def is_valid(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Whether the schema of an environment with that plugin accepts a config."""
    with PluginFolder(tmp_path_factory.mktemp("house")) as folder:
        folder.add(HOUSE, modules={"house_parts.py": PARTS})
        schema = config_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema).is_valid


def graded(**options: Any) -> dict[str, Any]:
    return {"evaluators": [{"dataset": "rows", "graders": ["near"], **options}]}


GOOD: dict[str, Any] = {
    "names": graded(),
    "full names": graded(dataset="house-evals/rows", graders=["house-evals/near"]),
    "options": graded(graders=[{"type": "near", "within": 2, "mode": "letters", "odd": [1]}]),
    "a function": graded(graders=["by_function"]),
    "nested": graded(graders=[{"type": "wrapped", "parts": ["near", {"type": "near"}]}]),
    "nested deeper": graded(
        graders=[{"type": "wrapped", "parts": ["near"], "limits": {"inner": "near", "most": 1}}]
    ),
    "a backend inside": graded(
        graders=[{"type": "wrapped", "parts": ["near"], "judge": {"type": "model", "size": 1}}]
    ),
    "null": graded(graders=[{"type": "wrapped", "parts": ["near"], "limits": None}], limit=None),
    "shots": graded(few_shot={"dataset": {"type": "rows", "path": "x"}, "n": 2}),
    "everything": graded(name="a", every=3, limit=5, by=["metadata.x"], renderer="role_colon")
    | {
        "model": {"backend": "model", "size": 3},
        "sampling": {"max_tokens": 5, "stop": ["x"]},
        "renderer": "house_chat",
        "inline": {"eval_every": 2},
        "seed": 4,
        "extra_graders": ["house"],
    },
    "a renderer's options": graded(renderer={"type": "plain", "separator": "\n"})
    | {"renderer": {"type": "plain", "answer_separator": ""}},
    "a renderer's options in its name": graded(renderer='plain{"separator": "x"}'),
    "a plain class": {"evaluators": [{"type": "plain", "depth": 3, "name": "p", "every": 2}]},
    "a preset": {"evaluators": ["qa", {"type": "qa", "name": "b", "limit": 5}]},
    "a suite": {"evaluators": [{"type": "suite", "name": "s", "evaluators": ["qa"]}]},
    "import paths": graded(dataset="some.module:Rows", graders=["./file.py:Near"]),
    "import path with options": {"evaluators": [{"type": "a.b:C", "whatever": 1}]},
    "a model by its path": graded() | {"model": {"backend": "a.b:C", "size": "x"}},
}


@pytest.mark.parametrize("config", GOOD)
def test_what_is_right_is_accepted(config: str, is_valid: Any) -> None:
    assert is_valid(GOOD[config])


BAD: dict[str, Any] = {
    "unknown grader": graded(graders=["naer"]),
    "unknown grader in a mapping": graded(graders=[{"type": "naer"}]),
    "a grader for a dataset": graded(dataset="near"),
    "unknown option": graded(graders=[{"type": "near", "wihtin": 2}]),
    "wrong type": graded(graders=[{"type": "near", "within": "far"}]),
    "outside the range": graded(graders=[{"type": "near", "within": 0}]),
    "no such choice": graded(graders=[{"type": "near", "mode": "lines"}]),
    "a required option": {"evaluators": [{"type": "plain"}]},
    "a required option, by name": {"evaluators": ["plain"]},
    "no graders": graded(graders=[]),
    "graders that are no list": graded(graders="near"),
    "no dataset": {"evaluators": [{"graders": ["near"]}]},
    "unknown evaluator": {"evaluators": ["qaa"]},
    "unknown option of an evaluator": graded(limt=3),
    "limit 0": graded(limit=0),
    "limit as text": graded(limit="many"),
    "every 0": graded(every=0),
    "by a field that is none": graded(by=["subject"]),
    "a name that no metric can have": graded(name="a/b"),
    "a preset with a wrong option": {"evaluators": [{"type": "qa", "limt": 5}]},
    "nested unknown": graded(graders=[{"type": "wrapped", "parts": ["naer"]}]),
    "nested deeper unknown": graded(
        graders=[{"type": "wrapped", "parts": ["near"], "limits": {"inner": "naer"}}]
    ),
    "an unknown backend inside": graded(
        graders=[{"type": "wrapped", "parts": ["near"], "judge": {"type": "modle", "size": 1}}]
    ),
    "nested option": graded(graders=[{"type": "wrapped", "parts": ["near"], "limits": {"x": 1}}]),
    "shots without a number": graded(few_shot={"dataset": "rows"}),
    "a suite in a suite": {
        "evaluators": [{"type": "suite", "evaluators": [{"type": "suite", "evaluators": ["qa"]}]}]
    },
    "unknown backend": graded() | {"model": {"backend": "modle"}},
    "a model without its size": graded() | {"model": {"backend": "model"}},
    "a model without a backend": graded() | {"model": {"size": 3}},
    "unknown key": graded() | {"samplin": {}},
    "unknown sampling option": graded() | {"sampling": {"max_token": 3}},
    "unknown renderer": graded() | {"renderer": "role_collon"},
    "unknown renderer of an evaluator": graded(renderer="role_collon"),
    "unknown renderer with options": graded(renderer={"type": "role_collon", "separator": "x"}),
    "a renderer's option that is no text": graded(renderer={"type": "plain", "separator": 1}),
    "options without a renderer": graded() | {"renderer": {"separator": "x"}},
    "unknown renderer with options in its name": graded(renderer='role_collon{"a": "x"}'),
    "unknown plugin for extra graders": graded() | {"extra_graders": ["huose"]},
    "no evaluators": {"evaluators": []},
    "no evaluators at all": {"model": {"backend": "model", "size": 1}},
    "a component that can't be imported": graded(graders=["absent"]),
    "min_coverage 2": graded() | {"min_coverage": 2},
}


@pytest.mark.parametrize("config", BAD)
def test_what_is_wrong_is_rejected(config: str, is_valid: Any) -> None:
    assert not is_valid(BAD[config])


def test_an_ambiguous_name_has_to_be_written_in_full(house: Any) -> None:
    house.add(TWIN, name="twin", distribution="twin-evals")
    is_valid = Draft202012Validator(config_schema()).is_valid
    assert not is_valid(graded())
    assert is_valid(graded(graders=["twin-evals/near", "house-evals/near"]))


def test_help_and_defaults_are_in_it(house: Any) -> None:
    text = json.dumps(config_schema())
    for part in ("Near enough.", "How far is near.", "Steps between two evaluations"):
        assert part in text
    forms = config_schema()["$defs"]["grader"]["anyOf"]
    (near,) = [
        f for f in forms if "near" in f.get("properties", {}).get("type", {}).get("enum", ())
    ]
    assert near["description"] == "Near enough."
    assert near["properties"]["within"] == {
        "type": "number",
        "exclusiveMinimum": 0,
        "default": 0.5,
        "description": "How far is near.",
    }
    assert {"const": "near", "description": "Near enough."} in forms


def test_every_key_of_a_config_has_help(house: Any) -> None:
    properties = config_schema()["properties"]
    assert set(properties) == set(ConfigOptions.model_fields)
    assert [name for name, schema in properties.items() if not schema.get("description")] == []


PRESETS = {
    "presets": {"mine": {"dataset": "rows", "graders": ["near"]}},
    "evaluators": ["mine", {"type": "mine", "name": "b", "limit": 3}],
}


def test_a_config_with_names_of_its_own_is_not_checked_for_names(is_valid: Any) -> None:
    assert is_valid(PRESETS)
    assert is_valid(graded(graders=["of_the_file"]) | {"plugins": ["./file.py"]})
    assert not is_valid(PRESETS | {"samplin": {}})


def test_the_schema_of_one_config_knows_its_names(house: Any, tmp_path: Path) -> None:
    from proctor.cli.main import main

    (tmp_path / "evals.json").write_text(json.dumps(PRESETS))
    with pytest.raises(SystemExit) as ended:
        main(["schema", str(tmp_path / "evals.json"), "--out", str(tmp_path / "schema.json")])
    assert not ended.value.code
    schema = Draft202012Validator(json.loads((tmp_path / "schema.json").read_text()))
    assert schema.is_valid(PRESETS)
    assert not schema.is_valid(PRESETS | {"evaluators": ["mien"]})
    assert not schema.is_valid(PRESETS | {"evaluators": [{"type": "mine", "limt": 3}]})
    assert not schema.is_valid(PRESETS | {"presets": {"mine": {"graders": ["naer"]}}})
    assert schema.is_valid(PRESETS | {"presets": {"mine": {"graders": ["near"]}}}), (
        "a preset may leave out what its users give"
    )


def test_what_the_schema_accepts_loads_and_what_it_rejects_does_not(
    house: Any,
) -> None:
    """It says the same as the loader, but for import paths, which only the loader follows."""

    def loads(config: Any) -> bool:
        try:
            proctor.load_config(config)
        except proctor.ProctorError:
            return False
        return True

    assert [name for name in GOOD if "path" not in name and not loads(GOOD[name])] == []
    assert [name for name in BAD if loads(BAD[name])] == []


def test_a_file_that_can_not_be_written_is_an_error(
    house: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from proctor.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main(["schema", "--out", str(tmp_path / "no" / "where.json")])
    assert ended.value.code == 2
    assert "can't write" in capsys.readouterr().err
