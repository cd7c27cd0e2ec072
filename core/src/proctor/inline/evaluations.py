"""Evaluations inside a training loop of one's own."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self

from proctor.components.place import Written
from proctor.configs.config import ConfiguredEvaluator
from proctor.errors import ConfigError, first_cause, reason_of
from proctor.evaluators.bases import needs_training_client
from proctor.inline.schedule import Schedule
from proctor.inline.snapshots import Submitted, settled, submit_snapshot
from proctor.inline.source import ConfigSource, load_inline_config
from proctor.inline.step import StepEvaluation, StepEvaluator
from proctor.inline.thread import EvaluationThread
from proctor.renderers.tokenizers import Tokenizer
from proctor.sampling.models import Client, TrainingClient

logger = logging.getLogger("proctor")

ENDING_SECONDS = 2.0
"""How long an evaluation in the background may take to end when it is cancelled."""


class InlineEvaluations:
    """Evaluates a model while it is trained.

    Example::

        async with proctor.InlineEvaluations("evals.yaml", log_path="runs/sft") as evals:
            for step in range(steps):
                metrics = await evals.step(step, training_client=training_client)
                ...  # train, log the metrics
            metrics = await evals.finish(steps, training_client=training_client)

    An evaluator that fails does not end training, unless ``on_error`` is ``raise``: it is logged,
    and counted in ``{evaluator}/failed_evaluations``.

    Args:
        source: A YAML file, the same as a mapping, or a list of evaluators.
        log_path: The training's log folder. Each evaluated step gets a run folder in
            ``evaluations/`` under it; without one, no samples are kept.
        tokenizer: The model's tokenizer; None for the one that the client names.
        **options: Keys of the config's ``inline``, such as ``eval_every``, in place of its own.

    Raises:
        ProctorError: The config can't be used, or the log folder can't be written.
    """

    def __init__(
        self,
        source: ConfigSource,
        *,
        log_path: Path | str | None = None,
        tokenizer: Tokenizer = None,
        **options: Written,
    ) -> None:
        config = load_inline_config(source, log_path=log_path, **options)
        self._options = config.options.inline
        folder = self._options.log_path
        self._evaluator = StepEvaluator(
            config,
            log_path=None if folder is None else folder / "evaluations",
            tokenizer=tokenizer,
        )
        self._schedule = Schedule(config.evaluators, self._options)
        self._entries = config.evaluators
        self._arrived: deque[tuple[int, dict[str, float]]] = deque()
        self._latest: tuple[int | None, dict[str, float]] = (None, {})
        self._arrival: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: Exception | None = None
        self._is_finished = False
        self._is_background = self._options.mode == "background"
        self._thread = EvaluationThread() if self._is_background else None
        self._running: Future[None] | None = None
        self._background: tuple[asyncio.Task[None] | None, StepEvaluation | None] = (None, None)
        if not any(map(self._schedule.period, self._entries)):
            logger.warning(
                "nothing is ever evaluated: set inline.eval_every, or an evaluator's own 'every'"
            )
        if self._is_background:
            for entry in self._entries:
                if needs_training_client(entry.evaluator):
                    logger.warning(
                        "%s needs the training client: training waits for it", entry.name
                    )

    def is_due(self, step: int) -> bool:
        """Whether ``step`` would evaluate anything at a step.

        Due is the first step that is asked about, and then each that reaches or passes a multiple
        of the period. A step whose evaluation was cancelled, or got no snapshot, stays due.
        """
        return bool(self._schedule.due(step))

    async def step(
        self, step: int, *, training_client: TrainingClient = None, sampling_client: Client = None
    ) -> dict[str, float]:
        """Evaluates what is due at a step of training, with the weights as they are now.

        Args:
            step: The step.
            training_client: The training client, of whose weights one snapshot is taken.
            sampling_client: A sampling client of the weights, in its place or beside it.

        Returns:
            The metrics by name; empty where nothing is due. In the background, those of the
            evaluators that training has to wait for: the others arrive in ``results``.

        Raises:
            ConfigError: There is no client that an evaluator needs.
            RunError: An evaluator failed, now or in the background, and ``on_error`` is ``raise``.
        """
        return await self._evaluate(step, training_client, sampling_client, is_last=False)

    async def finish(
        self,
        step: int | None = None,
        *,
        training_client: TrainingClient = None,
        sampling_client: Client = None,
    ) -> dict[str, float]:
        """Evaluates the last step, waits for what is running, and closes everything.

        Args:
            step: The last step; None to evaluate nothing more.
            training_client: As for ``step``.
            sampling_client: As for ``step``.

        Returns:
            The metrics of the last step, of every evaluator that has a schedule.

        Raises:
            ConfigError: There is no client that an evaluator needs.
            RunError: An evaluator failed, and ``on_error`` is ``raise``.
        """
        try:
            if step is not None:
                await self._evaluate(step, training_client, sampling_client, is_last=True)
            await self._wait()
            self._raise_failure()
        finally:
            await self._close()
            for missed, names in self._schedule.missed():
                logger.warning("step %d was never evaluated by %s", missed, ", ".join(names))
        return self._latest[1] if self._latest[0] == step else {}

    async def results(self) -> AsyncIterator[tuple[int, dict[str, float]]]:
        """The metrics of every evaluated step, as they arrive; ends once all is finished.

        Each step's metrics come once, whether or not ``step`` returned them. In a loop that
        awaits nothing else, take them with ``arrived``.
        """
        while True:
            for arrived in self.arrived():
                yield arrived
            if self._is_finished:
                return
            self._loop = asyncio.get_running_loop()
            self._arrival = asyncio.Event()
            if not self._arrived and not self._is_finished:
                await self._arrival.wait()

    def arrived(self) -> list[tuple[int, dict[str, float]]]:
        """The metrics that have arrived and were not taken yet, each with its step."""
        taken = []
        while self._arrived:
            taken.append(self._arrived.popleft())
        return taken

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_finished:
            return
        if error is None:
            await self.finish()
        else:
            self._evaluator.stop.set()
            await self._close()

    async def _evaluate(
        self, step: int, training_client: TrainingClient, sampling_client: Client, *, is_last: bool
    ) -> dict[str, float]:
        self._check(step, training_client, sampling_client)
        self._raise_failure()
        due = self._schedule.due(step, is_last=is_last)
        if not due:
            return {}
        for entry in due:
            if needs_training_client(entry.evaluator) and training_client is None:
                raise ConfigError(
                    f"{entry.name} needs a training client, and got a sampling client",
                    where=f"step {step}",
                    fix="give training_client= too, or leave the evaluator out",
                )
        if self._is_running() and not is_last and self._options.when_busy == "skip":
            sampled = [e for e in due if not needs_training_client(e.evaluator)]
            if sampled:
                logger.warning("step %d is not evaluated: the one before still is", step)
                self._schedule.pass_over(sampled, step)
                due = [e for e in due if e not in sampled]
                if not due:
                    return {}
        try:
            return await self._evaluate_due(due, step, training_client, sampling_client)
        except BaseException as error:
            self._came_to_nothing(due, step, error)
            raise

    async def _evaluate_due(
        self,
        due: list[ConfiguredEvaluator],
        step: int,
        training_client: TrainingClient,
        sampling_client: Client,
    ) -> dict[str, float]:
        submitted = await settled(sampling_client)
        if submitted is None and any(not needs_training_client(e.evaluator) for e in due):
            submitted = await submit_snapshot(training_client)
        self._schedule.mark(due, step)
        evaluation = self._evaluator.begin(step, due)
        if self._thread is None:
            with evaluation:
                await self._evaluator.enter_loop(due)
                # a group waits for both: a record that came later would find its file closed
                try:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(evaluation.run_training(training_client))
                        group.create_task(evaluation.run_sampling(submitted))
                except BaseExceptionGroup as errors:
                    raise first_cause(errors) from errors
                return self._deliver(evaluation)
        try:
            foreground = await evaluation.run_training(training_client)
            await self._wait()
        except BaseException as error:
            evaluation.close(error)
            raise
        self._running = self._thread.submit(self._in_background(evaluation, submitted))
        return foreground

    def _came_to_nothing(
        self, due: list[ConfiguredEvaluator], step: int, error: BaseException
    ) -> None:
        """Says that a step is not evaluated, and has it evaluated when it is asked for again."""
        self._schedule.take_back(due, step)
        is_cancelled = isinstance(error, (asyncio.CancelledError, KeyboardInterrupt))
        reason = "it was cancelled" if is_cancelled else reason_of(error)
        names = ", ".join(entry.name for entry in due)
        logger.warning("step %d is not evaluated by %s: %s", step, names, reason)

    async def _in_background(self, evaluation: StepEvaluation, submitted: Submitted) -> None:
        self._background = (asyncio.current_task(), evaluation)
        try:
            with evaluation:
                await evaluation.run_sampling(submitted)
                self._deliver(evaluation)
        except Exception as error:  # the next step raises it
            self._came_to_nothing(evaluation.sampling, evaluation.step, error)
            self._error = error

    def _deliver(self, evaluation: StepEvaluation) -> dict[str, float]:
        metrics = evaluation.finish()
        step = evaluation.step
        self._schedule.take_back(evaluation.without_snapshot, step)
        self._latest = (step, self._latest[1] | metrics if self._latest[0] == step else metrics)
        self._arrived.append((step, metrics))
        self._wake()
        return metrics

    def _wake(self) -> None:
        loop, arrival = self._loop, self._arrival
        if loop is not None and arrival is not None and not loop.is_closed():
            loop.call_soon_threadsafe(arrival.set)

    def _is_running(self) -> bool:
        return self._running is not None and not self._running.done()

    async def _wait(self) -> None:
        """Waits for the evaluation in the background; an interrupt here does not cancel it."""
        if self._running is not None:
            await asyncio.wait([asyncio.wrap_future(self._running)])

    def _raise_failure(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    async def _close(self) -> None:
        if self._is_finished:
            return
        self._is_finished = True
        try:
            if self._thread is None:
                await self._evaluator.close()
            else:
                try:
                    await asyncio.wrap_future(self._thread.submit(self._close_in_background()))
                finally:
                    self._thread.stop()
        finally:
            self._wake()

    async def _close_in_background(self) -> None:
        """Ends what still runs on the thread, then closes the evaluators that it uses."""
        running, evaluation = self._background
        if running is not None and evaluation is not None and not running.done():
            running.cancel()
            await asyncio.wait({running}, timeout=ENDING_SECONDS)
            # one that heeds no cancellation does not end its run by itself
            cancelled = asyncio.CancelledError()
            evaluation.close(cancelled)
            self._came_to_nothing(evaluation.sampling, evaluation.step, cancelled)
        await self._evaluator.close()

    def _check(self, step: int, training_client: TrainingClient, sampling_client: Client) -> None:
        if self._is_finished:
            raise ConfigError("it is finished", where=f"step {step}", fix="make a new one")
        if type(step) is not int or step < 0:
            raise ConfigError(f"a step is a number from 0, not {step!r}")
        if training_client is None and sampling_client is None:
            raise ConfigError(
                "there is no client",
                where=f"step {step}",
                fix="give training_client= or sampling_client=",
            )
        if sampling_client is not None and not (
            hasattr(sampling_client, "sample")
            or hasattr(sampling_client, "sample_async")
            or inspect.isawaitable(sampling_client)
        ):
            raise ConfigError(
                f"{type(sampling_client).__name__} is no sampling client",
                where=f"step {step}",
                fix="give a training client as training_client=",
            )
