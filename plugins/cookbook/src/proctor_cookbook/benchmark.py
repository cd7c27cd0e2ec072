"""The evaluator ``cookbook_benchmark``: tinker-cookbook's benchmarks, with Proctor's ledger."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from proctor import (
    Backend,
    CappedClient,
    ComponentEvaluator,
    ComponentKind,
    ConfigError,
    DatasetError,
    DatasetRun,
    EvaluationContext,
    EvaluationResult,
    Example,
    Grade,
    GradedPair,
    Ledger,
    LedgerColumn,
    OpenedModel,
    Outcome,
    RenderedModel,
    SamplingOptions,
    one_line,
    sample_key,
)
from proctor_cookbook.examples import example_ids
from proctor_cookbook.supported import check_version

if TYPE_CHECKING:
    from tinker_cookbook.eval.benchmarks import BenchmarkBuilder
    from tinker_cookbook.rl.types import Env

REWARD = "reward"
"""What metric names call the benchmark's own grade."""
PREFIX = "cookbook/"


class CookbookBenchmark(ComponentEvaluator):
    """A benchmark of tinker-cookbook, such as gsm8k, graded by its own environments."""

    benchmark: str | None = None
    """The benchmark's name; without it, the evaluator's own ``name`` is the benchmark's."""
    limit: int | None = Field(default=None, ge=1)
    """Take this many examples: the same ones each time."""
    num_samples: int = Field(default=1, ge=1)
    """Answers to each example; more than one adds pass@k to a ``proportion``."""
    renderer: str | None = None
    """tinker-cookbook's name of the renderer; by default the one it recommends for the model."""
    sampling: SamplingOptions | None = None
    """How to sample, in place of the config's ``sampling``."""
    system: str | None = None
    """A system message, in place of the one that the benchmark recommends."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds for one example; by default what the benchmark recommends."""
    judge: Annotated[Backend | None, ComponentKind("backend")] = None
    """The judge of a benchmark that needs one: a backend and its options."""
    judge_renderer: str | None = None
    """tinker-cookbook's name of the judge's renderer; by default the one it recommends."""
    proportion: bool = False
    """Whether every reward is 0 or 1, for a proportion's interval and pass@k; any other reward is
    no grade then. No benchmark says so itself."""
    min_coverage: float | None = Field(default=None, ge=0.0, le=1.0)
    """The share of answers that must have a grade for there to be a score."""

    label: ClassVar[str] = "cookbook_benchmark"

    @property
    def metric_name(self) -> str:
        """What its metrics' names begin with."""
        return self.own_name or self.benchmark or self.label

    def builder(self, name: str) -> BenchmarkBuilder:
        """The benchmark, with what it needs at hand.

        Args:
            name: The evaluator's name, for an evaluator that has no ``benchmark``.

        Raises:
            ConfigError: There is no such benchmark, or it needs a judge or a sandbox.
            PluginError: The installed tinker-cookbook is not supported.
        """
        from proctor_cookbook.finding import find_benchmark

        check_version()
        found = find_benchmark(self.benchmark or name)
        if found.requires_judge and self.judge is None:
            raise ConfigError(
                f"the benchmark {found.name!r} needs a judge", fix="add 'judge: {backend: NAME}'"
            )
        if found.requires_sandbox:
            try:
                import tinker_cookbook.sandbox.modal_sandbox  # noqa: F401
            except ImportError as error:
                raise ConfigError(
                    f"the benchmark {found.name!r} runs code in a sandbox",
                    fix="pip install 'tinker-cookbook[modal]'",
                ) from error
        return found

    def begin(self, context: EvaluationContext) -> BenchmarkRun:
        """One execution: it runs the benchmark's environments."""
        return BenchmarkRun(self, context)


