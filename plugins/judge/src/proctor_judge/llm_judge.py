"""The grader ``llm_judge``: a language model reads an answer and gives a verdict."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from proctor import (
    Backend,
    BackendError,
    ChatModel,
    ComponentKind,
    ConfigError,
    DatasetError,
    Example,
    Grade,
    Grader,
    Message,
    Sample,
    SamplingOptions,
    UngradedError,
    as_seed,
    fingerprint,
    hash64,
)
from proctor_judge.ballots import make_ballots
from proctor_judge.calibration import Calibration, load_calibration
from proctor_judge.rubric import Rubric
from proctor_judge.tally import JudgeTally
from proctor_judge.verdicts import Unreadable, read_lines, read_structured
from proctor_judge.votes import Vote, combine

MAX_TOKENS = 1024
"""Most tokens of a judge's reply, where the config says nothing of it."""

VOTING_TEMPERATURE = 0.7
"""The temperature of several votes, where the config says nothing of it."""

GREETING = Message(role="user", content="Reply with the word OK.")
"""What a judge is asked before anything is sampled, to see that it answers."""


class LLMJudge(Grader):
    """A language model as the judge, by a rubric; what it says is kept, and counted."""

    judge: Annotated[Backend, ComponentKind("backend")] | Literal["self"]
    """The judge's model, as under ``model:``; ``self`` for the model under evaluation."""
    rubric: Rubric = Field(default_factory=Rubric)
    """What the judge is asked; without it, whether the answer agrees with the target."""
    votes: int = Field(default=1, ge=1)
    """How often each answer is judged: the majority decides between words, the mean of numbers."""
    sampling: SamplingOptions | None = None
    """How the judge samples; without it, at temperature 0, or 0.7 for several votes."""
    renderer: str | None = None
    """The judge's renderer; without it, its model's own."""
    concurrency: int = Field(default=16, ge=1)
    """Most requests to the judge at once."""
    request_timeout: float = Field(default=120.0, gt=0)
    """Seconds for one request to the judge."""
    calibration: Path | None = None
    """A file of ``proctor judge calibrate``, by which the score is corrected too."""

    version: ClassVar[int] = 2
    needs_target: ClassVar[bool] = False
    grading_timeout: ClassVar[float] = 86_400.0

    _chat: ChatModel | None = PrivateAttr(default=None)
    _calibration: Calibration | None = PrivateAttr(default=None)
    _slots: Any = PrivateAttr(default_factory=weakref.WeakKeyDictionary)

    @field_validator("rubric", mode="before")
    @classmethod
    def _named_rubric(cls, rubric: object) -> object:
        return Rubric(kind=rubric) if isinstance(rubric, str) else rubric

    @model_validator(mode="after")
    def _makes_sense(self) -> LLMJudge:
        decides = self.rubric.is_yes_or_no
        if decides and self.votes % 2 == 0:
            raise ConfigError(f"{self.votes} votes can tie", fix="take an odd number of votes")
        if self.votes > 1 and self.sampling is not None and self.sampling.temperature == 0:
            raise ConfigError(
                "at temperature 0 every vote is the same", fix="raise the judge's temperature"
            )
        if self.calibration is not None and not decides:
            raise ConfigError(
                "only a judge that says right or wrong can be calibrated",
                fix="leave 'calibration' out, or use rubric: correctness",
            )
        return self

    def scale(self) -> tuple[float | None, float]:
        """The rubric's scale."""
        return self.rubric.scale()

    @property
    def is_proportion(self) -> bool:
        """Whether the verdict is right or wrong."""
        return self.rubric.is_yes_or_no

    def check_example(self, example: Example) -> None:
        """Looks whether there is what the rubric compares with.

        Raises:
            DatasetError: The rubric needs a target, and there is none.
        """
        if not self.rubric.check_example(example):
            raise DatasetError(
                f"the example {example.id!r} has no target, and the rubric needs one",
                fix="give it one, or use a rubric that needs none",
            )

    def tally(self) -> JudgeTally:
        """Counts requests, tokens, unreadable verdicts and the agreement of votes."""
        return JudgeTally(self._calibration)

    def connect(self, model: ChatModel) -> None:
        """Takes the model under evaluation, which judges only where the config says so."""
        if self.judge == "self":
            self._chat = model

    async def open(self) -> None:
        """Opens the judge and asks it something, before anything is sampled.

        Raises:
            BackendError: It can't be opened, or gives no answer.
            ConfigError: The calibration is no calibration of this judge.
        """
        if self.calibration is not None:
            self._calibration = load_calibration(self.calibration)
            self._calibration.check(self.judge_fingerprint())
        if self.judge == "self":
            return
        await self.judge.open()
        chat = await self.judge.open_chat_model(self.renderer, request_timeout=self.request_timeout)
        self._chat = chat
        [answer] = await chat.generate([GREETING], SamplingOptions(max_tokens=8))
        if answer.status == "failed":
            raise BackendError(
                f"the judge gives no answer: {answer.error}",
                where="llm_judge",
                fix="look whether its server runs and serves this model",
            )

    async def close(self) -> None:
        """Closes the judge."""
        chat, self._chat = self._chat, None
        if self.judge != "self":
            try:
                if chat is not None:
                    await chat.close()
            finally:
                await self.judge.close()

    def judge_fingerprint(self) -> str:
        """What tells this judge with its rubric from another; the calibration is no part of it."""
        return fingerprint(self.model_copy(update={"calibration": None}))

    async def grade(self, example: Example, sample: Sample) -> Grade:
        """Has the judge vote on an answer.

        Raises:
            UngradedError: It gave no verdict that can be read, or its votes tie. What it said is
                kept in the grade's record.
        """
        ballots = make_ballots(self.rubric, example, sample)
        asked = [
            self._vote(prompt, hash64(self._sampling.seed, example.id, sample.index, vote, order))
            for vote in range(self.votes)
            for order, prompt in enumerate(ballots)
        ]
        votes = await asyncio.gather(*asked)
        metadata: dict[str, Any] = {
            "judge": self._model.identity.key,
            "calls": [call for vote in votes for call in vote.calls],
        }
        verdict = combine(self.rubric, votes, orders=len(ballots))
        metadata |= verdict.metadata
        if verdict.value is None:
            raise UngradedError(str(verdict.problem), metadata=metadata)
        return Grade(verdict.value, verdict.explanation, metadata)

    @property
    def _model(self) -> ChatModel:
        if self._chat is None:
            raise UngradedError("the judge is the model under evaluation, and there is none")
        return self._chat

    @property
    def _sampling(self) -> SamplingOptions:
        if self.sampling is not None:
            return self.sampling
        temperature = VOTING_TEMPERATURE if self.votes > 1 else 0.0
        return SamplingOptions(max_tokens=MAX_TOKENS, temperature=temperature, seed=0)

    async def _vote(self, prompt: str, seed: int) -> Vote:
        """One verdict: a reply that can't be read gets one more try, told what was wrong."""
        messages = [Message(role="user", content=prompt)]
        calls: list[dict[str, Any]] = []
        problem = ""
        for attempt in (1, 2):
            reply = await self._ask(messages, as_seed(seed + attempt))
            verdicts: dict[str, str] | None = None
            if reply.status == "failed":
                problem = f"the judge's request failed: {reply.error}"
            elif reply.status != "complete":
                problem = f"the judge's reply was {reply.status}"
            else:
                try:
                    verdicts = self._read(reply.text)
                except Unreadable as error:
                    problem = f"the judge's verdict can't be read: {error}"
            calls.append(_call(messages, reply, verdicts, attempt))
            if verdicts is not None:
                return Vote(verdicts, reply.text, calls)
            if reply.status == "failed":
                break
            messages = [
                *messages,
                Message(role="assistant", content=reply.text),
                Message(role="user", content=f"{_complaint(problem)}\n{self._format}"),
            ]
        return Vote(None, "", calls, problem)

    @property
    def _format(self) -> str:
        return self.rubric.told()["format"]

    def _read(self, text: str) -> dict[str, str]:
        read = read_structured if self._model.takes_schema else read_lines
        return read(text, self.rubric.lines(), self.rubric.offered())

    async def _ask(self, messages: Sequence[Message], seed: int) -> Sample:
        sampling = self._sampling.model_copy(update={"seed": seed})
        schema: Mapping[str, Any] | None = (
            self.rubric.reply_schema() if self._model.takes_schema else None
        )
        async with self._slot():
            [reply] = await self._model.generate(messages, sampling, schema=schema)
        return reply

    def _slot(self) -> contextlib.AbstractAsyncContextManager[Any]:
        """One of the judge's requests at once, on this event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._slots:
            cap = self._model.max_in_flight or self.concurrency
            self._slots[loop] = asyncio.Semaphore(min(self.concurrency, cap))
        slots: asyncio.Semaphore = self._slots[loop]
        return slots


def _complaint(problem: str) -> str:
    return f"That can't be counted: {problem.partition(': ')[2] or problem}."


def _call(
    messages: Sequence[Message], reply: Sample, verdicts: dict[str, str] | None, attempt: int
) -> dict[str, Any]:
    """What is kept of one request to the judge."""
    counts = [call.token_counts for call in reply.calls]
    return {
        "attempt": attempt,
        "prompt": messages[-1]["content"],
        "reply": reply.text,
        "reasoning": reply.reasoning or None,
        "status": reply.status,
        "error": reply.error,
        "verdict": verdicts,
        "prompt_tokens": sum(prompt for prompt, _ in counts),
        "tokens": sum(sampled for _, sampled in counts),
        "seconds": round(sum(call.seconds for call in reply.calls), 4),
    }
