"""The main job on the real model: a config in, a score that is right out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor import renderers
from proctor.renderers import Message

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "examples" / "quickstart.yaml"


@pytest.fixture(scope="module")
def capitals_model() -> Any:
    """The real model, open."""
    return asyncio.run(proctor.open_model("local"))


def test_the_quickstarts_score_is_two_thirds(command_line: Any, tmp_path: Path) -> None:
    printed = command_line("run", str(QUICKSTART), "--out", "run", with_backend=False)
    assert printed.code == 0, printed.err
    assert "capitals/substring  0.667 [0.063, 0.983]  n=3" in printed.out
    assert "3 graded" in printed.out
    assert "proctor show run" in printed.out
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["metrics"]["capitals/score"] == pytest.approx(2 / 3)
    shown = command_line("show", "run", with_backend=False)
    assert shown.code == 0
    for text in ("What is the capital of Italy?", "Paris", "target   Rome", "substring: graded 1"):
        assert text in shown.out
    assert shown.out.count("substring: graded 1") == 2
    assert shown.out.count("substring: graded 0") == 1
    wrong = command_line("show", "run", "--worst", "--json", with_backend=False)
    [record] = [json.loads(line) for line in wrong.out.splitlines()]
    assert record["example"] == "italy"
    assert "Rome" not in record["answer"]


def test_the_same_run_gives_the_same_numbers_and_keys(command_line: Any, tmp_path: Path) -> None:
    keys, numbers = [], []
    for name in ("first", "second"):
        assert command_line("run", str(QUICKSTART), "--out", name, with_backend=False).code == 0
        lines = (tmp_path / name / "samples.jsonl").read_text().splitlines()
        keys.append({(s["example"], s["key"]) for s in map(json.loads, lines)})
        numbers.append(json.loads((tmp_path / name / "results.json").read_text())["metrics"])
    assert keys[0] == keys[1]
    assert numbers[0] == numbers[1]


def test_run_json_says_what_was_run_and_holds_no_path_of_this_machine(
    command_line: Any, tmp_path: Path
) -> None:
    command_line("run", str(QUICKSTART), "--out", "run", with_backend=False)
    text = (tmp_path / "run" / "run.json").read_text()
    run = json.loads(text)
    assert run["status"] == "complete"
    assert run["model"]["digest"]
    assert run["renderers"] == {"capitals": "chat_template:4"}
    assert run["versions"]["proctor-text"]
    [evaluator] = run["config"]["evaluators"]
    [grader] = evaluator["options"]["graders"]
    assert grader["type"] == "proctor-text/substring"
    assert str(Path.home()) not in text


class CapitalsEvaluator(proctor.SamplingClientEvaluator):
    """In the style of Tinker's documentation: its own constructor, its own loop."""

    def __init__(self, dataset: Any, grader_fn: Any, model_name: str, renderer_name: str) -> None:
        self.dataset = dataset
        self.grader_fn = grader_fn
        tokenizer = proctor.get_tokenizer(model_name)
        self.renderer = renderers.get_renderer(name=renderer_name, tokenizer=tokenizer)

    async def __call__(self, sampling_client: Any) -> dict[str, float]:
        from tinker import types

        params = types.SamplingParams(
            max_tokens=32, temperature=0.0, stop=self.renderer.get_stop_sequences()
        )
        right = 0
        for datum in self.dataset:
            model_input = self.renderer.build_generation_prompt(
                [Message(role="user", content=datum["input"])]
            )
            response = await sampling_client.sample_async(
                prompt=model_input, num_samples=1, sampling_params=params
            )
            tokens = response.sequences[0].tokens
            message = self.renderer.parse_response(tokens)[0]
            right += self.grader_fn(message["content"], datum["output"])
        return {"accuracy": right / len(self.dataset)}


CAPITALS = [
    {"input": "What is the capital of France?", "output": "Paris"},
    {"input": "What is the capital of Germany?", "output": "Berlin"},
    {"input": "What is the capital of Italy?", "output": "Rome"},
]


async def test_in_house_code_works_with_only_its_imports_changed(
    capitals_model: Any, smollm2_folder: Path
) -> None:
    evaluator = CapitalsEvaluator(
        dataset=CAPITALS,
        grader_fn=lambda response, target: target.lower() in response.lower(),
        model_name=str(smollm2_folder),
        renderer_name="chat_template",
    )
    metrics = await evaluator(capitals_model.client)
    assert metrics == {"accuracy": pytest.approx(2 / 3)}


