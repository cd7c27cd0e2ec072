"""Evaluators: the base classes, and the graded evaluator that most configs compose."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, PrivateAttr, field_validator

from proctor.components import Component, ComponentKind, close_all, given_name
from proctor.context import EvaluationContext
from proctor.datasets import Dataset
from proctor.errors import ConfigError
from proctor.graders import Grader, grader_name
from proctor.metrics import EvaluationResult, valid_name
from proctor.prompts import CHOICE_INSTRUCTION, FewShot
from proctor.types import SamplingOptions

if TYPE_CHECKING:
    import tinker


class SamplingClientEvaluator:
    """Base of evaluators that sample: subclass it and write ``__call__``.

    A plain class: it needs no options and no constructor of Proctor's. One that also has
    ``async evaluate(client, context) -> EvaluationResult`` gets intervals, coverage, limits and
    deadlines; a plain one gets its numbers recorded.
    """

    async def __call__(self, sampling_client: Any) -> dict[str, float]:
        """Evaluates the model behind a sampling client; returns metrics by name."""
        raise NotImplementedError


class TrainingClientEvaluator:
    """Base of evaluators that need the training client itself, such as for its loss."""

    async def __call__(self, training_client: tinker.TrainingClient) -> dict[str, float]:
        """Evaluates the model that a training client trains; returns metrics by name."""
        raise NotImplementedError


def needs_training_client(evaluator: object) -> bool:
    """Whether an evaluator is called with the training client, not with a sampling client.

    tinker-cookbook's base class has the same name as ours, and is known by it.
    """
    return any(
        base.__name__ == TrainingClientEvaluator.__name__ for base in type(evaluator).__mro__
    )


class DatasetEvaluator(Component, SamplingClientEvaluator):
    """Base of evaluators that ask about each example of a dataset."""

    dataset: Annotated[Dataset, ComponentKind("dataset")]
    """Where the examples come from."""
    system: str | None = None
    """A system message before each question."""
    few_shot: FewShot | None = None
    """Answered examples before each question; never the question itself."""
    renderer: str | None = None
    """The renderer's name; without it, the model's own."""
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

    label: ClassVar[str]
    """What metric names begin with where an evaluator has no name."""

    _label: str | None = PrivateAttr(default=None)
    _opened: list[Component] = PrivateAttr(default_factory=list)

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        from proctor.build import build

        if "dataset" in options:
            options["dataset"] = build("dataset", options["dataset"])
        super().__init__(**options)
        if name is not None:
            valid_name(name)
        self._label = name

    @field_validator("by")
    @classmethod
    def _by_names_a_field(cls, by: list[str]) -> list[str]:
        for path in by:
            if path.split(".")[0] != "metadata" or path.count(".") != 1:
                raise ValueError(f"'by' takes fields such as metadata.subject, not {path!r}")
        return by

    @property
    def metric_name(self) -> str:
        """What its metrics' names begin with."""
        return self._label or self.label

    async def open_datasets(self) -> None:
        """Opens the dataset, and that of the shots, once."""
        await self._open(self.dataset)
        if self.few_shot is not None:
            await self._open(self.few_shot.dataset)

    async def _open(self, component: Component) -> None:
        if not any(component is opened for opened in self._opened):
            # before it is open: one that fails half way has something to drop, too
            self._opened.append(component)
            await component.open()

    async def close(self) -> None:
        """Closes what was opened: each, also where another can't be closed.

        Raises:
            Exception: What the first that can't be closed raised.
        """
        opened, self._opened = self._opened, []
        await close_all(reversed(opened))


class GradedEvaluator(DatasetEvaluator):
    """A dataset, sampled through a renderer and graded."""

    graders: list[Annotated[Grader, ComponentKind("grader")]] = Field(min_length=1)
    """What grades the answers; the first gives the evaluator's score."""
    prefill: str = ""
    """The start of each answer, which the model continues; it counts as part of the answer."""
    sampling: SamplingOptions | None = None
    """How to sample, in place of the config's ``sampling``."""
    num_samples: int = Field(default=1, ge=1)
    """Answers to each example; more than one adds pass@k."""
    shuffle_choices: bool = True
    """Whether the options of a multiple choice question are shuffled, by the example's id."""
    choice_instruction: str = CHOICE_INSTRUCTION
    """What stands under the options of a multiple choice question."""

    label: ClassVar[str] = "graded"

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        from proctor.build import build

        if "graders" in options and isinstance(options["graders"], (list, tuple)):
            options["graders"] = [build("grader", grader) for grader in options["graders"]]
        super().__init__(name=name, **options)

    def grader_names(self) -> list[str]:
        """Each grader's name in metric names: the registered one, numbered where it repeats."""
        names: list[str] = []
        for grader in self.graders:
            name = given_name(grader) or grader_name(grader)
            if ":" in name:
                name = name.rsplit(":", 1)[-1].rsplit(".", 1)[-1]
            numbered = (f"{name}-{number}" for number in itertools.count(2))
            names.append(next(n for n in itertools.chain([name], numbered) if n not in names))
        return names

    async def open(self) -> None:
        """Opens the datasets and the graders, once."""
        await self.open_datasets()
        for grader in self.graders:
            await self._open(grader)

    async def evaluate(self, client: Any, context: EvaluationContext) -> EvaluationResult:
        """Samples and grades every selected example.

        Raises:
            ProctorError: The dataset, a grader or the renderer can't be used. What became of
                single requests and grades is in the result, not an error.
        """
        from proctor.evaluation import Evaluation

        evaluation = Evaluation(self, context)
        await evaluation.prepare()
        evaluation.connect(client)
        return await evaluation.run()

    async def __call__(self, sampling_client: Any) -> dict[str, float]:
        """Evaluates with defaults; returns the metrics by name."""
        context = EvaluationContext.for_client(sampling_client)
        result = await self.evaluate(sampling_client, context)
        return dict(result.metrics)


class Suite(Component):
    """A named list of evaluators, reported together with micro and macro means."""

    evaluators: list[Any] = Field(min_length=1)
    """The members: evaluators as a config writes them."""


def unique_names(names: list[str]) -> None:
    """Refuses two evaluators that would write the same metrics.

    Raises:
        ConfigError: A name stands twice.
    """
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"{names.count(name)} evaluators are called {name!r}, and their metrics would "
                "overwrite each other",
                fix="give each a 'name' of its own",
            )
