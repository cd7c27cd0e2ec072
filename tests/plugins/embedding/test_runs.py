"""A run with the grader, from a config."""

from __future__ import annotations

import asyncio
import json
import threading

import proctor
from proctor.testing import ScriptedClient
from proctor_embedding.embedding import Embedding

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


class Two(proctor.Dataset):
    """Two questions, of which the second is answered while the first is graded."""

    def examples(self):
        yield proctor.Example("one", "Capital of France?", "It is Paris.")
        yield proctor.Example("two", "Capital of Peru?", "It is Lima.")


class WaitsForTheGrader(ScriptedClient):
    """Answers the second question once the grader is at work."""

    def __init__(self):
        super().__init__(lambda prompt, _: "It is Paris." if "France" in prompt else "It is Lima.")
        self.grading = asyncio.Event()
        self.answered = threading.Event()

    async def _respond(self, prompt, num_samples):
        if "Peru" in prompt:
            await self.grading.wait()
            self.answered.set()
        return await super()._respond(prompt, num_samples)


def test_grading_overlaps_sampling_on_a_thread_of_its_own(monkeypatch):
    """Each waits for the other: one after the other, or on one thread, neither would go on."""
    waited = []

    async def evaluate():
        client = WaitsForTheGrader()
        loop, real = asyncio.get_running_loop(), Embedding._embed

        def embed(self, texts):
            loop.call_soon_threadsafe(client.grading.set)
            waited.append(client.answered.wait(20))
            return real(self, texts)

        monkeypatch.setattr(Embedding, "_embed", embed)
        evaluator = proctor.GradedEvaluator(
            name="two", dataset=Two(), graders=[Embedding()], renderer="role_colon"
        )
        context = proctor.EvaluationContext.for_client(client, request_timeout=10.0)
        return await evaluator.evaluate(client, context)

    metrics = asyncio.run(evaluate()).metrics
    assert metrics["two/Embedding/score"] == 1.0
    assert metrics["two/Embedding/n"] == 2
    assert waited
    assert all(waited)
