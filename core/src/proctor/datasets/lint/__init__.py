"""Lint: looks at a dataset before money is spent on sampling it."""

from __future__ import annotations

from proctor.datasets.lint.dataset import LintReport, lint_examples
from proctor.datasets.lint.finding import Finding, Severity

__all__ = ["Finding", "LintReport", "Severity", "lint_examples"]
