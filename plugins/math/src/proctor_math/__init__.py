"""A mathematical grader for Proctor: whether two answers are equal, by math-verify."""

from __future__ import annotations

from typing import Any

from proctor import hookimpl


@hookimpl
def proctor_register(registry: Any) -> None:
    """Names the grader; its module is imported when it is used."""
    registry.grader("math", "proctor_math.grader:Math")
