"""The sampling loop against a client that does as it is told."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import pytest

import proctor
from proctor.evaluators.context import Progress
from proctor.sampling.budget import RequestBudget, StopSignal
from proctor.testing import Hang, Reply, ScriptedClient


class Numbers(proctor.Dataset):
    """Questions with a number in them; the target is the number."""

    n: int = 10

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(self.n):
            yield proctor.Example(id=f"q{number}", input=f"Say <{number}>.", target=f"<{number}>")


class Contains(proctor.Grader):
    """Correct when the answer holds the target."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return example.targets[0] in sample.text


class Records:
    """Keeps what a run would write."""

    def __init__(self) -> None:
        self.samples: list[Mapping[str, Any]] = []
        self.grades: list[Mapping[str, Any]] = []

    def sample(self, record: Mapping[str, Any]) -> None:
        self.samples.append(record)

    def grade(self, record: Mapping[str, Any]) -> None:
        self.grades.append(record)


def asked(prompt: str) -> int:
    return int(re.findall(r"<(\d+)>", prompt)[-1])


def evaluator(n: int = 10, **options: Any) -> proctor.GradedEvaluator:
    graders = options.pop("graders", [Contains()])
    return proctor.GradedEvaluator(
        name="numbers", dataset=Numbers(n=n), graders=graders, renderer="role_colon", **options
    )


async def evaluate(
    script: Callable[[str, int], Any], n: int = 10, client: Any = None, **settings: Any
) -> tuple[Any, Records, ScriptedClient]:
    options = settings.pop("options", {})
    client = client or ScriptedClient(script)
    records = Records()
    context = proctor.EvaluationContext.for_client(
        client, **{"request_timeout": 5.0, "sink": records, **settings}
    )
    return await evaluator(n, **options).evaluate(client, context), records, client


def estimate(result: Any, index: int = 0) -> Any:
    return result.graders[index].estimate


async def test_the_ledger_equals_the_truth() -> None:
    """A client that fails, hangs, truncates and talks nonsense for known shares of rows."""
    kinds = ["right"] * 40 + ["wrong"] * 30 + ["fail"] * 4 + ["hang"] * 3 + ["cut"] * 12
    kinds += ["junk"] * 11
    random.Random(7).shuffle(kinds)

    def script(prompt: str, index: int) -> Any:
        number = asked(prompt)
        return {
            "right": f"It is <{number}>.",
            "wrong": "It is <-1>.",
            "fail": ValueError("the server said no"),
            "hang": Hang(heeds_cancellation=number % 2 == 0),
            "cut": Reply(f"I think <{number}> might", "length", ends=False),
            "junk": Reply(f"<{number}> and no end", "stop", ends=False),
        }[kinds[number]]

    result, records, _ = await evaluate(
        script, n=100, request_timeout=0.5, min_coverage=0.93, budget=RequestBudget(16)
    )
    found = estimate(result)
    assert {str(o): c for o, c in found.counts.items()} == {
        "graded": 70,
        "truncated": 12,
        "malformed": 11,
        "ungraded": 0,
        "failed": 7,
    }
    assert found.coverage == pytest.approx(0.93)
    assert found.score == pytest.approx(40 / 93)
    assert found.bounds == (pytest.approx(40 / 100), pytest.approx(47 / 100))
    assert found.score_complete == pytest.approx(40 / 70)
    assert result.metrics["numbers/score"] == pytest.approx(40 / 93)
    by_id = {record["example"]: record for record in records.samples}
    assert len(by_id) == len(records.samples) == 100
    status = {"right": "complete", "wrong": "complete", "fail": "failed", "hang": "failed"}
    status |= {"cut": "truncated", "junk": "malformed"}
    assert {n: by_id[f"q{n}"]["status"] for n in range(100)} == {
        n: status[kind] for n, kind in enumerate(kinds)
    }
    assert len(records.grades) == 100
    hung = [by_id[f"q{n}"]["error"] for n, kind in enumerate(kinds) if kind == "hang"]
    assert all("no answer within" in reason for reason in hung)


