"""The lines of ``samples.jsonl`` and ``grades.jsonl``, and the keys that tell them apart."""

from __future__ import annotations

from collections.abc import Sequence

from proctor.hashing import digest
from proctor.scoring.grades import GradedPair
from proctor.types import Example, Sample, SamplingOptions


def request_digest(
    model_key: str, renderer: str, sampling: SamplingOptions, prompt_tokens: Sequence[int]
) -> str:
    """What a request is: the same model, renderer, prompt and parameters give the same digest.

    The number of samples is no part of it, so that asking for more keeps the first ones.
    """
    return digest([model_key, renderer, sampling.model_dump(mode="json"), list(prompt_tokens)])


def sample_key(request: str, occurrence: int, index: int) -> str:
    """The key of a sample.

    Args:
        request: The request's digest.
        occurrence: How many equal requests of this evaluator stand before it in the dataset.
        index: Which of the request's samples it is.
    """
    return f"{request}-{occurrence}-{index}"


def sample_record(
    evaluator: str,
    key: str,
    row: int,
    example: Example,
    order: list[int] | None,
    sample: Sample,
) -> dict[str, object]:
    """A line of ``samples.jsonl``."""
    record: dict[str, object] = {
        "key": key,
        "evaluator": evaluator,
        "row": row,
        "example": example.id,
        "index": sample.index,
        "status": sample.status,
        "target": example.target,
        "metadata": dict(example.metadata),
        "messages": sample.messages,
        "calls": [
            {
                "prompt_tokens": call.prompt_tokens,
                "tokens": call.tokens,
                "stop_reason": call.stop_reason,
                "seconds": round(call.seconds, 4),
            }
            | ({"logprobs": call.logprobs} if call.logprobs is not None else {})
            | ({"usage": call.usage} if call.usage is not None else {})
            for call in sample.calls
        ],
        "termination": sample.termination,
    }
    if example.choices is not None:
        record["choices"] = example.choices
        record["choice_order"] = order
    if sample.error is not None:
        record["error"] = sample.error
    return record


def grade_record(
    evaluator: str,
    sample: str,
    grader: str,
    fingerprint: str,
    graded: GradedPair,
) -> dict[str, object]:
    """A line of ``grades.jsonl``; ``sample`` is the sample's key."""
    record: dict[str, object] = {
        "key": f"{sample}:{fingerprint}",
        "sample": sample,
        "evaluator": evaluator,
        "grader": grader,
        "outcome": graded.outcome,
    }
    if graded.grade is not None:
        record["value"] = graded.grade.value
        if graded.grade.explanation is not None:
            record["explanation"] = graded.grade.explanation
        if graded.grade.metadata:
            record["metadata"] = graded.grade.metadata
    elif graded.metadata:
        record["metadata"] = graded.metadata
    if graded.reason is not None:
        record["reason"] = graded.reason
    if graded.answer is not None:
        record["answer"] = graded.answer
    return record
