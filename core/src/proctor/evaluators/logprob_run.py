"""Evaluators that read log-probabilities: one forward pass a text, and no sampling noise."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from proctor.errors import BackendError, RendererError
from proctor.evaluators.context import EvaluationContext
from proctor.evaluators.dataset_evaluator import DatasetEvaluator
from proctor.evaluators.prompts import PromptStyle, choose_shots
from proctor.evaluators.records import request_digest, sample_key
from proctor.evaluators.row_run import RowRun
from proctor.evaluators.scored_text import ScoredText, aligned_logprobs, text_length
from proctor.renderers.prompt import Prompt
from proctor.sampling.budget import RequestFailed
from proctor.sampling.in_flight import RequestsInFlight
from proctor.sampling.models import Client
from proctor.sampling.requests import newest_form, send
from proctor.scoring.grades import GradedPair
from proctor.scoring.results import EvaluationResult
from proctor.types import Call, Example, Message, Sample, SampleStatus, SamplingOptions

Answered = TypeVar("Answered")


class LogprobEvaluator(DatasetEvaluator):
    """Base of evaluators that ask how likely texts are, as answers to the rows of a dataset."""

    def texts(self, example: Example) -> Sequence[str]:
        """The texts to score as answers to an example.

        Raises:
            DatasetError: The row has none that this evaluator can use.
        """
        raise NotImplementedError

    shows_choices: ClassVar[bool] = False
    """Each option is scored by itself."""

    def check_example(self, example: Example) -> None:
        """Refuses a row without a text to score.

        Raises:
            DatasetError: It has none.
        """
        self.texts(example)

    def tally(self) -> LogprobTally:
        """What takes the scored texts of one evaluation."""
        raise NotImplementedError

    def begin(self, context: EvaluationContext) -> LogprobRun:
        """One execution: it scores every selected example's texts."""
        return LogprobRun(self, context)