@pytest.mark.parametrize(("failures", "withheld"), [(5, False), (6, True), (100, True)])
async def test_the_headline_is_withheld_exactly_under_min_coverage(
    failures: int, withheld: bool
) -> None:
    """Story 2: half the requests failed and accuracy was 1.0; all failed and nothing was said."""

    def script(prompt: str, index: int) -> Any:
        number = asked(prompt)
        return ValueError("no") if number < failures else f"<{number}>"

    result, _, _ = await evaluate(script, n=100)
    assert ("numbers/score" not in result.metrics) is withheld
    assert ("numbers/Contains/score" not in result.metrics) is withheld
    assert result.metrics["numbers/Contains/coverage"] == pytest.approx(1 - failures / 100)
    assert result.metrics["numbers/Contains/failed"] == failures
    assert (result.withheld is not None) is withheld


async def test_unfinished_reasoning_that_holds_the_target_is_worth_the_worst() -> None:
    """Story 1: a thinking model ran out of tokens, and its scratchpad scored 1.0."""
    result, _, _ = await evaluate(
        lambda prompt, _: Reply(f"<{asked(prompt)}>", "length", ends=False)
    )
    assert result.metrics["numbers/score"] == 0.0
    assert result.metrics["numbers/Contains/truncated"] == 10


async def test_a_grader_may_opt_in_to_truncated_answers() -> None:
    class Lenient(Contains):
        """Sees truncated answers."""

        sees_truncated: ClassVar[bool] = True

    result, records, _ = await evaluate(
        lambda prompt, _: Reply(f"<{asked(prompt)}>", "length", ends=False),
        options={"graders": [Lenient(), Contains()]},
    )
    assert [estimate(result, i).score for i in (0, 1)] == [1.0, 0.0]
    assert result.metrics["numbers/Lenient/truncated"] == 10
    assert {grade["outcome"] for grade in records.grades} == {"truncated"}


async def test_requests_in_flight_never_exceed_the_cap_and_reach_it() -> None:
    def script(prompt: str, index: int) -> Any:
        return Reply("x", seconds=0.01)

    _, _, client = await evaluate(script, n=40, budget=RequestBudget(7))
    assert client.most_in_flight == 7
    client = ScriptedClient(script)
    await evaluate(script, n=40, client=client, budget=RequestBudget(7), max_in_flight=3)
    assert client.most_in_flight == 3


async def test_two_evaluators_share_one_budget() -> None:
    client = ScriptedClient(lambda *_: Reply("x", seconds=0.01))
    context = proctor.EvaluationContext.for_client(client, budget=RequestBudget(5))
    await asyncio.gather(
        evaluator(20).evaluate(client, context.named("a")),
        evaluator(20).evaluate(client, context.named("b")),
    )
    assert client.requests == 40
    assert client.most_in_flight == 5


async def test_no_coroutine_is_made_for_each_row() -> None:
    """Story 9: 20,000 coroutines were made up front."""
    most = 0

    def script(prompt: str, index: int) -> Any:
        nonlocal most
        most = max(most, len(asyncio.all_tasks()))
        return "x"

    await evaluate(script, n=3000, budget=RequestBudget(8))
    assert most < 60


async def test_a_hung_request_ends_at_its_deadline_which_includes_the_clients_queue() -> None:
    """Story 9: a request hung, and the evaluation with it for two hours."""
    started = time.monotonic()
    client = ScriptedClient(lambda *_: "x", queue_seconds=3600)
    result, records, _ = await evaluate(lambda *_: "x", n=3, client=client, request_timeout=0.2)
    assert time.monotonic() - started < 60
    assert result.metrics["numbers/Contains/failed"] == 3
    assert client.requests == 3, "a request that timed out is not sent again"
    assert "no answer within" in records.samples[0]["error"]


