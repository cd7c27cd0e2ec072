"""A plugin of somebody else's: built, installed, used by name, uninstalled."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

CONFIG = """\
plugins: [./scripted_backend.py]
model:
  backend: scripted
  answers: {France: Paris, Germany: Berlin, Iceland: reykjavik, Italy: Milan, Japan: Tokyo}
evaluators:
  - capitals
  - type: capitals
    name: europe
    dataset: {type: country_capitals, continent: Europe}
  - {name: strict, dataset: country_capitals, graders: [{type: place_name, accents: true}]}
  - {type: capital_bits, continent: Asia}
"""

PYTHON = """\
import asyncio
import proctor
from proctor.testing import ScriptedClient

evaluator = proctor.GradedEvaluator(
    name="mine",
    dataset={"type": "country_capitals", "continent": "Asia"},
    graders=["place_name"],
)
client = ScriptedClient(lambda prompt, index: "Tokyo")
print(asyncio.run(evaluator(client))["mine/score"])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, scripted_source: Path) -> Path:
    folder = tmp_path_factory.mktemp("third-party")
    shutil.copy(scripted_source, folder)
    (folder / "evals.yaml").write_text(CONFIG)
    (folder / "mine.py").write_text(PYTHON)
    return folder


@pytest.fixture(scope="module")
def scripted_source() -> Path:
    return ROOT / "tests" / "support" / "scripted_backend.py"


@pytest.fixture(scope="module")
def environment(bare_environment: Any) -> Iterator[Any]:
    bare_environment.install("--no-index", bare_environment.wheel("geography_evals"))
    yield bare_environment
    bare_environment.pip("uninstall", "--yes", "geography-evals")


def test_the_environment_has_proctor_from_a_wheel_and_no_other_plugin(
    environment: Any, folder: Path
) -> None:
    where = environment.run("python", "-c", "import proctor; print(proctor.__file__)", cwd=folder)
    assert str(environment.folder) in where.stdout
    listed = environment.run("proctor", "plugins", "--json", cwd=folder)
    assert [(row["name"], row["status"]) for row in json.loads(listed.stdout)] == [
        ("geography", "ok")
    ]
    assert environment.run("proctor", "plugins", "doctor", cwd=folder).returncode == 0


def test_it_is_used_by_name_in_a_config(environment: Any, folder: Path) -> None:
    ran = environment.run("proctor", "run", "evals.yaml", "--json", "--out", "run", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    metrics = json.loads(ran.stdout)["metrics"]
    assert metrics["capitals/place_name/score"] == 0.4
    assert metrics["europe/place_name/score"] == 0.75
    assert metrics["europe/place_name/n"] == 4
    assert metrics["strict/place_name/score"] == pytest.approx(0.3)
    (bits,) = [value for name, value in metrics.items() if name.startswith("capital_bits/")]
    assert bits == pytest.approx(5 / 0.6931471805599453)
    record = json.loads((folder / "run" / "run.json").read_text())
    first, second, *_ = record["config"]["evaluators"]
    assert first["presets"] == ["geography-evals/capitals"]
    assert second["options"]["dataset"]["type"] == "geography-evals/country_capitals"
    assert second["options"]["dataset"]["options"] == {"continent": "Europe"}
    assert record["versions"]["geography-evals"] == "1.0.0"


def test_it_is_used_by_name_in_python(environment: Any, folder: Path) -> None:
    ran = environment.run("python", "mine.py", cwd=folder)
    assert (ran.returncode, ran.stdout.strip()) == (0, "0.5"), ran.stderr


def test_its_own_tests_pass(environment: Any, folder: Path) -> None:
    environment.install("pytest")
    tests = folder / "tests"
    shutil.copytree(ROOT / "examples" / "plugin" / "tests", tests, dirs_exist_ok=True)
    ran = environment.run("python", "-m", "pytest", "-q", tests, cwd=folder)
    assert ran.returncode == 0, ran.stdout
    assert "9 passed" in ran.stdout


def test_uninstalled_its_names_are_gone(bare_environment: Any, folder: Path) -> None:
    install = ("install", "--quiet", "--no-index", bare_environment.wheel("geography_evals"))
    bare_environment.pip(*install)
    bare_environment.pip("uninstall", "--yes", "geography-evals")
    ran = bare_environment.run("proctor", "run", "evals.yaml", cwd=folder)
    bare_environment.pip(*install)  # the other tests of this module have it
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: evals.yaml:6: evaluators[0]: unknown evaluator 'capitals'")
    assert "known evaluators: choice_logprob, graded, " in ran.stderr
    assert ran.stderr.count("\n") == 1
