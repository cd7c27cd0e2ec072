"""tinker-cookbook's benchmarks as an evaluator, with every answer in the ledger."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from tinker_cookbook.eval import benchmarks

import proctor
from proctor.configs.loading import load_config
from proctor.errors import ConfigError, DatasetError, RendererError
from proctor.evaluators.context import Progress
from proctor.runs.offline import run_config
from proctor.testing import ByteTokenizer, Hang, Reply, ScriptedClient
from proctor_cookbook.benchmark import CookbookBenchmark


def asked(prompt: str) -> int:
    return int(re.findall(r"<(\d+)>", prompt)[-1])


def evaluator(**options: Any) -> CookbookBenchmark:
    return CookbookBenchmark(name="say_numbers", renderer="role_colon", **options)


async def evaluated(client: Any, records: Any = None, **options: Any) -> proctor.EvaluationResult:
    settings = {"sink": records} if records is not None else {}
    context = proctor.EvaluationContext.for_client(client, **settings)
    return await evaluator(**options).evaluate(client, context)


async def test_the_score_is_that_of_tinker_cookbook(benchmark: Any, client_of: Any) -> None:
    """Held against its own runner, where every answer is whole."""

    def script(prompt: str, index: int) -> str:
        number = asked(prompt)
        return f"It is <{number}>." if number % 3 else "No idea."

    from tinker_cookbook import renderers

    from proctor.testing import ByteTokenizer

    result = await evaluated(client_of(script))
    renderer = renderers.get_renderer("role_colon", ByteTokenizer())  # type: ignore[arg-type]
    theirs = await benchmarks.run_benchmark(benchmark, client_of(script), renderer)
    assert result.metrics["say_numbers/score"] == pytest.approx(theirs.score) == 8 / 12
    assert result.metrics["say_numbers/reward/n"] == 12
    assert result.metrics["say_numbers/seen"] == 12
    assert result.metrics["say_numbers/reward/ci_low"] < 8 / 12


class Records:
    """Keeps what a run would write."""

    def __init__(self) -> None:
        self.samples: list[Any] = []
        self.grades: list[Any] = []

    def sample(self, record: Any) -> None:
        self.samples.append(record)

    def grade(self, record: Any) -> None:
        self.grades.append(record)


async def test_every_answer_has_its_outcome(benchmark: Any, client_of: Any) -> None:
    """tinker-cookbook's own score counts all of these as wrong."""

    def script(prompt: str, index: int) -> Any:
        number = asked(prompt)
        if number == 0:
            return Reply("It is <0", "length", ends=False)
        if number == 1:
            return ConnectionResetError("the service is away")
        if number == 2:
            return "crash"
        if number == 3:
            return Hang()
        return f"It is <{number}>." if number < 10 else "No idea."

    records = Records()
    result = await evaluated(client_of(script), records, timeout=0.5)
    (grader,) = result.graders
    counts = {str(k): v for k, v in grader.estimate.counts.items() if v}
    assert counts == {"graded": 8, "truncated": 1, "failed": 3}
    # the truncated one is worth nothing, the failed ones are missing
    assert grader.estimate.score == pytest.approx(6 / 9)
    assert grader.estimate.coverage == pytest.approx(9 / 12)
    assert "say_numbers/score" not in result.metrics
    errors = {r["example"]: r["error"] for r in records.samples if r["status"] == "failed"}
    assert "the service is away" in errors["number-1"]
    assert "the environment broke" in errors["number-2"]
    assert "not done" in errors["number-3"]
    assert len(records.grades) == 12


async def test_a_reward_off_the_scale_is_no_grade(benchmark: Any, client_of: Any) -> None:
    benchmark.reward = 2.5
    result = await evaluated(client_of(lambda prompt, _: f"<{asked(prompt)}>"))
    (grader,) = result.graders
    assert grader.estimate.samples == 0
    assert "say_numbers/score" not in result.metrics


async def test_the_subset_is_the_same_each_time(benchmark: Any, client_of: Any) -> None:
    chosen = []
    for limit in (3, 3, 5):
        records = Records()
        await evaluated(client_of(lambda *_: "No."), records, limit=limit)
        chosen.append({record["example"] for record in records.samples})
    assert chosen[0] == chosen[1] < chosen[2]
    assert (len(chosen[0]), len(chosen[2])) == (3, 5)