async def test_the_runs_deadline_fails_what_was_not_sent() -> None:
    result, records, client = await evaluate(
        lambda *_: Reply("x", seconds=0.05),
        n=200,
        budget=RequestBudget(2),
        deadline=time.monotonic() + 0.5,
    )
    assert 0 < client.requests < 200
    assert estimate(result).pairs == 200
    unsent = [r for r in records.samples if "deadline passed" in r.get("error", "")]
    assert len(unsent) == 200 - client.requests
    assert result.withheld is not None


class Flaky:
    """Raises an error so many times for each prompt, then answers."""

    def __init__(self, times: int, error: Exception) -> None:
        self.times = times
        self.error = error
        self.calls: dict[int, int] = {}

    def __call__(self, prompt: str, index: int) -> Any:
        number = asked(prompt)
        self.calls[number] = self.calls.get(number, 0) + 1
        return self.error if self.calls[number] <= self.times else f"<{number}>"


class StatusError(Exception):
    """An HTTP error as SDKs raise it."""

    def __init__(self, status_code: int) -> None:
        super().__init__(f"HTTP {status_code}")
        self.status_code = status_code


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries at once: how long they wait is no matter here."""
    real = asyncio.sleep

    async def quick(seconds: float, *rest: Any) -> Any:
        return await real(min(seconds, 0.001), *rest)

    monkeypatch.setattr("proctor.sampling.requests.asyncio.sleep", quick)


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize(
    "error",
    [ConnectionError("reset"), StatusError(503), StatusError(429), proctor.TransientError("x")],
)
async def test_an_infrastructure_error_is_tried_again(error: Exception) -> None:
    script = Flaky(2, error)
    result, _, client = await evaluate(script, n=4)
    assert result.metrics["numbers/score"] == 1.0
    assert client.requests == 12


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("error", [ValueError("bad prompt"), StatusError(400), StatusError(404)])
async def test_any_other_error_is_not(error: Exception) -> None:
    result, _, client = await evaluate(Flaky(2, error), n=4)
    assert result.metrics["numbers/Contains/failed"] == 4
    assert client.requests == 4


@pytest.mark.usefixtures("no_backoff")
async def test_retries_end() -> None:
    result, records, client = await evaluate(Flaky(99, ConnectionError("reset")), n=2)
    assert result.metrics["numbers/Contains/failed"] == 2
    assert client.requests == 8
    assert records.samples[0]["error"] == "ConnectionError: reset (tried 4 times)"


async def test_the_retries_of_tinkers_sdk_are_not_multiplied() -> None:
    class TinkersOwn(ScriptedClient):
        """Stands where tinker's client stands in the class hierarchy."""

    TinkersOwn.__module__ = "tinker.lib.public_interfaces.sampling_client"
    client = TinkersOwn(Flaky(1, ConnectionError("reset")))
    result, _, _ = await evaluate(lambda *_: "", n=3, client=client)
    assert client.requests == 3
    assert result.metrics["numbers/Contains/failed"] == 3


async def test_several_samples_of_an_example_go_out_as_one_request() -> None:
    result, records, client = await evaluate(
        lambda prompt, index: f"<{asked(prompt)}>" if index == 1 else "no",
        n=5,
        options={"num_samples": 4},
    )
    assert client.requests == 5
    assert len(records.samples) == 20
    assert result.metrics["numbers/score"] == pytest.approx(0.25)
    assert result.metrics["numbers/Contains/n"] == 5
    assert result.metrics["numbers/Contains/pass@4"] == 1.0
    assert result.metrics["numbers/Contains/pass@2"] == pytest.approx(0.5)


