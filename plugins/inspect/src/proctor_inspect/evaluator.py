"""The evaluator ``inspect``: Inspect tasks, with Proctor's ledger of what became of each sample."""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, PrivateAttr

from proctor import (
    ComponentEvaluator,
    DatasetRun,
    EvaluationContext,
    EvaluationResult,
    PythonFile,
    SamplingOptions,
    sample_key,
)

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.model import Model

    from proctor_inspect.tasks import LoadedTask

METADATA_KEY = "proctor_evaluation"
"""Where a log's metadata says which evaluation of ours it is of."""


class InspectEvaluator(ComponentEvaluator):
    """Inspect AI tasks: installed ones, such as inspect_evals/ifeval, and one's own."""

    tasks: list[PythonFile] = Field(min_length=1)
    """Tasks by name (``inspect_evals/ifeval``), or in a file (``./my_task.py@capitals``)."""
    task_args: dict[str, Any] = Field(default_factory=dict)
    """Arguments of the tasks."""
    limit: int | None = Field(default=None, ge=1)
    """Take this many samples of each task: the same ones each time, from all strata."""
    stratum: str | None = None
    """The field of the samples' metadata whose values are the strata of ``limit``; without it, one
    that is called ``stratum``."""
    epochs: int | None = Field(default=None, ge=1)
    """Answers to each sample; without it, the task's own number."""
    renderer: str | None = None
    """The renderer's name; without it, the model's own."""
    sampling: SamplingOptions | None = None
    """How to sample, in place of the config's ``sampling``; what a task sets itself comes first."""
    model_roles: dict[str, str] = Field(default_factory=dict)
    """Inspect's names of models for roles that a task has, such as ``grader``."""
    message_limit: int | None = Field(default=None, ge=1)
    """Most messages of one sample."""
    token_limit: int | None = Field(default=None, ge=1)
    """Most tokens of one sample, over all its requests."""
    time_limit: int | None = Field(default=None, ge=1)
    """Most seconds for one sample."""
    min_coverage: float | None = Field(default=None, ge=0.0, le=1.0)
    """The share of answers that must have a grade for there to be a score."""

    _loaded: list[LoadedTask] | None = PrivateAttr(default=None)

    label: ClassVar[str] = "inspect"

    def begin(self, context: EvaluationContext) -> TasksRun:
        """One execution: it runs the tasks, after those of other evaluators of this process."""
        return TasksRun(self, context)

    async def load(self) -> list[LoadedTask]:
        """Makes the tasks, once, which reads their datasets.

        Raises:
            ProctorError: A task is unknown, or can't be run here.
        """
        if self._loaded is None:
            from proctor_inspect import tasks

            self._loaded = await asyncio.to_thread(tasks.load, self.tasks, self.task_args)
        return self._loaded


class TasksRun(DatasetRun[InspectEvaluator]):
    """One execution of an evaluator's tasks."""

    def __init__(self, evaluator: InspectEvaluator, context: EvaluationContext) -> None:
        super().__init__(evaluator, context)
        self.sampling = evaluator.sampling or context.sampling
        self._chosen: dict[str, list[str]] = {}
        self._recorded: set[str] = set()

    async def prepare(self) -> None:
        """Makes the tasks, and chooses their samples; needs no model.

        Raises:
            ProctorError: A task is unknown, or can't be run here.
        """
        self.tasks: Sequence[LoadedTask] = await self.evaluator.load()
        for task in self.tasks:
            rows = task.examples(self.evaluator.stratum)
            self._chosen[task.label] = [row.id for row in self.choose_among(rows)]

    def connect(self, client: Any, context: EvaluationContext | None = None) -> None:
        """Takes the model, as Inspect's."""
        from proctor_inspect.model_api.evaluation import evaluation_model

        super().connect(client, context)
        self.model: Model = evaluation_model(self.rendered, self.context, self.sampling)

    async def result(self) -> EvaluationResult:
        """Runs each task in turn, and reads its log into a result."""
        from proctor_inspect.log_reading import read_log

        epochs = self.evaluator.epochs
        total = sum(
            len(self._chosen[task.label]) * (epochs or task.task.epochs or 1) for task in self.tasks
        )
        self.context.progress.started(self.name, total)
        parts: dict[str, EvaluationResult] = {}
        for task in self.tasks:
            ids = self._chosen[task.label]
            log = await self._run(task, ids)
            for sample in log.samples or []:
                self._record(task, sample)
            result = read_log(log, task.label, ids, self.min_coverage)
            details = {"log": str(log.location), "rows": len(ids), "task": task.spec}
            parts[task.label] = replace(result, details=details)
        self.context.progress.finished(self.name)
        return EvaluationResult.joined(
            self.name, parts, details={"renderer": self.rendered.renderer_name}
        )

    async def _run(self, task: LoadedTask, ids: Sequence[str]) -> EvalLog:
        from proctor_inspect import exclusive, observing

        native = {str(sample.id): sample.id for sample in task.task.dataset}
        evaluation = uuid.uuid4().hex
        with observing.samples(METADATA_KEY, evaluation, lambda s: self._record(task, s)):
            logs = await exclusive.evaluate(
                self.context.deadline,
                tasks=[task.task],
                model=[self.model],
                model_roles=self.evaluator.model_roles or None,
                sample_id=[native[known] for known in ids],
                epochs=self.evaluator.epochs,
                message_limit=self.evaluator.message_limit,
                token_limit=self.evaluator.token_limit,
                time_limit=self.evaluator.time_limit,
                metadata={METADATA_KEY: evaluation},
                log_dir=str(self._log_folder()),
                max_samples=self.context.budget.cap,
                # a sample that fails is missing, not the end of the evaluation
                fail_on_error=False,
                retry_on_error=0,
                score_display=False,
                log_realtime=False,
                ctl_server=False,
            )
        return logs[0]

    def _log_folder(self) -> Path:
        """Inspect's logs stand in the run's folder; without one, among the temporary files."""
        if self.context.folder is not None:
            return self.context.folder / "inspect"
        return Path(tempfile.gettempdir()) / "proctor-inspect"

    def _record(self, task: LoadedTask, sample: EvalSample) -> None:
        """Writes a sample and its grades, once."""
        from proctor_inspect.log_reading import columns_of, read_grades, read_sample

        request = self._digest(task, sample)
        key = sample_key(request, 0, sample.epoch - 1)
        if key in self._recorded:
            return
        self._recorded.add(key)
        example, read = read_sample(sample)
        row = sample.id if isinstance(sample.id, int) else 0
        self.record_sample(key, row, example, read)
        scorers = [column.grader for column in columns_of([sample], ())]
        for column, graded in read_grades(sample, scorers):
            self.record_grade(key, f"{task.label}/{column}", graded)

    def _digest(self, task: LoadedTask, sample: EvalSample) -> str:
        identity = [self.rendered.model.identity.key, self.rendered.renderer_name, task.spec]
        sampled = [self.sampling.model_dump(mode="json"), self.evaluator.task_args, sample.id]
        text = json.dumps([identity, sampled], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]
