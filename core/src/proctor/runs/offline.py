"""One offline run: evaluators, one model, one folder."""

from __future__ import annotations
import asyncio
import time
import contextlib
from proctor.runs.observed_records import ObservedRecords
from proctor.runs.report import RunReport
from dataclasses import replace
from pathlib import Path
from proctor.sampling.models import OpenedModel
from proctor.configs.config import Config
from proctor.evaluators.context import EvaluationContext
from proctor.evaluators.context import Progress
from proctor.errors import ConfigError
from proctor.errors import ProctorError
from proctor.evaluators.graded_run import Evaluation
from proctor.evaluators.bases import needs_training_client
from proctor.runs.execution import prepare
from proctor.plugins.active import plugin_manager
from proctor.runs.description import describe_identity
from proctor.runs.description import describe_run
from proctor.runs.description import now
from proctor.runs.folder import RunFolder
from proctor.sampling.budget import RequestBudget
from proctor.sampling.budget import StopSignal
from types import TracebackType
from proctor.components.component import Component
from proctor.components.component import close_all
from proctor.errors import RunError
from proctor.errors import reason_of
from collections.abc import Mapping
from proctor.configs.config import ConfiguredEvaluator
from proctor.errors import first_cause
from proctor.runs.execution import evaluate
from proctor.plugins.manager import PluginManager


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
