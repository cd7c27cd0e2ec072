"""One offline run: evaluators, one model, one folder."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from proctor.backends import OpenedModel
from proctor.components import Component, close_all
from proctor.config import Config, ConfiguredEvaluator
from proctor.context import EvaluationContext, Progress
from proctor.errors import ConfigError, ProctorError, RunError, first_cause
from proctor.evaluation import Evaluation
from proctor.evaluators import needs_training_client
from proctor.execution import evaluate, prepare, reason_of
from proctor.metrics import EvaluationResult
from proctor.plugins import PluginManager, plugin_manager
from proctor.run_description import describe_identity, describe_run, now
from proctor.runs import RunFolder
from proctor.sampling import RequestBudget, StopSignal
from proctor.suites import SuiteResult


@dataclass(slots=True)
class RunReport:
    """How a run ended.

    Attributes:
        folder: The run's folder; None where nothing is kept.
        results: The result of each evaluator that finished, by name.
        suites: The means of each suite whose members all finished.
        errors: Why an evaluator has no result, by its name.
        is_interrupted: Whether a person stopped it.
    """

    folder: Path | None = None
    results: dict[str, EvaluationResult] = field(default_factory=dict)
    suites: dict[str, SuiteResult] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    is_interrupted: bool = False

    def add_suites(self, suites: Mapping[str, Sequence[str]]) -> None:
        """Adds the means of each suite, given its members; an error where one has no result."""
        for suite, members in suites.items():
            results = [self.results[name] for name in members if name in self.results]
            if len(results) == len(members):
                self.suites[suite] = SuiteResult.from_results(suite, results)
            else:
                self.errors[suite] = "a member of the suite has no result"

    @property
    def metrics(self) -> dict[str, float]:
        """All metrics by name."""
        metrics: dict[str, float] = {}
        for result in self.results.values():
            metrics |= result.metrics
        for suite in self.suites.values():
            metrics |= suite.metrics
        return metrics

    @property
    def status(self) -> str:
        """``interrupted``, ``failed`` or ``complete``."""
        if self.is_interrupted:
            return "interrupted"
        complete = self.results and all(result.is_complete for result in self.results.values())
        return "complete" if complete and not self.errors else "failed"

    @property
    def exit_code(self) -> int:
        """0 for a complete run, 1 for a failed one, 130 for an interrupted one."""
        return {"complete": 0, "failed": 1, "interrupted": 130}[self.status]

    def to_json(self) -> dict[str, Any]:
        """What ``results.json`` holds."""
        return {
            "status": self.status,
            "metrics": self.metrics,
            "evaluators": {name: result.to_json() for name, result in self.results.items()},
            "suites": {name: suite.to_json() for name, suite in self.suites.items()},
            "errors": self.errors,
        }


class ObservedRecords:
    """A record sink that also tells the plugins' observers."""

    def __init__(self, folder: RunFolder, manager: PluginManager) -> None:
        self._folder = folder
        self._manager = manager

    def sample(self, record: Mapping[str, Any]) -> None:
        """Writes a sample's line and passes it on."""
        self._folder.sample(record)
        self._manager.sample_finished(record)

    def grade(self, record: Mapping[str, Any]) -> None:
        """Writes a grade's line."""
        self._folder.grade(record)


