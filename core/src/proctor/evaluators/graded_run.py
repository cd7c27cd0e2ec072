"""The sampling loop of one graded evaluation.

The way of the data: selected rows are rendered in batches, ahead of the requests; a fixed number
of workers sends them; samples go to the record sink and to one grading stage for each grader;
outcomes end up in the ledger. Every queue is bounded, so that memory does not grow with the
dataset.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from proctor.components.fingerprints import fingerprint
from proctor.datasets.selection import select
from proctor.errors import ConfigError, RendererError, first_cause
from proctor.evaluators.context import EvaluationContext
from proctor.evaluators.prompts import PromptStyle, choose_shots
from proctor.evaluators.records import grade_record, request_digest, sample_key, sample_record
from proctor.grading.grader import Grader
from proctor.grading.stage import GradingStage
from proctor.hashing import HashCounter, hash64
from proctor.renderers import choose_renderer, early_warning, get_renderer, quick_check
from proctor.sampling.answers import AnswerReader, failed_samples
from proctor.sampling.budget import RequestFailed
from proctor.sampling.identities import identify
from proctor.sampling.in_flight import RequestsInFlight
from proctor.sampling.models import OpenedModel
from proctor.sampling.parameters import combined_stops, tinker_params
from proctor.sampling.rendered_chat_model import RenderedChatModel
from proctor.sampling.requests import request
from proctor.scoring.grades import GradedPair
from proctor.scoring.ledger import Ledger, LedgerColumn, metadata_text
from proctor.scoring.results import EvaluationResult
from proctor.types import Example, Message, Outcome, Sample

if TYPE_CHECKING:
    from proctor.evaluators.graded import GradedEvaluator

RENDER_BATCH = 32
EARLY_SAMPLES = 20
"""After how many samples the share of malformed and truncated ones is looked at."""


@dataclass(slots=True)
class Item:
    """A row that is ready to be sent."""

    row: int
    position: int
    example: Example
    order: list[int] | None
    messages: list[Message]
    prompt_tokens: list[int]
    digest: str
    occurrence: int


class Evaluation:
    """One execution of a graded evaluator: ``prepare``, ``connect``, ``run``.

    They are apart so that the mistakes of every evaluator of a run are found before its model is
    loaded, and those of every renderer before anything is sampled.

    Args:
        evaluator: The evaluator.
        context: Limits, seed, budget, sink.
    """

    def __init__(self, evaluator: GradedEvaluator, context: EvaluationContext) -> None:
        self.evaluator = evaluator
        self.context = context
        self.name = context.name or evaluator.metric_name
        self.sampling = evaluator.sampling or context.sampling
        seed = context.seed if self.sampling.seed is None else self.sampling.seed
        self._seeded_sampling = self.sampling.model_copy(update={"seed": seed})
        self.grader_names = evaluator.grader_names()
        self._fingerprints = [fingerprint(grader) for grader in evaluator.graders]
        self.ledger = Ledger(
            [
                LedgerColumn(name, *grader.scale(), grader.is_proportion)
                for name, grader in zip(self.grader_names, evaluator.graders, strict=True)
            ],
            num_samples=evaluator.num_samples,
            by=tuple(evaluator.by),
        )
        self._stages = [
            GradingStage(grader, functools.partial(self._report, index))
            for index, grader in enumerate(evaluator.graders)
        ]
        tallies = {
            name: grader.tally()
            for name, grader in zip(self.grader_names, evaluator.graders, strict=True)
        }
        self._tallies = {name: tally for name, tally in tallies.items() if tally is not None}
        self._early: list[Sample] = []
        self._in_flight = RequestsInFlight()

    async def prepare(self) -> None:
        """Chooses and checks the rows, then opens the graders; needs no model.

        Raises:
            ProctorError: The dataset or a grader can't be used.
        """
        await self.evaluator.open_datasets()
        await asyncio.to_thread(self._select)
        await self.evaluator.open()

    def connect(self, client: Any, context: EvaluationContext | None = None) -> None:
        """Takes the model, and the renderer for it.

        Args:
            client: The sampling client.
            context: The context once more, now with the model's identity and tokenizer.

        Raises:
            BackendError: The client can't say which tokenizer its model has.
            RendererError: No renderer fits the model, or, when strict, it looks wrong.
        """
        self.client = client
        self.context = context = context or self.context
        identity, tokenizer = context.identity, context.tokenizer
        if identity is None or tokenizer is None:
            identity, tokenizer = identify(client)
        self.identity = identity
        name, _ = choose_renderer(
            name=self.evaluator.renderer or context.renderer,
            model_name=self.identity.base_model,
            checkpoint_renderer_name=self.identity.renderer_name,
            tokenizer=tokenizer,
        )
        self.renderer_name = name
        self.renderer = get_renderer(name, tokenizer)
        self.tokenizer = self.renderer.tokenizer
        self.renderer_key = f"{name}:{self.renderer.version}"
        stops = self.sampling.stop
        self._stops = combined_stops(self.renderer.get_stop_sequences(), stops, self.tokenizer)
        prefill = self.evaluator.prefill
        start = tuple(self.renderer.prefill_tokens(prefill)) if prefill else ()
        self._reader = AnswerReader(self.renderer, self.tokenizer, stops, start)
        self._connect_graders()
        for problem in quick_check(self.renderer, self.tokenizer):
            if context.is_strict:
                raise RendererError(str(problem), where=f"renderer {name}")
            context.progress.warn(self.name, f"renderer {name}: {problem}")

    def _connect_graders(self) -> None:
        """Hands the model under evaluation to the graders that ask it something."""
        asking = [g for g in self.evaluator.graders if type(g).connect is not Grader.connect]
        if not asking:
            return
        opened = OpenedModel(
            self.client,
            self.identity,
            self.tokenizer,
            self.context.max_in_flight,
            self.context.seed_covers_samples,
        )
        model = RenderedChatModel(
            opened,
            self.renderer_name,
            request_timeout=self.context.request_timeout,
            budget=self.context.budget,
        )
        for grader in asking:
            grader.connect(model)

    async def run(self) -> EvaluationResult:
        """Samples and grades; returns the result, also after an interrupt or a deadline.

        Raises:
            ProctorError: A row turned out to be unusable only when it was met.
        """
        selection = self._selection
        total = selection.total
        per_row = self.evaluator.num_samples
        self.context.progress.started(self.name, None if total is None else total * per_row)
        queue: asyncio.Queue[Item | None] = asyncio.Queue(maxsize=2 * self._concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                for stage in self._stages:
                    group.create_task(stage.run())
                waiting = functools.partial(self.context.progress.waiting, self.name)
                watcher = group.create_task(self._in_flight.watch(waiting))
                workers = [group.create_task(self._work(queue)) for _ in range(self._concurrency)]
                rows = selection.rows()
                await self._produce(rows, queue)
                for _ in workers:
                    await queue.put(None)
                await asyncio.gather(*workers)
                if total is not None and self.context.stop.is_set:
                    await self._miss(rows)
                watcher.cancel()
                for stage in self._stages:
                    await stage.finish()
        except BaseExceptionGroup as group_error:
            raise first_cause(group_error) from group_error
        self.context.progress.finished(self.name)
        return EvaluationResult.from_ledger(
            self.name,
            self.ledger,
            min_coverage=self.context.required_coverage(self.evaluator.min_coverage),
            details={
                "renderer": self.renderer_key,
                "dataset": self._provenance,
                "rows": total,
                "scanned": selection.scanned,
                "interrupted": self.context.stop.is_set,
            },
            tallies=self._tallies,
        )

    @property
    def _concurrency(self) -> int:
        cap = self.context.max_in_flight
        return min(self.context.budget.cap, cap) if cap else self.context.budget.cap

    def _select(self) -> None:
        limit = self.context.least_limit(self.evaluator.limit)
        if self.evaluator.scan is not None and limit is None:
            raise ConfigError("'scan' goes with 'limit'", where=self.name)
        few_shot = self.evaluator.few_shot
        self._style = PromptStyle(
            system=self.evaluator.system,
            shots=choose_shots(few_shot, self.context.seed) if few_shot else (),
            n=few_shot.n if few_shot else 0,
            seed=self.context.seed,
            shuffle_choices=self.evaluator.shuffle_choices,
            choice_instruction=self.evaluator.choice_instruction,
        )
        self._selection = select(
            self.evaluator.dataset,
            self.evaluator.graders,
            limit=limit,
            seed=self.context.seed,
            scan=self.evaluator.scan,
            check=lambda example: self._style.messages(self._style.present(example)[0]),
        )
        self._provenance = self.evaluator.dataset.provenance()

    async def _produce(
        self, rows: Iterator[tuple[int, Example]], queue: asyncio.Queue[Item | None]
    ) -> None:
        seen = HashCounter()
        while not self.context.stop.is_set:
            batch = await asyncio.to_thread(self._render_batch, rows)
            if not batch:
                return
            for item in batch:
                item.occurrence = seen.add(hash64(item.digest))
                item.row = self._add_row(item.example)
                if not self.context.stop.is_set:
                    await queue.put(item)

    async def _miss(self, rows: Iterator[tuple[int, Example]]) -> None:
        """Counts the rows that an interrupt left unsent as missing: what came back is no score."""
        while batch := await asyncio.to_thread(lambda: list(islice(rows, 1000))):
            for _, example in batch:
                self._add_row(example)

    def _add_row(self, example: Example) -> int:
        return self.ledger.add_example(
            metadata_text(example, "metadata.cluster"),
            [metadata_text(example, path) for path in self.evaluator.by],
        )

    def _render_batch(self, rows: Iterator[tuple[int, Example]]) -> list[Item]:
        shown = []
        for position, example in islice(rows, RENDER_BATCH):
            presented, order = self._style.present(example)
            shown.append((position, presented, order, self._style.messages(presented)))
        prompts = self.renderer.prompt_tokens_batch(
            [messages for *_, messages in shown], prefill=self.evaluator.prefill or None
        )
        return [
            Item(
                row=-1,
                position=position,
                example=example,
                order=order,
                messages=messages,
                prompt_tokens=tokens,
                digest=request_digest(
                    self.identity.key, self.renderer_key, self._seeded_sampling, tokens
                ),
                occurrence=0,
            )
            for (position, example, order, messages), tokens in zip(shown, prompts, strict=True)
        ]

    async def _work(self, queue: asyncio.Queue[Item | None]) -> None:
        while (item := await queue.get()) is not None:
            if not self.context.stop.is_set:
                for sample in await self._sample(item):
                    await self._take(item, sample)

    async def _sample(self, item: Item) -> list[Sample]:
        """All samples of one row, from one request; failed ones say why."""
        count = self.evaluator.num_samples
        failed = functools.partial(failed_samples, item.example.id, item.messages, range(count))
        room = self.identity.context_length
        max_tokens = self.sampling.max_tokens
        if room is not None:
            max_tokens = min(max_tokens, room - len(item.prompt_tokens))
            if max_tokens < 1:
                return failed(
                    f"the prompt's {len(item.prompt_tokens)} tokens leave no room in the "
                    f"context of {room}"
                )
        params = tinker_params(
            self.sampling, self._stops, max_tokens, self._request_seed(item, count)
        )
        budget = self.context.budget
        try:
            async with budget.slot():
                if self.context.stop.is_set:
                    return []
                with self._in_flight.sent(item.row, item.example.id):
                    response, seconds = await request(
                        self.client,
                        item.prompt_tokens,
                        count,
                        params,
                        timeout=self.context.request_timeout,
                        deadline=self.context.deadline,
                        stop=self.context.stop,
                    )
        except RequestFailed as failure:
            return failed(str(failure))
        self._in_flight.answered(seconds)
        samples = self._reader.read_response(
            item.example.id, item.messages, item.prompt_tokens, response, seconds, count
        )
        budget.spend(item.prompt_tokens, (call.tokens for s in samples for call in s.calls))
        return samples

    def _request_seed(self, item: Item, count: int) -> int | None:
        """A seed for each request, so that equal prompts get other answers, equal models equal."""
        if count > 1 and not self.context.seed_covers_samples:
            return None
        seed = self._seeded_sampling.seed
        return hash64(seed, item.prompt_tokens, item.occurrence) & 0x7FFFFFFF

    async def _take(self, item: Item, sample: Sample) -> None:
        """Records a sample, and hands it to the graders that want it."""
        key = sample_key(item.digest, item.occurrence, sample.index)
        self.context.sink.sample(
            sample_record(self.name, key, item.position, item.example, item.order, sample)
        )
        self.context.progress.sampled(self.name, sample.status)
        self._look_early(sample)
        for index, grader in enumerate(self.evaluator.graders):
            sees = sample.status == "complete" or (
                sample.status == "truncated" and grader.sees_truncated
            )
            ticket = (item.row, sample.index, key, sample.status)
            if sees:
                await self._stages[index].put(ticket, (item.example, sample))
            else:
                outcome = Outcome(sample.status)
                self._report(index, ticket, GradedPair(outcome, reason=sample.error))

    def _report(self, index: int, ticket: Any, grading: GradedPair) -> None:
        row, sample_index, key, status = ticket
        name = self.grader_names[index]
        value = grading.grade.value if grading.grade else None
        if status == "truncated" and grading.outcome is Outcome.GRADED:
            # a grader that sees truncated answers says what one is worth, not that it is whole
            grading = replace(grading, outcome=Outcome.TRUNCATED)
        outcome = self.ledger.record(
            row, sample_index, name, grading.outcome, value, answer=grading.answer
        )
        if name in self._tallies:
            self._tallies[name].add(grading)
        self.context.sink.grade(
            grade_record(self.name, key, name, self._fingerprints[index], grading)
        )
        self.context.progress.graded(self.name, name, outcome, value)

    def _look_early(self, sample: Sample) -> None:
        if len(self._early) < EARLY_SAMPLES:
            self._early.append(sample)
            if len(self._early) == EARLY_SAMPLES:
                warning = early_warning(self._early)
                if warning:
                    self.context.progress.warn(self.name, str(warning))
