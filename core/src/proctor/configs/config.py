"""What a config holds, once everything that it names was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from proctor.components.build import Made
from proctor.components.place import Written
from proctor.components.readings import BuiltLater
from proctor.evaluators.context import MIN_COVERAGE
from proctor.renderers.named_options import RendererName
from proctor.sampling.budget import (
    DEFAULT_CONCURRENCY,
    DEFAULT_REQUEST_TIMEOUT,
    MOST_CONCURRENCY,
)
from proctor.types import SamplingOptions

GRADED_KEYS = ("dataset", "graders")
"""A mapping without a type that has one of these is a graded evaluator."""


class InlineOptions(BaseModel):
    """When and how to evaluate inside a training loop."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    eval_every: int = Field(default=0, ge=0)
    """Steps between two evaluations; 0 for none."""
    infrequent_eval_every: int = Field(default=0, ge=0)
    """Steps between two evaluations by the infrequent evaluators; 0 for none."""
    mode: Literal["foreground", "background"] = "foreground"
    """Whether training waits for an evaluation or goes on beside it."""
    when_busy: Literal["wait", "skip"] = "wait"
    """In the background, when an evaluation is due while one is running."""
    time_budget: float | None = Field(default=None, gt=0)
    """Seconds for the evaluation of one step; what has no answer by then counts as failed."""
    token_budget: int | None = Field(default=None, ge=1)
    """Tokens of prompts and answers for the evaluation of one step; nothing is sent after them."""
    on_error: Literal["log", "raise"] = "log"
    """What a failing evaluator does: it is logged and counted, or it ends training."""
    metric_names: Literal["standard", "plain"] = "standard"
    """What a training loop gets: the names of ``results.json``, or those in letters that every
    tracker takes."""
    log_path: Path | None = None
    """The training's log folder; the samples of each evaluation are kept in it."""


class ConfigOptions(BaseModel):
    """The keys of a config."""

    model_config = ConfigDict(
        extra="forbid", use_attribute_docstrings=True, protected_namespaces=()
    )

    model: Annotated[Written, BuiltLater()] = None
    """The backend and its options: which model to sample."""
    sampling: SamplingOptions = Field(default_factory=SamplingOptions)
    """How the model samples."""
    renderer: RendererName = None
    """The renderer's name, or a mapping with its options; without it, the model's own."""
    evaluators: Annotated[list[Written], BuiltLater()] = Field(min_length=1)
    """What to evaluate: names of evaluators, or mappings that compose one."""
    inline: InlineOptions = Field(default_factory=InlineOptions)
    """When to evaluate inside a training loop."""
    plugins: list[Path] = Field(default_factory=list)
    """Single-file plugins, beside those that are installed."""
    presets: Annotated[Written, BuiltLater()] = None
    """Evaluators by name, for this config's evaluators and other configs' to build on; or the
    configs to take some from."""
    extra_graders: list[str] = Field(default_factory=list)
    """Plugins that add graders of theirs to every evaluator."""
    seed: int = 0
    """Steers the subset, the shots, the order of choices and the sampler."""
    min_coverage: float = Field(default=MIN_COVERAGE, ge=0.0, le=1.0)
    """The share of answers that must have a grade for there to be a score."""
    keep_images: bool = False
    """Whether the run's folder gets a copy of each image that a sample shows, under its digest."""
    concurrency: int = Field(default=DEFAULT_CONCURRENCY, ge=1, le=MOST_CONCURRENCY)
    """Most requests at once."""
    request_timeout: float = Field(default=DEFAULT_REQUEST_TIMEOUT, gt=0)
    """Seconds for one request, the client's own queueing included."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds for the whole run; what was not sent by then counts as failed."""


@dataclass(slots=True)
class ConfiguredEvaluator:
    """An evaluator of a config.

    Attributes:
        name: What its metrics' names begin with.
        evaluator: The evaluator.
        every: Steps between two evaluations, inline; None for the config's own schedule.
        is_infrequent: Whether the schedule of infrequent evaluators is its own, inline.
        suite: The suite that it is a member of.
        presets: The presets that it was built on, each with its owner.
    """

    name: str
    evaluator: Made
    every: int | None = None
    suite: str | None = None
    presets: tuple[str, ...] = ()
    is_infrequent: bool = False


@dataclass(slots=True)
class Config:
    """A config whose every name was found and whose every option is valid.

    Attributes:
        options: The plain keys.
        backend: The backend; None where the config is for inline use only.
        evaluators: The evaluators, members of suites among them.
        file: Where it was read from.
    """

    options: ConfigOptions
    backend: Made
    evaluators: list[ConfiguredEvaluator]
    file: Path | None = None
    suites: dict[str, list[str]] = field(default_factory=dict)
