"""Trajectories of tinker-cookbook's environments, read into samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from proctor import Call, Message, Sample
from proctor.renderers import Prompt

if TYPE_CHECKING:
    from tinker_cookbook.renderers import Renderer
    from tinker_cookbook.rl.types import Trajectory, Transition


@dataclass(frozen=True, slots=True)
class ReadTrajectory:
    """One answer to one example, as an environment saw it.

    Attributes:
        sample: The sample.
        reward: The sum of the environment's rewards.
        expected: What the environment says that it expected, if it does.
        metrics: The environment's own numbers.
    """

    sample: Sample
    reward: float = 0.0
    expected: str | None = None
    metrics: dict[str, float | int] = field(default_factory=dict)


def read_failure(example_id: str, index: int, reason: str) -> ReadTrajectory:
    """The answer that never came."""
    asked: Message = {"role": "user", "content": ""}
    return ReadTrajectory(Sample(example_id, index, "failed", [asked], [], error=reason))


def read_trajectory(
    example_id: str, index: int, trajectory: Trajectory, renderer: Renderer
) -> ReadTrajectory:
    """The answer that a trajectory holds, and what became of it."""
    metrics: dict[str, float | int] = {}
    logs: dict[str, Any] = {}
    for transition in trajectory.transitions:
        metrics |= transition.metrics
        logs |= transition.logs
    steps = [step for step in trajectory.transitions if step.ac.tokens]
    if not steps:
        return read_failure(example_id, index, "the prompt is longer than the context")
    status, error = "complete", None
    if metrics.get("max_tokens_reached") or metrics.get("context_overflow"):
        status = "truncated"
    elif metrics.get("parse_error"):
        status, error = "malformed", "the answer has no clean end"
    elif steps[-1].ac.stop_reason == "length":
        status = "truncated"
    sample = Sample(
        example_id,
        index,
        status,  # type: ignore[arg-type]
        _messages(steps, renderer),
        [_call(step) for step in steps],
        error=error,
    )
    expected = logs.get("expected")
    return ReadTrajectory(
        sample,
        reward=float(sum(step.reward for step in trajectory.transitions)),
        expected=None if expected is None else str(expected),
        metrics=metrics,
    )


def _messages(steps: Sequence[Transition], renderer: Renderer) -> list[Message]:
    """The transcript: each prompt as text, since an environment keeps no messages."""
    messages: list[Message] = []
    for step in steps:
        seen = Prompt.of_model_input(step.ob)
        prompt = seen.text(lambda ids: str(renderer.tokenizer.decode(ids)))
        messages.append({"role": "user", "content": prompt})
        answer, _ = renderer.parse_response(list(step.ac.tokens))
        messages.append({"role": "assistant", "content": answer["content"]})  # type: ignore[typeddict-item]
    return messages


def _call(step: Transition) -> Call:
    seen = Prompt.of_model_input(step.ob)
    return Call(
        prompt_tokens=seen.tokens,
        images=seen.images,
        tokens=list(step.ac.tokens),
        stop_reason=str(step.ac.stop_reason),
        seconds=0.0,
        logprobs=None if step.ac.maybe_logprobs is None else list(step.ac.maybe_logprobs),
    )
