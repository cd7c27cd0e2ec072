"""How often 95% intervals hold the truth, in simulated evaluations whose truth is known.

    python benchmarks/intervals.py                  # 600 evaluations a cell, a few minutes
    python benchmarks/intervals.py --evaluations 60 # a quick look
    python benchmarks/intervals.py --write          # and puts the tables into docs/scores.md

A cell is a kind of evaluation: how many clusters of which sizes, how alike the answers of one
cluster are, how common right answers are. ``G*`` is its effective number of clusters, ``events``
are its effective answers of the rarer kind, both for the truth that the cell is drawn with.

The targets, less two standard errors of the measured share: at least .92 where ``G*`` is 6 or more
(15 for other grades than yes or no, 30 on an open scale) and ``events`` 3 or more; at most .99 from
``G* = 15``, with events; and where less than .90 holds, the results must say so: counted as held
where they do, at least .90. The exit code is 1 where one is missed. Cells called "limits" show what
no interval here stands, and are held to none of them.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _evaluations import Cell, cells

LEAST, MOST, LEAST_UNLESS_SAID = 0.92, 0.99, 0.90
MEAN_CLUSTERS = 15
PAGE = Path(__file__).parents[1] / "docs" / "scores.md"
START, END = "<!-- made by benchmarks/intervals.py -->", "<!-- end of what is made -->"


@dataclass(frozen=True)
class Measured:
    """What was found for a cell: the share of evaluations whose interval holds the truth, that of
    those whose does or that say that it may not, that of those that say so, and the mean G*."""

    cell: Cell
    held: float
    said: float
    doubted: float
    clusters: float
    evaluations: int

    @property
    def events(self) -> float:
        """Effective answers of the rarer kind; infinite where there is no scale."""
        return self.cell.events(self.clusters) if self.cell.events else math.inf

    @property
    def region(self) -> str:
        """Where the cell lies: within the targets, or what it has too little of."""
        if self.cell.least_clusters == math.inf:
            return "limits"
        if self.cell.least_clusters == 1e6:
            return "long tail"
        if self.clusters < self.cell.least_clusters:
            return "few clusters"
        return "few events" if self.events < 3 else "trusted"

    def noise(self, share: float) -> float:
        """Two standard errors of a measured share."""
        return 2 * math.sqrt(share * (1 - share) / self.evaluations)

    @property
    def missed(self) -> str:
        """The target that is missed; empty where none is."""
        if self.region == "limits":
            return ""
        if self.region == "trusted" and self.held < LEAST - self.noise(LEAST):
            return f"under {LEAST:.2f}"
        over = self.held > MOST + self.noise(MOST)
        if self.region == "trusted" and self.clusters >= MEAN_CLUSTERS and over:
            return f"over {MOST:.2f}"
        least = LEAST_UNLESS_SAID - self.noise(LEAST_UNLESS_SAID)
        if self.held < least and self.said < least:
            return f"under {LEAST_UNLESS_SAID:.2f}, and not said"
        return ""


def measure(cell: Cell, evaluations: int, seed: int) -> Measured:
    """Draws evaluations of a cell, and counts the intervals that hold the truth."""
    rng = np.random.default_rng(seed)
    held = said = doubted = 0
    clusters = 0.0
    for _ in range(evaluations):
        found, effective = cell.draw(rng)
        holds = found.ci_low <= cell.truth <= found.ci_high
        doubts = found.untrusted is not None
        held, doubted, said = held + holds, doubted + doubts, said + (holds or doubts)
        clusters += effective
    counts = (count / evaluations for count in (held, said, doubted, clusters))
    return Measured(cell, *counts, evaluations)


LINE = "| {} | {} | {} | {} | {} | {} | {} |"
HEADER = (
    LINE.format("grades", "cell", "G*", "events", "holds", "says it may not", "target"),
    "|---|---|---|---|---|---|---|",
)


def line(found: Measured) -> str:
    events = "" if math.isinf(found.events) else f"{found.events:.1f}"
    return LINE.format(
        found.cell.kind,
        found.cell.name,
        f"{found.clusters:.0f}",
        events,
        f"{found.held:.3f}",
        f"{found.doubted:.0%}",
        found.missed.upper() or ("" if found.region != "trusted" else "kept"),
    )


def summary(results: Sequence[Measured]) -> list[str]:
    """For each kind and region: how many cells there are, and the one that holds least and most."""
    rows = [
        "| grades | region | cells | holds least | holds most | under .92 | missed |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in dict.fromkeys(found.cell.kind for found in results):
        for region in ("trusted", "few clusters", "few events", "long tail", "limits"):
            here = [f for f in results if (f.cell.kind, f.region) == (kind, region)]
            if not here:
                continue
            least, most = (pick(here, key=lambda f: f.held) for pick in (min, max))
            under, missed = sum(f.held < LEAST for f in here), sum(bool(f.missed) for f in here)
            worst = f"{least.held:.3f} ({least.cell.name})"
            rows.append(
                f"| {kind} | {region} | {len(here)} | {worst} | {most.held:.3f} "
                f"| {under} | {missed} |"
            )
    return rows


def write(results: Sequence[Measured], evaluations: int, seed: int) -> None:
    """Puts the tables into their section of the page on scores."""
    page = PAGE.read_text(encoding="utf-8")
    command = f"python benchmarks/intervals.py --write --evaluations {evaluations} --seed {seed}"
    made = [START, "", f"Made by `{command}`.", "", *summary(results), ""]
    made += ["<details><summary>All cells</summary>", "", *HEADER, *map(line, results), ""]
    made += ["</details>", "", END]
    pattern = re.compile(f"{re.escape(START)}.*{re.escape(END)}", flags=re.DOTALL)
    PAGE.write_text(pattern.sub(lambda _: "\n".join(made), page), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evaluations", type=int, default=600, help="of each cell")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scores.md")
    options = parser.parse_args()
    print("\n".join(HEADER))
    results = []
    for cell in cells():
        results.append(measure(cell, options.evaluations, options.seed))
        print(line(results[-1]), flush=True)
    print("\n".join(["", *summary(results)]))
    missed = sum(bool(found.missed) for found in results)
    print(f"\n{len(results)} cells, {missed} of which miss a target")
    if options.write:
        write(results, options.evaluations, options.seed)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
