"""What a grader counts beside its score: in the metrics, the results, and where a person looks."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

PLUGIN = '''
import proctor


class Tally(proctor.GradeTally):
    def __init__(self):
        self.seen = 0

    def add(self, grading):
        self.seen += 1
        self.kept = grading.metadata.get("kept")

    def metrics(self, estimate):
        return {"seen": self.seen, "twice": 2 * estimate.score, "unknown": float("nan")}

    def notes(self, estimate):
        return [f"saw {self.seen}, score {estimate.score:g}\\x1b[31m"]


class Counting(proctor.Grader):
    """Counts what it grades."""

    def tally(self):
        return Tally()

    def grade(self, example, sample) -> bool:
        if "?" in sample.text:
            raise proctor.UngradedError("it asks back", metadata={"kept": sample.text})
        return example.targets[0] in sample.text


class Asking(proctor.Grader):
    """Asks the model under evaluation."""

    _model = None

    def connect(self, model):
        self._model = model

    async def grade(self, example, sample) -> bool:
        import proctor

        asked = [proctor.Message(role="user", content="Is it Paris?")]
        [answer] = await self._model.generate(asked, proctor.SamplingOptions(max_tokens=9))
        return answer.text == "Yes"


class Two(proctor.Dataset):
    """Two rows."""

    def examples(self):
        yield proctor.Example("a", "Capital of France?", "Paris")
        yield proctor.Example("b", "Capital of Italy?", "Rome")
'''


@pytest.fixture
def run_with(command_line, tmp_path):
    """Runs two rows through a grader; returns what was printed and the run's folder."""
    (tmp_path / "graders.py").write_text(PLUGIN)

    def run(grader: str, answers: dict[str, str]):
        config = {
            "model": {"backend": "scripted", "answers": answers},
            "renderer": "role_colon",
            "min_coverage": 0.0,
            "evaluators": [
                {
                    "name": "two",
                    "dataset": {"type": "./graders.py:Two"},
                    "graders": [f"./graders.py:{grader}"],
                }
            ],
        }
        (tmp_path / "evals.yaml").write_text(json.dumps(config))
        return command_line("run", "evals.yaml", "--out", "run"), tmp_path / "run"

    return run


def results_of(folder: Path) -> dict:
    return json.loads((folder / "results.json").read_text())


def test_counts_become_metrics_and_notes_are_shown(run_with, command_line):
    printed, folder = run_with("Counting", {"France": "Paris", "Italy": "Milan"})
    results = results_of(folder)
    assert results["metrics"]["two/Counting/seen"] == 2
    assert results["metrics"]["two/Counting/twice"] == 1.0
    assert not any(math.isnan(value) for value in results["metrics"].values())
    assert "two/Counting/unknown" not in results["metrics"]
    [grader] = results["evaluators"]["two"]["graders"]
    assert grader["tally"] == {"seen": 2, "twice": 1.0}
    for shown in (printed.out, command_line("show", "run").out):
        assert "saw 2, score 0.5" in shown
        assert "\x1b" not in shown


def test_what_an_ungraded_answer_taught_is_kept(run_with):
    _printed, folder = run_with("Counting", {"France": "Paris", "Italy": "Which?"})
    lines = (folder / "grades.jsonl").read_text().splitlines()
    [ungraded] = [g for g in map(json.loads, lines) if g["outcome"] == "ungraded"]
    assert ungraded["metadata"] == {"kept": "Which?"}
    assert ungraded["reason"] == "it asks back"


def test_a_grader_may_ask_the_model_under_evaluation(run_with):
    _printed, folder = run_with("Asking", {"Paris": "Yes", "France": "Paris"})
    assert results_of(folder)["metrics"]["two/Asking/score"] == 1.0
