"""Scores for people: one line that can be searched for each score, and a bar of its outcomes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from proctor.cli.terminal import printable
from proctor.scoring.estimates import Estimate, SubsetEstimate
from proctor.scoring.means import Mean
from proctor.scoring.metric_names import group_label, withheld_reason
from proctor.scoring.results import EvaluationResult, GraderResult
from proctor.scoring.suite_results import SuiteResult
from proctor.types import Outcome

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.text import Text

    from proctor.runs.report import RunReport

BAR_WIDTH = 40
"""Characters of a bar of outcomes."""

MOST_GROUPS_SHOWN = 20
"""Most values of a ``by`` field that are printed; all of them are in the JSON."""

UNRECORDED = "unrecorded"
"""What pairs are called that nothing was recorded for."""

_LOOKS = {
    str(Outcome.GRADED): ("█", "#", "green"),
    str(Outcome.TRUNCATED): ("▒", "~", "yellow"),
    str(Outcome.MALFORMED): ("?", "?", "magenta"),
    str(Outcome.UNGRADED): ("·", ".", "cyan"),
    str(Outcome.FAILED): ("×", "x", "red"),
    UNRECORDED: ("_", "_", "dim"),
}
"""The glyph of each outcome, its ASCII form, and its colour."""


def format_headline(label: str, estimate: Estimate, withheld: str | None = None) -> str:
    """A score in one line: ``capitals/substring  0.667 [0.063, 0.983]  n=3``.

    Truncated, malformed and missing counts follow where there are any; where answers are missing,
    the coverage and the bounds of the score too. Where the interval is not to be trusted, the line
    says why; without a headline it says why there is none.

    Args:
        label: What the score is of: ``{evaluator}/{grader}``.
        estimate: The estimate.
        withheld: Why there is no headline; None where there is one.
    """
    places = _places(estimate)
    parts = [printable(label)]
    if withheld is not None:
        parts.append(f"no score: {withheld}")
    else:
        parts.append(_with_interval(estimate, places))
        if estimate.lower_is_better:
            parts.append("(lower is better)")
    parts.append(f"n={estimate.n}")
    if withheld is None:
        parts += _doubt(estimate)
    if estimate.missing:
        parts.append(f"coverage {_share(estimate.coverage)}")
        if estimate.bounds is not None:
            low, high = sorted(estimate.bounds)
            parts.append(f"bounds [{low:.{places}f}, {high:.{places}f}]")
    for outcome in (Outcome.TRUNCATED, Outcome.MALFORMED, Outcome.UNGRADED, Outcome.FAILED):
        if count := estimate.counts[outcome]:
            parts.append(f"{outcome} {count}")
            if outcome is Outcome.TRUNCATED:
                parts[-1] += _over_complete(estimate, places)
    if estimate.unrecorded:
        parts.append(f"{UNRECORDED} {estimate.unrecorded}")
    return "  ".join(parts)


def format_suite(result: SuiteResult) -> list[str]:
    """A suite's means, one line each."""
    if result.micro is None or result.macro is None:
        return [f"{printable(result.name)}  no score: {printable(result.withheld or '')}"]
    means: tuple[tuple[str, Mean], ...] = (("micro", result.micro), ("macro", result.macro))
    return [
        "  ".join(
            [
                f"{printable(result.name)}/{kind}",
                _with_interval(mean, 3),
                f"n={result.n}",
                *_doubt(mean),
            ]
        )
        for kind, mean in means
    ]


def outcome_bar(estimate: Estimate, width: int = BAR_WIDTH) -> list[tuple[str, int]]:
    """How many cells of a bar each outcome gets: by largest remainder, and none that occurs 0.

    Args:
        estimate: The estimate.
        width: Cells of the bar.

    Returns:
        Outcomes with their cells, in the bar's order; empty without samples.
    """
    counts = {str(outcome): count for outcome, count in estimate.counts.items()}
    counts[UNRECORDED] = estimate.unrecorded
    counts = {name: count for name, count in counts.items() if count}
    total = sum(counts.values())
    if not total:
        return []
    exact = {name: count * width / total for name, count in counts.items()}
    cells = {name: max(1, math.floor(share)) for name, share in exact.items()}
    while sum(cells.values()) < width:
        cells[max(cells, key=lambda name: exact[name] - cells[name])] += 1
    while sum(cells.values()) > width and max(cells.values()) > 1:
        cells[max(cells, key=lambda name: (cells[name] > 1, cells[name] - exact[name]))] -= 1
    return list(cells.items())


def print_report(console: Console, report: RunReport) -> None:
    """Prints what a run says: its scores, why there is none, and whether a person stopped it."""
    console.print(render_results([*report.results.values(), *report.suites.values()]))
    for name, reason in report.errors.items():
        console.print(printable(f"{name}: failed: {reason}"), markup=False, style="red")
    if report.is_interrupted:
        console.print("interrupted: these scores are of what came back, not of the dataset")


def render_results(results: Sequence[EvaluationResult | SuiteResult]) -> RenderableType:
    """Results as something that a rich console prints."""
    return _ResultsView(results)


