"""What an evaluation is told beside its client: limits, seed, budget, where records go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from proctor.components.component import Option
from proctor.images import Image
from proctor.renderers.tokenizers import LockedTokenizer, Tokenizer
from proctor.sampling.budget import (
    DEFAULT_CONCURRENCY,
    DEFAULT_REQUEST_TIMEOUT,
    RequestBudget,
    RequestLimits,
    StopSignal,
)
from proctor.sampling.identities import identify
from proctor.sampling.models import Client, OpenedModel
from proctor.types import ModelIdentity, SamplingOptions

MIN_COVERAGE = 0.95
"""Under this share of answers with a grade there is no headline."""


class RecordSink(Protocol):
    """Where the lines of a run go."""

    def sample(self, record: Mapping[str, object]) -> None:
        """Takes a line of ``samples.jsonl``."""

    def grade(self, record: Mapping[str, object]) -> None:
        """Takes a line of ``grades.jsonl``."""

    def image(self, image: Image) -> str | None:
        """Keeps an image that a sample shows; returns its file's name, or None if none is kept."""


class Progress:
    """Told how an evaluation goes. The methods of this one do nothing."""

    def started(self, evaluator: str, total: int | None) -> None:
        """An evaluator begins; ``total`` samples, where that is known."""

    def sampled(self, evaluator: str, status: str) -> None:
        """A sample arrived."""

    def graded(self, evaluator: str, grader: str, outcome: str, value: float | None) -> None:
        """A grade arrived."""

    def warn(self, evaluator: str, message: str) -> None:
        """Something that a person should know at once."""

    def waiting(self, evaluator: str, stragglers: Mapping[str, float]) -> None:
        """Requests that take much longer than the others: example ids, and seconds so far."""

    def finished(self, evaluator: str) -> None:
        """An evaluator is done."""


class NoRecords:
    """A sink that keeps nothing."""

    def sample(self, record: Mapping[str, object]) -> None:
        """Drops the record."""

    def grade(self, record: Mapping[str, object]) -> None:
        """Drops the record."""

    def image(self, image: Image) -> str | None:
        """Keeps no image."""
        return None


@dataclass(frozen=True)
class EvaluationContext:
    """What an evaluation is told beside its client.

    Attributes:
        name: What the evaluator's metric names begin with; None for the evaluator's own.
        identity: Which model the client samples from; None before it is open.
        tokenizer: The model's tokenizer; None before it is open.
        max_in_flight: The client's own cap on requests; None where it has none.
        seed_covers_samples: Whether one seed gives different answers within one request.
        renderer: The renderer's name; None to choose by the model.
        sampling: How to sample.
        seed: Steers the subset, the shots, the order of choices and the sampler.
        limit: Most examples, beside the evaluator's own limit.
        min_coverage: Share of answers that must have a grade for there to be a score.
        budget: Slots for requests, shared by the evaluators of one event loop.
        request_timeout: Seconds for one request, the client's own queueing included.
        deadline: End of the whole run, on ``time.monotonic``'s clock.
        sink: Where records go.
        progress: Told how it goes.
        stop: Set when a person interrupts.
        step: The training step, inline.
        folder: The run's folder, where an evaluator may keep files of its own; None without one.
        is_strict: Whether a renderer that looks wrong is an error.
    """

    name: str | None = None
    identity: ModelIdentity | None = None
    tokenizer: Tokenizer = None
    max_in_flight: int | None = None
    seed_covers_samples: bool = False
    renderer: str | None = None
    sampling: SamplingOptions = field(default_factory=SamplingOptions)
    seed: int = 0
    limit: int | None = None
    min_coverage: float = MIN_COVERAGE
    budget: RequestBudget = field(default_factory=lambda: RequestBudget(DEFAULT_CONCURRENCY))
    request_timeout: float = DEFAULT_REQUEST_TIMEOUT
    deadline: float | None = None
    sink: RecordSink = field(default_factory=NoRecords)
    progress: Progress = field(default_factory=Progress)
    stop: StopSignal = field(default_factory=StopSignal)
    step: int | None = None
    folder: Path | None = None
    is_strict: bool = False

    def __post_init__(self) -> None:
        # evaluators of one run share the tokenizer, and encode on threads of their own
        object.__setattr__(self, "tokenizer", LockedTokenizer.of(self.tokenizer))

    @classmethod
    def for_client(cls, client: Client, **settings: Option) -> EvaluationContext:
        """A context for a client that no backend of ours opened, such as a training loop's.

        Raises:
            BackendError: The client can't say which tokenizer its model has.
        """
        model = identify(client)
        return cls(identity=model.identity, tokenizer=model.tokenizer, **settings)

    def of_model(self, model: OpenedModel) -> EvaluationContext:
        """The same context for a model that is open."""
        return replace(
            self,
            identity=model.identity,
            tokenizer=model.tokenizer,
            max_in_flight=model.max_in_flight,
            seed_covers_samples=model.seed_covers_samples,
        )

    def opened(self, client: Client) -> OpenedModel:
        """A client as an opened model: who it is, as far as the context or the client says.

        Raises:
            BackendError: The client can't say which tokenizer its model has.
        """
        if self.identity is None or self.tokenizer is None:
            return identify(client)
        return OpenedModel(
            client, self.identity, self.tokenizer, self.max_in_flight, self.seed_covers_samples
        )

    @property
    def concurrency(self) -> int:
        """Most requests at once: the budget's cap, or the client's own where that is lower."""
        cap = self.max_in_flight
        return min(self.budget.cap, cap) if cap else self.budget.cap

    @property
    def limits(self) -> RequestLimits:
        """What limits each request."""
        return RequestLimits(self.request_timeout, self.budget, self.deadline, self.stop)

    def least_limit(self, own: int | None) -> int | None:
        """The smaller of an evaluator's own limit and the run's; None where neither has one."""
        return min((n for n in (own, self.limit) if n is not None), default=None)

    def required_coverage(self, own: float | None) -> float:
        """An evaluator's own ``min_coverage``, or the run's where it has none."""
        return self.min_coverage if own is None else own

    def named(self, name: str) -> EvaluationContext:
        """The same context for another evaluator."""
        return replace(self, name=name)
