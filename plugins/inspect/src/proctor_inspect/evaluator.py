"""The evaluator ``inspect``: Inspect tasks, with Proctor's ledger of what became of each sample."""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, PrivateAttr

from proctor import (
    Component,
    Dataset,
    EvaluationContext,
    EvaluationResult,
    Example,
    PythonFile,
    SamplingClientEvaluator,
    SamplingOptions,
    fingerprint,
    grade_record,
    sample_key,
    sample_record,
    select,
)

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.model import Model

    from proctor_inspect.model_api.chat_model import SampledModelAPI
    from proctor_inspect.tasks import LoadedTask

METADATA_KEY = "proctor_evaluation"
"""Where a log's metadata says which evaluation of ours it is of."""


class _Rows(Dataset):
    """The rows of a task, for choosing some of them."""

    rows: list[Example]
    """The rows."""

    def examples(self) -> Iterator[Example]:
        return iter(self.rows)


class InspectEvaluator(Component, SamplingClientEvaluator):
    """Inspect AI tasks: installed ones, such as inspect_evals/ifeval, and one's own."""

    tasks: list[PythonFile] = Field(min_length=1)
    """Tasks by name (``inspect_evals/ifeval``), or in a file (``./my_task.py@capitals``)."""
    task_args: dict[str, Any] = Field(default_factory=dict)
    """Arguments of the tasks."""
    limit: int | None = Field(default=None, ge=1)
    """Take this many samples of each task: the same ones each time, from all strata."""
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
    _label: str | None = PrivateAttr(default=None)

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._label = name

    @property
    def metric_name(self) -> str:
        """What its metrics' names begin with."""
        return self._label or "inspect"

    async def prepare(self, context: EvaluationContext) -> None:
        """Makes the tasks, which reads their datasets; needs no model.

        Raises:
            ProctorError: A task is unknown, or can't be run here.
        """
        if self._loaded is None:
            from proctor_inspect import tasks

            self._loaded = await asyncio.to_thread(tasks.load, self.tasks, self.task_args)

    async def __call__(self, sampling_client: Any) -> dict[str, float]:
        """Evaluates with defaults; returns the metrics by name."""
        context = EvaluationContext.for_client(sampling_client)
        return dict((await self.evaluate(sampling_client, context)).metrics)

    async def evaluate(self, client: Any, context: EvaluationContext) -> EvaluationResult:
        """Runs the tasks, after those of other evaluators of this process.

        Raises:
            ProctorError: A task can't be run, every sample of one failed, or Inspect was busy
                until the run's deadline.
        """
        await self.prepare(context)
        run = _TasksRun(self, self._loaded or [], client, context)
        return await run.result()


class _TasksRun:
    """One execution of an evaluator's tasks."""

    def __init__(
        self,
        evaluator: InspectEvaluator,
        tasks: Sequence[LoadedTask],
        client: Any,
        context: EvaluationContext,
    ) -> None:
        from proctor_inspect.model_api.evaluation import evaluation_model

        self.evaluator = evaluator
        self.tasks = tasks
        self.context = context
        self.name = context.name or evaluator.metric_name
        self.sampling = evaluator.sampling or context.sampling
        self.model: Model = evaluation_model(
            client, context, renderer=evaluator.renderer, sampling=self.sampling
        )
        self.api: SampledModelAPI = self.model.api  # type: ignore[assignment]
        self._fingerprint = fingerprint(evaluator)
        self._recorded: set[str] = set()

    async def result(self) -> EvaluationResult:
        """Runs each task in turn, and reads its log into a result."""
        from proctor_inspect.log_reading import read_log

        chosen = {task.label: self._choose(task) for task in self.tasks}
        epochs = self.evaluator.epochs
        total = sum(
            len(chosen[task.label]) * (epochs or task.task.epochs or 1) for task in self.tasks
        )
        self.context.progress.started(self.name, total)
        parts: dict[str, EvaluationResult] = {}
        for task in self.tasks:
            ids = chosen[task.label]
            log = await self._run(task, ids)
            for sample in log.samples or []:
                self._record(task, sample)
            min_coverage = self.context.required_coverage(self.evaluator.min_coverage)
            result = read_log(log, task.label, ids, min_coverage)
            details = {"log": str(log.location), "rows": len(ids), "task": task.spec}
            parts[task.label] = replace(result, details=details)
        self.context.progress.finished(self.name)
        return EvaluationResult.joined(
            self.name, parts, details={"renderer": self.api.renderer_name}
        )

    def _choose(self, task: LoadedTask) -> list[str]:
        """The ids of the samples to evaluate: the rule of ``limit`` is Proctor's."""
        rows = _Rows(rows=task.examples())
        limit = self.context.least_limit(self.evaluator.limit)
        selection = select(rows, (), limit=limit, seed=self.context.seed)
        return [example.id for _, example in selection.rows()]

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
        self.context.sink.sample(sample_record(self.name, key, row, example, None, read))
        self.context.progress.sampled(self.name, read.status)
        scorers = [column.grader for column in columns_of([sample], ())]
        for column, graded in read_grades(sample, scorers):
            grader = f"{task.label}/{column}"
            self.context.sink.grade(
                grade_record(self.name, key, grader, f"{self._fingerprint}/{grader}", graded)
            )
            value = graded.grade.value if graded.grade else None
            self.context.progress.graded(self.name, grader, graded.outcome, value)

    def _digest(self, task: LoadedTask, sample: EvalSample) -> str:
        identity = [self.api.model_name, self.api.renderer_name, task.spec]
        sampled = [self.sampling.model_dump(mode="json"), self.evaluator.task_args, sample.id]
        text = json.dumps([identity, sampled], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]
