"""A plain function as a grader."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable

from pydantic import PrivateAttr

from proctor.grading.grader import Given, Grader, Verdict, return_annotation
from proctor.types import Example, Sample


class FunctionGrader(Grader):
    """A plain function ``(response, target) -> bool`` as a grader.

    With several targets it is called for each that is not empty, and the best result counts: an
    empty one is part of every answer.
    """

    _function: Callable[[str, str], Given] = PrivateAttr()

    def __init__(self, function: Callable[[str, str], Given]) -> None:
        super().__init__()
        if inspect.iscoroutinefunction(function):
            raise TypeError("a function used as a grader is synchronous; write a Grader for more")
        self._function = function

    def _definition(self) -> Callable[[str, str], Given]:
        return self._function

    @property
    def is_proportion(self) -> bool:
        """Whether the function is annotated to return a bool."""
        return return_annotation(self._function) is bool

    def grade(self, example: Example, sample: Sample) -> Verdict:
        """The best of the function's results over the example's targets."""
        targets = [target for target in example.targets if target.strip()]
        results = [self._function(sample.text, target) for target in targets]
        return typing.cast(Verdict, max(results))


def grader_name(grader: Grader) -> str:
    """What a grader is called where no plugin named it: its class, or its function."""
    if isinstance(grader, FunctionGrader):
        return grader._function.__name__
    return type(grader).__name__


def annotated_verdict(grader: Grader) -> object:
    """What a grader, or its function, is annotated to return; None without an annotation."""
    if isinstance(grader, FunctionGrader):
        return return_annotation(grader._function)
    kind = type(grader)
    return return_annotation(kind.grade_batch if grader.is_batched else kind.grade)
