"""One execution of an evaluator that asks a model about rows.

What every such evaluator needs stands here once: which rows it takes, which renderer its model
wants and whether that one looks right, what its first answers say, and where its records go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from proctor.components.fingerprints import fingerprint
from proctor.datasets.dataset import Dataset
from proctor.datasets.selection import Selection, select
from proctor.errors import ConfigError, RendererError
from proctor.evaluators.context import EvaluationContext
from proctor.evaluators.records import grade_record, sample_record
from proctor.grading.grader import Grader
from proctor.images import Image
from proctor.renderers.base import Renderer
from proctor.renderers.checking import early_warning, quick_check
from proctor.sampling.models import Client, OpenedModel
from proctor.sampling.rendered_model import RenderedModel
from proctor.scoring.grades import GradedPair
from proctor.scoring.results import EvaluationResult
from proctor.types import Example, Sample

EARLY_SAMPLES = 20
"""After how many samples the share of malformed and truncated ones is looked at."""


class AsksAboutRows(Protocol):
    """What a ``DatasetRun`` reads of its evaluator."""

    @property
    def metric_name(self) -> str:
        """What its metrics' names begin with."""

    @property
    def renderer(self) -> str | None:
        """The renderer's name; None for the model's own."""

    @property
    def limit(self) -> int | None:
        """Most examples; None for all."""

    @property
    def min_coverage(self) -> float | None:
        """The share of answers that must have a grade; None for the run's own."""


class ListedExamples(Dataset):
    """Examples that are there already, for choosing some of them."""

    listed: list[Example]
    """The examples."""

    def examples(self) -> Iterator[Example]:
        """Yields them in their order."""
        return iter(self.listed)


Evaluator = TypeVar("Evaluator", bound=AsksAboutRows, covariant=True)


class DatasetRun(Generic[Evaluator]):
    """One execution of an evaluator: ``prepare``, ``connect``, ``result``.

    They are apart so that the mistakes of every evaluator of a run are found before its model is
    loaded, and those of every renderer before anything is sampled.

    Args:
        evaluator: The evaluator.
        context: Limits, seed, budget, sink.
    """

    def __init__(self, evaluator: Evaluator, context: EvaluationContext) -> None:
        self.evaluator = evaluator
        self.context = context
        self.name = context.name or evaluator.metric_name
        self.fingerprint = fingerprint(evaluator)
        self._early: list[Sample] = []

    @property
    def min_coverage(self) -> float:
        """The coverage that a headline needs."""
        return self.context.required_coverage(self.evaluator.min_coverage)

    async def prepare(self) -> None:
        """Finds the evaluator's own mistakes; needs no model.

        Raises:
            ProctorError: Its dataset, a grader or a task can't be used.
        """
        raise NotImplementedError

    def connect(self, client: Client, context: EvaluationContext | None = None) -> None:
        """Takes the model, and the renderer for it.

        Args:
            client: The sampling client.
            context: The context once more, now with the model.

        Raises:
            BackendError: The client can't say which tokenizer its model has.
            RendererError: No renderer fits the model, or, when strict, it looks wrong.
        """
        self.context = context = context or self.context
        self.client = client
        renderer = self.evaluator.renderer or context.renderer
        self.rendered = self.render_with(context.opened(client), renderer)
        self.check_renderer(self.rendered.renderer, self.rendered.renderer_name)

    def render_with(self, model: OpenedModel, renderer: str | None) -> RenderedModel:
        """The model with the renderer of a name, or with its own; a subclass may know others.

        Raises:
            RendererError: No renderer fits the model.
        """
        return RenderedModel.choose(model, renderer)

    async def result(self) -> EvaluationResult:
        """Asks, and says what the answers come to; also after an interrupt or a deadline.

        Raises:
            ProctorError: Something turned out to be unusable only when it was met.
        """
        raise NotImplementedError

    @property
    def renderer_key(self) -> str:
        """The renderer's name and version, as ``run.json`` and the samples' keys have them."""
        return self.rendered.renderer_key

    def choose(
        self,
        dataset: Dataset,
        graders: Sequence[Grader] = (),
        *,
        scan: int | None = None,
        check: Callable[[Example], object] | None = None,
    ) -> Selection:
        """The rows to ask about: those of the smaller limit, the evaluator's own or the run's.

        Args:
            dataset: Where the rows come from.
            graders: What will grade them; each may refuse a row.
            scan: Look at this many rows only; None for all.
            check: Raises where it can't use a row.

        Raises:
            ConfigError: There is a ``scan`` without a limit.
            DatasetError: The dataset or a row can't be used.
        """
        limit = self.context.least_limit(self.evaluator.limit)
        if scan is not None and limit is None:
            raise ConfigError("'scan' goes with 'limit'", where=self.name)
        seed = self.context.seed
        return select(dataset, graders, limit=limit, seed=seed, scan=scan, check=check)

    def choose_among(self, examples: Sequence[Example]) -> list[Example]:
        """Those of some examples to ask about, in their order: the rule of ``limit`` is one.

        Raises:
            DatasetError: There are none, or two have one id.
        """
        selection = self.choose(ListedExamples(listed=list(examples)))
        return [example for _, example in selection.rows()]

    def check_renderer(self, renderer: Renderer, name: str) -> None:
        """Warns of a renderer that looks wrong for the model.

        Raises:
            RendererError: It does, and the run is strict.
        """
        for problem in quick_check(renderer, renderer.tokenizer):
            if self.context.is_strict:
                raise RendererError(str(problem), where=f"renderer {name}")
            self.context.progress.warn(self.name, f"renderer {name}: {problem}")

    def record_sample(
        self, key: str, row: int, example: Example, sample: Sample, order: list[int] | None = None
    ) -> None:
        """Hands a sample to the record sink, and warns where the first ones look wrong.

        Args:
            key: The sample's key.
            row: The example's place in its dataset.
            example: The example.
            sample: The sample.
            order: The order in which its choices were shown.
        """
        record = sample_record(self.name, key, row, example, order, sample, self._keep_image)
        self.context.sink.sample(record)
        self.context.progress.sampled(self.name, sample.status)
        if len(self._early) < EARLY_SAMPLES:
            self._early.append(sample)
            if len(self._early) == EARLY_SAMPLES and (warning := early_warning(self._early)):
                self.context.progress.warn(self.name, str(warning))

    def _keep_image(self, image: Image) -> str | None:
        return self.context.sink.image(image)

    def record_grade(
        self, key: str, grader: str, graded: GradedPair, grader_fingerprint: str | None = None
    ) -> None:
        """Hands what a grader made of a sample to the record sink.

        Args:
            key: The sample's key.
            grader: The grader's name within the evaluator.
            graded: The grade, or why there is none.
            grader_fingerprint: The grader's; None where the evaluator grades by itself.
        """
        known = grader_fingerprint or f"{self.fingerprint}/{grader}"
        self.context.sink.grade(grade_record(self.name, key, grader, known, graded))
        self.context.progress.graded(self.name, grader, graded.outcome, graded.value)