class _ResultsView:
    def __init__(self, results: Sequence[EvaluationResult | SuiteResult]) -> None:
        self.results = results

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        from rich.text import Text

        for result in self.results:
            if isinstance(result, SuiteResult):
                yield from (Text(line, style="bold", no_wrap=True) for line in format_suite(result))
                continue
            if not result.graders:
                yield from _numbers(result)
            for grader in result.graders:
                yield from _grader_lines(result, grader, is_ascii=options.ascii_only)


def _grader_lines(
    result: EvaluationResult, grader: GraderResult, *, is_ascii: bool
) -> Iterator[Text]:
    from rich.text import Text

    label = f"{result.name}/{grader.grader}"
    style = "bold" if grader.withheld is None else "bold red"
    yield Text(format_headline(label, grader.estimate, grader.withheld), style=style, no_wrap=True)
    bar = _bar(grader.estimate, is_ascii=is_ascii)
    if bar is not None:
        yield bar
    if grader.withheld is None:
        at_k = _at_k(grader.estimate)
        if at_k:
            yield Text(f"  {at_k}", no_wrap=True)
    if grader.whole_dataset is not None:
        yield Text(f"  {_of_whole_dataset(grader)}", no_wrap=True)
    for note in grader.notes:
        yield Text(f"  {printable(note)}", no_wrap=True)
    for field, groups in grader.groups.items():
        for value, estimate in list(groups.items())[:MOST_GROUPS_SHOWN]:
            reason = withheld_reason(estimate, result.min_coverage)
            line = format_headline(f"{label}/{field}={group_label(value)}", estimate, reason)
            yield Text(f"  {line}", no_wrap=True)
        if len(groups) > MOST_GROUPS_SHOWN:
            rest = len(groups) - MOST_GROUPS_SHOWN
            yield Text(f"  {rest} more values of {printable(field)}: see --json", no_wrap=True)


def _of_whole_dataset(grader: GraderResult) -> str:
    """The score of all rows, with the interval of what those that were left out may change."""
    whole = grader.whole_dataset
    assert whole is not None
    held = _with_interval(whole, _places(grader.estimate))
    return "  ".join([f"score of all {whole.rows:,} rows {held}", *_doubt(whole)])


def _bar(estimate: Estimate, *, is_ascii: bool) -> Text | None:
    from rich.text import Text

    cells = outcome_bar(estimate)
    if not cells:
        return None
    counts = {str(outcome): count for outcome, count in estimate.counts.items()}
    counts[UNRECORDED] = estimate.unrecorded
    line = Text("  ", no_wrap=True)
    for name, width in cells:
        fancy, plain, colour = _LOOKS[name]
        line.append((plain if is_ascii else fancy) * width, style=colour)
    for name, _ in cells:
        fancy, plain, colour = _LOOKS[name]
        line.append("  ")
        line.append(plain if is_ascii else fancy, style=colour)
        line.append(f" {counts[name]} {name}")
    return line


def _numbers(result: EvaluationResult) -> Iterator[Text]:
    from rich.text import Text

    for name, value in result.metrics.items():
        yield Text(f"{printable(name)}  {value:.4g}", style="bold", no_wrap=True)
    if result.withheld is not None:
        line = f"{result.name}  no score: {result.withheld}"
        yield Text(printable(line), style="bold red", no_wrap=True)


def _at_k(estimate: Estimate) -> str:
    kinds: tuple[tuple[str, dict[int, SubsetEstimate]], ...] = (
        ("pass", estimate.pass_at_k),
        ("maj", estimate.maj_at_k),
    )
    places = _places(estimate)
    parts = []
    for kind, by_k in kinds:
        for k, at_k in by_k.items():
            if at_k.reported:
                parts.append(f"{kind}@{k} {at_k.score:.{3 if kind == 'pass' else places}f}")
            else:
                parts.append(
                    f"{kind}@{k} withheld ({at_k.n} of {estimate.examples} have {k} samples)"
                )
    return "  ".join(parts)


def _with_interval(mean: Mean, places: int) -> str:
    score = f"{mean.score:.{places}f}"
    if math.isnan(mean.ci_low):
        return f"{score} [no interval]"
    return f"{score} [{mean.ci_low:.{places}f}, {mean.ci_high:.{places}f}]"


def _doubt(mean: Mean) -> list[str]:
    """Why the interval is not to be trusted, as a part of a line; nothing where it is."""
    if mean.interval_trusted is not False:
        return []
    return [f"interval untrusted ({printable(mean.interval_doubt or '')})"]


def _over_complete(estimate: Estimate, places: int) -> str:
    if estimate.score_complete is None or math.isnan(estimate.score_complete):
        return " (no answer is complete)"
    return f" ({estimate.score_complete:.{places}f} over complete answers)"


def _share(share: float) -> str:
    """A share below 1 that never reads as 1."""
    return f"{math.floor(share * 1000) / 1000:.3f}"


def _places(estimate: Estimate) -> int:
    """Decimals that show a thousandth of the scale, or three where it is open."""
    if estimate.worst is None:
        return 3
    return min(9, max(0, 3 - math.floor(math.log10(abs(estimate.best - estimate.worst)))))
