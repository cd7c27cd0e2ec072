"""One pass over a dataset, past all checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from proctor.datasets.lint.choices import ChoicesCheck, GoldPositionCheck
from proctor.datasets.lint.duplicates import DuplicatesCheck
from proctor.datasets.lint.finding import Check, Finding, Severity
from proctor.datasets.lint.order import OrderCheck
from proctor.datasets.lint.refused import RefusedCheck
from proctor.datasets.lint.targets import ConstantAnswerCheck, TargetsCheck
from proctor.types import Example

_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class LintReport:
    """What lint found in a dataset.

    Attributes:
        rows: How many rows there are.
        findings: What was found, the worst first.
    """

    rows: int
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Severity | None:
        """The worst severity; None where nothing was found."""
        return self.findings[0].severity if self.findings else None

    def to_json(self) -> dict[str, object]:
        """The report as JSON."""
        return {"rows": self.rows, "findings": [finding.to_json() for finding in self.findings]}


def lint_examples(
    examples: Iterable[Example],
    *,
    needs_target: bool = True,
    shows_choices: bool = True,
    use: Callable[[Example], object] | None = None,
    limit: int | None = None,
    by: Iterable[str] = (),
    seed: int = 0,
) -> LintReport:
    """Looks at each example once; memory grows by a few numbers a row.

    Args:
        examples: The dataset, in its order.
        needs_target: Whether the evaluator needs a target in every row.
        shows_choices: Whether the options of a question are in its prompt, where their order and
            their letters matter.
        use: What the evaluator takes from a row; it raises ``DatasetError`` for one that ends the
            run.
        limit: A number of rows that a person thinks of taking, for the check of the order.
        by: Metadata fields, beside ``stratum``, that the order must not sort by.
        seed: The seed of the tests that draw random numbers.
    """
    checks: list[Check] = [
        DuplicatesCheck(),
        TargetsCheck(needs_target=needs_target),
        ConstantAnswerCheck(),
        ChoicesCheck(are_shown=shows_choices),
        OrderCheck(limit=limit, by=by, seed=seed),
    ]
    if shows_choices:
        checks.insert(-1, GoldPositionCheck(seed))
    if use is not None:
        checks.append(RefusedCheck(use, needs_target=needs_target))
    rows = 0
    for rows, example in enumerate(examples, start=1):
        for check in checks:
            check.look(rows, example)
    if not rows:
        empty = Finding(
            "no-rows", "error", "the dataset has no rows", 0, (), "check its path and its filters"
        )
        return LintReport(0, (empty,))
    found = [finding for check in checks for finding in check.findings()]
    found.sort(key=lambda finding: _SEVERITIES.index(finding.severity))
    return LintReport(rows, tuple(found))
