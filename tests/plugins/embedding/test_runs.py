"""A run with the grader, from a config."""

from __future__ import annotations

import json

PARTS = """
import proctor


class Three(proctor.Dataset):
    def examples(self):
        yield proctor.Example("same", "Capital of France?", "It is Paris.")
        yield proctor.Example("far", "Capital of Peru?", "Bananas are yellow.")
        yield proctor.Example("cut", "Capital of Italy?", "Let me think about")
"""


def test_an_answer_that_was_cut_off_has_the_worst_grade(command_line, tmp_path):
    """Story 1: the words that were there are word for word the target."""
    (tmp_path / "parts.py").write_text(PARTS)
    answers = {"France": "It is Paris.", "Peru": "Lima", "Italy": "CUT"}
    config = {
        "model": {"backend": "scripted", "answers": answers},
        "renderer": "role_colon",
        "evaluators": [
            {
                "name": "three",
                "dataset": {"type": "./parts.py:Three"},
                "graders": ["embedding", {"type": "embedding", "threshold": 0.8}],
            }
        ],
    }
    (tmp_path / "evals.yaml").write_text(json.dumps(config))
    printed = command_line("run", "evals.yaml", "--out", "run")
    assert printed.code == 0, printed.err
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    metrics = results["metrics"]
    assert metrics["three/embedding/truncated"] == metrics["three/embedding-2/truncated"] == 1
    assert metrics["three/embedding-2/score"] == 1 / 3
    assert 1 / 3 <= metrics["three/embedding/score"] < 0.5
    intervals = [g["interval"] for g in results["evaluators"]["three"]["graders"]]
    assert intervals[1] == "wilson"
    described = json.loads((tmp_path / "run" / "run.json").read_text())["config"]["evaluators"]
    assert described[0]["options"]["graders"][0]["options"]["digest"]
