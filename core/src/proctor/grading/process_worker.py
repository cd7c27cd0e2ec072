"""The side of a grading process: one grader, made anew there, and one pair after the other.

Everything that crosses the border is pickled here and unpickled on the other side by hand. What
can't be pickled is then the pair's own failure, and never the pool's. The parent wrote what is
unpickled here, so it is trusted.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pickle
import signal
from dataclasses import dataclass, field
from pathlib import Path

from proctor.errors import ProctorError, UngradedError, is_infrastructure_error, one_line
from proctor.grading.grader import Given, Grader
from proctor.plugins.importing import import_file


@dataclass(frozen=True, slots=True)
class ProcessVerdict:
    """What a grader said in its process.

    Attributes:
        verdict: What ``grade`` returned.
        answer: What ``extract_answer`` returned.
    """

    verdict: Given
    answer: str | None


@dataclass(frozen=True, slots=True)
class ProcessFailure:
    """Why a grader said nothing in its process.

    Attributes:
        reason: Why, in one line.
        metadata: What it learnt nevertheless.
        is_transient: Whether trying again may help.
    """

    reason: str
    metadata: dict[str, object] = field(default_factory=dict)
    is_transient: bool = False


@dataclass(frozen=True, slots=True)
class GraderRecipe:
    """How a process makes its grader.

    Attributes:
        module: The module of the grader's class.
        file: The file of a module that has one and no name to import it by; None for all others.
        pickled: The class, by reference, and its options.
        memory_limit: Most bytes of address space; None for no limit.
        alarm: Seconds after which a call ends its process by itself. The pool's deadline comes
            first; this one is for processes whose pool was killed.
    """

    module: str
    file: Path | None
    pickled: bytes
    memory_limit: int | None
    alarm: int


class _Place:
    """The grader of this process, or why there is none."""

    grader: Grader | None = None
    failure: ProcessFailure | None = None
    alarm: int = 0


def prepare(recipe: GraderRecipe) -> None:
    """Makes the grader, once for each process; where that fails, each pair says so."""
    # pebble's own handler is Python code, which does not run while a call hangs in C
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _Place.alarm = recipe.alarm
    try:
        _limit_memory(recipe.memory_limit)
        _Place.grader = _made(recipe)
        asyncio.run(_Place.grader.open())
    except BaseException as error:  # an exit here would be the pool's end
        reason = f"the grader could not be made in its process: {one_line(error)}"
        _Place.failure = ProcessFailure(reason)


def grade_pickled(pickled_pair: bytes) -> bytes:
    """Grades one pair; never raises."""
    try:
        # the signal's own effect is to end the process, whatever Python is doing
        if hasattr(signal, "alarm"):
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(_Place.alarm)
        answer: ProcessVerdict | ProcessFailure = _graded(pickled_pair)
    except BaseException as error:  # also an exit: here it is the grader's mistake
        answer = _failure(error)
    finally:
        if hasattr(signal, "alarm"):
            signal.alarm(0)
    try:
        return pickle.dumps(answer)
    except Exception as error:
        reason = f"the grade can't leave its process: {one_line(error)}"
        return pickle.dumps(ProcessFailure(reason))


def _graded(pickled_pair: bytes) -> ProcessVerdict | ProcessFailure:
    if _Place.grader is None or _Place.failure is not None:
        return _Place.failure or ProcessFailure("the grader was not made in its process")
    example, sample = pickle.loads(pickled_pair)  # noqa: S301
    verdict = _Place.grader.grade(example, sample)
    if inspect.isawaitable(verdict):
        raise TypeError("grade returned something to await, in a process")
    try:
        answer = _Place.grader.extract_answer(example, sample)
    except Exception as error:
        return ProcessFailure(f"extract_answer raised {one_line(error)}")
    return ProcessVerdict(verdict, None if answer is None else str(answer))


def _failure(error: BaseException) -> ProcessFailure:
    transient = is_infrastructure_error(error)
    if isinstance(error, ProctorError):
        metadata = error.metadata if isinstance(error, UngradedError) else {}
        return ProcessFailure(str(error), metadata, transient)
    return ProcessFailure(f"the grader raised {one_line(error)}", is_transient=transient)


def _made(recipe: GraderRecipe) -> Grader:
    if recipe.file is None:
        importlib.import_module(recipe.module)
    elif import_file(recipe.file).__name__ != recipe.module:
        # a lone file's module is named for its content
        raise ProctorError(f"{recipe.file.name} has changed since the run began")
    grader_class, options = pickle.loads(recipe.pickled)  # noqa: S301
    # the options were checked when the grader was first made
    made: Grader = grader_class.model_construct(**options)
    return made


def _limit_memory(limit: int | None) -> None:
    if limit is None:
        return
    import resource  # there is none on Windows

    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
