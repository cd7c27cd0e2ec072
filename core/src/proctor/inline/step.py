"""The evaluation of one step of training: one snapshot, some evaluators, one run folder."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from proctor.components.component import Component, close_all
from proctor.configs.config import Config, ConfiguredEvaluator
from proctor.errors import ProctorError, RunError, reason_of
from proctor.evaluators.bases import needs_training_client
from proctor.evaluators.capped_client import OnResponse
from proctor.evaluators.context import EvaluationContext
from proctor.inline.failures import FailureLog, LoggedWarnings
from proctor.inline.frozen_weights import DigestedRecords, FrozenWeightsCheck
from proctor.inline.plain_names import plain_name
from proctor.inline.snapshots import SnapshotOpener, Submitted
from proctor.renderers.tokenizers import Tokenizer
from proctor.runs.execution import ForeignEvaluator
from proctor.runs.folder import make_free_folder
from proctor.runs.run import Run
from proctor.sampling.budget import RequestBudget, StopSignal
from proctor.sampling.models import TrainingClient
from proctor.scoring.results import EvaluationResult
from proctor.waiting import within

STALE_SECONDS = 5.0
"""How long closing what an event loop that is gone has left behind may take."""


class StepEvaluator:
    """Evaluates a model in training, at one step after another.

    Args:
        config: The evaluators and their options; its model is not used.
        log_path: Under which each step gets a run folder; None to keep no samples.
        tokenizer: The model's tokenizer; None for the one that the client names.
        budget: Slots for requests, where they are shared; None for slots of its own.

    Raises:
        ProctorError: The log folder can't be written.
    """

    def __init__(
        self,
        config: Config,
        *,
        log_path: Path | None = None,
        tokenizer: Tokenizer = None,
        budget: RequestBudget | None = None,
    ) -> None:
        self.config = replace(config, backend=None)
        self.options = config.options.inline
        self.log_path = log_path
        self.stop = StopSignal()
        self.failures = FailureLog()
        self.frozen_weights = FrozenWeightsCheck()
        self.opener = SnapshotOpener(tokenizer)
        self.budget = budget or RequestBudget(config.options.concurrency)
        self._loops: dict[str, weakref.ref[asyncio.AbstractEventLoop]] = {}
        if log_path is not None:
            try:
                log_path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise RunError(
                    f"can't make the folder {log_path}: {error.strerror}",
                    fix="give another log_path",
                ) from error

    def begin(self, step: int, due: Sequence[ConfiguredEvaluator]) -> StepEvaluation:
        """The evaluation of one step by the evaluators that are due."""
        return StepEvaluation(self, step, due)

    async def enter_loop(self, due: Sequence[ConfiguredEvaluator]) -> None:
        """Has evaluators open their parts anew where this event loop is not that of before.

        A loop of training that is not async calls ``asyncio.run`` at each step. What holds a
        connection, such as a judge's client, lives in the event loop that it was opened in.
        """
        loop = asyncio.get_running_loop()
        for entry in due:
            if self._is_of_another_loop(entry.name):
                self.failures.say(
                    "inline",
                    "graders and datasets are opened anew at each step",
                    "each has an event loop of its own; call asyncio.run once, around the loop of "
                    "training, or set mode: background",
                )
                await self._close_stale(entry.evaluator)
            self._loops[entry.name] = weakref.ref(loop)

    def _is_of_another_loop(self, evaluator: str) -> bool:
        """Whether an evaluator was last entered in another event loop than this one."""
        loop = self._loops.get(evaluator)
        return loop is not None and loop() is not asyncio.get_running_loop()

    async def _close_stale(self, evaluator: ForeignEvaluator) -> None:
        """Closes what was opened in an event loop that is gone, as far as that can be."""
        if isinstance(evaluator, Component):
            # a connection can say no goodbye any more: the system closes it
            with suppress(Exception):
                await within(evaluator.close(), STALE_SECONDS)

    async def close(self) -> None:
        """Closes the evaluators; in the event loop that evaluated, unless that is gone.

        Raises:
            Exception: What the first that can't be closed raised.
        """
        stale = [e for e in self.config.evaluators if self._is_of_another_loop(e.name)]
        for entry in stale:
            await self._close_stale(entry.evaluator)
        evaluators = [e.evaluator for e in self.config.evaluators if e not in stale]
        await close_all(e for e in evaluators if isinstance(e, Component))


class StepRun(Run):
    """The run of one step: an evaluator that fails is logged and counted, and loses no other.

    Args:
        evaluator: Whose step it is.
        step: The step.
        due: The evaluators that are due.
    """

    def __init__(
        self, evaluator: StepEvaluator, step: int, due: Sequence[ConfiguredEvaluator]
    ) -> None:
        options = evaluator.config.options
        self.raised: dict[str, Exception] = {}
        self.step = step
        self._failures = evaluator.failures
        self._frozen_weights = evaluator.frozen_weights
        super().__init__(
            replace(evaluator.config, evaluators=list(due)),
            EvaluationContext(
                sampling=options.sampling,
                renderer=options.renderer,
                seed=options.seed,
                min_coverage=options.min_coverage,
                request_timeout=options.request_timeout,
                budget=evaluator.budget.with_tokens(options.inline.token_budget),
                progress=LoggedWarnings(evaluator.failures),
                stop=evaluator.stop,
                step=step,
            ),
        )
        if evaluator.log_path is not None:
            try:
                self.claim(make_free_folder(evaluator.log_path, f"step-{step:06d}"))
            except ProctorError as error:
                # the scores are right without a record of their samples
                self._failures.say("inline", "no samples are kept", reason_of(error))
        self._digests = DigestedRecords(self.context.sink)
        self.context = replace(self.context, sink=self._digests)
        self.start()

    def on_response(self, entry: ConfiguredEvaluator) -> OnResponse:
        """Takes the answers into the evaluator's digest."""
        return self._digests.of(entry.name).add

    def finished(self, entry: ConfiguredEvaluator, result: EvaluationResult) -> None:
        """Warns where numbers are withheld, and where the answers are those of the step before."""
        if result.withheld is not None and not result.graders:
            # where there is a ledger, its coverage is logged at every step
            self.context.progress.warn(entry.name, f"left out: {result.withheld}")
        digest = self._digests.of(entry.name)
        warning = self._frozen_weights.warning(entry.name, self.step, digest)
        if warning is not None:
            self.context.progress.warn(entry.name, warning)

    def failed(self, entry: ConfiguredEvaluator, error: Exception) -> None:
        """Logs and counts the failure."""
        reason = reason_of(error)
        self.raised[entry.name] = error
        self.report.errors[entry.name] = reason
        self._failures.failed(entry.name, reason, self.step)


