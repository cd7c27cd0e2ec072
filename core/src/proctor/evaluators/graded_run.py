"""One execution of a graded evaluator: samples for each row, and a grade of each by each grader.

Samples go to the record sink and to one grading stage for each grader; outcomes end up in the
ledger.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from proctor.components.fingerprints import fingerprint
from proctor.datasets.selection import stratum_of
from proctor.evaluators.context import EvaluationContext
from proctor.evaluators.graded_options import GradedOptions
from proctor.evaluators.prompts import PromptStyle, choose_shots, with_images_read
from proctor.evaluators.records import request_digest, sample_key
from proctor.evaluators.row_run import RowRun
from proctor.grading.function_grader import annotated_verdict
from proctor.grading.grader import Grader
from proctor.grading.stage import GradingStage
from proctor.hashing import HashCounter, hash64
from proctor.sampling.budget import Interrupted
from proctor.sampling.in_flight import RequestsInFlight
from proctor.sampling.models import Client
from proctor.sampling.parameters import as_seed
from proctor.sampling.rendered_chat_model import RenderedChatModel
from proctor.sampling.sampler import Question, Sampler
from proctor.scoring.grades import GradedPair
from proctor.scoring.ledger import Ledger, LedgerColumn
from proctor.scoring.results import EvaluationResult
from proctor.scoring.whole_dataset import DrawnRows
from proctor.types import Example, Outcome, Sample


@dataclass(frozen=True, slots=True)
class RenderedRow:
    """A row that is ready to be asked about.

    Attributes:
        position: Its place in the dataset.
        example: The example as it is shown.
        order: The order in which its choices are shown.
        question: What the model is asked.
        digest: The digest of the request.
    """

    position: int
    example: Example
    order: list[int] | None
    question: Question
    digest: str


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A row with its place in the ledger.

    Attributes:
        rendered: The row.
        row: Its place.
        occurrence: How many equal requests stand before it.
    """

    rendered: RenderedRow
    row: int
    occurrence: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """Which sample a grade is of.

    Attributes:
        row: The example's place in the ledger.
        index: Which of its samples.
        key: The sample's key.
        status: The sample's status.
    """

    row: int
    index: int
    key: str
    status: str