async def test_too_few_answers_to_a_request_are_failed_samples() -> None:
    class Short(ScriptedClient):
        """Gives one answer, whatever was asked for."""

        def sample(self, prompt: Any, num_samples: int, sampling_params: Any, **_: Any) -> Any:
            return super().sample(prompt, 1, sampling_params)

    client = Short(lambda prompt, _: f"<{asked(prompt)}>")
    result, _, _ = await evaluate(
        lambda *_: "", n=5, client=client, options={"num_samples": 3, "min_coverage": 0.0}
    )
    assert estimate(result).counts["failed"] == 10
    assert estimate(result).score == 1.0


@pytest.mark.parametrize("response", [None, "text", object()])
async def test_a_response_that_makes_no_sense_is_a_failed_sample(response: Any) -> None:
    class Odd(ScriptedClient):
        """Answers with something else than a response."""

        async def _respond(self, prompt: str, num_samples: int) -> Any:
            return response

    result, records, _ = await evaluate(lambda *_: "", n=2, client=Odd(lambda *_: ""))
    assert result.metrics["numbers/Contains/failed"] == 2
    assert "response can't be read" in records.samples[0]["error"]


async def test_a_client_with_only_the_async_form_works() -> None:
    class Old:
        """A client of before ``sample`` could be awaited."""

        def __init__(self) -> None:
            self.inner = ScriptedClient(lambda prompt, _: f"<{asked(prompt)}>")

        def get_tokenizer(self) -> Any:
            return self.inner.get_tokenizer()

        async def sample_async(self, prompt: Any, num_samples: int, sampling_params: Any) -> Any:
            return await self.inner.sample(prompt, num_samples, sampling_params)

    result, _, _ = await evaluate(lambda *_: "", client=Old())
    assert result.metrics["numbers/score"] == 1.0


async def test_a_prompt_longer_than_the_context_is_never_sent() -> None:
    identity = proctor.ModelIdentity(backend="x", base_model="b", digest="d", context_length=20)
    client = ScriptedClient(lambda *_: "x")
    context = proctor.EvaluationContext(identity=identity, tokenizer=client.tokenizer)
    result = await evaluator(2).evaluate(client, context)
    assert client.requests == 0
    assert result.metrics["numbers/Contains/failed"] == 2


async def test_an_answer_is_cut_to_what_the_context_has_room_for() -> None:
    client = ScriptedClient(lambda *_: "x")
    identity = proctor.ModelIdentity(backend="x", base_model="b", digest="d", context_length=100)
    context = proctor.EvaluationContext(identity=identity, tokenizer=client.tokenizer)
    await evaluator(1).evaluate(client, context)
    assert client.parameters[0].max_tokens == 100 - len(client.prompts[0])


def keys(records: Records) -> dict[tuple[str, int], str]:
    return {(r["example"], r["index"]): r["key"] for r in records.samples}


async def test_a_samples_key_says_what_was_asked() -> None:
    def script(prompt: str, index: int) -> Any:
        return "x"

    identity = proctor.ModelIdentity(backend="b", base_model="m", checkpoint="tinker://1")
    client = ScriptedClient(script)
    same: dict[str, Any] = {"identity": identity, "tokenizer": client.tokenizer}

    async def ask(**changes: Any) -> dict[tuple[str, int], str]:
        options = changes.pop("options", {})
        records = Records()
        context = proctor.EvaluationContext(**{**same, "sink": records, **changes})
        await evaluator(3, **options).evaluate(client, context)
        return keys(records)

    first = await ask()
    assert await ask() == first
    assert len(set(first.values())) == 3
    more = await ask(options={"num_samples": 3})
    assert {k: v for k, v in more.items() if k[1] == 0} == first, "more samples keep the first"
    other = proctor.ModelIdentity(backend="b", base_model="m", checkpoint="tinker://2")
    different = [
        await ask(identity=other),
        await ask(sampling=proctor.SamplingOptions(temperature=0.5)),
        await ask(sampling=proctor.SamplingOptions(max_tokens=7)),
        await ask(seed=5),
        await ask(options={"system": "Be brief."}),
        await ask(options={"prefill": "It"}),
    ]
    for changed in different:
        assert not set(changed.values()) & set(first.values())