class StepEvaluation:
    """The evaluation of one step: ``run_training``, ``run_sampling``, ``finish``, ``close``.

    Args:
        evaluator: Whose step it is.
        step: The step.
        due: The evaluators that are due.
    """

    def __init__(
        self, evaluator: StepEvaluator, step: int, due: Sequence[ConfiguredEvaluator]
    ) -> None:
        self.step = step
        self.training = [entry for entry in due if needs_training_client(entry.evaluator)]
        self.sampling = [entry for entry in due if not needs_training_client(entry.evaluator)]
        self.without_snapshot: list[ConfiguredEvaluator] = []
        self._evaluator = evaluator
        self._names = [entry.name for entry in due]
        self._run = StepRun(evaluator, step, due)

    async def run_training(self, training_client: TrainingClient) -> dict[str, float]:
        """Runs the evaluators that need the training client; returns their metrics."""
        self._start_clock()
        await self._run.execute(self.training, training_client)
        return self._metrics([entry.name for entry in self.training])

    async def run_sampling(self, submitted: Submitted) -> None:
        """Runs the others, on a snapshot.

        Args:
            submitted: The sampling client, or the future of one.
        """
        if not self.sampling:
            return
        self._start_clock()
        try:
            snapshot = await self._evaluator.opener.open(submitted)
        except Exception as error:
            self.without_snapshot = self.sampling
            for entry in self.sampling:
                self._run.failed(entry, error)
            return
        self._run.take_model(snapshot)
        with suppress(RunError):
            self._run.describe_model()
        await self._run.execute(self.sampling, snapshot.client)

    def _start_clock(self) -> None:
        budget = self._evaluator.options.time_budget
        if budget is not None:
            deadline = time.monotonic() + budget
            self._run.context = replace(self._run.context, deadline=deadline)

    def finish(self) -> dict[str, float]:
        """Writes the results; returns the metrics.

        Raises:
            RunError: An evaluator failed, and the config says ``on_error: raise``.
        """
        run = self._run
        suites = {
            suite: members
            for suite, members in self._evaluator.config.suites.items()
            if set(members) <= set(run.report.results)
        }
        try:
            run.finish(suites)
        except RunError as error:
            self._evaluator.failures.say("inline", "no results are kept", str(error))
            run.close(error)
        if run.raised and self._evaluator.options.on_error == "raise":
            name, raised = next(iter(run.raised.items()))
            reason = f"{name} has no result at step {self.step}: {reason_of(raised)}"
            raise RunError(reason) from raised
        return self._metrics(self._names)

    def close(self, error: BaseException | None) -> None:
        """Ends a run that does not get to ``finish``; does nothing to one that did."""
        self._run.close(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(error)

    def _metrics(self, names: list[str]) -> dict[str, float]:
        report = self._run.report
        metrics: dict[str, float] = {}
        for result in (report.results[name] for name in names if name in report.results):
            metrics |= result.metrics
        for suite in report.suites.values():
            metrics |= suite.metrics
        metrics |= self._evaluator.failures.metrics(names)
        if self._evaluator.options.metric_names == "plain":
            return {plain_name(name): value for name, value in metrics.items()}
        return metrics