async def test_several_answers_to_each_example(benchmark: Any, client_of: Any) -> None:
    client = client_of(lambda prompt, _: f"<{asked(prompt)}>")
    result = await evaluated(client, limit=4, num_samples=3)
    assert client.requests == 12
    assert result.metrics["say_numbers/reward/n"] == 4


async def test_requests_keep_to_the_budget(benchmark: Any, client_of: Any) -> None:
    from proctor.sampling.budget import RequestBudget

    client = client_of(lambda *_: Reply("No.", seconds=0.01))
    context = proctor.EvaluationContext.for_client(client, budget=RequestBudget(2))
    await asyncio.gather(*(evaluator().evaluate(client, context) for _ in "12"))
    assert (client.requests, client.most_in_flight) == (24, 2)


async def test_it_is_named_by_its_benchmark_in_a_config(
    benchmark: Any, client_of: Any, tmp_path: Path
) -> None:
    spec = {"type": "cookbook_benchmark", "name": "say_numbers", "limit": 2}
    config = {"evaluators": [spec], "renderer": "cookbook/role_colon"}
    evals = proctor.InlineEvaluations(config, eval_every=1, log_path=tmp_path)
    metrics = await evals.step(0, sampling_client=client_of(lambda *_: "No."))
    assert metrics["say_numbers/score"] == 0.0
    run = proctor.FinishedRun(tmp_path / "evaluations" / "step-000000")
    assert len(list(run.samples())) == 2


def test_another_name_for_a_benchmark(benchmark: Any) -> None:
    made = CookbookBenchmark(benchmark="say_numbers", name="mine")
    assert made.builder("mine").name == "say_numbers"


MISTAKES = {
    "a misspelt benchmark": ("gsm8", {}, ["no benchmark 'gsm8'", "did you mean 'gsm8k'"]),
    "no benchmark": ("nothing-like-it", {}, ["no benchmark", "its benchmarks: aime"]),
    "a benchmark that needs a judge": ("arena_hard", {}, ["needs a judge", "add 'judge:"]),
    "a benchmark that needs a sandbox": ("mbpp", {}, ["sandbox", "tinker-cookbook[modal]"]),
}


@pytest.mark.parametrize("case", MISTAKES)
async def test_mistakes_are_found_before_the_model_is_opened(case: str) -> None:
    name, options, expected = MISTAKES[case]
    made = CookbookBenchmark(name=name, **options)
    with pytest.raises(ConfigError) as raised:
        await made.prepare(proctor.EvaluationContext())
    assert all(part in str(raised.value) for part in expected), str(raised.value)


def test_the_benchmarks_of_tinker_cookbook_are_found() -> None:
    for name in ("gsm8k", "ifeval", "mmlu_pro", "aime_2026", "hmmt_feb_2025"):
        assert CookbookBenchmark(name=name).builder(name).name == name


async def test_a_renderer_that_is_none_is_one_line(benchmark: Any, client_of: Any) -> None:
    client = client_of(lambda *_: "No.")
    context = proctor.EvaluationContext.for_client(client)
    with pytest.raises(RendererError, match="did you mean 'role_colon'"):
        await CookbookBenchmark(name="say_numbers", renderer="role_colons").evaluate(
            client, context
        )
    with pytest.raises(RendererError, match="knows no renderer for"):
        await CookbookBenchmark(name="say_numbers").evaluate(client, context)


async def test_examples_that_cannot_be_loaded_are_one_line(
    benchmark: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any) -> Any:
        raise FileNotFoundError("no such dataset")

    monkeypatch.setattr(type(benchmark), "make_envs", gone)
    with pytest.raises(DatasetError, match=r"say_numbers: its examples can't be loaded .*no such"):
        await evaluated(client_of(lambda *_: "No."))


class Starting(ByteTokenizer):
    """A tokenizer that puts a start token before every text, which the renderer does not."""

    bos_token_id = 257

    def encode(self, text: str, add_special_tokens: bool = True, **_: Any) -> list[int]:
        return [*([257] if add_special_tokens else []), *super().encode(text)]


