"""``proctor judge``: what a judge is worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from proctor_judge.calibration import Calibration, Share


@click.group()
def judge() -> None:
    """Hold a judge against people."""


@judge.command(
    epilog="""\b
Examples:
  proctor judge calibrate labels.jsonl --config evals.yaml --out calibration.json
  proctor judge calibrate labels.jsonl --config evals.yaml --evaluator house-qa --json
  proctor judge calibrate judged.jsonl

\b
A line of LABELS:
  {"input": "Capital of France?", "answer": "It is Paris.", "target": "Paris", "label": true}
"""
)
@click.argument("labels", type=click.Path(path_type=Path))
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The config whose llm_judge grades the answers; without it, each line has a 'verdict'.",
)
@click.option("--evaluator", help="The evaluator whose judge is meant, where several have one.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the calibration goes.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def calibrate(
    labels: Path, config: Path | None, evaluator: str | None, out: Path | None, as_json: bool
) -> None:
    """Hold a judge's verdicts against the human labels in LABELS, a file of JSON lines.

    Prints accuracy, sensitivity, specificity and Cohen's kappa with 95% intervals. With --out they
    become a calibration: an llm_judge whose 'calibration' names that file gives, beside its score,
    the score corrected for its errors.
    """
    import json

    from proctor_judge.labels import judged_by, read_labels, tabulate

    rows = read_labels(labels, needs_verdict=config is None)
    if config is None:
        calibration = tabulate(rows, [row.verdict for row in rows])
    else:
        calibration = judged_by(config, evaluator, rows)
    if out is not None:
        calibration.check()
        calibration.save(out)
    if as_json:
        click.echo(json.dumps(calibration.to_json(), indent=2))
        return
    _print(calibration)
    if out is not None:
        click.echo(f"calibration: {out}")


def _print(calibration: Calibration) -> None:
    from proctor_judge.calibration import FEW_LABELS

    c = calibration
    click.echo(f"{'':<14}{'judge: right':>14}{'judge: wrong':>14}")
    click.echo(f"{'label: right':<14}{c.true_positives:>14}{c.false_negatives:>14}")
    click.echo(f"{'label: wrong':<14}{c.false_positives:>14}{c.true_negatives:>14}")
    if c.unreadable:
        click.echo(f"no usable verdict: {c.unreadable} (in none of the figures)")
    for name, share in (
        ("accuracy", c.accuracy),
        ("sensitivity", c.sensitivity),
        ("specificity", c.specificity),
        ("kappa", c.kappa),
    ):
        click.echo(f"{name:<12} {_with_interval(share)}  n={share.n}")
    if c.labels < FEW_LABELS:
        click.echo(f"{c.labels} labels are few: with {FEW_LABELS} the intervals hold what they say")


def _with_interval(share: Share) -> str:
    if share.value is None:
        return "unknown"
    return f"{share.value:.3f} [{share.ci_low:.3f}, {share.ci_high:.3f}]"
