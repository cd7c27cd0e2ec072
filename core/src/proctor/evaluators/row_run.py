"""The loop over the rows of a dataset.

The way of the data: selected rows are rendered in batches, on a thread, ahead of the requests; a
fixed number of workers asks about them. Every queue is bounded, so that memory does not grow with
the dataset.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from proctor.datasets.group_fields import GroupFields
from proctor.datasets.reading import RowReader
from proctor.datasets.selection import Selection
from proctor.errors import first_cause
from proctor.evaluators.dataset_evaluator import DatasetEvaluator
from proctor.evaluators.dataset_run import DatasetRun
from proctor.evaluators.prompts import PromptStyle
from proctor.foreign import called
from proctor.grading.grader import Grader
from proctor.sampling.budget import MOST_CONCURRENCY
from proctor.sampling.in_flight import RequestsInFlight
from proctor.scoring.ledger import metadata_text
from proctor.scoring.results import UNREAD
from proctor.types import Example

RENDER_BATCH = 32
"""Rows that are read and rendered at once."""
MISSED_BATCH = 1000
"""Rows that are counted as missing at once."""

Evaluator = TypeVar("Evaluator", bound=DatasetEvaluator)
Ready = TypeVar("Ready")
"""A row that is ready to be asked about."""
Admitted = TypeVar("Admitted")
"""One that has its place in the order of the dataset."""


class Stage(Protocol):
    """What grades answers beside the asking: ``GradingStage`` is the model for it."""

    async def run(self) -> None:
        """Grades until ``finish`` was called and nothing is left."""

    async def finish(self) -> None:
        """Says that no answer will follow."""


class RowRun(DatasetRun[Evaluator], Generic[Evaluator, Ready, Admitted]):
    """One execution of an evaluator that asks about each row of its dataset alone."""

    graders: Sequence[Grader] = ()
    """What will grade the answers; each may refuse a row before anything is asked."""
    stages: Sequence[Stage] = ()
    """What grades beside the asking."""
    samples_per_row: int = 1

    style: PromptStyle
    selection: Selection
    has_read_all = False
    """Whether the rows' end was met."""

    def make_style(self) -> PromptStyle:
        """How examples are shown."""
        raise NotImplementedError

    def check(self, example: Example) -> None:
        """Refuses a row that can't be asked about, before any is.

        Raises:
            DatasetError: It can't.
        """
        raise NotImplementedError

    def read(self, rows: Sequence[tuple[int, Example]]) -> list[Ready]:
        """Makes rows ready; on a thread."""
        raise NotImplementedError

    def admit(self, row: Ready) -> Admitted:
        """Takes a row, in the dataset's order; on the event loop's thread, like what follows."""
        raise NotImplementedError

    async def ask(self, row: Admitted) -> None:
        """Asks about a row."""
        raise NotImplementedError

    def skip(self, row: Admitted) -> None:
        """Takes a row that was made ready and, after an interrupt, is not asked about."""

    def miss(self, example: Example) -> None:
        """Counts a row as missing that an interrupt left unread."""
        raise NotImplementedError

    @property
    def in_flight(self) -> RequestsInFlight:
        """The requests that are on their way."""
        raise NotImplementedError

    async def prepare(self) -> None:
        """Chooses and checks the rows, then opens the graders; needs no model.

        Raises:
            ProctorError: The dataset or a grader can't be used.
        """
        await self.evaluator.open_datasets()
        await asyncio.to_thread(called, self._choose)
        await self.evaluator.open()

    def _choose(self) -> None:
        dataset = self.evaluator.dataset
        self.style = self.make_style()
        self._fields = GroupFields(self.evaluator.by)
        self.selection = self.choose(
            dataset, self.graders, scan=self.evaluator.scan, check=self._look_at
        )
        if self.selection.total is not None:
            self._fields.check(self.name)
        self._provenance = dataset.provenance()

    def _look_at(self, example: Example) -> None:
        self._fields.look(example)
        self.check(example)

    def details(self) -> dict[str, object]:
        """What the result's record says beside the scores."""
        return {
            "renderer": self.renderer_key,
            "dataset": self._provenance,
            "rows": self.selection.total,
            "scanned": self.selection.scanned,
            "interrupted": self.context.stop.is_set,
            UNREAD: self.selection.total is None and not self.has_read_all,
        }

    def place_of(self, example: Example) -> tuple[str | None, list[str | None]]:
        """An example's cluster, and its value of each ``by`` field."""
        groups = [metadata_text(example, path) for path in self.evaluator.by]
        return metadata_text(example, "metadata.cluster"), groups

    async def ask_all(self) -> None:
        """Asks about every selected row, a fixed number at a time.

        Raises:
            ProctorError: A row turned out to be unusable only when it was met.
        """
        total = self.selection.total
        self.context.progress.started(
            self.name, None if total is None else total * self.samples_per_row
        )
        rows = RowReader(self.selection)
        queue: asyncio.Queue[Admitted | None] = asyncio.Queue(maxsize=2 * self.context.concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                for stage in self.stages:
                    group.create_task(stage.run())
                waiting = functools.partial(self.context.progress.waiting, self.name)
                watcher = group.create_task(self.in_flight.watch(waiting))
                slots = min(self.context.concurrency, MOST_CONCURRENCY)
                count = slots if total is None else min(slots, max(1, total))
                workers = [group.create_task(self._work(queue)) for _ in range(count)]
                await self._produce(rows, queue)
                for _ in workers:
                    await queue.put(None)
                await asyncio.gather(*workers)
                if total is not None and self.context.stop.is_set:
                    await self._miss(rows)
                watcher.cancel()
                for stage in self.stages:
                    await stage.finish()
        except BaseExceptionGroup as errors:
            raise first_cause(errors) from errors
        finally:
            rows.close()
        if total is None and not self.context.stop.is_set and (wrong := self._fields.problem()):
            self.context.progress.warn(self.name, "; ".join(wrong))
        self.context.progress.finished(self.name)

    async def _produce(self, rows: RowReader, queue: asyncio.Queue[Admitted | None]) -> None:
        while not self.context.stop.is_set and (batch := await rows.batch(RENDER_BATCH, self.read)):
            for row in map(self.admit, batch):
                if self.context.stop.is_set:
                    self.skip(row)
                else:
                    await queue.put(row)
        # Without an interrupt the loop ends where the rows do.
        self.has_read_all = not self.context.stop.is_set

    async def _work(self, queue: asyncio.Queue[Admitted | None]) -> None:
        while (row := await queue.get()) is not None:
            if self.context.stop.is_set:
                self.skip(row)
            else:
                await self.ask(row)

    async def _miss(self, rows: RowReader) -> None:
        """Counts the rows that an interrupt left unread as missing: what came back is no score."""
        while batch := await rows.batch(MISSED_BATCH, list):
            for _, example in batch:
                self.miss(example)
