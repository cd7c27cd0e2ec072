"""A judge whose replies a test writes down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

import proctor
from proctor import Example, GradedPair
from proctor.testing import make_sample
from proctor_judge.llm_judge import LLMJudge

Script = Callable[[Sequence[proctor.Message], proctor.SamplingOptions], Any]


class ScriptedJudge(proctor.ChatModel):
    """A chat model whose replies a function makes: a text, or a (text, status) pair."""

    def __init__(self, script: Script, takes_schema: bool = False) -> None:
        self.identity = proctor.ModelIdentity("scripted", "judge", digest="judge-1")
        self.takes_schema = takes_schema
        self.script = script
        self.asked: list[list[proctor.Message]] = []
        self.sampling: list[proctor.SamplingOptions] = []
        self.schemas: list[Mapping[str, Any] | None] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.is_closed = False

    @property
    def prompts(self) -> list[str]:
        """The last message of each request after the greeting."""
        return [str(messages[-1]["content"]) for messages in self.asked[1:]]

    async def generate(self, messages, sampling, n=1, *, schema=None):
        self.asked.append(list(messages))
        self.sampling.append(sampling)
        self.schemas.append(schema)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(0)
        self.in_flight -= 1
        reply = "OK" if len(self.asked) == 1 else self.script(messages, sampling)
        text, status = reply if isinstance(reply, tuple) else (reply, "complete")
        if status == "failed":
            return [proctor.Sample("", 0, "failed", list(messages), [], error=text)]
        answer = proctor.Message(role="assistant", content=text)
        call = proctor.Call([1] * 50, [2] * 5, "stop", 0.25)
        return [proctor.Sample("", 0, status, [*messages, answer], [call])]

    async def close(self):
        self.is_closed = True


class ScriptedBackend(proctor.Backend):
    """Opens one scripted judge."""

    chat: Any

    async def open_chat_model(self, renderer=None, *, request_timeout=0.0):
        return self.chat


@pytest.fixture
def judge_with():
    """Makes a grader and its scripted judge: ``grader, chat = judge_with(script, **options)``."""

    def make(script: Any, *, takes_schema: bool = False, **options: Any):
        replies = script if callable(script) else lambda *_: script
        chat = ScriptedJudge(replies, takes_schema)
        return LLMJudge(judge=ScriptedBackend(chat=chat), **options), chat

    return make


@pytest.fixture
def scripted():
    """The scripted judge, the backend that opens it, and how answers are graded."""
    return SimpleNamespace(judge=ScriptedJudge, backend=ScriptedBackend, grade=grade_with)


QUESTION = Example("italy", "What is the capital of Italy?", "Rome")


@pytest.fixture
def judged(judge_with):
    """Grades one answer: ``grading, chat = judged(script, answer, **options)``."""

    def grade(
        script: Any, answer: str = "It is Rome.", *, example: Example = QUESTION, **options: Any
    ) -> tuple[GradedPair, ScriptedJudge]:
        grader, chat = judge_with(script, **options)
        return grade_with(grader, [(example, answer)])[0], chat

    return grade


def grade_with(grader: LLMJudge, answers: Sequence[tuple[Example, str]]) -> list[GradedPair]:
    """What an opened grader makes of answers."""

    async def run() -> list[GradedPair]:
        await grader.open()
        try:
            pairs = [(example, make_sample(example, answer)) for example, answer in answers]
            return await proctor.grade_pairs(grader, pairs)
        finally:
            await grader.close()

    return asyncio.run(run())
