"""How often the interval of a calibrated judge's corrected score holds the true score.

For each case, judges of known sensitivity and specificity are simulated: labels are drawn to
calibrate them, answers of a known true score are judged, and the corrected interval either holds
the true score or does not. Options: --simulations N, --seed N.
"""

from __future__ import annotations

import argparse
import math
from itertools import product

import numpy as np

from proctor import Ledger, LedgerColumn, Outcome
from proctor_judge.calibration import Calibration

JUDGES = ((0.95, 0.95), (0.9, 0.7), (0.7, 0.9), (0.8, 0.6), (0.7, 0.7))
"""Sensitivity and specificity; each pair adds up to 1.4 or more."""

TRUTHS = (0.05, 0.2, 0.5, 0.8, 0.95)
ANSWERS = (100, 500)
LABELS = ((200, 0.5), (200, 0.8), (500, 0.5))
"""How many labels, and the share of them that are of right answers."""


def coverage(
    judge: tuple[float, float],
    truth: float,
    answers: int,
    labels: tuple[int, float],
    simulations: int,
    generator: np.random.Generator,
) -> float:
    """The share of simulations whose interval holds the true score."""
    sensitivity, specificity = judge
    count, share = labels
    held = 0
    for _ in range(simulations):
        positives = min(count - 1, max(1, int(generator.binomial(count, share))))
        true_positives = int(generator.binomial(positives, sensitivity))
        true_negatives = int(generator.binomial(count - positives, specificity))
        calibration = Calibration(
            true_positives,
            positives - true_positives,
            true_negatives,
            count - positives - true_negatives,
        )
        called_right = truth * sensitivity + (1 - truth) * (1 - specificity)
        corrected = calibration.corrected(judged(generator.random(answers) < called_right))
        assert corrected is not None
        held += corrected.ci_low <= truth <= corrected.ci_high
    return held / simulations


def judged(verdicts: np.ndarray):
    """The estimate of a judge's verdicts, by the ledger that a run uses."""
    ledger = Ledger([LedgerColumn("llm_judge", proportion=True)])
    for verdict in verdicts:
        ledger.record(ledger.add_example(), 0, "llm_judge", Outcome.GRADED, bool(verdict))
    return ledger.estimate("llm_judge")


def main() -> None:
    """Prints a line for each case, and the range of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print("sensitivity  specificity  true score  answers  labels (right)  interval holds it")
    outside = []
    found = []
    for number, case in enumerate(product(JUDGES, TRUTHS, ANSWERS, LABELS)):
        generator = np.random.default_rng([options.seed, number])
        held = coverage(*case, options.simulations, generator)
        judge, truth, answers, (count, share) = case
        line = (
            f"{judge[0]:11.2f}  {judge[1]:11.2f}  {truth:10.2f}  {answers:7d}  "
            f"{count:6d} ({share:4.0%})  {held:17.1%}"
        )
        print(line, flush=True)
        found.append(held)
        if not 0.92 <= held <= 0.98:
            outside.append(line)
    mean = math.fsum(found) / len(found)
    print(f"{len(found)} cases: {min(found):.1%} to {max(found):.1%}, mean {mean:.1%}")
    print(f"outside 92% to 98%: {len(outside)}")


if __name__ == "__main__":
    main()