async def test_duplicate_rows_stay_separate_rows() -> None:
    """Story 7: duplicate rows merged and corrupted pass@k."""

    class Twice(proctor.Dataset):
        """One question, under three ids."""

        def examples(self) -> Iterator[proctor.Example]:
            for number in range(3):
                yield proctor.Example(id=f"row{number}", input="Say <1>.", target="<1>")

    calls = iter(["<1>", "no", "no"])
    records = Records()
    client = ScriptedClient(lambda *_: next(calls))
    context = proctor.EvaluationContext.for_client(client, sink=records)
    twice = proctor.GradedEvaluator(
        name="twice", dataset=Twice(), graders=[Contains()], renderer="role_colon"
    )
    result = await twice.evaluate(client, context)
    assert result.metrics["twice/Contains/n"] == 3
    assert result.metrics["twice/score"] == pytest.approx(1 / 3)
    assert len({record["key"] for record in records.samples}) == 3
    seeds = [p.seed for p in client.parameters]
    assert len(set(seeds)) == 3, "equal prompts may not get equal seeds"


async def test_a_seed_that_does_not_cover_samples_is_left_out_for_several() -> None:
    for covers in (True, False):
        client = ScriptedClient(lambda *_: "x")
        await evaluate(
            lambda *_: "x",
            n=2,
            client=client,
            seed_covers_samples=covers,
            options={"num_samples": 2},
        )
        assert all((p.seed is not None) is covers for p in client.parameters)


async def test_the_same_seed_gives_the_same_requests() -> None:
    async def ask(seed: int) -> list[tuple[str, int | None]]:
        client = ScriptedClient(lambda *_: "x")
        identity = proctor.ModelIdentity(backend="b", base_model="m", digest="d")
        context = proctor.EvaluationContext(
            identity=identity, tokenizer=client.tokenizer, seed=seed, budget=RequestBudget(1)
        )
        await evaluator(30, limit=10).evaluate(client, context)
        return list(zip(client.prompts, [p.seed for p in client.parameters], strict=True))

    assert await ask(1) == await ask(1)
    assert await ask(1) != await ask(2)


async def test_the_result_does_not_depend_on_the_order_of_arrival() -> None:
    async def run(shuffled: bool) -> Any:
        generator = random.Random(3)

        def script(prompt: str, index: int) -> Any:
            number = asked(prompt)
            seconds = generator.random() * 0.02 if shuffled else 0.0
            return Reply(f"<{number}>" if number % 3 else "no", seconds=seconds)

        result, _, _ = await evaluate(script, n=50, options={"num_samples": 2})
        return dict(result.metrics)

    assert await run(False) == await run(True)


async def test_stragglers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proctor.sampling.in_flight.STRAGGLER_SECONDS", 0.1)
    named: list[str] = []

    class Watched(Progress):
        def waiting(self, evaluator: str, stragglers: Mapping[str, float]) -> None:
            named.extend(stragglers)

    await evaluate(
        lambda prompt, _: Reply("x", seconds=2.5 if asked(prompt) == 4 else 0.0),
        progress=Watched(),
    )
    assert set(named) == {"q4"}


async def test_the_first_interrupt_stops_sending_and_keeps_what_comes_back() -> None:
    stop = StopSignal()
    sent: list[int] = []

    def script(prompt: str, index: int) -> Any:
        sent.append(asked(prompt))
        if len(sent) == 20:
            stop.set()
        return Reply(f"<{asked(prompt)}>", seconds=0.02)

    result, records, client = await evaluate(script, n=500, stop=stop, budget=RequestBudget(8))
    assert 20 <= client.requests <= 28
    assert len(records.samples) == client.requests
    assert all(record["status"] == "complete" for record in records.samples)
    assert len(records.grades) == client.requests
    assert result.details["interrupted"] is True
    assert estimate(result).examples == 500
    assert estimate(result).coverage == pytest.approx(client.requests / 500)
    assert "numbers/score" not in result.metrics, "the first rows are no sample of the dataset"


