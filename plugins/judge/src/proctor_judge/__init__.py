"""The grader ``llm_judge``, and the command ``judge``."""

from typing import Any

from proctor import hookimpl


@hookimpl
def proctor_register(registry: Any) -> None:
    """Names the grader and the command."""
    registry.grader("llm_judge", "proctor_judge.llm_judge:LLMJudge")
    registry.command("judge", "proctor_judge.command:judge")
