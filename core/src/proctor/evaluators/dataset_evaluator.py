"""The base of evaluators that ask about the examples of a dataset."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, PrivateAttr, field_validator

from proctor.components.component import Component, ComponentKind, close_all
from proctor.datasets.dataset import Dataset
from proctor.evaluators.bases import SamplingClientEvaluator
from proctor.evaluators.prompts import FewShot
from proctor.scoring.metric_names import valid_name


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
        from proctor.components.build import build

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

    @property
    def needs_target(self) -> bool:
        """Whether every example must have a target."""
        return True

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