async def test_grading_overlaps_sampling() -> None:
    events: list[str] = []

    class Noted(Contains):
        """Notes when it grades."""

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
            events.append("grade")
            return True

    def script(prompt: str, index: int) -> Any:
        events.append("sample")
        return Reply("x", seconds=0.005)

    await evaluate(script, n=60, budget=RequestBudget(2), options={"graders": [Noted()]})
    last_sample = len(events) - 1 - events[::-1].index("sample")
    assert "grade" in events[:last_sample]


class Choices(proctor.Dataset):
    """Multiple choice questions whose right option always stands first."""

    n: int = 200

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(self.n):
            yield proctor.Example(
                id=f"c{number}",
                input=f"Which is <{number}>?",
                choices=(f"right {number}", "wrong x", "wrong y", "wrong z"),
                target=0,
            )


class Letter(proctor.Grader):
    """Correct when the answer is the letter."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return sample.text.strip() == example.letter


async def test_choices_are_shuffled_by_the_examples_id_and_the_order_is_recorded() -> None:
    """Story 7: gold answers were all A."""

    def evaluate_choices(**options: Any) -> Any:
        client = ScriptedClient(lambda prompt, _: re.findall(r"([A-D])\) right", prompt)[-1])
        records = Records()
        context = proctor.EvaluationContext.for_client(client, sink=records)
        choices = proctor.GradedEvaluator(
            name="c", dataset=Choices(), graders=[Letter()], renderer="role_colon", **options
        )
        return choices.evaluate(client, context), records, client

    running, records, client = evaluate_choices()
    result = await running
    assert result.metrics["c/score"] == 1.0
    positions = [record["target"] for record in records.samples]
    assert all(30 <= positions.count(letter) <= 70 for letter in range(4))
    for record in records.samples:
        assert record["choice_order"][record["target"]] == 0
        assert record["choices"][record["target"]].startswith("right")
    running, again, _ = evaluate_choices()
    await running
    assert {r["example"]: r["choice_order"] for r in again.samples} == {
        r["example"]: r["choice_order"] for r in records.samples
    }
    running, unshuffled, client = evaluate_choices(shuffle_choices=False, limit=3)
    await running
    assert {record["target"] for record in unshuffled.samples} == {0}
    assert "A) right" in client.prompts[0]


async def test_few_shot_never_shows_the_question_itself() -> None:
    shots = {"dataset": Numbers(n=5), "n": 4}
    client = ScriptedClient(lambda prompt, _: "x")
    context = proctor.EvaluationContext.for_client(client)
    await evaluator(5, few_shot=shots).evaluate(client, context)
    assert len(client.prompts) == 5
    for prompt in client.prompts:
        numbers = re.findall(r"Say <(\d+)>", prompt)
        assert len(numbers) == len(set(numbers)) == 5
        assert len(re.findall(r"Assistant: <\d+>", prompt)) == 4


async def test_few_shot_is_seeded_and_too_many_are_an_error() -> None:
    async def ask(seed: int, n: int = 2) -> list[str]:
        client = ScriptedClient(lambda *_: "x")
        context = proctor.EvaluationContext.for_client(client, seed=seed, budget=RequestBudget(1))
        shots = {"dataset": Numbers(n=40), "n": n}
        await evaluator(3, few_shot=shots).evaluate(client, context)
        return client.prompts

    assert await ask(1) == await ask(1)
    assert await ask(1) != await ask(2)
    with pytest.raises(proctor.DatasetError, match="asks for 41 shots"):
        await ask(1, n=41)


async def test_system_and_prefill() -> None:
    _, records, client = await evaluate(
        lambda *_: " Paris.", n=1, options={"system": "Be brief.", "prefill": "It is"}
    )
    assert client.prompts[0].startswith("System: Be brief.")
    assert client.prompts[0].endswith("Assistant: It is")
    assert records.samples[0]["messages"][-1]["content"] == "It is Paris."


async def test_a_tasks_own_stop_string_is_a_clean_end() -> None:
    result, records, client = await evaluate(
        lambda prompt, _: Reply(f"<{asked(prompt)}>\n###", ends=False),
        n=2,
        sampling=proctor.SamplingOptions(stop=("\n###",)),
    )
    assert client.parameters[0].stop == ["\n\nUser:", "\n###"]
    assert result.metrics["numbers/score"] == 1.0
    assert records.samples[0]["messages"][-1]["content"] == "<0>"


async def test_two_graders_of_one_kind_have_names_of_their_own() -> None:
    result, _, _ = await evaluate(
        lambda *_: "x", n=2, options={"graders": [Contains(), Contains()]}
    )
    assert {"numbers/Contains/score", "numbers/Contains-2/score"} <= set(result.metrics)


async def test_an_evaluator_is_called_with_nothing_but_a_client() -> None:
    metrics = await evaluator(4)(ScriptedClient(lambda prompt, _: f"<{asked(prompt)}>"))
    assert metrics["numbers/score"] == 1.0
    assert all(isinstance(value, float) for value in metrics.values())


async def test_an_evaluator_is_composed_in_python_from_functions() -> None:
    def has_target(response: str, target: str) -> bool:
        return target in response

    composed = proctor.GradedEvaluator(
        name="numbers", dataset=Numbers(n=3), graders=[has_target], renderer="role_colon"
    )
    metrics = await composed(ScriptedClient(lambda prompt, _: f"<{asked(prompt)}>"))
    assert metrics["numbers/has_target/score"] == 1.0


async def test_a_function_is_called_for_each_target_and_any_true_counts() -> None:
    class Several(proctor.Dataset):
        """One question with several right answers."""

        def examples(self) -> Iterator[proctor.Example]:
            yield proctor.Example(id="a", input="Say <1>.", target=["one", "<1>"])

    seen: list[str] = []

    def has_target(response: str, target: str) -> bool:
        seen.append(target)
        return target in response

    composed = proctor.GradedEvaluator(
        name="n", dataset=Several(), graders=[has_target], renderer="role_colon"
    )
    assert (await composed(ScriptedClient(lambda *_: "<1>")))["n/score"] == 1.0
    assert seen == ["one", "<1>"]


class Warned(Progress):
    """Keeps the warnings, and after how many samples each came."""

    def __init__(self) -> None:
        self.samples = 0
        self.warnings: list[tuple[int, str]] = []

    def sampled(self, evaluator: str, status: str) -> None:
        self.samples += 1

    def warn(self, evaluator: str, message: str) -> None:
        self.warnings.append((self.samples, message))


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Reply("no end", "stop", ends=False), "malformed"),
        (Reply("cut off", "length", ends=False), "max_tokens"),
    ],
)
async def test_a_run_whose_first_answers_all_have_no_end_says_so_at_once(
    reply: Reply, cause: str
) -> None:
    warned = Warned()
    await evaluate(lambda *_: reply, n=60, progress=warned, budget=RequestBudget(1))
    [(samples, message)] = warned.warnings
    assert samples == 20
    assert cause in message
    assert "renderer" in message


async def test_a_run_with_one_whole_answer_among_the_first_is_left_alone() -> None:
    warned = Warned()
    await evaluate(
        lambda prompt, _: "x" if asked(prompt) == 7 else Reply("x", "length", ends=False),
        n=60,
        progress=warned,
        budget=RequestBudget(1),
    )
    assert warned.warnings == []


async def test_a_run_whose_first_requests_all_fail_says_so_at_once() -> None:
    warned = Warned()
    await evaluate(
        lambda *_: ValueError("no such model"), n=60, progress=warned, budget=RequestBudget(1)
    )
    [(samples, message)] = warned.warnings
    assert samples == 20
    assert "no such model" in message
