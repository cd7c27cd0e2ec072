"""The options of the graded evaluator: what its run reads."""

from __future__ import annotations

import itertools
from typing import Annotated, ClassVar

from pydantic import Field

from proctor.components.build import build
from proctor.components.component import ComponentKind, Option, given_name
from proctor.evaluators.dataset_evaluator import DatasetEvaluator
from proctor.evaluators.prompts import CHOICE_INSTRUCTION
from proctor.grading.function_grader import grader_name
from proctor.grading.grader import Grader
from proctor.types import SamplingOptions


class GradedOptions(DatasetEvaluator):
    """The options of the graded evaluator."""

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

    def __init__(self, *, name: str | None = None, **options: Option) -> None:
        if "graders" in options and isinstance(options["graders"], (list, tuple)):
            options["graders"] = [build("grader", grader) for grader in options["graders"]]
        super().__init__(name=name, **options)

    @property
    def needs_target(self) -> bool:
        """Whether a grader needs one."""
        return any(grader.needs_target for grader in self.graders)

    @property
    def score_scale(self) -> tuple[float | None, float]:
        """The scale of the first grader."""
        return self.graders[0].scale()

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
            await self.open_part(grader)