class Warnings(Progress):
    """Keeps what a person is told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def warn(self, evaluator: str, message: str) -> None:
        self.said.append((evaluator, message))


async def test_a_renderer_that_looks_wrong_is_said(benchmark: Any, client_of: Any) -> None:
    progress = Warnings()
    client = client_of(lambda *_: "No.", Starting())
    context = proctor.EvaluationContext.for_client(client, progress=progress)
    await evaluator().evaluate(client, context)
    ((name, message),) = progress.said
    assert name == "say_numbers"
    assert "renderer cookbook/role_colon: the prompt doesn't begin with the start token" in message
    assert client.requests == 12


async def test_when_strict_it_is_an_error_before_anything_is_sent(
    benchmark: Any, client_of: Any
) -> None:
    client = client_of(lambda *_: "No.", Starting())
    context = proctor.EvaluationContext.for_client(client, is_strict=True)
    with pytest.raises(RendererError, match=r"renderer cookbook/role_colon: .*start token"):
        await evaluator().evaluate(client, context)
    assert client.requests == 0


async def test_first_requests_that_all_fail_are_said(
    benchmark: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "n", 24)
    progress = Warnings()
    client = client_of(lambda *_: ValueError("the model is away"))
    context = proctor.EvaluationContext.for_client(client, progress=progress)
    await evaluator().evaluate(client, context)
    ((_, message),) = progress.said
    assert "all of the first 20 requests failed" in message
    assert "the model is away" in message


class Judge(proctor.Backend):
    """A judge; it says when it is opened and closed."""

    async def open(self) -> None:
        LOG.append("open")

    async def open_model(self) -> proctor.OpenedModel:
        identity = proctor.ModelIdentity(backend="test", base_model="judge", digest="d")
        return proctor.OpenedModel(ScriptedClient(lambda *_: "fine"), identity, ByteTokenizer())

    async def close(self) -> None:
        LOG.append("close")


class Model(proctor.Backend):
    """A model that answers nothing right, or can't be asked at all."""

    async def open_model(self) -> proctor.OpenedModel:
        identity = proctor.ModelIdentity(backend="test", base_model="m", digest="d")
        client = ScriptedClient(lambda *_: "No.", logprob=-0.5)
        return proctor.OpenedModel(client, identity, ByteTokenizer())


LOG: list[str] = []


@pytest.mark.parametrize("fails", [False, True])
async def test_the_judge_that_it_opens_is_closed_at_the_end_of_the_run(
    fails: bool, benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any) -> Any:
        raise FileNotFoundError("no such dataset")

    LOG.clear()
    if fails:
        monkeypatch.setattr(type(benchmark), "make_envs", gone)
    made = evaluator(judge=Judge(), judge_renderer="role_colon", limit=2)
    report = await run_config(load_config({"model": Model(), "evaluators": [made]}), tmp_path)
    assert bool(report.errors) is fails
    assert LOG == ["open", "close"]


class Warned(Progress):
    """Keeps what a person is warned of."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def warn(self, evaluator: str, message: str) -> None:
        self.said.append(message)


async def warned(client: Any, **options: Any) -> tuple[proctor.EvaluationResult, list[str]]:
    progress = Warned()
    context = proctor.EvaluationContext.for_client(client, progress=progress)
    result = await evaluator(**options).evaluate(client, context)
    return result, [message for message in progress.said if "proportion" in message]


async def test_a_benchmark_of_0_and_1_is_a_proportion_where_the_config_says_so(
    benchmark: Any, client_of: Any
) -> None:
    """No benchmark declares it, and it is never guessed from the rewards."""

    def script(prompt: str, index: int) -> str:
        return f"It is <{asked(prompt)}>." if asked(prompt) % 3 else "No idea."

    guessed, said = await warned(client_of(script), num_samples=2)
    assert len(said) == 1
    assert "every reward is 0 or 1" in said[0]
    assert "'proportion: true'" in said[0]
    assert "say_numbers/reward/pass@2" not in guessed.metrics
    declared, said = await warned(client_of(script), num_samples=2, proportion=True)
    assert said == []
    assert declared.metrics["say_numbers/reward/pass@2"] == pytest.approx(8 / 12)
    assert declared.metrics["say_numbers/score"] == guessed.metrics["say_numbers/score"]
    # Student's interval and Wilson's
    low = "say_numbers/reward/ci_low"
    assert declared.metrics[low] != guessed.metrics[low]


async def test_other_rewards_are_no_proportion(benchmark: Any, client_of: Any) -> None:
    benchmark.reward = 0.5
    client = client_of(lambda prompt, _: f"<{asked(prompt)}>")
    result, said = await warned(client)
    assert said == []
    assert result.metrics["say_numbers/score"] == 0.5
    declared, _ = await warned(client, proportion=True)
    assert declared.graders[0].estimate.samples == 0
    assert "say_numbers/score" not in declared.metrics
