"""The simulated evaluations of intervals.py: how each kind is drawn, and what its truth is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from proctor.scoring.correlation import effective_clusters, effective_size
from proctor.scoring.intervals import MeanEstimate, estimate_mean, estimate_ratio
from proctor.scoring.pass_at_k import pass_at_k
from proctor.scoring.whole_dataset import DrawnRows, estimate_whole_dataset

Sizes = Callable[[np.random.Generator], np.ndarray]
Draw = Callable[[np.random.Generator], tuple[MeanEstimate, float]]
"""From a generator to what is estimated, and the effective clusters of that evaluation."""


@dataclass(frozen=True)
class Cell:
    """A kind of evaluation: how it is drawn, its true mean, its events from its effective clusters
    (None without a scale), and from how many of those it is held to the targets."""

    kind: str
    name: str
    draw: Draw
    truth: float
    events: Callable[[float], float] | None
    least_clusters: float


def even(groups: int, size: int) -> Sizes:
    return lambda rng: np.full(groups, size)


def zipf(groups: int) -> Sizes:
    """Sizes 1 to 30, the chance of each in inverse proportion to it."""
    chances = 1 / np.arange(1, 31)
    return lambda rng: rng.choice(np.arange(1, 31), groups, p=chances / chances.sum())


def huge(groups: int) -> Sizes:
    """One cluster with half of all rows, and the rest of 4 each."""
    return lambda rng: np.array([4 * (groups - 1), *([4] * (groups - 1))])


SIZES: dict[str, Sizes] = {
    **{f"{g} rows": even(g, 1) for g in (6, 20, 100, 1000)},
    **{f"{g} clusters of 8": even(g, 8) for g in (6, 10, 30, 100)},
    **{f"{g} clusters of 1 to 30 (Zipf)": zipf(g) for g in (8, 20, 60, 200)},
    **{f"{g} clusters, one with half of all rows": huge(g) for g in (10, 60)},
}


INDEPENDENT = [f"{g} rows" for g in (6, 20, 100, 1000)]


def shares(rng: np.random.Generator, p: float, rho: float, groups: int) -> np.ndarray:
    """Each cluster's own chance: beta distributed with the mean p and the correlation rho."""
    if rho == 0:
        return np.full(groups, p)
    return rng.beta(p * (1 / rho - 1), (1 - p) * (1 / rho - 1), groups)


def events_of(sizes: Sizes, p: float, rho: float) -> Callable[[float], float]:
    rng = np.random.default_rng(0)
    found = np.mean([effective_size(sizes(rng).astype(float), rho) for _ in range(50)])
    return lambda clusters: float(found) * min(p, 1 - p)


def yes_or_no(name: str, sizes: Sizes, p: float, rho: float, missing: float = 0.0) -> Cell:
    """Right and wrong answers; some of the rows may be missing."""

    def draw(rng: np.random.Generator) -> tuple[MeanEstimate, float]:
        asked = sizes(rng)
        held = asked if not missing else rng.binomial(asked, 1 - missing)
        clusters = np.repeat(np.arange(len(asked)), held)
        values = (rng.random(len(clusters)) < shares(rng, p, rho, len(asked))[clusters]) * 1.0
        found = estimate_mean(values, clusters, scale=(0.0, 1.0), proportion=True)
        return found, effective_clusters(held.astype(float)) if held.any() else 0.0

    return Cell("yes or no", name, draw, p, events_of(sizes, p, rho), 6)


GRADES: dict[str, tuple[Callable[[np.random.Generator, np.ndarray], np.ndarray], float, float]] = {
    "even": (lambda rng, u: u, 0.5, 1 / 12),
    "skewed, beta(0.5, 4.5)": (lambda rng, u: _beta_quantile(u), 0.1, 0.09 / 6),
    "five stars, most of them 5": (
        lambda rng, u: np.searchsorted([0.04, 0.1, 0.2, 0.45], u) / 4,
        (0.06 * 1 + 0.1 * 2 + 0.25 * 3 + 0.55 * 4) / 4,
        (0.06 * 1 + 0.1 * 4 + 0.25 * 9 + 0.55 * 16) / 16 - ((0.06 + 0.2 + 0.75 + 2.2) / 4) ** 2,
    ),
    "0.0 or 1.0 as float": (lambda rng, u: (u < 0.9) * 1.0, 0.9, 0.09),
}
"""Kinds of grades by their quantiles, with their mean and variance."""