class LogprobTally:
    """Takes what the model makes of each example's texts, and ends as a result."""

    def add(
        self,
        example: Example,
        scored: Sequence[ScoredText] | None,
        reason: str | None,
        cluster: str | None,
        groups: Sequence[str | None],
    ) -> dict[str, GradedPair]:
        """Takes an example.

        Args:
            example: The example.
            scored: Its texts; None where they could not be scored.
            reason: Why not.
            cluster: ``metadata.cluster``.
            groups: The value of each ``by`` field.

        Returns:
            The example's own grades, by the names that metrics have.
        """
        raise NotImplementedError

    def result(
        self, name: str, min_coverage: float, details: Mapping[str, object]
    ) -> EvaluationResult:
        """The result of all that was taken."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class RenderedRow:
    """A row that is ready to be asked about.

    Attributes:
        position: Its place in the dataset.
        example: The example.
        messages: The question, as it is shown.
        prompt: The same as the renderer writes it.
        texts: Each text to score, and its tokens as an answer.
        error: Why the row can't be rendered; None where it can.
    """

    position: int
    example: Example
    messages: list[Message]
    prompt: list[int]
    texts: list[tuple[str, list[int]]]
    error: str | None = None


class LogprobRun(RowRun[LogprobEvaluator, RenderedRow, RenderedRow]):
    """One execution of an evaluator on log-probabilities."""

    def __init__(self, evaluator: LogprobEvaluator, context: EvaluationContext) -> None:
        super().__init__(evaluator, context)
        self.tally = evaluator.tally()
        self._in_flight = RequestsInFlight()

    @property
    def in_flight(self) -> RequestsInFlight:
        """The requests that are on their way."""
        return self._in_flight

    def make_style(self) -> PromptStyle:
        """As the evaluator's options say: options are scored, not shown."""
        few_shot, seed = self.evaluator.few_shot, self.context.seed
        return PromptStyle(
            system=self.evaluator.system,
            shots=choose_shots(few_shot, seed) if few_shot else (),
            n=few_shot.n if few_shot else 0,
            seed=seed,
            shows_choices=False,
        )

    def check(self, example: Example) -> None:
        """Refuses a row without a text to score, and one that can't be shown."""
        self.evaluator.check_example(example)
        self.style.messages(example)

    def connect(self, client: Client, context: EvaluationContext | None = None) -> None:
        """Takes the model.

        Raises:
            BackendError: Its client gives no log-probabilities of a text.
            RendererError: No renderer fits the model, or, when strict, it looks wrong.
        """
        super().connect(client, context)
        self._tokenizer = self.rendered.renderer.tokenizer
        self._special = frozenset(getattr(self._tokenizer, "all_special_ids", ()))
        try:
            self._compute = newest_form(client, "compute_logprobs")
        except AttributeError:
            raise BackendError(
                f"{type(client).__name__} gives no log-probabilities of a text",
                where=self.name,
                fix="use a backend that does, such as tinker or local",
            ) from None

    async def result(self) -> EvaluationResult:
        """Scores every selected example's texts."""
        await self.ask_all()
        return self.tally.result(self.name, self.min_coverage, self.details())

    def read(self, rows: Sequence[tuple[int, Example]]) -> list[RenderedRow]:
        """Renders rows; one that the renderer has no format for fails alone."""
        return [self._read_row(position, example) for position, example in rows]

    def _read_row(self, position: int, example: Example) -> RenderedRow:
        renderer = self.rendered.renderer
        messages = list(self.style.messages(example))
        texts = self.evaluator.texts(example)
        try:
            prompt, answers = renderer.scored_tokens(messages, texts)
        except RendererError as error:
            return RenderedRow(position, example, messages, [], [], str(error))
        return RenderedRow(
            position, example, messages, prompt, list(zip(texts, answers, strict=True))
        )

    def admit(self, row: RenderedRow) -> RenderedRow:
        """Takes a row as it is: the tally numbers them as they are scored."""
        return row

    def skip(self, row: RenderedRow) -> None:
        """Counts a row as missing."""
        self.miss(row.example)

    def miss(self, example: Example) -> None:
        """Counts a row as missing."""
        self.tally.add(example, None, "interrupted", *self.place_of(example))

    async def ask(self, row: RenderedRow) -> None:
        """Scores the texts of a row, each with a request of its own."""
        calls: list[Call] = []
        scored: list[ScoredText] | None = None
        error = row.error
        if error is None:
            try:
                answered = await _all(
                    self._score_text(row, text, answer) for text, answer in row.texts
                )
            except RequestFailed as failure:
                error = str(failure)
            else:
                scored = [text for text, _ in answered]
                calls = [call for _, call in answered]
        example, messages = row.example, list(row.messages)
        grades = self.tally.add(example, scored, error, *self.place_of(example))
        if scored:
            likeliest = min(scored, key=lambda text: text.text_nll)
            messages.append(Message(role="assistant", content=likeliest.text))
        status: SampleStatus = "failed" if scored is None else "complete"
        sample = Sample(example.id, 0, status, messages, calls, error=error)
        key = sample_key(self._digest(row.position, calls), 0, 0)
        self.record_sample(key, row.position, example, sample)
        for grader, graded in grades.items():
            self.record_grade(key, grader, graded)

    def _digest(self, position: int, calls: Sequence[Call]) -> str:
        """What was asked; the row is part of it, so that equal rows stay two."""
        tokens = [position, *(token for call in calls for token in call.tokens)]
        model_key = self.rendered.model.identity.key
        return request_digest(model_key, self.renderer_key, SamplingOptions(), tokens)

    async def _score_text(
        self, row: RenderedRow, text: str, answer: list[int]
    ) -> tuple[ScoredText, Call]:
        """A text's log-probabilities, and the request that gave them."""
        prompt, limits = row.prompt, self.context.limits
        room = self.rendered.model.identity.context_length
        if room is not None and len(prompt) + len(answer) > room:
            raise RequestFailed(
                f"the prompt's and the target's {len(prompt) + len(answer)} tokens are more than "
                f"the context of {room}"
            )
        async with limits.slot():
            with self._in_flight.sent(row.example.id):
                whole = Prompt([*prompt, *answer])
                given, seconds = await send(self.client, self._compute, whole, limits)
        self._in_flight.answered(seconds)
        limits.spend(len(prompt) + len(answer))
        logprobs = aligned_logprobs(given, len(prompt), len(answer))
        length = text_length(text, answer, self._tokenizer)
        scored = ScoredText(text, answer, logprobs, length, self._special)
        return scored, Call(prompt, answer, "scored", seconds, logprobs)


async def _all(requests: Iterable[Coroutine[object, None, Answered]]) -> list[Answered]:
    """What every request gave; the first failure only once all are back, so that none is left."""
    answered: list[Answered] = []
    for given in await asyncio.gather(*requests, return_exceptions=True):
        if isinstance(given, BaseException):
            raise given
        answered.append(given)
    return answered
