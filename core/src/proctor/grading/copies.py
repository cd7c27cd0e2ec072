"""What a grader gets: copies of its own, so that no grader can change what another one sees."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TypeVar

from proctor.types import Call, Example, Message, Sample

Value = TypeVar("Value")


def own_pair(example: Example, sample: Sample) -> tuple[Example, Sample]:
    """An example and a sample that share nothing with others that can be changed."""
    return _own_example(example), replace(
        sample,
        messages=[_own_message(message) for message in sample.messages],
        calls=[_own_call(call) for call in sample.calls],
    )


def _own_example(example: Example) -> Example:
    shown, target = example.input, example.target
    return replace(
        example,
        input=shown if isinstance(shown, str) else [_own_message(message) for message in shown],
        target=list(target) if isinstance(target, list) else target,
        metadata={key: _own(value) for key, value in example.metadata.items()},
    )


def _own_message(message: Message) -> Message:
    own = message.copy()
    own.update({key: _own(value) for key, value in message.items()})  # type: ignore[typeddict-item]  # the same keys
    return own


def _own_call(call: Call) -> Call:
    # token ids are the bulk of a sample: a plain copy of numbers costs next to nothing
    return replace(
        call,
        prompt_tokens=list(call.prompt_tokens),
        tokens=list(call.tokens),
        logprobs=None if call.logprobs is None else list(call.logprobs),
    )


def _own(value: Value) -> Value:
    if isinstance(value, (str, int, float)) or value is None:
        return value
    try:
        return copy.deepcopy(value)
    except Exception:  # a lock or a connection in a row's metadata: there is only one of it
        return value