async def run_config(
    config: Config,
    folder: Path,
    *,
    progress: Progress | None = None,
    stop: StopSignal | None = None,
    limit: int | None = None,
    is_strict: bool = False,
) -> RunReport:
    """Executes a config: all its evaluators on its model, into one folder.

    Args:
        config: The config.
        folder: Where the run goes; it may not hold one yet.
        progress: Told how it goes.
        stop: Set when a person interrupts.
        limit: Most examples of each evaluator.
        is_strict: Whether a renderer that looks wrong is an error.

    Raises:
        ProctorError: The model, a dataset or a grader can't be used. Nothing was sampled then.
        RunError: The folder can't be written (any more).
    """
    if config.backend is None:
        raise ConfigError(
            "the config names no model",
            where=str(config.file or "config"),
            fix="add 'model: {backend: local}'",
        )
    for entry in config.evaluators:
        if needs_training_client(entry.evaluator):
            raise ConfigError(
                f"{entry.name} needs a training client, and an offline run has none",
                where=str(config.file or "config"),
                fix="use it inline, or leave it out",
            )
    manager = plugin_manager()
    context = EvaluationContext(
        sampling=config.options.sampling,
        renderer=config.options.renderer,
        seed=config.options.seed,
        limit=limit,
        min_coverage=config.options.min_coverage,
        request_timeout=config.options.request_timeout,
        progress=progress or Progress(),
        stop=stop or StopSignal(),
        is_strict=is_strict,
    )
    async with _Closing(config) as closing:
        prepared: dict[str, Evaluation] = {}
        for entry in config.evaluators:
            try:
                evaluation = await prepare(entry, context)
            except ProctorError as error:
                error.where = error.where or entry.name
                raise
            if evaluation is not None:
                prepared[entry.name] = evaluation
        if context.stop.is_set:
            raise asyncio.CancelledError("interrupted before the model was opened")
        closing.folder = run_folder = RunFolder(folder)
        run_folder.describe(**describe_run(config, context, manager))
        await config.backend.open()
        model: OpenedModel = await config.backend.open_model()
        most = min(config.options.concurrency, model.max_in_flight or config.options.concurrency)
        deadline = config.options.timeout
        context = replace(
            context,
            identity=model.identity,
            tokenizer=model.tokenizer,
            max_in_flight=model.max_in_flight,
            budget=RequestBudget(most),
            seed_covers_samples=model.seed_covers_samples,
            deadline=None if deadline is None else time.monotonic() + deadline,
            sink=ObservedRecords(run_folder, manager),
            folder=run_folder.folder,
        )
        for name, evaluation in prepared.items():
            evaluation.connect(model.client, context.named(name))
        run_folder.describe(
            status="running",
            model=describe_identity(model.identity),
            renderers={name: e.renderer_key for name, e in prepared.items()},
        )
        manager.run_started(run_folder)
        report = await _evaluate(config, model, context, prepared, run_folder, manager)
        run_folder.results(report.to_json())
        run_folder.describe(status=report.status, finished=now())
        manager.run_finished(run_folder)
        return report


class _Closing:
    """Closes a run's parts at its end, and has ``run.json`` say how a run ended that raised.

    Args:
        config: Whose evaluators and backend are closed.
    """

    def __init__(self, config: Config) -> None:
        self.folder: RunFolder | None = None
        self._parts: list[Component] = [
            *(e.evaluator for e in config.evaluators if isinstance(e.evaluator, Component)),
            config.backend,
        ]

    async def __aenter__(self) -> _Closing:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await close_all(self._parts)
        except Exception:
            if error is None:
                raise
            # what ended the run is what a person has to know
        finally:
            if self.folder is not None:
                if error is not None:
                    self._say_why(self.folder, error)
                self.folder.close()

    def _say_why(self, folder: RunFolder, error: BaseException) -> None:
        how: dict[str, str] = {"status": "failed", "error": reason_of(error)}
        if isinstance(error, (asyncio.CancelledError, KeyboardInterrupt)):
            how = {"status": "interrupted"}
        # on a full disk run.json stays as it was, whole
        with contextlib.suppress(RunError):
            folder.describe(**how, finished=now())


async def _evaluate(
    config: Config,
    model: OpenedModel,
    context: EvaluationContext,
    prepared: Mapping[str, Evaluation],
    folder: RunFolder,
    manager: PluginManager,
) -> RunReport:
    report = RunReport(folder.folder)

    async def one(entry: ConfiguredEvaluator) -> None:
        try:
            result = await evaluate(entry, prepared.get(entry.name), model.client, context)
        except RunError:
            raise
        except Exception as error:
            report.errors[entry.name] = reason_of(error)
            context.progress.warn(entry.name, report.errors[entry.name])
            return
        report.results[entry.name] = result
        manager.evaluation_finished(result)

    try:
        async with asyncio.TaskGroup() as group:
            for entry in config.evaluators:
                group.create_task(one(entry))
    except BaseExceptionGroup as errors:
        raise first_cause(errors) from errors
    report.is_interrupted = context.stop.is_set
    in_order = {
        e.name: report.results[e.name] for e in config.evaluators if e.name in report.results
    }
    report.results = in_order
    report.add_suites(config.suites)
    return report
