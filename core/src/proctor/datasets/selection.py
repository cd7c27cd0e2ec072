"""Which rows of a dataset are evaluated, and whether they can be."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from proctor.datasets.dataset import Dataset
from proctor.errors import DatasetError
from proctor.grading.function_grader import grader_name
from proctor.grading.grader import Grader
from proctor.hashing import HashCounter, hash64
from proctor.types import Example

NO_STRATUM = ""
"""The stratum of rows that have none, where others do."""

HIDDEN_LABEL = "-1"
"""What stands for a label in a split that hides them."""

LEAST_HIDDEN = 10
"""From so many rows on, that every target is -1 is no accident."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows to evaluate.

    Attributes:
        rows: Yields (position in the dataset, example), again and again, in dataset order.
        total: How many there are; None where the dataset streams and nothing counted it.
        scanned: How many rows were looked at to choose them; None where all were.
        stratum_sizes: How many rows each stratum of the dataset has; None where the rows are no
            sample of all rows: they are all, only some were looked at, or a cluster has rows on
            both sides of the limit.
    """

    rows: Callable[[], Iterator[tuple[int, Example]]]
    total: int | None
    scanned: int | None = None
    stratum_sizes: Mapping[str, int] | None = None


def select(
    dataset: Dataset,
    graders: Sequence[Grader],
    *,
    limit: int | None = None,
    seed: int = 0,
    scan: int | None = None,
    check: Callable[[Example], object] | None = None,
) -> Selection:
    """Chooses the rows to evaluate, and looks for mistakes before anything is sampled.

    Without ``limit`` every row is taken, in order, as a stream; a dataset that is cheap to read is
    passed over once for its mistakes first. With ``limit`` the one pass ranks the rows of each
    ``metadata["stratum"]`` by a hash of (seed, id), from 0, and takes those with the smallest
    ``(rank + u) / size``, where ``u`` is between 0 and 1 by a hash of (seed, stratum): each
    stratum is a systematic sample with a random start (Cochran 1977, Sampling Techniques, 3rd ed.,
    chapter 8). So over the seeds every row has the same chance, however small its stratum; each
    stratum has its share, to within a row or so; and a smaller limit always is a subset of a larger
    one. Rows without a stratum form one of their own.

    Args:
        dataset: Where the rows come from.
        graders: What will grade them; each may refuse a row.
        limit: How many rows to take; None for all.
        seed: Steers which.
        scan: Look at this many rows only; None for all.
        check: Raises where it can't use a row.

    Raises:
        DatasetError: The dataset is empty, an id stands twice, a row lacks the target that a
            grader needs, every target is -1, or a row can't be read.
    """

    def checked() -> Iterator[tuple[int, Example]]:
        return _checked(dataset, graders, scan, check)

    if limit is None:
        if not dataset.is_cheap_to_read:
            return Selection(checked, None, scan)
        total = sum(1 for _ in checked())

        def streamed() -> Iterator[tuple[int, Example]]:
            return enumerate(islice(dataset.examples(), scan))

        return Selection(streamed, total, scan)
    chosen, sizes, splits_a_cluster = _smallest(checked(), limit, seed)
    is_sample = scan is None and not splits_a_cluster and len(chosen) < sum(sizes.values())
    return Selection(lambda: iter(chosen), len(chosen), scan, sizes if is_sample else None)


def stratum_of(example: Example) -> str:
    """The stratum of a row, for ``limit``."""
    given = example.metadata.get("stratum")
    return NO_STRATUM if given is None else str(given)


def _checked(
    dataset: Dataset,
    graders: Sequence[Grader],
    scan: int | None,
    check: Callable[[Example], object] | None,
) -> Iterator[tuple[int, Example]]:
    ids = HashCounter()
    position, hidden = -1, 0
    for position, example in enumerate(islice(dataset.examples(), scan)):
        if ids.add(hash64(example.id)):
            _report_duplicate(dataset, example.id, position)
        hidden += example.target in (HIDDEN_LABEL, [HIDDEN_LABEL])
        for grader in graders:
            if grader.needs_target and not any(target.strip() for target in example.targets):
                raise DatasetError(
                    f"row {position + 1} (id {example.id!r}) has no target, and "
                    f"{grader_name(grader)} needs one",
                    fix=dataset.without_target(),
                )
            grader.check_example(example)
        if check is not None:
            check(example)
        yield position, example
    if position < 0:
        raise DatasetError("the dataset is empty", fix="check its path, split and filter")
    needs_target = any(grader.needs_target for grader in graders)
    if needs_target and LEAST_HIDDEN <= hidden == position + 1:
        raise DatasetError(
            f"the target of each of the {hidden} rows is {HIDDEN_LABEL}: the labels are hidden",
            fix="take a split that has them, such as validation",
        )


def _report_duplicate(dataset: Dataset, example_id: str, position: int) -> None:
    """Reads the rows before again: equal hashes of different ids are no mistake of the data."""
    for earlier, example in enumerate(islice(dataset.examples(), position)):
        if example.id == example_id:
            raise DatasetError(
                f"id {example_id!r} stands in row {earlier + 1} and in row {position + 1}",
                fix="make ids unique, or leave the id out: it is then made from the content",
            )


def _smallest(
    rows: Iterator[tuple[int, Example]], limit: int, seed: int
) -> tuple[list[tuple[int, Example]], Counter[str], bool]:
    """The rows that ``limit`` keeps, in one pass, with ``limit`` rows a stratum in memory.

    Returns:
        The rows in dataset order, the size of each stratum, and whether some but not all rows of a
        cluster are kept.
    """
    heaps: dict[str, list[tuple[int, int, Example]]] = {}
    sizes: Counter[str] = Counter()
    clusters: Counter[int] = Counter()
    for position, example in rows:
        stratum = stratum_of(example)
        heap = heaps.setdefault(stratum, [])
        sizes[stratum] += 1
        clusters.update(_cluster_hash(example))
        entry = (-hash64(seed, example.id), -position, example)
        if len(heap) < limit:
            heapq.heappush(heap, entry)
        elif entry[:2] > heap[0][:2]:
            heapq.heapreplace(heap, entry)
    starts = {stratum: _start(seed, stratum) for stratum in heaps}
    ranked = [
        ((rank + starts[stratum]) / sizes[stratum], -negative, example)
        for stratum, heap in heaps.items()
        for rank, (_, negative, example) in enumerate(sorted(heap, reverse=True, key=_order))
    ]
    ranked.sort(key=lambda entry: entry[:2])
    kept = sorted(
        ((position, example) for _, position, example in ranked[:limit]),
        key=lambda entry: entry[0],
    )
    kept_of = Counter(cluster for _, example in kept for cluster in _cluster_hash(example))
    return kept, sizes, any(clusters[cluster] > count for cluster, count in kept_of.items())


def _cluster_hash(example: Example) -> tuple[int, ...]:
    """A hash of a row's cluster; nothing for a row that is independent of all others."""
    cluster = example.metadata.get("cluster")
    return () if cluster is None else (hash64(str(cluster)),)


def _start(seed: int, stratum: str) -> float:
    """Where a stratum's ranks start: uniform in 0 to 1, by hash.

    A fixed start is biased: with 1/2, a stratum that expects less than half a row never gets one,
    whatever the seed; with 1, small strata hardly ever do.
    """
    # "stratum" keeps this apart from the hash of a row whose id is the stratum's name.
    return (hash64(seed, "stratum", stratum) + 0.5) / 2**64


def _order(entry: tuple[int, int, Example]) -> tuple[int, int]:
    return entry[:2]
