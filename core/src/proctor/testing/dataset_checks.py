"""The rules of datasets."""

from __future__ import annotations

from collections import Counter
from itertools import islice, zip_longest

from proctor.components.build import build
from proctor.datasets.dataset import Dataset
from proctor.testing.samples import run
from proctor.types import Example


def check_dataset(dataset: object, *, at_most: int = 10_000) -> None:
    """Holds a dataset to its rules.

    It yields examples with unique ids, the same in the same order each time, also where two
    iterations overlap; each example's target fits its choices.

    Args:
        dataset: A dataset, its class, its registered name, or its mapping as in a config.
        at_most: How many examples are looked at.

    Raises:
        AssertionError: It breaks a rule.
        DatasetError: A row can't be read.
    """
    built: Dataset = build("dataset", dataset() if isinstance(dataset, type) else dataset)
    run(_check(built, at_most))


async def _check(dataset: Dataset, at_most: int) -> None:
    name = type(dataset).__name__
    await dataset.open()
    try:
        first = list(islice(dataset.examples(), at_most))
        assert first, f"{name} has no examples"
        for number, example in enumerate(first):
            _check_example(f"{name}, example {number}", example)
        repeated = [id for id, count in Counter(e.id for e in first).items() if count > 1]
        assert not repeated, f"{name} has more than one example with the id {repeated[0]!r}"
        one, other = islice(dataset.examples(), at_most), islice(dataset.examples(), at_most)
        for number, examples in enumerate(zip_longest(first, one, other)):
            assert all(example == examples[0] for example in examples), (
                f"{name} is not the same each time: its example {number} was "
                f"{' and then '.join(repr(example) for example in examples)}"
            )
        provenance = dataset.provenance()
        assert all(isinstance(text, str) for pair in provenance.items() for text in pair), (
            f"{name}.provenance() holds something that is no text: {provenance!r}"
        )
    finally:
        await dataset.close()


def _check_example(where: str, example: Example) -> None:
    assert isinstance(example, Example), f"{where} is no Example but {type(example).__name__}"
    assert isinstance(example.id, str), f"{where} has the id {example.id!r}, which is no text"
    assert example.id, f"{where} has an empty id"
    assert example.messages, f"{where} has no input"
    if example.choices is not None:
        assert isinstance(example.choices, tuple), f"{where}: choices is a tuple"
        assert isinstance(example.target, int | None), (
            f"{where} has choices: its target is the index of the right one, not {example.target!r}"
        )
        assert example.target is None or 0 <= example.target < len(example.choices), (
            f"{where} has {len(example.choices)} choices, and the target {example.target}"
        )
    else:
        assert not isinstance(example.target, int), f"{where} has a number for target: write text"
