"""Values of others whose text, number or shape is a trap: one pair is lost, or nothing at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor.errors import one_line, reason_of
from proctor.runs.json_lines import JsonLines
from proctor.runs.json_text import to_document
from proctor.testing import make_sample


class Unspeakable:
    """Neither its text nor its representation can be had."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class Exits(Unspeakable):
    """Its text ends the process."""

    def __str__(self) -> str:
        raise SystemExit(0)

    __repr__ = __str__


class UnspeakableError(Exception):
    """An exception without a text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class ExitingError(Exception):
    """An exception whose text ends the process."""

    def __str__(self) -> str:
        raise SystemExit(0)


class Trap(Mapping[str, Any]):
    """A mapping that can't be walked."""

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Any:
        raise RuntimeError("no keys")

    def __len__(self) -> int:
        return 1


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


VALUES: dict[str, Callable[[], Any]] = {
    "5,000 digits": lambda: 10**5000,
    "5,000 digits below": lambda: {"deep": [-(10**5000)]},
    "nested 3,000 deep": lambda: nested(3000),
    "nested 100,000 deep": lambda: nested(100_000),
    "no text": Unspeakable,
    "a text that exits": Exits,
    "no keys": Trap,
    "a key without text": lambda: {Unspeakable(): 1},
    "half a character": lambda: "\ud800",
    "not a number": lambda: float("nan"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_record_is_written_whatever_is_in_it(name: str, tmp_path: Path) -> None:
    """ "Whatever a grader put into it gets written": it ended the evaluation."""
    file = JsonLines(tmp_path / "a.jsonl")
    file.append({"key": "k", "metadata": {"value": VALUES[name](), "other": "kept"}})
    file.append({"key": "l"})
    file.close()
    first, second = (tmp_path / "a.jsonl").read_bytes().splitlines()
    assert json.loads(first)["metadata"]["other"] == "kept"
    assert json.loads(second) == {"key": "l"}
    assert json.loads(to_document({"value": VALUES[name](), "other": 1}))["other"] == 1


def test_a_long_integer_is_kept_whole(tmp_path: Path) -> None:
    kept = json.loads(to_document({"n": 10**5000, "m": 10**2000}))
    assert int(kept["n"], 16) == 10**5000
    assert kept["m"] == 10**2000


@pytest.mark.parametrize("error", [UnspeakableError(), ExitingError()])
def test_an_error_without_a_text_has_its_kind(error: Exception) -> None:
    assert one_line(error) == f"{type(error).__name__}: (its message can't be read)"
    assert reason_of(error) == one_line(error)
    assert reason_of(proctor.ProctorError(Unspeakable())) == "(its message can't be read)"  # type: ignore[arg-type]


@pytest.mark.parametrize("concurrency", [0, 65_537, 10**9, 10**30])
def test_a_number_of_slots_that_no_memory_holds_is_refused(concurrency: int) -> None:
    """Each slot is a task: a billion of them ended the process."""
    spec: dict[str, Any] = {"evaluators": ["x"], "concurrency": concurrency}
    with pytest.raises(proctor.ConfigError, match="concurrency"):
        proctor.load_config(spec)


class Gives(proctor.Grader):
    """Gives what a test says."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> Any:
        return _given(example.id)


class GivesLater(proctor.Grader):
    """The same, awaited."""

    async def grade(self, example: proctor.Example, sample: proctor.Sample) -> Any:
        return _given(example.id)


class GivesTogether(proctor.Grader):
    """The same, in a batch."""

    batch_size = 4

    def grade_batch(self, pairs: Any) -> Any:
        return [_given(example.id) for example, _ in pairs]


class Reads(proctor.Grader):
    """Reads an answer that has no text."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> Any:
        return True

    def extract_answer(self, example: proctor.Example, sample: proctor.Sample) -> Any:
        return True if example.id == "good" else Unspeakable()


VERDICTS: dict[str, Callable[[], Any]] = {
    "5,000 digits": lambda: 10**5000,
    "no text": Unspeakable,
    "a text that exits": Exits,
    "a grade of it": lambda: proctor.Grade(Unspeakable()),  # type: ignore[arg-type]
    "nested": lambda: nested(3000),
}
ERRORS: dict[str, Callable[[], BaseException]] = {
    "an error without a text": UnspeakableError,
    "an error whose text exits": ExitingError,
    "one of ours without a text": lambda: proctor.UngradedError(Unspeakable()),  # type: ignore[arg-type]
}


def _given(name: str) -> Any:
    if name == "good":
        return True
    if name in ERRORS:
        raise ERRORS[name]()
    return VERDICTS[name]()


@pytest.mark.parametrize("grader", [Gives, GivesLater, GivesTogether])
@pytest.mark.parametrize("name", [*VERDICTS, *ERRORS])
def test_a_bad_verdict_costs_its_own_pair_only(name: str, grader: type[proctor.Grader]) -> None:
    """It killed the grading thread, and each such pair cost the whole timeout."""
    examples = [proctor.Example(id, "Q") for id in ("good", name, "good")]
    pairs = [(example, make_sample(example, "A")) for example in examples]
    graded = asyncio.run(asyncio.wait_for(proctor.grade_pairs(grader(), pairs), 20))
    assert [pair.value for pair in graded] == [1.0, None, 1.0]
    reason = graded[1].reason
    assert reason
    assert "\n" not in reason
    assert "gave no verdict within" not in reason


def test_an_answer_without_a_text_costs_its_own_pair_only() -> None:
    examples = [proctor.Example(id, "Q") for id in ("good", "bad", "good")]
    pairs = [(example, make_sample(example, "A")) for example in examples]
    graded = asyncio.run(asyncio.wait_for(proctor.grade_pairs(Reads(), pairs), 20))
    assert [pair.value for pair in graded] == [1.0, None, 1.0]
    assert graded[1].reason == "extract_answer raised RuntimeError: no text"