def _beta_quantile(u: np.ndarray) -> np.ndarray:
    from scipy.special import betaincinv

    return betaincinv(0.5, 4.5, u)


def graded(name: str, sizes: Sizes, grades: str, rho: float) -> Cell:
    """Grades on a scale from 0 to 1, alike within clusters by a normal copula."""
    quantile, truth, variance = GRADES[grades]

    def draw(rng: np.random.Generator) -> tuple[MeanEstimate, float]:
        from scipy.special import ndtr

        held = sizes(rng)
        clusters = np.repeat(np.arange(len(held)), held)
        normal = math.sqrt(rho) * rng.normal(size=len(held))[clusters]
        values = quantile(rng, ndtr(normal + math.sqrt(1 - rho) * rng.normal(size=len(clusters))))
        found = estimate_mean(values, clusters, scale=(0.0, 1.0))
        return found, effective_clusters(held.astype(float))

    def events(clusters: float) -> float:
        most = truth * (1 - truth)
        return events_of(sizes, truth, rho)(clusters) * most / variance

    return Cell("graded", name, draw, truth, events, 15)


def several_samples(examples: int, k: int) -> Cell:
    """Eight samples an example: pass@k, or the score itself for k = 0."""
    rng = np.random.default_rng(1)
    own = rng.beta(0.6, 0.9, 400_000)
    truth = float(np.mean(1 - (1 - own) ** max(1, k)))

    def draw(rng: np.random.Generator) -> tuple[MeanEstimate, float]:
        right = rng.binomial(8, rng.beta(0.6, 0.9, examples))
        if k == 0:
            values, clusters = (np.arange(8) < right[:, None]) * 1.0, np.arange(examples)
            clusters = np.repeat(clusters, 8)
            found = estimate_mean(values.ravel(), clusters, scale=(0.0, 1.0), proportion=True)
        else:
            chances = np.array([pass_at_k(8, count, k) for count in range(9)])
            found = estimate_mean(chances[right], scale=(0.0, 1.0))
        return found, float(examples)

    what, least = (f"pass@{k}", 15) if k else ("score and pass@1", 6)
    name = f"{what} of 8 samples, {examples} examples"
    return Cell("several samples", name, draw, truth, lambda g: g * min(truth, 1 - truth), least)


def limited(rng: np.random.Generator, strata: np.ndarray, limit: int) -> np.ndarray:
    """The rows that a ``limit`` takes, as select() does: by (rank + u) / size of the stratum."""
    shuffled = rng.permutation(len(strata))
    ranks = np.empty(len(strata))
    for stratum in np.unique(strata):
        rows = shuffled[strata[shuffled] == stratum]
        ranks[rows] = (np.arange(len(rows)) + rng.random()) / len(rows)
    return np.argsort(ranks)[:limit]


STRATA = {
    "one stratum": (np.zeros(1000, int), np.full(1000, 0.8)),
    "small strata": (np.r_[np.zeros(600, int), 1:401], np.repeat([0.8, 0.4], [600, 400])),
    "two strata that differ": (np.arange(1000) % 2, np.where(np.arange(1000) % 2, 0.95, 0.05)),
}
"""The stratum of each row of a dataset, and how likely it is answered right."""


def of_strata(limit: int) -> Cell:
    """A limit of a dataset with one large stratum and many of a row, which differ."""
    strata, p = STRATA["small strata"]

    def draw(rng: np.random.Generator) -> tuple[MeanEstimate, float]:
        values = (rng.random(limit) < p[limited(rng, strata, limit)]) * 1.0
        return estimate_mean(values, scale=(0.0, 1.0), proportion=True), float(limit)

    name = f"limit {limit} of small strata"
    return Cell("limits and interrupts", name, draw, 0.64, lambda g: g * 0.36, 6)


def of_all_rows(name: str, limit: int) -> Cell:
    """The score of all rows of a dataset whose answers are what they are, from some of them."""
    strata, p = STRATA[name]
    answers = (np.random.default_rng(0).random(len(p)) < p) * 1.0
    sizes = {str(stratum): int((strata == stratum).sum()) for stratum in np.unique(strata)}

    def draw(rng: np.random.Generator) -> tuple[MeanEstimate, float]:
        rows = limited(rng, strata, limit)
        drawn = DrawnRows([str(stratum) for stratum in strata[rows]], sizes)
        found = estimate_whole_dataset(answers[rows, None], drawn, (0.0, 1.0), proportion=True)
        ends = found.score, found.stderr, found.ci_low, found.ci_high
        return MeanEstimate(*ends, limit, "wilson", found.interval_doubt), float(limit)

    truth, shown = float(answers.mean()), f"{name}, limit {limit} of 1,000"
    return Cell("score of all rows", shown, draw, truth, lambda g: g * min(truth, 1 - truth), 6)