def test_an_in_house_evaluator_runs_from_a_config_by_import_path(
    command_line: Any, tmp_path: Path
) -> None:
    (tmp_path / "house.py").write_text(
        "import proctor\n\n\n"
        "class Constant(proctor.SamplingClientEvaluator):\n"
        '    """Says what it was told."""\n\n'
        "    def __init__(self, accuracy: float):\n"
        "        self.accuracy = accuracy\n\n"
        "    async def __call__(self, sampling_client):\n"
        '        return {"accuracy": self.accuracy}\n'
    )
    config = tmp_path / "evals.yaml"
    config.write_text(
        "model: {backend: scripted}\nevaluators:\n"
        '  - {type: "./house.py:Constant", name: house, accuracy: 0.25}\n'
    )
    printed = command_line("run", str(config), "--out", "run")
    assert printed.code == 0, printed.err
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["metrics"] == {"house/accuracy": 0.25}
    assert "house/accuracy" in printed.out
    config.write_text(config.read_text().replace("0.25", "high"))
    printed = command_line("run", str(config))
    assert printed.code == 2
    assert "evals.yaml:3" in printed.err
    assert "accuracy" in printed.err


def test_an_evaluator_that_raises_does_not_take_the_others_with_it(
    command_line: Any, tmp_path: Path
) -> None:
    (tmp_path / "house.py").write_text(
        "import proctor\n\n\n"
        "class Broken(proctor.SamplingClientEvaluator):\n"
        '    """Raises."""\n\n'
        "    async def __call__(self, sampling_client):\n"
        "        raise KeyError('column')\n"
    )
    config = tmp_path / "evals.yaml"
    config.write_text(
        "model: {backend: scripted, answers: {France: Paris}}\nevaluators:\n"
        '  - {type: "./house.py:Broken", name: broken}\n'
        "  - name: capitals\n"
        "    dataset: {type: inline, rows: [{input: France, target: Paris}]}\n"
        "    graders: [substring]\n"
    )
    printed = command_line("run", str(config), "--out", "run")
    assert printed.code == 1
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["errors"] == {"broken": "KeyError: 'column'"}
    assert results["metrics"]["capitals/score"] == 1.0
    assert "broken: failed: KeyError: 'column'" in printed.out


def test_a_run_without_a_single_answer_fails_and_says_so(command_line: Any, tmp_path: Path) -> None:
    """Story 2: every request failed, and the result was an empty dict with exit code 0."""
    config = tmp_path / "evals.yaml"
    config.write_text(
        "model: {backend: scripted, otherwise: FAIL}\nevaluators:\n"
        "  - name: capitals\n"
        "    dataset: {type: inline, rows: [{input: France, target: Paris}]}\n"
        "    graders: [substring]\n"
    )
    printed = command_line("run", str(config), "--out", "run")
    assert printed.code == 1
    assert "no score" in printed.out
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["status"] == "failed"
    assert "capitals/score" not in results["metrics"]
    assert results["metrics"]["capitals/substring/failed"] == 1
    assert "no such model" in command_line("show", "run").out


def test_what_a_model_says_can_not_drive_the_terminal(command_line: Any, tmp_path: Path) -> None:
    config = tmp_path / "evals.yaml"
    config.write_text(
        "model: {backend: scripted, otherwise: JUNK}\nevaluators:\n"
        "  - name: capitals\n"
        '    dataset: {type: inline, rows: [{input: "[red]France", target: Paris}]}\n'
        "    graders: [substring]\n"
    )
    command_line("run", str(config), "--out", "run")
    shown = command_line("show", "run")
    assert shown.code == 0
    assert "\x1b[31m" not in shown.out
    assert "\\x00\\x1b[31m" in shown.out
    assert "[red]France" in shown.out


def test_suites_have_means(command_line: Any, tmp_path: Path) -> None:
    config = tmp_path / "evals.yaml"
    config.write_text(
        "model: {backend: scripted, answers: {France: Paris}}\nevaluators:\n"
        "  - type: suite\n    name: places\n    evaluators:\n"
        "      - name: one\n"
        "        dataset: {type: inline, rows: [{input: France, target: Paris}]}\n"
        "        graders: [substring]\n"
        "      - name: three\n"
        "        dataset: {type: inline, rows: [{input: a, target: x}, {input: b, target: x},"
        " {input: c, target: x}]}\n"
        "        graders: [substring]\n"
    )
    printed = command_line("run", str(config), "--out", "run")
    assert printed.code == 0, printed.err
    metrics = json.loads((tmp_path / "run" / "results.json").read_text())["metrics"]
    assert metrics["places/macro/score"] == pytest.approx(0.5)
    assert metrics["places/micro/score"] == pytest.approx(0.25)
    assert metrics["one/score"] == 1.0


def test_strict_makes_a_renderer_that_looks_wrong_an_error(
    command_line: Any, tmp_path: Path, smollm2_folder: Path
) -> None:
    config = tmp_path / "evals.yaml"
    config.write_text(
        f"model: {{backend: local, model: {smollm2_folder}}}\nrenderer: llama3\nevaluators:\n"
        "  - name: capitals\n"
        "    dataset: {type: inline, rows: [{input: France, target: Paris}]}\n"
        "    graders: [substring]\n"
    )
    printed = command_line("run", str(config), "--strict", with_backend=False)
    assert printed.code == 2
    assert printed.err.splitlines()[-1].startswith("error: ")
    assert "renderer" in printed.err
