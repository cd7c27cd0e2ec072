"""Grading beside the sampling: one by one or in batches, and never on the event loop's thread."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from proctor.errors import ProctorError, UngradedError, one_line, reason_of
from proctor.foreign import LeftEarly, left_early, shown
from proctor.grading.attempts import GRADING_RETRIES, attempts
from proctor.grading.copies import own_pair
from proctor.grading.grader import Given, Grader
from proctor.grading.process_worker import ProcessVerdict
from proctor.scoring.grades import GradedPair, checked_value
from proctor.types import Example, Grade, Outcome, Sample
from proctor.waiting import Overdue, in_daemon_thread, within

Answer = TypeVar("Answer")
Ticket = TypeVar("Ticket")

if TYPE_CHECKING:
    from proctor.grading.process_pool import GraderProcesses

Pair = tuple[Example, Sample]

Report = Callable[[Ticket, GradedPair], None]
"""Called with a pair's ticket and its grading, on the event loop's thread."""


class GradingStage(Generic[Ticket]):
    """Grades pairs of one grader as they arrive.

    Each call of a grader gets copies of its own. Synchronous graders run on a thread of their own;
    one that hangs loses its thread and the pair that it hung on, and no other.

    Args:
        grader: An open grader.
        report: Told of each grading.
        concurrency: Most calls of an asynchronous grader at once.
    """

    def __init__(self, grader: Grader, report: Report[Ticket], concurrency: int = 16) -> None:
        self.grader = grader
        self._report = report
        self._queue: asyncio.Queue[tuple[Ticket, Pair] | None] = asyncio.Queue(
            maxsize=4 * grader.batch_size
        )
        method = type(grader).grade_batch if grader.is_batched else type(grader).grade
        self._processes = _processes_of(grader)
        if self._processes is not None:
            concurrency = self._processes.in_flight
        self._is_async = self._processes is not None or inspect.iscoroutinefunction(method)
        self._workers = concurrency if self._is_async and not grader.is_batched else 1

    async def put(self, ticket: Ticket, pair: Pair) -> None:
        """Queues a pair; waits where grading is far behind sampling."""
        await self._queue.put((ticket, pair))

    async def finish(self) -> None:
        """Says that no pair will follow."""
        for _ in range(self._workers):
            await self._queue.put(None)

    async def run(self) -> None:
        """Grades until ``finish`` was called and the queue is empty."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._workers):
                    group.create_task(self._work())
        finally:
            if self._processes is not None:
                await self._processes.close()

    async def _work(self) -> None:
        is_open = True
        while is_open:
            batch: list[tuple[Ticket, Pair]] = []
            item = await self._queue.get()
            size = 1 if self._is_async and not self.grader.is_batched else self.grader.batch_size
            while True:
                if item is None:
                    is_open = False
                    break
                batch.append(item)
                if len(batch) >= size or self._queue.empty():
                    break
                item = self._queue.get_nowait()
            if batch:
                gradings = await self._grade([pair for _, pair in batch])
                for (ticket, _), grading in zip(batch, gradings, strict=True):
                    self._report(ticket, grading)

    async def _grade(self, pairs: Sequence[Pair]) -> list[GradedPair]:
        if self.grader.is_batched:
            return await self._grade_as_batch(pairs)
        if self._is_async:
            return [await self._grade_alone(pair) for pair in pairs]
        return await self._grade_on_thread(pairs)

    async def _grade_as_batch(self, pairs: Sequence[Pair]) -> list[GradedPair]:
        """One call for all; where it fails, one each, so that one bad row costs only itself."""
        alone = len(pairs) == 1
        try:
            verdicts = await self._asked(
                lambda: self._batch_verdicts(pairs), GRADING_RETRIES if alone else 0
            )
        except Overdue:
            return [self._hung() for _ in pairs]
        except Exception as error:
            if alone:
                return [_raised(error)]
            return [grading for pair in pairs for grading in await self._grade_as_batch([pair])]
        return [self._settle(pair, verdict) for pair, verdict in zip(pairs, verdicts, strict=True)]

    async def _batch_verdicts(self, pairs: Sequence[Pair]) -> list[Given]:
        own = [own_pair(*pair) for pair in pairs]
        if self._is_async:
            call = self.grader.grade_batch(own)
        else:
            call = in_daemon_thread(
                lambda: _finished(self.grader.grade_batch(own)), "proctor-grader"
            )
        verdicts = list(await within(call, self.grader.grading_timeout))
        if len(verdicts) != len(pairs):
            raise ValueError(f"{len(verdicts)} verdicts for {len(pairs)} answers")
        return verdicts

    async def _grade_alone(self, pair: Pair) -> GradedPair:
        async def graded() -> GradedPair:
            own = own_pair(*pair)
            if self._processes is not None:
                return self._settle(pair, await self._processes.grade(*own))
            verdict = await within(self.grader.grade(*own), self.grader.grading_timeout)
            return self._settle(pair, verdict)

        try:
            return await self._asked(graded)
        except Overdue:
            return self._hung()
        except Exception as error:
            return _raised(error)

    async def _asked(
        self, ask: Callable[[], Awaitable[Answer]], retries: int = GRADING_RETRIES
    ) -> Answer:
        for attempt in attempts(retries):
            with attempt:
                return await ask()
            await asyncio.sleep(attempt.pause)
        raise AssertionError("the last attempt returns or raises")

    async def _grade_on_thread(self, pairs: Sequence[Pair]) -> list[GradedPair]:
        """Grades in order on one thread, watching that no single pair takes too long."""
        gradings: list[GradedPair] = []
        while len(gradings) < len(pairs):
            progress = _Progress()
            finished = asyncio.Event()
            threading.Thread(
                target=self._grade_in_order,
                args=(pairs[len(gradings) :], progress, asyncio.get_running_loop(), finished),
                name="proctor-grader",
                daemon=True,
            ).start()
            hung_at = None
            try:
                while not finished.is_set():
                    position, since = progress.current
                    left = since + self.grader.grading_timeout - time.monotonic()
                    if left <= 0:
                        hung_at = position
                        break
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(left):
                            await finished.wait()
            finally:
                progress.is_abandoned = True
            done = list(progress.gradings)
            gradings.extend(done)
            # the pair that hung may have come to its end just now: then nothing hangs
            if hung_at == len(done):
                gradings.append(self._hung())
        return gradings

    def _grade_in_order(
        self,
        pairs: Sequence[Pair],
        progress: _Progress,
        loop: asyncio.AbstractEventLoop,
        finished: asyncio.Event,
    ) -> None:
        for position, pair in enumerate(pairs):
            progress.current = (position, time.monotonic())
            progress.gradings.append(self._grade_here(pair))
            if progress.is_abandoned:
                return
        _on_loop(loop, finished.set)

    def _grade_here(self, pair: Pair) -> GradedPair:
        try:
            for attempt in attempts():
                with attempt:
                    return self._settle(pair, _finished(self.grader.grade(*own_pair(*pair))))
                time.sleep(attempt.pause)
        except Exception as error:
            return _raised(error)
        except BaseException as error:  # on this thread an exit is the grader's mistake
            return _raised(left_early(error))
        raise AssertionError("the last attempt returns or raises")

    def _settle(self, pair: Pair, verdict: object) -> GradedPair:
        """Makes a grade of a verdict that is on the grader's scale, or says why it is none.

        The ledger holds what it is given against the same scale by the same rule: it can't say why
        a verdict is none, and this can't keep others from recording by themselves.
        """
        in_process = verdict if isinstance(verdict, ProcessVerdict) else None
        if in_process is not None:
            verdict = in_process.verdict
        worst, best = self.grader.scale()
        value = checked_value(verdict, worst, best, proportion=self.grader.is_proportion)
        if value is None:
            given = verdict.value if isinstance(verdict, Grade) else verdict
            return _ungraded(f"the grade {shown(given)} is not on the scale {worst} to {best}")
        try:
            # a process has read the answer too: here, that could hang
            if in_process is not None:
                answer = in_process.answer
            else:
                answer = self.grader.extract_answer(*own_pair(*pair))
            answer = None if answer is None else str(answer)
        except Exception as error:
            return _ungraded(f"extract_answer raised {one_line(error)}")
        grade = replace(verdict, value=value) if isinstance(verdict, Grade) else Grade(value)
        return GradedPair(Outcome.GRADED, grade, answer=answer)

    def _hung(self) -> GradedPair:
        return _ungraded(f"the grader gave no verdict within {self.grader.grading_timeout:g} s")


