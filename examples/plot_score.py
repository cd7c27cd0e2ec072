"""Draws an evaluator's score over training, with its 95% interval.

python examples/plot_score.py runs/facts facts --out facts.svg
"""

import argparse
from pathlib import Path

from matplotlib import pyplot

import proctor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log_path", type=Path, help="the training's log folder")
    parser.add_argument("evaluator")
    parser.add_argument("--out", type=Path, default=Path("score.svg"))
    options = parser.parse_args()
    points = []
    for folder in sorted((options.log_path / "evaluations").iterdir()):
        run = proctor.FinishedRun(folder)
        evaluators = (run.results() or {}).get("evaluators", {})
        if options.evaluator in evaluators:
            first = evaluators[options.evaluator]["graders"][0]
            points.append((run.record["step"], first["score"], first["ci_low"], first["ci_high"]))
    steps, scores, lows, highs = zip(*points, strict=True)
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    axes.fill_between(steps, lows, highs, alpha=0.2, label="95% interval")
    axes.plot(steps, scores, marker="o", label=f"{options.evaluator}/score")
    axes.set(xlabel="step of training", ylabel="score", ylim=(-0.03, 1.03))
    axes.legend(loc="lower right")
    figure.savefig(options.out)


if __name__ == "__main__":
    main()
