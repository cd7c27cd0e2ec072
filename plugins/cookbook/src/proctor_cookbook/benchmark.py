"""The evaluator ``cookbook_benchmark``: tinker-cookbook's benchmarks, with Proctor's ledger."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PrivateAttr

from proctor import (
    Backend,
    CappedClient,
    Component,
    ComponentKind,
    ConfigError,
    DatasetError,
    EvaluationContext,
    EvaluationResult,
    Example,
    Grade,
    GradedPair,
    Ledger,
    LedgerColumn,
    Outcome,
    SamplingClientEvaluator,
    SamplingOptions,
    fingerprint,
    grade_record,
    sample_key,
    sample_record,
)
from proctor_cookbook.examples import choose_examples, example_ids
from proctor_cookbook.supported import check_version

if TYPE_CHECKING:
    from tinker_cookbook.eval.benchmarks import BenchmarkBuilder
    from tinker_cookbook.rl.types import Env

REWARD = "reward"
"""What metric names call the benchmark's own grade."""
PREFIX = "cookbook/"


class CookbookBenchmark(Component, SamplingClientEvaluator):
    """A benchmark of tinker-cookbook, such as gsm8k, graded by its own environments."""

    benchmark: str | None = None
    """The benchmark's name; without it, the evaluator's own ``name`` is the benchmark's."""
    limit: int | None = Field(default=None, ge=1)
    """Take this many examples: the same ones each time."""
    num_samples: int = Field(default=1, ge=1)
    """Answers to each example; more than one adds pass@k."""
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
    min_coverage: float | None = Field(default=None, ge=0.0, le=1.0)
    """The share of answers that must have a grade for there to be a score."""

    _label: str | None = PrivateAttr(default=None)

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._label = name

    @property
    def metric_name(self) -> str:
        """What its metrics' names begin with."""
        return self._label or self.benchmark or "cookbook_benchmark"

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

    async def prepare(self, context: EvaluationContext) -> None:
        """Finds the benchmark; needs no model.

        Raises:
            ConfigError: There is no such benchmark, or it needs a judge or a sandbox.
        """
        self.builder(context.name or self.metric_name)

    async def __call__(self, sampling_client: Any) -> dict[str, float]:
        """Evaluates with defaults; returns the metrics by name."""
        context = EvaluationContext.for_client(sampling_client)
        return dict((await self.evaluate(sampling_client, context)).metrics)

    async def evaluate(self, client: Any, context: EvaluationContext) -> EvaluationResult:
        """Runs the benchmark's environments.

        Raises:
            ProctorError: The benchmark can't be used, or its dataset can't be loaded.
        """
        run = _BenchmarkRun(self, client, context)
        return await run.result()


class _BenchmarkRun:
    """One execution of a benchmark."""

    def __init__(
        self, evaluator: CookbookBenchmark, client: Any, context: EvaluationContext
    ) -> None:
        from proctor_cookbook.finding import renderer_for

        self.evaluator = evaluator
        self.context = context
        self.name = context.name or evaluator.metric_name
        self.benchmark = evaluator.builder(self.name)
        self.sampling = evaluator.sampling or context.sampling
        self.client = CappedClient(client, context)
        base_model = context.identity.base_model if context.identity else ""
        self.renderer_name, self.renderer = renderer_for(
            evaluator.renderer or (context.renderer or "").removeprefix(PREFIX) or None,
            base_model,
            context.tokenizer or client.get_tokenizer(),
        )
        self.ledger = Ledger(
            [LedgerColumn(REWARD, 0.0, 1.0, proportion=False)],
            num_samples=evaluator.num_samples,
        )
        self._fingerprint = fingerprint(evaluator)
        self._graded: list[tuple[float, dict[str, float | int]]] = []

    async def result(self) -> EvaluationResult:
        """Runs all chosen examples, a fixed number at a time."""
        config = await self._config()
        rounds = [await self._environments(config) for _ in range(self.evaluator.num_samples)]
        ids = example_ids(rounds[0])
        limit = self.context.least_limit(self.evaluator.limit)
        chosen = choose_examples(ids, limit, self.context.seed)
        self.context.progress.started(self.name, len(chosen) * len(rounds))
        rows = [self.ledger.add_example() for _ in chosen]
        work = iter(
            [
                (row, index, sample)
                for row, index in zip(rows, chosen, strict=True)
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
        min_coverage = self.context.required_coverage(self.evaluator.min_coverage)
        result = EvaluationResult.from_ledger(
            self.name,
            self.ledger,
            min_coverage=min_coverage,
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
            await evaluator.judge.open()
            model = await evaluator.judge.open_model()
            _, renderer = renderer_for(
                evaluator.judge_renderer, model.identity.base_model, model.tokenizer
            )
            judge = {"judge_sampling_client": model.client, "judge_renderer": renderer}
        length = self.context.identity.context_length if self.context.identity else None
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
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise DatasetError(
                f"its examples can't be loaded ({reason:.300})", where=self.benchmark.name
            ) from error

    async def _run_one(self, row: int, example_id: str, index: int, env: Env, config: Any) -> None:
        from tinker_cookbook.completers import TinkerTokenCompleter
        from tinker_cookbook.rl.rollouts import do_single_rollout

        from proctor_cookbook.trajectories import read_failure, read_trajectory

        policy = TinkerTokenCompleter(
            sampling_client=self.client,  # type: ignore[arg-type]  # it has all that is used
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
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            read = read_failure(example_id, index, reason)
        else:
            read = read_trajectory(example_id, index, trajectory, self.renderer)
        graded = self._grade(read.sample.status, read.reward, read.sample.error)
        if graded.grade is not None:
            self._graded.append((read.reward, read.metrics))
        digest = self._digest(example_id)
        key = sample_key(digest, 0, index)
        example = Example(id=example_id, input=read.sample.messages[:-1], target=read.expected)
        self.context.sink.sample(sample_record(self.name, key, row, example, None, read.sample))
        self.context.progress.sampled(self.name, read.sample.status)
        value = graded.grade.value if graded.grade else None
        outcome = self.ledger.record(row, index, REWARD, graded.outcome, value)
        self.context.sink.grade(
            grade_record(self.name, key, REWARD, f"{self._fingerprint}/{REWARD}", graded)
        )
        self.context.progress.graded(self.name, REWARD, outcome, value)

    def _grade(self, status: str, reward: float, error: str | None) -> GradedPair:
        if status != "complete":
            return GradedPair(Outcome(status), reason=error)
        if not (math.isfinite(reward) and 0.0 <= reward <= 1.0):
            return GradedPair(Outcome.UNGRADED, reason=f"the reward {reward!r} is not in 0 to 1")
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
        model = self.context.identity.key if self.context.identity else ""
        sampled = self.sampling.model_dump(mode="json")
        text = json.dumps([model, self.renderer_name, self.benchmark.name, sampled, example_id])
        return hashlib.sha256(text.encode()).hexdigest()[:32]
