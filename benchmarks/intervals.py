"""How often 95% intervals hold the truth, in simulated evaluations whose truth is known.

    python benchmarks/intervals.py            # 2,000 evaluations a case, under a minute
    python benchmarks/intervals.py --markdown # the table that docs/scores.md shows

Every required case must lie within 92 to 98 percent; else the exit code is 1. The cases below them
show where few examples, or grades with a long tail, do worse.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from proctor.scoring.intervals import estimate_mean

LEAST, MOST = 0.92, 0.98


@dataclass(frozen=True)
class Case:
    """A kind of evaluation.

    Attributes:
        name: What it is.
        draw: From a generator to values and their clusters.
        truth: The mean that the values are drawn with.
        proportion: Whether the grader returns bool.
        scale: Its scale.
        required: Whether the coverage must be within the bounds.
    """

    name: str
    draw: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray | None]]
    truth: float
    proportion: bool
    scale: tuple[float, float] | None
    required: bool


def independent(n: int, p: float, *, required: bool = True) -> Case:
    def draw(rng):
        return (rng.random(n) < p).astype(float), None

    return Case(f"yes or no, n = {n}, p = {p}", draw, p, True, (0.0, 1.0), required)


def clustered(n: int, p: float, rho: float, size: int = 4, *, required: bool = True) -> Case:
    groups = n // size
    a, b = p * (1 / rho - 1), (1 - p) * (1 / rho - 1)

    def draw(rng):
        share = np.repeat(rng.beta(a, b, groups), size)
        return (rng.random(n) < share).astype(float), np.repeat(np.arange(groups), size)

    name = f"beta-binomial clusters of {size}, correlation {rho}, n = {n}, p = {p}"
    return Case(name, draw, p, True, (0.0, 1.0), required)


def continuous(name, n, truth, draw_one, scale=None, *, required=True) -> Case:
    def draw(rng):
        return draw_one(rng, n), None

    return Case(f"{name}, n = {n}", draw, truth, False, scale, required)


def normal(n, *, required=True):
    return continuous(
        "normal (mean 3, sd 0.5)", n, 3.0, lambda rng, m: rng.normal(3, 0.5, m), required=required
    )


def exponential(n, *, required=True):
    return continuous(
        "skewed: exponential", n, 1.0, lambda rng, m: rng.exponential(1, m), required=required
    )


def beta(n, *, required=True):
    return continuous(
        "skewed: beta(0.5, 4.5) on 0 to 1",
        n,
        0.1,
        lambda rng, m: rng.beta(0.5, 4.5, m),
        (0.0, 1.0),
        required=required,
    )


def undeclared(n, p):
    """Yes or no, from a grader that returns float: its score is a mean like any other."""

    def draw(rng):
        return (rng.random(n) < p).astype(float), None

    return Case(f"0.0 or 1.0 as float, n = {n}, p = {p}", draw, p, False, (0.0, 1.0), False)


def lognormal(n):
    return continuous(
        "long tail: lognormal(0, 1)",
        n,
        float(np.exp(0.5)),
        lambda rng, m: rng.lognormal(0, 1, m),
        required=False,
    )


def cases() -> Iterator[Case]:
    """The cases that must hold, and then those that show the limits."""
    for n in (100, 1000):
        for p in (0.05, 0.5, 0.95):
            yield independent(n, p)
    yield independent(20, 0.5)
    for rho in (0.1, 0.5, 0.9):
        for n in (100, 1000):
            for p in (0.2, 0.5):
                yield clustered(n, p, rho)
    for n in (100, 1000):
        yield normal(n)
        yield exponential(n)
        yield beta(n)
    for n in (3, 5, 10):
        yield independent(n, 0.5, required=False)
    for n in (3, 5, 10, 20):
        yield independent(n, 0.05, required=False)
    for rho in (0.1, 0.5, 0.9):
        for n in (20, 40):
            yield clustered(n, 0.2, rho, required=False)
    for n in (5, 10, 20):
        yield normal(n, required=False)
        yield exponential(n, required=False)
        yield beta(n, required=False)
    for n in (20, 100, 1000):
        yield lognormal(n)
    for n in (20, 100, 1000):
        yield undeclared(n, 0.95)


def coverage(case: Case, evaluations: int, seed: int) -> float:
    """The share of evaluations whose interval holds the truth."""
    rng = np.random.default_rng(seed)
    held = 0
    for _ in range(evaluations):
        values, clusters = case.draw(rng)
        found = estimate_mean(values, clusters, scale=case.scale, proportion=case.proportion)
        held += found.ci_low <= case.truth <= found.ci_high
    return held / evaluations


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evaluations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options = parser.parse_args()
    line = "| {} | {} | {} |" if options.markdown else "{:<66} {:>9}  {}"
    print(line.format("case", "coverage", "required"))
    if options.markdown:
        print("|---|---|---|")
    missed = 0
    for case in cases():
        measured = coverage(case, options.evaluations, options.seed)
        verdict = "92 to 98%" if case.required else ""
        if case.required and not LEAST <= measured <= MOST:
            missed += 1
            verdict = "MISSED"
        print(line.format(case.name, f"{measured:.1%}", verdict), flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
