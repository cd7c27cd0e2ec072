"""The lines of ``samples.jsonl`` and ``grades.jsonl``, and the keys that tell them apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from proctor.errors import DatasetError
from proctor.hashing import digest
from proctor.images import Image, ImageSource, PlacedImage, read_image
from proctor.scoring.grades import GradedPair
from proctor.types import Example, Message, Sample, SamplingOptions


def request_digest(
    model_key: str, renderer: str, sampling: SamplingOptions, prompt_key: Sequence[object]
) -> str:
    """What a request is: the same model, renderer, prompt and parameters give the same digest.

    The number of samples is no part of it, so that asking for more keeps the first ones.

    Args:
        model_key: The model.
        renderer: The renderer's name and version.
        sampling: The parameters.
        prompt_key: What tells the prompt from others: a ``Prompt``'s key.
    """
    return digest([model_key, renderer, sampling.model_dump(mode="json"), list(prompt_key)])


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
    keep_image: Callable[[Image], str | None] = lambda _: None,
) -> dict[str, object]:
    """A line of ``samples.jsonl``.

    Args:
        evaluator: The evaluator's name.
        key: The sample's key.
        row: The example's place in its dataset.
        example: The example.
        order: The order in which its choices were shown.
        sample: The sample.
        keep_image: Keeps an image as a file and returns its name, or keeps none.
    """
    record: dict[str, object] = {
        "key": key,
        "evaluator": evaluator,
        "row": row,
        "example": example.id,
        "index": sample.index,
        "status": sample.status,
        "target": example.target,
        "metadata": dict(example.metadata),
        "messages": [_message_record(message, keep_image) for message in sample.messages],
        "calls": [
            {
                "prompt_tokens": call.prompt_tokens,
                "tokens": call.tokens,
                "stop_reason": call.stop_reason,
                "seconds": round(call.seconds, 4),
            }
            | ({"images": [_placed_record(p) for p in call.images]} if call.images else {})
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


def _message_record(
    message: Message, keep_image: Callable[[Image], str | None]
) -> Mapping[str, object]:
    """A message with a description of each image in the place of its bytes."""
    content = message["content"]
    if isinstance(content, str) or all(part["type"] != "image" for part in content):
        return message
    parts = [
        _image_record(part["image"], keep_image) if part["type"] == "image" else part
        for part in content
    ]
    return {**message, "content": parts}


def _image_record(
    given: ImageSource, keep_image: Callable[[Image], str | None]
) -> dict[str, object]:
    try:
        image = read_image(given).in_memory()
    except DatasetError:
        # another framework's image on the network, which nobody here has read
        name = given if isinstance(given, str) else type(given).__name__
        return {"type": "image", "format": "unknown", "digest": "", "name": name[:200]}
    record: dict[str, object] = {
        "type": "image",
        "format": image.format,
        "digest": image.digest,
    }
    if image.name is not None:
        record["name"] = image.name
    if (file := keep_image(image)) is not None:
        record["file"] = file
    return record


def _placed_record(placed: PlacedImage) -> dict[str, object]:
    """An image as it was sent: resized or in another format, it has a digest of its own."""
    image = placed.image
    sent = {"format": image.format, "digest": image.digest}
    return {"at": placed.at, "tokens": placed.tokens, **sent}


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
