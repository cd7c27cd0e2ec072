"""Tells when a model in training answers the same, bit for bit, at two steps."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from proctor.evaluators.context import RecordSink
from proctor.hashing import hash64
from proctor.images import Image


class AnswerDigest:
    """A digest of all answers to an evaluator's requests, whatever their order.

    Token ids and, where the client gives them, log-probabilities: a model that has learnt its
    answers says the same words again, but with other log-probabilities.
    """

    def __init__(self) -> None:
        self._sum = 0
        self._count = 0
        # an evaluator may get its answers on threads of its own
        self._lock = threading.Lock()

    def add(self, question: object, answer: object) -> None:
        """Takes an answer, and what it is the answer to."""
        value = hash64(repr(question), repr(answer))
        with self._lock:
            self._sum = (self._sum + value) % 2**64
            self._count += 1

    @property
    def value(self) -> tuple[int, int] | None:
        """The digest; None without any answer."""
        return (self._count, self._sum) if self._count else None


class DigestedRecords:
    """A record sink that keeps a digest of each evaluator's answers.

    Args:
        sink: Where the records go.
    """

    def __init__(self, sink: RecordSink) -> None:
        self._sink = sink
        self.digests: dict[str, AnswerDigest] = {}

    def of(self, evaluator: str) -> AnswerDigest:
        """The digest of an evaluator's answers."""
        return self.digests.setdefault(evaluator, AnswerDigest())

    def sample(self, record: Mapping[str, object]) -> None:
        """Passes a sample on."""
        calls = record["calls"]
        assert isinstance(calls, Sequence)
        answers = [(call["tokens"], call.get("logprobs")) for call in calls]
        if answers:
            self.of(str(record["evaluator"])).add((record["example"], record["index"]), answers)
        self._sink.sample(record)

    def grade(self, record: Mapping[str, object]) -> None:
        """Passes a grade on."""
        self._sink.grade(record)

    def image(self, image: Image) -> str | None:
        """Passes an image on."""
        return self._sink.image(image)


class FrozenWeightsCheck:
    """Compares an evaluator's answers with those at the step before."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, tuple[int, int]]] = {}

    def warning(self, evaluator: str, step: int, digest: AnswerDigest) -> str | None:
        """What to say of an evaluator's answers at a step; None where they differ from before."""
        if digest.value is None:
            return None
        before = self._last.get(evaluator)
        self._last[evaluator] = (step, digest.value)
        if before is None or before[0] == step or before[1] != digest.value:
            return None
        return (
            f"the answers at steps {before[0]} and {step} are the same bit for bit: "
            "are the weights that are sampled those in training?"
        )
