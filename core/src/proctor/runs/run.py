"""One run, offline or of one step of training: evaluators on a model, in one folder.

It is claimed, described, observed and closed here, whatever ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from proctor.configs.config import Config, ConfiguredEvaluator
from proctor.errors import ProctorError, RunError, first_cause, reason_of
from proctor.evaluators.capped_client import OnResponse
from proctor.evaluators.context import EvaluationContext
from proctor.foreign import awaited, called
from proctor.plugins.active import plugin_manager
from proctor.plugins.hook_arguments import ObservedRun
from proctor.redaction import keep_secrets_of_environment
from proctor.runs.description import describe_identity, describe_run, now
from proctor.runs.execution import Execution, begin, result_of
from proctor.runs.folder import RunFolder
from proctor.runs.observed_records import ObservedRecords
from proctor.runs.report import RunReport
from proctor.sampling.budget import RequestBudget
from proctor.sampling.models import Client, OpenedModel
from proctor.scoring.results import EvaluationResult


class Run:
    """Evaluators on a model, in one folder; a context manager that ends what it began.

    Args:
        config: The evaluators, and what ``run.json`` says of them.
        context: What the evaluators are told; its record sink gets what they record, too.
    """

    def __init__(self, config: Config, context: EvaluationContext) -> None:
        self.config = config
        self.context = context
        self.report = RunReport()
        self._manager = plugin_manager()
        self._executions: dict[str, Execution] = {}
        self._folder: RunFolder | None = None
        self._record: dict[str, object] = describe_run(config, context, self._manager)
        if context.step is not None:
            self._record["step"] = context.step
        keep_secrets_of_environment()
        self._is_observed = False
        self._is_closed = False
        self._observed = ObservedRun(None, {}, context.step)
        self._observe_records()

    def claim(self, folder: Path) -> None:
        """Takes a folder for the run, and says there what it is about to do.

        Raises:
            ConfigError: The folder can't be made, or holds another run.
            RunError: It can't be written.
        """
        claimed = RunFolder(folder, keeps_images=self.config.options.keep_images)
        try:
            claimed.describe(**self._record)
        except RunError:
            # nothing is kept in a folder that does not say whose it is
            claimed.close()
            raise
        self._folder = claimed
        self.report.folder = folder
        self.context = replace(self.context, sink=claimed, folder=folder)
        self._observe_records()
        self._observe()

    def _observe_records(self) -> None:
        def observe(record: Mapping[str, object]) -> None:
            self._manager.sample_finished(record, self._observed)

        self.context = replace(self.context, sink=ObservedRecords(self.context.sink, observe))

    def describe(self, **entries: object) -> None:
        """Adds to ``run.json``.

        Raises:
            RunError: It can't be written; it stays as it was, whole.
        """
        self._record |= entries
        self._observe()
        if self._folder is not None:
            self._folder.describe(**entries)

    def _observe(self) -> None:
        """Takes the copy of the run that its observers get from now on."""
        self._observed = ObservedRun(
            self.report.folder, copy.deepcopy(self._record), self.context.step
        )

    def start(self) -> None:
        """Tells the observers that the run begins."""
        self._is_observed = True
        self._manager.run_started(self._observed)

    async def prepare(self, entries: Sequence[ConfiguredEvaluator]) -> None:
        """Has evaluators find their own mistakes, for which they need no model.

        Raises:
            ProctorError: One found a mistake; it says which evaluator did.
        """
        for entry in entries:
            try:
                await self._prepare(entry)
            except ProctorError as error:
                error.where = error.where or entry.name
                raise

    async def _prepare(self, entry: ConfiguredEvaluator) -> None:
        execution = begin(entry, self.context, self.on_response(entry))
        await awaited(execution.prepare())
        self._executions[entry.name] = execution

    def take_model(
        self,
        model: OpenedModel,
        *,
        budget: RequestBudget | None = None,
        deadline: float | None = None,
    ) -> None:
        """Takes the model, and what else is known of the run by now.

        Args:
            model: The opened model.
            budget: Slots for its requests; None for those that the context has.
            deadline: The end of the run; None for the one that the context has.
        """
        context = self.context.of_model(model)
        self.context = replace(
            context,
            budget=budget or context.budget,
            deadline=context.deadline if deadline is None else deadline,
        )

    def connect(self, entries: Sequence[ConfiguredEvaluator], client: Client) -> None:
        """Connects evaluators that are prepared to the model.

        Raises:
            ProctorError: One can't be asked of this model.
        """
        for entry in entries:
            connect = self._executions[entry.name].connect
            called(functools.partial(connect, client, self.context.named(entry.name)))

    def describe_model(self) -> None:
        """Says which model it is, and by which renderers it is asked.

        Raises:
            RunError: It can't be written.
        """
        identity = self.context.identity
        assert identity is not None
        model = describe_identity(identity)
        self.describe(status="running", model=model, renderers=self._renderers())

    def _renderers(self) -> dict[str, str]:
        """The renderer of each evaluator that is connected and has one."""
        return {
            name: execution.renderer_key
            for name, execution in self._executions.items()
            if hasattr(execution, "renderer_key")
        }

    async def execute(self, entries: Sequence[ConfiguredEvaluator], client: Client) -> None:
        """Executes evaluators side by side; one that fails loses no other.

        Args:
            entries: The evaluators.
            client: The client; those that are not connected yet are prepared and connected to it.

        Raises:
            RunError: The run can't go on.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for entry in entries:
                    group.create_task(self._execute(entry, client))
        except BaseExceptionGroup as errors:
            raise first_cause(errors) from errors

    async def _execute(self, entry: ConfiguredEvaluator, client: Client) -> None:
        try:
            if entry.name not in self._executions:
                await self._prepare(entry)
                self.connect([entry], client)
            result = await result_of(entry, self._executions[entry.name])
        except Exception as error:
            self.failed(entry, error)
            return
        self.report.results[entry.name] = result
        self._manager.evaluation_finished(result, self._observed)
        self.finished(entry, result)

    def on_response(self, entry: ConfiguredEvaluator) -> OnResponse | None:
        """What is told of the answers to an evaluator that keeps no records."""
        return None

    def finished(self, entry: ConfiguredEvaluator, result: EvaluationResult) -> None:
        """Called when an evaluator has a result."""

    def failed(self, entry: ConfiguredEvaluator, error: Exception) -> None:
        """Called when an evaluator has none.

        Raises:
            RunError: The run can't go on.
        """
        if isinstance(error, RunError):
            raise error
        self.report.errors[entry.name] = reason_of(error)
        self.context.progress.warn(entry.name, self.report.errors[entry.name])

    def finish(self, suites: Mapping[str, Sequence[str]]) -> RunReport:
        """Ends the run: its results are written, and its observers told.

        Args:
            suites: The members of each suite to report on.

        Raises:
            RunError: The results can't be written.
        """
        report = self.report
        report.is_interrupted = self.context.stop.is_set
        names = [entry.name for entry in self.config.evaluators]
        report.results = {name: report.results[name] for name in names if name in report.results}
        report.add_suites(suites)
        if self._folder is not None:
            self._folder.results(report.to_json())
        # those of evaluators that were connected one by one are known only now
        self.describe(status=report.status, finished=now(), renderers=self._renderers())
        self.close()
        return report

    def close(self, error: BaseException | None = None) -> None:
        """Closes the run's files, once; ``run.json`` says what ended a run that did not finish.

        Args:
            error: What ended it; None where it finished.
        """
        if self._is_closed:
            return
        self._is_closed = True
        if error is not None:
            self._say_why(error)
        try:
            if self._is_observed:
                self._manager.run_finished(self._observed)
        finally:
            if self._folder is not None:
                self._folder.close()

    def _say_why(self, error: BaseException) -> None:
        how: dict[str, str] = {"status": "failed", "error": reason_of(error)}
        if isinstance(error, (asyncio.CancelledError, KeyboardInterrupt)):
            how = {"status": "interrupted"}
        # on a full disk run.json stays as it was, whole
        with contextlib.suppress(RunError):
            self.describe(**how, finished=now())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(error)
