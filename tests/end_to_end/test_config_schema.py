"""The schema, with every plugin of the repository: right about every config that there is."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import proctor
from proctor.configs.schema import config_schema
from proctor.plugins.active import configure, using

ROOT = Path(__file__).parents[2]

NOT_FOR_A_SCHEMA = {
    "a key twice": "the parsed mapping has it once",
    "two evaluators of one name": "equal names in different items",
    "missing dataset file": "the file",
    "a target that the grader needs": "the grader and the rows together",
    "an empty target": "the grader and the rows together",
    "an id twice": "equal ids in different items",
    "a plugin file that is not there": "the file",
}
"""Mistakes that a schema can't see, and what it would have to look at."""


@pytest.fixture(scope="module")
def schema() -> Iterator[Any]:
    """The validator, in an environment that has the tests' scripted backend too."""
    with using():
        configure(files=[ROOT / "tests" / "support" / "scripted_backend.py"])
        found = config_schema()
        Draft202012Validator.check_schema(found)
        yield Draft202012Validator(found)


def explained(schema: Any, config: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:300]}" for error in schema.iter_errors(config)]


@pytest.mark.parametrize(
    "file",
    sorted((ROOT / "examples").rglob("*.yaml")),
    ids=lambda file: file.relative_to(ROOT).as_posix(),
)
def test_every_example_is_accepted(file: Path, schema: Any) -> None:
    assert explained(schema, yaml.safe_load(file.read_text(encoding="utf-8"))) == []


def configs_in_docs() -> Iterator[tuple[str, Any]]:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        blocks = re.findall(r"^```yaml[^\n]*\n(.*?)^```$", page.read_text(), re.M | re.S)
        for number, block in enumerate(blocks):
            config = yaml.safe_load(block)
            if isinstance(config, dict) and "evaluators" in config:
                yield f"{page.name}-{number}", config


@pytest.mark.parametrize(("name", "config"), list(configs_in_docs()))
def test_every_config_of_the_docs_is_accepted(name: str, config: Any, schema: Any) -> None:
    assert explained(schema, config) == []


def configs_in_tests() -> Iterator[tuple[str, Any]]:
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and "evaluators:" in str(node.value):
                try:
                    config = yaml.safe_load(str(node.value))
                except yaml.YAMLError:
                    continue
                if isinstance(config, dict) and isinstance(config.get("evaluators"), list):
                    yield file.name, config


def test_every_config_of_the_tests_that_loads_is_accepted(schema: Any) -> None:
    accepted = []
    for name, config in configs_in_tests():
        try:
            proctor.load_config(config)
        except proctor.ProctorError:
            continue
        assert explained(schema, config) == [], f"{name}: {config}"
        accepted.append(name)
    assert "test_bad_input.py" in accepted
    assert len(accepted) > 3


@pytest.fixture(scope="module")
def mistakes() -> dict[str, str]:
    """The text of each config of ``test_bad_input.py`` that has to be refused."""
    spec = importlib.util.spec_from_file_location(
        "bad_input", Path(__file__).with_name("test_bad_input.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: text for name, (text, _) in module.MISTAKES.items()}


def test_every_bad_input_is_rejected(schema: Any, mistakes: dict[str, str]) -> None:
    missed = []
    for name, text in mistakes.items():
        try:
            config = yaml.safe_load(text)
        except yaml.YAMLError:
            config = {"no": "config"}
        if schema.is_valid(config):
            missed.append(name)
    assert sorted(missed) == sorted(NOT_FOR_A_SCHEMA)
    assert len(missed) < len(mistakes) / 3