class BenchmarkRun(DatasetRun[CookbookBenchmark]):
    """One execution of a benchmark."""

    def __init__(self, evaluator: CookbookBenchmark, context: EvaluationContext) -> None:
        super().__init__(evaluator, context)
        self.sampling = evaluator.sampling or context.sampling
        self.ledger = Ledger(
            [LedgerColumn(REWARD, 0.0, 1.0, proportion=evaluator.proportion)],
            num_samples=evaluator.num_samples,
        )
        self._graded: list[tuple[float, dict[str, float | int]]] = []

    async def prepare(self) -> None:
        """Finds the benchmark; needs no model.

        Raises:
            ConfigError: There is no such benchmark, or it needs a judge or a sandbox.
        """
        self.benchmark = self.evaluator.builder(self.name)

    def render_with(self, model: OpenedModel, renderer: str | None) -> RenderedModel:
        """The model with a renderer of tinker-cookbook's: by default the one it recommends.

        Raises:
            RendererError: There is no such renderer, or none is known for the model.
        """
        from proctor_cookbook.finding import renderer_for

        name = (renderer or "").removeprefix(PREFIX) or None
        chosen, self.renderer = renderer_for(name, model.identity.base_model, model.tokenizer)
        self.renderer_name = chosen
        return RenderedModel.choose(model, f"{PREFIX}{chosen}")

    async def result(self) -> EvaluationResult:
        """Runs all chosen examples, a fixed number at a time."""
        config = await self._config()
        rounds = [await self._environments(config) for _ in range(self.evaluator.num_samples)]
        ids = example_ids(rounds[0])
        places = {known: place for place, known in enumerate(ids)}
        rows = self.choose_among([Example(id=known, input=known) for known in ids])
        chosen = [places[row.id] for row in rows]
        self.context.progress.started(self.name, len(chosen) * len(rounds))
        ledger_rows = [self.ledger.add_example() for _ in chosen]
        work = iter(
            [
                (row, index, sample)
                for row, index in zip(ledger_rows, chosen, strict=True)
                for sample in range(len(rounds))
            ]
        )

        async def worker() -> None:
            for row, index, sample in work:
                if self.context.stop.is_set:
                    return
                await self._run_one(row, ids[index], sample, rounds[sample][index], config)

        together = config.agent_concurrency if self.benchmark.multi_turn else config.concurrency
        async with asyncio.TaskGroup() as group:
            for _ in range(min(together, self.context.budget.cap, len(chosen) or 1)):
                group.create_task(worker())
        self.context.progress.finished(self.name)
        rewards = {reward for reward, _ in self._graded}
        # where all are one number, they say nothing of the others that there may be
        if rewards == {0.0, 1.0} and not self.evaluator.proportion:
            self.context.progress.warn(
                self.name,
                "every reward is 0 or 1, and the score is taken as a mean of numbers: "
                "'proportion: true' gives a proportion's interval and pass@k",
            )
        result = EvaluationResult.from_ledger(
            self.name,
            self.ledger,
            min_coverage=self.min_coverage,
            details={"renderer": f"{PREFIX}{self.renderer_name}", "rows": len(chosen)},
        )
        if result.withheld is not None:
            return result
        return replace(result, metrics={**self._own_metrics(), **result.metrics})

    async def _config(self) -> Any:
        from tinker_cookbook.eval.benchmarks import BenchmarkConfig

        from proctor_cookbook.finding import renderer_for

        evaluator = self.evaluator
        judge: dict[str, Any] = {}
        if evaluator.judge is not None:
            await evaluator.open_part(evaluator.judge)
            model = await evaluator.judge.open_model()
            _, renderer = renderer_for(
                evaluator.judge_renderer, model.identity.base_model, model.tokenizer
            )
            judge = {"judge_sampling_client": model.client, "judge_renderer": renderer}
        length = self.rendered.model.identity.context_length
        return BenchmarkConfig(
            timeout_seconds=evaluator.timeout or self.benchmark.recommended_timeout,
            max_tokens=self.sampling.max_tokens,
            temperature=self.sampling.temperature,
            context_window=length,
            system_prompt=evaluator.system or self.benchmark.recommended_system_prompt,
            concurrency=self.context.budget.cap,
            **judge,
        )

    async def _environments(self, config: Any) -> list[Env]:
        """An environment for each example; they serve once."""
        try:
            return list(await asyncio.to_thread(self.benchmark.make_envs, self.renderer, config))
        except Exception as error:
            raise DatasetError(
                f"its examples can't be loaded ({one_line(error):.300})", where=self.benchmark.name
            ) from error

    async def _run_one(self, row: int, example_id: str, index: int, env: Env, config: Any) -> None:
        from tinker_cookbook.completers import TinkerTokenCompleter
        from tinker_cookbook.rl.rollouts import do_single_rollout

        from proctor_cookbook.trajectories import read_failure, read_trajectory

        policy = TinkerTokenCompleter(
            sampling_client=CappedClient(self.client, self.context),  # type: ignore[arg-type]  # it has all that is used
            max_tokens=config.max_tokens,
            temperature=config.temperature,
            context_window=config.context_window,
        )
        try:
            rollout = do_single_rollout(policy, env)
            trajectory = await asyncio.wait_for(rollout, config.timeout_seconds)
        except TimeoutError:
            read = read_failure(example_id, index, f"not done in {config.timeout_seconds:.0f} s")
        except Exception as error:
            read = read_failure(example_id, index, one_line(error))
        else:
            read = read_trajectory(example_id, index, trajectory, self.renderer)
        graded = self._grade(read.sample.status, read.reward, read.sample.error)
        if graded.grade is not None:
            self._graded.append((read.reward, read.metrics))
        digest = self._digest(example_id)
        key = sample_key(digest, 0, index)
        example = Example(id=example_id, input=read.sample.messages[:-1], target=read.expected)
        self.record_sample(key, row, example, read.sample)
        self.ledger.record(row, index, REWARD, graded.outcome, graded.value)
        self.record_grade(key, REWARD, graded)

    def _grade(self, status: str, reward: float, error: str | None) -> GradedPair:
        if status != "complete":
            return GradedPair(Outcome(status), reason=error)
        if not (math.isfinite(reward) and 0.0 <= reward <= 1.0):
            return GradedPair(Outcome.UNGRADED, reason=f"the reward {reward!r} is not in 0 to 1")
        if self.evaluator.proportion and reward not in (0.0, 1.0):
            return GradedPair(
                Outcome.UNGRADED, reason=f"the reward {reward!r} of a proportion is not 0 or 1"
            )
        return GradedPair(Outcome.GRADED, Grade(reward))

    def _own_metrics(self) -> dict[str, float]:
        """The numbers that the benchmark itself adds, over what was graded."""
        rewards = [reward for reward, _ in self._graded]
        own = self.benchmark.aggregate(rewards, [metrics for _, metrics in self._graded]).metrics
        return {
            f"{self.name}/{key}": float(value)
            for key, value in own.items()
            if isinstance(value, (int, float)) and math.isfinite(value)
        }

    def _digest(self, example_id: str) -> str:
        model = self.rendered.model.identity.key
        sampled = self.sampling.model_dump(mode="json")
        text = json.dumps([model, self.renderer_name, self.benchmark.name, sampled, example_id])
        return hashlib.sha256(text.encode()).hexdigest()[:32]