async def grade_pairs(grader: Grader, pairs: Sequence[Pair]) -> list[GradedPair]:
    """What an open grader makes of each pair, graded as a run grades them."""
    gradings: dict[int, GradedPair] = {}
    stage = GradingStage(grader, gradings.__setitem__)
    async with asyncio.TaskGroup() as group:
        group.create_task(stage.run())
        for number, pair in enumerate(pairs):
            await stage.put(number, pair)
        await stage.finish()
    return [gradings[number] for number in range(len(pairs))]


def _processes_of(grader: Grader) -> GraderProcesses | None:
    """The processes of a grader that asks for some; none is started yet."""
    if grader.runs_in != "process":
        return None
    from proctor.grading.process_pool import GraderProcesses

    return GraderProcesses(grader)


class _Progress:
    """What a grading thread shares with the loop that watches it."""

    def __init__(self) -> None:
        self.current = (0, time.monotonic())
        self.gradings: list[GradedPair] = []
        self.is_abandoned = False


def _on_loop(
    loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *args: object
) -> None:
    # an abandoned thread may come to its end after the loop was closed
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, *args)


def _finished(verdict: Given) -> Given:
    """What a verdict comes to, on a thread without an event loop."""

    async def awaited() -> Given:
        return await verdict

    return asyncio.run(awaited()) if inspect.isawaitable(verdict) else verdict


def _ungraded(reason: str) -> GradedPair:
    return GradedPair(Outcome.UNGRADED, reason=reason)


def _raised(error: Exception) -> GradedPair:
    if isinstance(error, LeftEarly):
        return _ungraded(f"the grader left early: {error}")
    if isinstance(error, ProctorError):
        metadata = error.metadata if isinstance(error, UngradedError) else {}
        return GradedPair(Outcome.UNGRADED, reason=reason_of(error), metadata=metadata)
    return _ungraded(f"the grader raised {one_line(error)}")
