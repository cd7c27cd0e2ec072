"""The evaluation of one step of training: one snapshot, some evaluators, one run folder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from proctor.components.component import Component, close_all
from proctor.configs.config import Config, ConfiguredEvaluator
from proctor.errors import ProctorError, RunError, first_cause, reason_of
from proctor.evaluators.bases import needs_training_client
from proctor.evaluators.context import EvaluationContext, NoRecords, RecordSink
from proctor.inline.failures import FailureLog, LoggedWarnings
from proctor.inline.frozen_weights import DigestedRecords, FrozenWeightsCheck
from proctor.inline.snapshots import SnapshotOpener
from proctor.plugins.active import plugin_manager
from proctor.runs.description import describe_identity, describe_run, now
from proctor.runs.execution import evaluate, prepare
from proctor.runs.folder import RunFolder, free_folder
from proctor.runs.observed_records import ObservedRecords
from proctor.runs.report import RunReport
from proctor.sampling.budget import RequestBudget, StopSignal


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
        tokenizer: Any = None,
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

    async def close(self) -> None:
        """Closes the evaluators; in the event loop that evaluated."""
        evaluators = [entry.evaluator for entry in self.config.evaluators]
        await close_all(e for e in evaluators if isinstance(e, Component))


class StepEvaluation:
    """The evaluation of one step: ``run_training``, ``run_sampling``, ``finish``.

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
        self._evaluator = evaluator
        self._names = [entry.name for entry in due]
        self._report = RunReport()
        self._raised: dict[str, Exception] = {}
        self._manager = plugin_manager()
        options = evaluator.config.options
        self._context = EvaluationContext(
            sampling=options.sampling,
            renderer=options.renderer,
            seed=options.seed,
            min_coverage=options.min_coverage,
            request_timeout=options.request_timeout,
            budget=evaluator.budget.with_tokens(evaluator.options.token_budget),
            progress=LoggedWarnings(evaluator.failures),
            stop=evaluator.stop,
            step=step,
        )
        self._folder = self._open_folder(due)
        sink: RecordSink = NoRecords()
        if self._folder is not None:
            self._report.folder = self._folder.folder
            sink = ObservedRecords(self._folder, self._manager)
        self._digests = DigestedRecords(sink)
        self._context = replace(self._context, sink=self._digests, folder=self._report.folder)

    def _open_folder(self, due: Sequence[ConfiguredEvaluator]) -> RunFolder | None:
        parent = self._evaluator.log_path
        if parent is None:
            return None
        config = replace(self._evaluator.config, evaluators=list(due))
        try:
            folder = RunFolder(free_folder(parent, f"step-{self.step:06d}"))
            folder.describe(**describe_run(config, self._context, self._manager), step=self.step)
        except ProctorError as error:
            # the scores are right without a record of their samples
            self._evaluator.failures.say("inline", "no samples are kept", reason_of(error))
            return None
        self._manager.run_started(folder)
        return folder

    async def run_training(self, training_client: Any) -> dict[str, float]:
        """Runs the evaluators that need the training client; returns their metrics."""
        self._start_clock()
        await self._together(self.training, training_client)
        names = [entry.name for entry in self.training]
        return self._metrics(names)

    async def run_sampling(self, submitted: Any) -> None:
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
            for entry in self.sampling:
                self._fail(entry.name, error)
            return
        self._context = replace(
            self._context, identity=snapshot.identity, tokenizer=snapshot.tokenizer
        )
        if self._folder is not None:
            with suppress(RunError):
                self._folder.describe(status="running", model=describe_identity(snapshot.identity))
        await self._together(self.sampling, snapshot.client)

    def _start_clock(self) -> None:
        budget = self._evaluator.options.time_budget
        if budget is not None:
            self._context = replace(self._context, deadline=time.monotonic() + budget)

    async def _together(self, entries: Sequence[ConfiguredEvaluator], client: Any) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for entry in entries:
                    group.create_task(self._evaluate(entry, client))
        except BaseExceptionGroup as errors:
            raise first_cause(errors) from errors

    async def _evaluate(self, entry: ConfiguredEvaluator, client: Any) -> None:
        try:
            evaluation = await prepare(entry, self._context)
            if evaluation is not None:
                evaluation.connect(client, self._context.named(entry.name))
            digest = self._digests.of(entry.name)
            result = await evaluate(entry, evaluation, client, self._context, digest.add)
        except Exception as error:
            self._fail(entry.name, error)
            return
        self._report.results[entry.name] = result
        self._manager.evaluation_finished(result)
        warning = self._evaluator.frozen_weights.warning(entry.name, self.step, digest)
        if warning is not None:
            self._context.progress.warn(entry.name, warning)

    def _fail(self, name: str, error: Exception) -> None:
        reason = reason_of(error)
        self._raised[name] = error
        self._report.errors[name] = reason
        self._evaluator.failures.failed(name, reason, self.step)

    def finish(self) -> dict[str, float]:
        """Writes the results; returns the metrics.

        Raises:
            RunError: An evaluator failed, and the config says ``on_error: raise``.
        """
        report, suites = self._report, self._evaluator.config.suites
        report.results = {n: report.results[n] for n in self._names if n in report.results}
        report.add_suites(
            {
                suite: members
                for suite, members in suites.items()
                if set(members) <= set(report.results)
            }
        )
        report.is_interrupted = self._evaluator.stop.is_set
        if self._folder is not None:
            try:
                self._folder.results(report.to_json())
                self._folder.describe(status=report.status, finished=now())
                self._manager.run_finished(self._folder)
            except RunError as error:
                self._evaluator.failures.say("inline", "no results are kept", str(error))
            finally:
                self._folder.close()
        if self._raised and self._evaluator.options.on_error == "raise":
            name, raised = next(iter(self._raised.items()))
            reason = f"{name} has no result at step {self.step}: {reason_of(raised)}"
            raise RunError(reason) from raised
        return self._metrics(self._names)

    def _metrics(self, names: list[str]) -> dict[str, float]:
        metrics: dict[str, float] = {}
        for name in names:
            if name in self._report.results:
                metrics |= self._report.results[name].metrics
        for suite in self._report.suites.values():
            metrics |= suite.metrics
        return metrics | self._evaluator.failures.metrics(names)