class GradedRun(RowRun[GradedOptions, RenderedRow, LedgerRow]):
    """One execution of a graded evaluator."""

    stages: Sequence[GradingStage[Ticket]]

    def __init__(self, evaluator: GradedOptions, context: EvaluationContext) -> None:
        super().__init__(evaluator, context)
        self.graders = evaluator.graders
        self.samples_per_row = evaluator.num_samples
        self.sampling = evaluator.sampling or context.sampling
        seed = context.seed if self.sampling.seed is None else self.sampling.seed
        self._seeded_sampling = self.sampling.model_copy(update={"seed": seed})
        self._seen = HashCounter()
        self._kept_orders = 0
        self._names = evaluator.grader_names()
        self._fingerprints = [fingerprint(grader) for grader in self.graders]
        self.ledger = Ledger(
            [
                LedgerColumn(name, *grader.scale(), grader.is_proportion)
                for name, grader in zip(self._names, self.graders, strict=True)
            ],
            num_samples=evaluator.num_samples,
            by=tuple(evaluator.by),
        )
        self.stages = [
            GradingStage(grader, functools.partial(self._report, index))
            for index, grader in enumerate(self.graders)
        ]
        tallies = zip(self._names, (grader.tally() for grader in self.graders), strict=True)
        self._tallies = {name: tally for name, tally in tallies if tally is not None}
        # graders that do not say whether they grade yes or no, with whether all grades were so far
        self._yes_or_no: dict[str, bool | None] = {
            name: None
            for name, grader in zip(self._names, self.graders, strict=True)
            if grader.proportion is None
            and not grader.is_proportion
            and annotated_verdict(grader) is None
        }

    def make_style(self) -> PromptStyle:
        """As the evaluator's options say."""
        evaluator, few_shot = self.evaluator, self.evaluator.few_shot
        return PromptStyle(
            system=evaluator.system,
            shots=choose_shots(few_shot, self.context.seed) if few_shot else (),
            n=few_shot.n if few_shot else 0,
            seed=self.context.seed,
            shuffle_choices=evaluator.shuffle_choices,
            choice_instruction=evaluator.choice_instruction,
        )

    def check(self, example: Example) -> None:
        """Refuses a row that can't be shown."""
        self.style.messages(self.style.present(example)[0])

    def connect(self, client: Client, context: EvaluationContext | None = None) -> None:
        """Takes the model, and hands it to the graders that ask it something."""
        super().connect(client, context)
        limits, evaluator = self.context.limits, self.evaluator
        self._sampler = Sampler(self.rendered, self.sampling, limits, evaluator.prefill)
        asking = [g for g in evaluator.graders if type(g).connect is not Grader.connect]
        if asking:
            model = RenderedChatModel(
                self.rendered.model,
                self.rendered.renderer_name,
                request_timeout=limits.timeout,
                budget=limits.budget,
            )
            for grader in asking:
                grader.connect(model)

    async def result(self) -> EvaluationResult:
        """Samples and grades every selected example."""
        await self.ask_all()
        if self._kept_orders:
            self.context.progress.warn(
                self.name,
                f"{self._kept_orders} rows were not shuffled: an option refers to others",
            )
        for name in (name for name, yes_or_no in self._yes_or_no.items() if yes_or_no):
            self.context.progress.warn(
                self.name,
                f"{name} returns no annotated bool, so its score is taken as a mean of numbers: "
                "where it grades yes or no, annotate '-> bool' for a proportion's interval and "
                "pass@k",
            )
        return EvaluationResult.from_ledger(
            self.name,
            self.ledger,
            min_coverage=self.min_coverage,
            details=self.details(),
            tallies=self._tallies,
            drawn=self._drawn_rows(),
        )

    def details(self) -> dict[str, object]:
        """What the result's record says beside the scores; also how many rows kept their order."""
        kept = {"rows_not_shuffled": self._kept_orders} if self._kept_orders else {}
        return super().details() | kept

    @property
    def in_flight(self) -> RequestsInFlight:
        """The requests that are on their way."""
        return self._sampler.in_flight

    def read(self, rows: Sequence[tuple[int, Example]]) -> list[RenderedRow]:
        """Renders rows in one batch."""
        self._kept_orders += sum(self.style.keeps_order(example) for _, example in rows)
        shown = [(position, *self.style.present(example)) for position, example in rows]
        conversations = [
            with_images_read(self.style.messages(example), f"row {example.id!r}")
            for _, example, _ in shown
        ]
        prompts = self.rendered.renderer.prompts(
            conversations, prefill=self.evaluator.prefill or None
        )
        model_key = self.rendered.model.identity.key
        return [
            RenderedRow(
                position,
                example,
                order,
                Question(messages, prompt, example.id),
                request_digest(model_key, self.renderer_key, self._seeded_sampling, prompt.key),
            )
            for (position, example, order), messages, prompt in zip(
                shown, conversations, prompts, strict=True
            )
        ]

    def admit(self, row: RenderedRow) -> LedgerRow:
        """Gives a row its place in the ledger, and tells it from equal ones."""
        occurrence = self._seen.add(hash64(row.digest))
        return LedgerRow(row, self.ledger.add_example(*self.place_of(row.example)), occurrence)

    def miss(self, example: Example) -> None:
        """Counts a row as missing."""
        self.ledger.add_example(*self.place_of(example))

    async def ask(self, row: LedgerRow) -> None:
        """Takes all samples of a row, from one request, and hands them to the graders."""
        question = row.rendered.question
        try:
            samples = await self._sampler.answers(
                question, self.samples_per_row, self._request_seed(question, row.occurrence)
            )
        except Interrupted:
            return
        for sample in samples:
            await self._take(row, sample)

    def _drawn_rows(self) -> DrawnRows | None:
        """The rows as a sample of their dataset; None where they are none that tells of it.

        From one answer a row at a temperature, nothing tells how another would be graded.
        """
        sizes = self.selection.stratum_sizes
        if sizes is None or (self.sampling.temperature > 0 and self.samples_per_row == 1):
            return None
        return DrawnRows([stratum_of(example) for _, example in self.selection.rows()], sizes)

    def _request_seed(self, question: Question, occurrence: int) -> int | None:
        """A seed for each request, so that equal prompts get other answers, equal models equal."""
        if self.samples_per_row > 1 and not self.rendered.model.seed_covers_samples:
            return None
        return as_seed(hash64(self._seeded_sampling.seed, question.prompt.key, occurrence))

    async def _take(self, row: LedgerRow, sample: Sample) -> None:
        """Records a sample, and hands it to the graders that want it."""
        rendered = row.rendered
        key = sample_key(rendered.digest, row.occurrence, sample.index)
        self.record_sample(key, rendered.position, rendered.example, sample, rendered.order)
        ticket = Ticket(row.row, sample.index, key, sample.status)
        for index, grader in enumerate(self.graders):
            sees = sample.status == "complete" or (
                sample.status == "truncated" and grader.sees_truncated
            )
            if sees:
                await self.stages[index].put(ticket, (rendered.example, sample))
            else:
                self._report(index, ticket, GradedPair(Outcome(sample.status), reason=sample.error))

    def _report(self, index: int, ticket: Ticket, graded: GradedPair) -> None:
        name = self._names[index]
        if ticket.status == "truncated" and graded.outcome is Outcome.GRADED:
            # a grader that sees truncated answers says what one is worth, not that it is whole
            graded = replace(graded, outcome=Outcome.TRUNCATED)
        if name in self._yes_or_no and graded.value is not None:
            so_far = self._yes_or_no[name] is not False
            self._yes_or_no[name] = so_far and graded.value in self.graders[index].scale()
        self.ledger.record(
            ticket.row, ticket.index, name, graded.outcome, graded.value, answer=graded.answer
        )
        if name in self._tallies:
            self._tallies[name].add(graded)
        self.record_grade(ticket.key, name, graded, self._fingerprints[index])
