"""Text graders for Proctor: substring, exact, regex, number, choice and f1."""

from __future__ import annotations

from typing import Any

from proctor import hookimpl


@hookimpl
def proctor_register(registry: Any) -> None:
    """Names the graders; their modules are imported when they are used."""
    registry.grader("substring", "proctor_text.substring:Substring")
    registry.grader("exact", "proctor_text.exact:Exact")
    registry.grader("regex", "proctor_text.pattern:Regex")
    registry.grader("number", "proctor_text.number:Number")
    registry.grader("choice", "proctor_text.choice:Choice")
    registry.grader("f1", "proctor_text.f1:F1")
