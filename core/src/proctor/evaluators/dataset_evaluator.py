"""The bases of evaluators that are components, and of those that ask about a dataset."""

from __future__ import annotations

import contextlib
from typing import Annotated, ClassVar

from pydantic import Field, PrivateAttr, field_validator

from proctor.components.build import build
from proctor.components.component import Component, ComponentKind, Option, close_all
from proctor.datasets.dataset import Dataset
from proctor.evaluators.bases import SamplingClientEvaluator
from proctor.evaluators.context import EvaluationContext
from proctor.evaluators.dataset_run import AsksAboutRows, DatasetRun
from proctor.evaluators.prompts import FewShot
from proctor.foreign import awaited
from proctor.renderers.named_options import RendererName
from proctor.sampling.models import Client
from proctor.scoring.metric_names import valid_name
from proctor.scoring.results import EvaluationResult
from proctor.types import Example


class ComponentEvaluator(Component, SamplingClientEvaluator):
    """Base of evaluators with options, whose every execution is a ``DatasetRun``."""

    label: ClassVar[str]
    """What metric names begin with where an evaluator has no name."""

    _name: str | None = PrivateAttr(default=None)
    _opened: list[Component] = PrivateAttr(default_factory=list)

    def __init__(self, *, name: str | None = None, **options: Option) -> None:
        super().__init__(**options)
        if name is not None:
            self.rename(name)

    def rename(self, name: str) -> None:
        """Gives the evaluator the name that its metrics' names begin with.

        Raises:
            ConfigError: The name can't be part of a metric's name.
        """
        self._name = valid_name(name)

    @property
    def own_name(self) -> str | None:
        """The name that it was given; None where it has none."""
        return self._name

    @property
    def metric_name(self) -> str:
        """What its metrics' names begin with."""
        return self._name or self.label

    @property
    def score_scale(self) -> tuple[float | None, float] | None:
        """The (worst, best) of what gives its score; None where only its result says."""
        return None

    def begin(self, context: EvaluationContext) -> DatasetRun[AsksAboutRows]:
        """One execution, to be prepared, connected to a model and asked for its result."""
        raise NotImplementedError

    async def prepare(self, context: EvaluationContext) -> None:
        """Finds the evaluator's own mistakes; needs no model.

        Raises:
            ProctorError: Its dataset, a grader or a task can't be used.
        """
        await self.begin(context).prepare()

    async def evaluate(self, client: Client, context: EvaluationContext) -> EvaluationResult:
        """Asks the model behind a client about every selected row.

        Raises:
            ProctorError: The dataset, a grader or the renderer can't be used. What became of
                single requests and grades is in the result, not an error.
        """
        run = self.begin(context)
        await run.prepare()
        run.connect(client)
        return await run.result()

    async def __call__(self, sampling_client: Client) -> dict[str, float]:
        """Evaluates with defaults; returns the metrics by name."""
        context = EvaluationContext.for_client(sampling_client)
        return dict((await self.evaluate(sampling_client, context)).metrics)

    async def open_part(self, component: Component) -> None:
        """Opens a component of the evaluator, once; ``close`` closes it."""
        if any(component is opened for opened in self._opened):
            return
        # before it is open: one that fails half way has something to drop, too
        self._opened.append(component)
        try:
            await awaited(component.open())
        except BaseException:
            # the next step of training tries again
            self._opened = [opened for opened in self._opened if opened is not component]
            with contextlib.suppress(Exception):
                await component.close()
            raise

    async def close(self) -> None:
        """Closes what was opened: each, also where another can't be closed.

        Raises:
            Exception: What the first that can't be closed raised.
        """
        opened, self._opened = self._opened, []
        await close_all(reversed(opened))


class DatasetEvaluator(ComponentEvaluator):
    """Base of evaluators that ask about each example of a dataset."""

    dataset: Annotated[Dataset, ComponentKind("dataset")]
    """Where the examples come from."""
    system: str | None = None
    """A system message before each question."""
    few_shot: FewShot | None = None
    """Answered examples before each question; never the question itself."""
    renderer: RendererName = None
    """The renderer's name, or a mapping with its options; without it, the model's own."""
    limit: int | None = Field(default=None, ge=1)
    """Take this many examples: the same ones each time, from all strata."""
    scan: int | None = Field(default=None, ge=1)
    """Look at this many rows of the dataset only, where it is too large to pass over."""
    by: list[str] = Field(
        default_factory=list,
        json_schema_extra={"items": {"type": "string", "pattern": r"^metadata\.[^.]+$"}},
    )
    """Fields, such as ``metadata.subject``, for each of whose values to report the metrics too."""
    min_coverage: float | None = Field(default=None, ge=0.0, le=1.0)
    """The share of answers that must have a grade for there to be a score."""

    def __init__(self, *, name: str | None = None, **options: Option) -> None:
        if "dataset" in options:
            options["dataset"] = build("dataset", options["dataset"])
        super().__init__(name=name, **options)

    shows_choices: ClassVar[bool] = True
    """Whether the options of a question stand in its prompt."""

    def check_example(self, example: Example) -> None:
        """Refuses a row that can't be asked about, for ``lint`` and before anything is.

        Raises:
            DatasetError: It can't.
        """

    @property
    def needs_target(self) -> bool:
        """Whether every example must have a target."""
        return True

    @field_validator("by")
    @classmethod
    def _by_names_a_field(cls, by: list[str]) -> list[str]:
        for path in by:
            if path.split(".")[0] != "metadata" or path.count(".") != 1:
                raise ValueError(f"'by' takes fields such as metadata.subject, not {path!r}")
        return by

    async def open_datasets(self) -> None:
        """Opens the dataset, and that of the shots, once."""
        await self.open_part(self.dataset)
        if self.few_shot is not None:
            await self.open_part(self.few_shot.dataset)
