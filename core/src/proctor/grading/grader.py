"""Graders: from an example and a sample to a grade."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from proctor.components.component import Component
from proctor.errors import ConfigError
from proctor.scoring.grades import GradeTally
from proctor.types import Example, Grade, Sample

if TYPE_CHECKING:
    from proctor.sampling.models import ChatModel


Verdict = Grade | float | bool
"""What a grader may return; a bool counts as its scale's best or worst."""

Given: TypeAlias = Any  # what whoever wrote a grader lets it return: verdicts, or what gives them


class Grader(Component):
    """Base of graders: override ``grade``, or ``grade_batch`` where many at once are cheaper.

    Either may be a coroutine. A grader sees complete answers only, without thinking and stop
    tokens. An exception, NaN or a value outside the scale makes the outcome ``ungraded``.
    """

    worst: ClassVar[float | None] = 0.0
    """The value of the worst grade, given to truncated and malformed answers; None where such an
    answer has no value, which makes it missing."""

    best: ClassVar[float] = 1.0
    """The value of the best grade; below ``worst`` where lower is better."""

    needs_target: ClassVar[bool] = True
    """Whether every example must have a target. Checked before anything is sampled."""

    sees_truncated: ClassVar[bool] = False
    """Whether truncated answers are graded like complete ones."""

    proportion: ClassVar[bool | None] = None
    """Whether grades are yes or no; None reads it off the annotated return type."""

    batch_size: ClassVar[int] = 64
    """Most pairs that one call of ``grade_batch`` gets."""

    grading_timeout: ClassVar[float] = 120.0
    """Seconds after which one call of ``grade`` or ``grade_batch`` counts as hung."""

    runs_in: ClassVar[Literal["thread", "process"]] = "thread"
    """Where ``grade`` and ``extract_answer`` are called: "process" is for code that may hang, eat
    memory or crash. Each process makes its own grader from the class and its options."""

    processes: ClassVar[int | None] = None
    """How many processes; None for as many as there are processors, four at most."""

    process_modules: ClassVar[Sequence[str]] = ()
    """Modules that are slow to import, and that every process needs."""

    memory_limit: ClassVar[int | None] = None
    """Most bytes of address space of one process; None for no limit."""

    def check_example(self, example: Example) -> None:
        """Looks at an example before anything is sampled; the default accepts it.

        Raises:
            DatasetError: This grader could never grade an answer to it.
        """

    def grade(self, example: Example, sample: Sample) -> Given:
        """Grades one complete answer; returns a ``Grade``, a float or a bool, or awaits one.

        Raises:
            NotImplementedError: The class overrides neither this nor ``grade_batch``.
        """
        raise NotImplementedError

    def grade_batch(self, pairs: Sequence[tuple[Example, Sample]]) -> Given:
        """Grades several answers at once; returns as many verdicts, in order, or awaits them.

        Raises:
            NotImplementedError: The class grades one by one.
        """
        raise NotImplementedError

    def scale(self) -> tuple[float | None, float]:
        """The scale as (worst, best), for graders whose scale is an option."""
        return self.worst, self.best

    def check_options(self) -> None:
        """Refuses a scale without a length.

        Raises:
            ConfigError: It is one.
        """
        worst, best = self.scale()
        if worst == best:
            raise ConfigError(f"{type(self).__name__}'s worst and best grade are both {best}")

    def connect(self, model: ChatModel) -> None:
        """Takes the model under evaluation, once it is open, for graders that ask it something."""

    def tally(self) -> GradeTally | None:
        """A new count for one evaluation, for graders that report more than a score."""
        return None

    def extract_answer(self, example: Example, sample: Sample) -> str | None:
        """The answer as the grader reads it, by which maj@k tells which samples agree."""
        return None

    @property
    def is_batched(self) -> bool:
        """Whether the class grades in batches."""
        return type(self).grade_batch is not Grader.grade_batch

    @property
    def is_proportion(self) -> bool:
        """Whether every grade is yes or no, so that the score is a proportion."""
        if self.proportion is not None:
            return self.proportion
        method = type(self).grade_batch if self.is_batched else type(self).grade
        returned = return_annotation(method)
        return returned is bool or returned in (list[bool], Sequence[bool])

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Refuses, at definition, a concrete grader that can't grade.

        Raises:
            TypeError: Neither method is overridden, ``worst`` equals ``best``, or it runs in
                processes and does not grade one by one.
        """
        super().__pydantic_init_subclass__(**kwargs)
        if cls.grade is Grader.grade and cls.grade_batch is Grader.grade_batch:
            raise TypeError(f"{cls.__name__} must define grade or grade_batch")
        if cls.worst == cls.best:
            raise TypeError(f"{cls.__name__}: worst and best are both {cls.best}")
        one_by_one = cls.grade_batch is Grader.grade_batch
        if cls.runs_in == "process" and not (
            one_by_one and not inspect.iscoroutinefunction(cls.grade)
        ):
            raise TypeError(f"{cls.__name__}: in a process, grade is synchronous and one by one")


def return_annotation(method: Callable[..., Given]) -> object:
    """What a function is annotated to return; None where nothing can be read there."""
    try:
        return typing.get_type_hints(method).get("return")
    except Exception:  # an annotation that names something unimportable says nothing
        return None
