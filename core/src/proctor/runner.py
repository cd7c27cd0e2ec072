"""One offline run: evaluators, one model, one folder."""

from __future__ import annotations

import asyncio
import datetime
import importlib.metadata
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from proctor.backends import OpenedModel
from proctor.components import describe
from proctor.config import Config, ConfiguredEvaluator
from proctor.context import EvaluationContext, Progress
from proctor.errors import ConfigError, ProctorError, RunError
from proctor.evaluation import Evaluation
from proctor.evaluators import GradedEvaluator
from proctor.metrics import EvaluationResult
from proctor.plugins import PluginManager, plugin_manager
from proctor.registry import one_line
from proctor.runs import RunFolder
from proctor.sampling import RequestBudget, StopSignal
from proctor.suites import SuiteResult


@dataclass(slots=True)
class RunReport:
    """How a run ended.

    Attributes:
        folder: The run's folder.
        results: The result of each evaluator that finished, by name.
        suites: The means of each suite whose members all finished.
        errors: Why an evaluator has no result, by its name.
        is_interrupted: Whether a person stopped it.
    """

    folder: Path
    results: dict[str, EvaluationResult] = field(default_factory=dict)
    suites: dict[str, SuiteResult] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    is_interrupted: bool = False

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
    manager = plugin_manager()
    context = EvaluationContext(
        sampling=config.options.sampling,
        renderer=config.options.renderer,
        seed=config.options.seed,
        limit=limit,
        min_coverage=config.options.min_coverage,
        budget=RequestBudget(config.options.concurrency),
        request_timeout=config.options.request_timeout,
        progress=progress or Progress(),
        stop=stop or StopSignal(),
        is_strict=is_strict,
    )
    prepared: dict[str, Evaluation] = {}
    run_folder: RunFolder | None = None
    try:
        for entry in config.evaluators:
            if isinstance(entry.evaluator, GradedEvaluator):
                evaluation = Evaluation(entry.evaluator, context.named(entry.name))
                prepared[entry.name] = evaluation
                await evaluation.prepare()
        run_folder = RunFolder(folder)
        run_folder.describe(**_description(config, context, manager))
        await config.backend.open()
        model: OpenedModel = await config.backend.open_model()
        deadline = config.options.timeout
        context = replace(
            context,
            identity=model.identity,
            tokenizer=model.tokenizer,
            max_in_flight=model.max_in_flight,
            seed_covers_samples=model.seed_covers_samples,
            deadline=None if deadline is None else time.monotonic() + deadline,
            sink=ObservedRecords(run_folder, manager),
        )
        for name, evaluation in prepared.items():
            evaluation.connect(model.client, context.named(name))
        run_folder.describe(
            status="running",
            model=describe_identity(model),
            renderers={name: e.renderer_key for name, e in prepared.items()},
        )
        manager.run_started(run_folder)
        report = await _evaluate(config, model, context, prepared, run_folder, manager)
        run_folder.results(report.to_json())
        run_folder.describe(status=report.status, finished=_now())
        manager.run_finished(run_folder)
        return report
    finally:
        for entry in config.evaluators:
            if isinstance(entry.evaluator, GradedEvaluator):
                await entry.evaluator.close()
        await config.backend.close()
        if run_folder is not None:
            run_folder.close()


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
            if entry.name in prepared:
                result: Any = await prepared[entry.name].run()
            elif hasattr(entry.evaluator, "evaluate"):
                result = await entry.evaluator.evaluate(model.client, context.named(entry.name))
            else:
                result = await entry.evaluator(model.client)
            if not isinstance(result, EvaluationResult):
                numbers = checked_metrics(entry.name, result)
                result = EvaluationResult.from_metrics(entry.name, numbers)
        except RunError:
            raise
        except Exception as error:
            reason = str(error) if isinstance(error, ProctorError) else one_line(error)
            report.errors[entry.name] = reason
            context.progress.warn(entry.name, reason)
            return
        report.results[entry.name] = result
        manager.evaluation_finished(result)

    try:
        async with asyncio.TaskGroup() as group:
            for entry in config.evaluators:
                group.create_task(one(entry))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    report.is_interrupted = context.stop.is_set
    in_order = {
        e.name: report.results[e.name] for e in config.evaluators if e.name in report.results
    }
    report.results = in_order
    for suite, members in config.suites.items():
        results = [report.results[name] for name in members if name in report.results]
        if len(results) == len(members):
            report.suites[suite] = SuiteResult.from_results(suite, results)
        else:
            report.errors[suite] = "a member of the suite has no result"
    return report


def checked_metrics(name: str, numbers: Any) -> dict[str, float]:
    """What a plain evaluator returned, if it is numbers by name.

    Raises:
        ProctorError: It is not, or is empty.
    """
    if not isinstance(numbers, Mapping) or not numbers:
        raise ProctorError(f"{name} returned no metrics", fix="return a dict of names to numbers")
    try:
        return {str(key): float(value) for key, value in numbers.items()}
    except (TypeError, ValueError):
        raise ProctorError(
            f"{name} returned {dict(numbers)!r:.200}", fix="return a dict of names to numbers"
        ) from None


def describe_identity(model: OpenedModel) -> dict[str, Any]:
    """A model's identity as ``run.json`` has it."""
    identity = model.identity
    return {
        "backend": identity.backend,
        "base_model": identity.base_model,
        "checkpoint": identity.checkpoint,
        "digest": identity.digest,
        "session": identity.session,
        "renderer_name": identity.renderer_name,
        "context_length": identity.context_length,
        "key": identity.key,
    }


def _description(
    config: Config, context: EvaluationContext, manager: PluginManager
) -> dict[str, Any]:
    return {
        "status": "opening",
        "started": _now(),
        "config_file": config.file.name if config.file else None,
        "config": {
            "model": describe(config.backend),
            "sampling": context.sampling.model_dump(mode="json"),
            "renderer": context.renderer,
            "evaluators": [
                {
                    "name": entry.name,
                    "suite": entry.suite,
                    "presets": list(entry.presets),
                    **described_evaluator(entry.evaluator),
                }
                for entry in config.evaluators
            ],
            "extra_graders": config.options.extra_graders,
            "seed": context.seed,
            "limit": context.limit,
            "min_coverage": context.min_coverage,
            "concurrency": config.options.concurrency,
            "request_timeout": config.options.request_timeout,
            "timeout": config.options.timeout,
        },
        "versions": _versions(manager),
    }


def described_evaluator(evaluator: Any) -> dict[str, Any]:
    """An evaluator's type and options, whether it is a component or a plain class."""
    described = describe(evaluator)
    options = getattr(evaluator, "_options", None)
    if options is not None and "options" not in described:
        described = {**described, "options": describe(options)}
    return dict(described)


def _versions(manager: PluginManager) -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in ("proctor", "tinker", "transformers", "torch", "numpy"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    versions.update(
        {p.distribution: p.version for p in manager.plugins if p.status in ("ok", "conflict")}
    )
    return versions


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
