"""The score of a whole dataset, from the rows that a ``limit`` took of it.

The headline's interval is of what the dataset stands for. This one is of the dataset itself, whose
rows are finitely many, and some of them are known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from proctor.scoring.intervals import (
    CONFIDENCE,
    LEAST_CLUSTERS,
    LEAST_CLUSTERS_GRADED,
    Floats,
    interval_doubt,
    wilson_interval,
)
from proctor.scoring.json_fields import JsonFields
from proctor.scoring.means import Mean, doubt_from, mean_from

LEAST_SHARE = 0.1
"""The least share of a dataset's rows for its own score to be offered: below it the two intervals
are hardly different."""

_POOLED_WEIGHT = 1.0
"""How many degrees of freedom the variance over all strata weighs within each."""


@dataclass(frozen=True, slots=True)
class DrawnRows:
    """The rows of an evaluation as a stratified sample of their dataset.

    Attributes:
        strata: The stratum of each row, in the ledger's order.
        stratum_sizes: How many rows each stratum of the dataset has, drawn or not.
    """

    strata: Sequence[str]
    stratum_sizes: Mapping[str, int]

    @property
    def rows(self) -> int:
        """How many rows the dataset has."""
        return sum(self.stratum_sizes.values())


@dataclass(frozen=True, slots=True)
class WholeDatasetMean(Mean):
    """The score that all rows of a dataset would have, as far as those that were drawn tell.

    Attributes:
        rows: How many rows the dataset has.
    """

    rows: int

    def to_json(self) -> dict[str, object]:
        """The mean as JSON, with ``rows``."""
        return Mean.to_json(self) | {"rows": self.rows}

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> WholeDatasetMean:
        """The mean that ``to_json`` wrote.

        Raises:
            ConfigError: A key is missing or wrong.
        """
        fields = JsonFields.of(raw)
        return WholeDatasetMean(
            *mean_from(fields), rows=fields.count("rows"), interval_doubt=doubt_from(fields)
        )


def estimate_whole_dataset(
    values: Floats, drawn: DrawnRows, scale: tuple[float, float], *, proportion: bool = False
) -> WholeDatasetMean | None:
    """The mean over all rows of the dataset, from a stratified sample of them.

    With ``N_h`` rows in stratum ``h``, ``n_h`` of which were drawn, and ``y_h`` the mean of those::

        mean = sum_h N_h / N * y_h
        V = sum_h (N_h / N)**2 * (1 - n_h / N_h) * s_h**2 / n_h

    (Cochran 1977, Sampling Techniques, 3rd ed., sections 2.6 and 5.4 to 5.6). Strata of which fewer
    than two rows were drawn are collapsed into one (section 5A.12). Several samples of a row are a
    second stage, which adds ``n / N * w / n``, with ``w`` the mean variance of a row's mean
    (section 10.3). ``s_h**2`` is averaged with the variance over all rows, which counts as one
    degree of freedom, so that few rows that happen to agree are no certainty; that choice is not
    from a source and holds in simulation. The interval has Wilson's form with
    ``n_eff = m (1 - m) / V``; where all values are one end of the scale, ``n / (1 - n / N)``.

    Args:
        values: The grades, shape (rows, samples), without missing ones.
        drawn: The stratum of each row, and the sizes of all.
        scale: The worst and the best value, either way round.
        proportion: Whether each value is one end of the scale.

    Returns:
        The estimate; None where fewer than two rows of a dataset, less than a tenth of it, or all
        of it, were drawn.
    """
    count, rows = len(values), drawn.rows
    share = count / rows if rows else 1.0
    if count < 2 or not LEAST_SHARE <= share < 1:
        return None
    low, high = min(scale), max(scale)
    places: Floats = (values - low) / (high - low)
    mean, variance, degrees_of_freedom = _stratified(places.mean(axis=1), drawn)
    samples = values.shape[1]
    if samples > 1:
        within_row = float(places.var(axis=1, ddof=1).mean()) / samples
        variance += share * within_row / count
    most, alike_n = mean * (1 - mean), count / (1 - share)
    effective_n = most / variance if min(most, variance) > 0 else alike_n
    ends = wilson_interval(mean, effective_n, max(1, degrees_of_freedom), CONFIDENCE)
    all_best, _ = wilson_interval(1.0, alike_n, count - 1, CONFIDENCE)
    least = LEAST_CLUSTERS if proportion else LEAST_CLUSTERS_GRADED
    width = high - low
    return WholeDatasetMean(
        score=low + width * mean,
        stderr=width * math.sqrt(variance),
        ci_low=low + width * min(ends[0], all_best),
        ci_high=low + width * max(ends[1], 1 - all_best),
        rows=rows,
        interval_doubt=interval_doubt(np.ones(count), mean, effective_n, least),
    )


def _stratified(row_means: Floats, drawn: DrawnRows) -> tuple[float, float, int]:
    """The mean over the dataset's rows, its variance, and the degrees of freedom of that."""
    groups, sizes = _collapsed(drawn)
    pooled = float(row_means.var(ddof=1))
    mean = variance = 0.0
    degrees_of_freedom = 0
    for group, size in enumerate(sizes):
        held = row_means[groups == group]
        free = len(held) - 1
        squares = float(((held - held.mean()) ** 2).sum()) + _POOLED_WEIGHT * pooled
        spread = squares / (free + _POOLED_WEIGHT)
        weight = size / drawn.rows
        mean += weight * float(held.mean())
        variance += weight**2 * (1 - len(held) / size) * spread / len(held)
        degrees_of_freedom += free
    return min(max(mean, 0.0), 1.0), variance, degrees_of_freedom


def _collapsed(drawn: DrawnRows) -> tuple[npt.NDArray[np.int64], list[int]]:
    """The group of each row, from 0, and how many rows of the dataset each group stands for.

    Strata of which fewer than two rows were drawn form one group; where even that holds fewer than
    two, it joins the largest.
    """
    taken: dict[str, int] = {}
    for stratum in drawn.strata:
        taken[stratum] = taken.get(stratum, 0) + 1
    alone = sorted(stratum for stratum, count in taken.items() if count >= 2)
    codes = {stratum: code for code, stratum in enumerate(alone)}
    sizes = [drawn.stratum_sizes[stratum] for stratum in alone]
    rest = sum(size for stratum, size in drawn.stratum_sizes.items() if stratum not in codes)
    rest_code = len(alone)
    if rest:
        drawn_of_rest = sum(1 for stratum in drawn.strata if stratum not in codes)
        if drawn_of_rest < 2 and alone:
            rest_code = int(np.argmax(sizes))
            sizes[rest_code] += rest
        else:
            sizes.append(rest)
    groups = np.array([codes.get(stratum, rest_code) for stratum in drawn.strata], dtype=np.int64)
    return groups, sizes