def interrupted(read: int) -> Cell:
    """A stream whose rows get harder, stopped early: there must be no headline."""

    def draw(rng: np.random.Generator) -> tuple[MeanEstimate, float]:
        values = (rng.random(read) < np.linspace(0.9, 0.3, 1000)[:read]) * 1.0
        return estimate_mean(values, scale=(0.0, 1.0), proportion=True), float(read)

    name = f"sorted stream, stopped after {read} of 1,000 rows: withheld"
    return Cell("limits and interrupts", name, draw, 0.6, lambda g: g * 0.4, math.inf)


def ratio(rows: int) -> Cell:
    """Nats a token over targets of uneven length, as ``nll`` has it."""

    def draw(rng: np.random.Generator) -> tuple[MeanEstimate, float]:
        tokens = 1 + rng.geometric(1 / 12, rows).astype(float)
        nats = tokens * rng.gamma(4.0, 0.5, rows)
        return estimate_ratio(nats, tokens), effective_clusters(tokens)

    return Cell("nats a token (nll)", f"ratio over {rows} targets", draw, 2.0, None, 30)


def on_open_scale(
    name: str, rows: int, draw_one: Callable[[np.random.Generator, int], np.ndarray], truth: float
) -> Cell:
    def draw(rng: np.random.Generator) -> tuple[MeanEstimate, float]:
        return estimate_mean(draw_one(rng, rows)), float(rows)

    # A tail that long is within the targets nowhere: what it is held to is to say so.
    least = 1e6 if "long tail" in name else 30
    return Cell("open scale", f"{name}, {rows} rows", draw, truth, None, least)


def narrow(rows: int, precision: float) -> Cell:
    """Grades that use a small part of their scale: the interval may be wider than it need be."""

    def draw(rng: np.random.Generator) -> tuple[MeanEstimate, float]:
        values = rng.beta(0.9 * precision, 0.1 * precision, rows)
        return estimate_mean(values, scale=(0.0, 1.0)), float(rows)

    name = f"all near 0.9 (sd {math.sqrt(0.09 / (precision + 1)):.3f}), {rows} rows"
    return Cell("graded", name, draw, 0.9, lambda g: g * (precision + 1) * 0.1, math.inf)


def cells() -> Iterator[Cell]:
    """The whole grid."""
    for name, sizes in SIZES.items():
        for rho in (0.0,) if name in INDEPENDENT else (0.0, 0.3, 0.8):
            for p in (0.02, 0.2, 0.5, 0.95):
                yield yes_or_no(f"{name}, correlation {rho}, p = {p}", sizes, p, rho)
    for groups, rho in ((20, 0.3), (20, 0.8), (60, 0.3), (60, 0.8)):
        name = f"{groups} clusters of 1 to 30 (Zipf), 20% missing"
        yield yes_or_no(f"{name}, correlation {rho}, p = 0.3", zipf(groups), 0.3, rho, 0.2)
    for name, sizes in SIZES.items():
        for rho in (0.0,) if name in INDEPENDENT else (0.0, 0.5):
            for grades in GRADES:
                yield graded(f"{grades}, {name}, correlation {rho}", sizes, grades, rho)
    for examples in (20, 40, 200):
        yield from (several_samples(examples, k) for k in (0, 2, 8))
    yield from map(of_strata, (30, 200))
    yield from (of_all_rows(name, limit) for name in STRATA for limit in (100, 500, 950))
    yield interrupted(300)
    yield from map(ratio, (8, 20, 100, 1000))
    for rows in (20, 100, 1000):
        yield on_open_scale("normal", rows, lambda rng, n: rng.normal(3, 0.5, n), 3.0)
        yield on_open_scale("exponential", rows, lambda rng, n: rng.exponential(1, n), 1.0)
        long_tail = "long tail: lognormal(0, 1)"
        yield on_open_scale(long_tail, rows, lambda rng, n: rng.lognormal(0, 1, n), math.exp(0.5))
    yield from (narrow(rows, precision) for rows in (20, 100, 1000) for precision in (50, 500))
