"""Story 1: a thinking model ran out of tokens, and its unfinished reasoning held the target."""

from __future__ import annotations

import json

PARTS = """
import pathlib

import proctor


class Agreeable(proctor.ChatModel):
    identity = proctor.ModelIdentity("agreeable", "judge", digest="1")

    async def generate(self, messages, sampling, n=1, *, schema=None):
        with pathlib.Path("asked.txt").open("a") as file:
            file.write(str(messages[0]["content"]) + "\\n===\\n")
        answer = proctor.Message(role="assistant", content="VERDICT: CORRECT")
        return [proctor.Sample("", 0, "complete", [*messages, answer], [])]


class AgreeableBackend(proctor.Backend):
    async def open_chat_model(self, renderer=None, *, request_timeout=0.0):
        return Agreeable()


class Two(proctor.Dataset):
    def examples(self):
        yield proctor.Example("whole", "Capital of France?", "Paris")
        yield proctor.Example("cut", "Capital of Italy?", "Let me think about")
"""


def test_a_judge_never_sees_an_answer_that_was_cut_off(command_line, tmp_path):
    (tmp_path / "parts.py").write_text(PARTS)
    config = {
        # the scripted model's cut-off answer is word for word the target
        "model": {"backend": "scripted", "answers": {"France": "Paris", "Italy": "CUT"}},
        "renderer": "role_colon",
        "evaluators": [
            {
                "name": "two",
                "dataset": {"type": "./parts.py:Two"},
                "graders": [
                    {"type": "llm_judge", "judge": {"backend": "./parts.py:AgreeableBackend"}}
                ],
            }
        ],
    }
    (tmp_path / "evals.yaml").write_text(json.dumps(config))
    printed = command_line("run", "evals.yaml", "--out", "run")
    assert printed.code == 0, printed.err
    metrics = json.loads((tmp_path / "run" / "results.json").read_text())["metrics"]
    assert metrics["two/llm_judge/score"] == 0.5
    assert metrics["two/llm_judge/truncated"] == 1
    assert metrics["two/llm_judge/judge_requests"] == 1
    asked = (tmp_path / "asked.txt").read_text()
    assert "Capital of France?" in asked
    assert "Capital of Italy?" not in asked
