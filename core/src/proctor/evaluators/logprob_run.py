"""Evaluators that read log-probabilities: one forward pass a text, and no sampling noise."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from proctor.components.fingerprints import fingerprint
from proctor.datasets.selection import Selection, select
from proctor.errors import BackendError, ConfigError, RendererError, first_cause
from proctor.evaluators.context import EvaluationContext
from proctor.evaluators.dataset_evaluator import DatasetEvaluator
from proctor.evaluators.prompts import PromptStyle, choose_shots
from proctor.evaluators.records import grade_record, request_digest, sample_key, sample_record
from proctor.evaluators.scored_text import ScoredText, aligned_logprobs, text_length
from proctor.renderers import Renderer, choose_renderer, get_renderer
from proctor.sampling.budget import RequestFailed
from proctor.sampling.identities import identify
from proctor.sampling.in_flight import RequestsInFlight
from proctor.sampling.requests import newest_form, send
from proctor.scoring.grades import GradedPair
from proctor.scoring.ledger import metadata_text
from proctor.scoring.results import EvaluationResult
from proctor.types import Call, Example, Message, Sample, SamplingOptions

ROWS_AHEAD = 32
"""Rows that are read from the dataset at once."""


class LogprobEvaluator(DatasetEvaluator):
    """Base of evaluators that ask how likely texts are, as answers to the rows of a dataset."""

    def texts(self, example: Example) -> Sequence[str]:
        """The texts to score as answers to an example.

        Raises:
            DatasetError: The row has none that this evaluator can use.
        """
        raise NotImplementedError

    def tally(self) -> LogprobTally:
        """What takes the scored texts of one evaluation."""
        raise NotImplementedError

    async def prepare(self, context: EvaluationContext) -> None:
        """Opens the dataset and checks its rows; needs no model.

        Raises:
            ProctorError: The dataset can't be used.
        """
        await self.open_datasets()
        await asyncio.to_thread(_LogprobRun.choose, self, context)

    async def __call__(self, sampling_client: Any) -> dict[str, float]:
        """Evaluates with defaults; returns the metrics by name."""
        context = EvaluationContext.for_client(sampling_client)
        return dict((await self.evaluate(sampling_client, context)).metrics)

    async def evaluate(self, client: Any, context: EvaluationContext) -> EvaluationResult:
        """Scores every selected example's texts.

        Raises:
            ProctorError: The dataset or the renderer can't be used. What became of single
                requests is in the result, not an error.
        """
        await self.open_datasets()
        style, selection = await asyncio.to_thread(_LogprobRun.choose, self, context)
        return await _LogprobRun(self, client, context, style, selection).result()


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

    def result(self, name: str, min_coverage: float, details: dict[str, Any]) -> EvaluationResult:
        """The result of all that was taken."""
        raise NotImplementedError


class _LogprobRun:
    """One execution of an evaluator on log-probabilities."""

    def __init__(
        self,
        evaluator: LogprobEvaluator,
        client: Any,
        context: EvaluationContext,
        style: PromptStyle,
        selection: Selection,
    ) -> None:
        self.evaluator = evaluator
        self.client = client
        self.context = context
        self.style = style
        self.selection = selection
        self.name = context.name or evaluator.metric_name
        if context.identity is None or context.tokenizer is None:
            self.identity, tokenizer = identify(client)
        else:
            self.identity, tokenizer = context.identity, context.tokenizer
        name, _ = choose_renderer(
            name=evaluator.renderer or context.renderer,
            model_name=self.identity.base_model,
            checkpoint_renderer_name=self.identity.renderer_name,
            tokenizer=tokenizer,
        )
        self.renderer: Renderer = get_renderer(name, tokenizer)
        self.tokenizer = self.renderer.tokenizer
        self.renderer_key = f"{name}:{self.renderer.version}"
        self.special = frozenset(getattr(self.tokenizer, "all_special_ids", ()))
        try:
            self._compute = newest_form(client, "compute_logprobs")
        except AttributeError:
            raise BackendError(
                f"{type(client).__name__} gives no log-probabilities of a text",
                where=self.name,
                fix="use a backend that does, such as tinker or local",
            ) from None
        self.tally = evaluator.tally()
        self._fingerprint = fingerprint(evaluator)
        self._in_flight = RequestsInFlight()

    @staticmethod
    def choose(
        evaluator: LogprobEvaluator, context: EvaluationContext
    ) -> tuple[PromptStyle, Selection]:
        """How examples are shown, and which."""
        limit = context.least_limit(evaluator.limit)
        if evaluator.scan is not None and limit is None:
            raise ConfigError("'scan' goes with 'limit'", where=context.name)
        few_shot = evaluator.few_shot
        style = PromptStyle(
            system=evaluator.system,
            shots=tuple(map(_answered, choose_shots(few_shot, context.seed))) if few_shot else (),
            n=few_shot.n if few_shot else 0,
            seed=context.seed,
        )

        def check(example: Example) -> None:
            evaluator.texts(example)
            style.messages(_without_choices(example))

        selection = select(
            evaluator.dataset,
            (),
            limit=limit,
            seed=context.seed,
            scan=evaluator.scan,
            check=check,
        )
        return style, selection

    async def result(self) -> EvaluationResult:
        """Scores the rows, a fixed number at a time."""
        progress = self.context.progress
        progress.started(self.name, self.selection.total)
        rows = self.selection.rows()
        reading = asyncio.Lock()
        ahead: list[tuple[int, Example]] = []

        async def next_row() -> tuple[int, Example] | None:
            async with reading:
                if not ahead:
                    ahead.extend(await asyncio.to_thread(lambda: list(islice(rows, ROWS_AHEAD))))
                    ahead.reverse()
                return ahead.pop() if ahead else None

        async def worker() -> None:
            while not self.context.stop.is_set and (row := await next_row()) is not None:
                await self._score(*row)

        try:
            async with asyncio.TaskGroup() as group:
                watching = functools.partial(progress.waiting, self.name)
                watcher = group.create_task(self._in_flight.watch(watching))
                workers = [group.create_task(worker()) for _ in range(self.context.budget.cap)]
                await asyncio.gather(*workers)
                watcher.cancel()
        except BaseExceptionGroup as errors:
            raise first_cause(errors) from errors
        if self.context.stop.is_set and self.selection.total is not None:
            for _, example in [*reversed(ahead), *rows]:
                self.tally.add(example, None, "interrupted", *self._place(example))
        progress.finished(self.name)
        return self.tally.result(
            self.name,
            self.context.required_coverage(self.evaluator.min_coverage),
            {
                "renderer": self.renderer_key,
                "dataset": self.evaluator.dataset.provenance(),
                "rows": self.selection.total,
                "scanned": self.selection.scanned,
                "interrupted": self.context.stop.is_set,
            },
        )

    def _place(self, example: Example) -> tuple[str | None, list[str | None]]:
        groups = [metadata_text(example, path) for path in self.evaluator.by]
        return metadata_text(example, "metadata.cluster"), groups

    async def _score(self, position: int, example: Example) -> None:
        texts = self.evaluator.texts(example)
        messages = self.style.messages(_without_choices(example))
        calls: list[Call] = []
        scored: list[ScoredText] | None = None
        error = None
        try:
            prompt = await asyncio.to_thread(self.renderer.prompt_tokens, messages)
            answered = await asyncio.gather(*(self._score_text(example, prompt, t) for t in texts))
        except (RequestFailed, RendererError) as failure:
            error = str(failure)
        else:
            scored = [text for text, _ in answered]
            calls = [call for _, call in answered]
        grades = self.tally.add(example, scored, error, *self._place(example))
        status = "failed" if scored is None else "complete"
        shown = list(messages)
        if scored:
            likeliest = min(scored, key=lambda text: text.text_nll)
            shown.append(Message(role="assistant", content=likeliest.text))
        sample = Sample(example.id, 0, status, shown, calls, error=error)  # type: ignore[arg-type]
        key = sample_key(self._digest(position, calls), 0, 0)
        self.context.sink.sample(sample_record(self.name, key, position, example, None, sample))
        self.context.progress.sampled(self.name, sample.status)
        for grader, graded in grades.items():
            line = grade_record(self.name, key, grader, f"{self._fingerprint}/{grader}", graded)
            self.context.sink.grade(line)
            value = graded.grade.value if graded.grade else None
            self.context.progress.graded(self.name, grader, graded.outcome, value)

    def _digest(self, position: int, calls: Sequence[Call]) -> str:
        """What was asked; the row is part of it, so that equal rows stay two."""
        tokens = [position, *(token for call in calls for token in call.tokens)]
        return request_digest(self.identity.key, self.renderer_key, SamplingOptions(), tokens)

    async def _score_text(
        self, example: Example, prompt: list[int], text: str
    ) -> tuple[ScoredText, Call]:
        """A text's log-probabilities, and the request that gave them."""
        answer = self.renderer.answer_tokens(Message(role="assistant", content=text), prompt=prompt)
        room = self.identity.context_length
        if room is not None and len(prompt) + len(answer) > room:
            raise RequestFailed(
                f"the prompt's and the target's {len(prompt) + len(answer)} tokens are more than "
                f"the context of {room}"
            )
        async with self.context.budget.slot():
            if self.context.stop.is_set:
                raise RequestFailed("it was interrupted before it was sent")
            with self._in_flight.sent(id(answer), example.id):
                given, seconds = await send(
                    self.client,
                    self._compute,
                    [*prompt, *answer],
                    timeout=self.context.request_timeout,
                    deadline=self.context.deadline,
                    stop=self.context.stop,
                )
        self._in_flight.answered(seconds)
        self.context.budget.spend(prompt, [answer])
        logprobs = aligned_logprobs(given, len(prompt), len(answer))
        scored = ScoredText(
            text, answer, logprobs, text_length(text, answer, self.tokenizer), self.special
        )
        return scored, Call(prompt, answer, "scored", seconds, logprobs)


def _without_choices(example: Example) -> Example:
    """The question alone: options are scored, not shown."""
    return replace(example, choices=None, target=None)


def _answered(shot: Example) -> Example:
    """A shot whose answer is the right option's text, as the options of the question are texts."""
    if shot.choices is None or not isinstance(shot.target, int):
        return shot
    return replace(shot, choices=None, target=shot.choices[shot.target])
