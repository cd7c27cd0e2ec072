"""What both evaluators do as others do: rows, clients, records, budget and interrupts."""

from __future__ import annotations

from typing import Any

import pytest
import tinker

import proctor
from proctor.errors import ConfigError, DatasetError
from proctor.sampling.budget import RequestBudget, StopSignal
from proctor.testing import ByteTokenizer

BAD_ROWS: dict[str, tuple[str, proctor.Example, str]] = {
    "no target": ("nll", proctor.Example(id="x", input="?"), "row 'x' has no target"),
    "a blank target": ("nll", proctor.Example(id="x", input="?", target=" "), "has no target"),
    "no choices": (
        "choice",
        proctor.Example(id="q1", input="?", target="Paris"),
        "row 'q1' has no choices",
    ),
    "one choice": (
        "choice",
        proctor.Example(id="x", input="?", choices=("a",), target=0),
        "has no choices",
    ),
    "no index": (
        "choice",
        proctor.Example(id="x", input="?", choices=("a", "b"), target="a"),
        "the target 'a'",
    ),
    "an index beyond": (
        "choice",
        proctor.Example(id="x", input="?", choices=("a", "b"), target=2),
        "the target 2",
    ),
    "an empty choice": (
        "choice",
        proctor.Example(id="x", input="?", choices=("a", " "), target=0),
        "an empty choice",
    ),
}


@pytest.mark.parametrize("case", BAD_ROWS)
async def test_rows_that_cannot_be_used_are_found_before_anything_is_sent(
    case: str, choice_rows: Any, question_rows: Any, choice: Any, nll: Any
) -> None:
    kind, bad, expected = BAD_ROWS[case]
    make, good = {"nll": (nll, question_rows), "choice": (choice, choice_rows)}[kind]
    with pytest.raises(DatasetError, match=expected):
        await make([*good, bad]).prepare(proctor.EvaluationContext())


async def test_scan_without_limit_is_one_line(nll: Any) -> None:
    with pytest.raises(ConfigError, match="'scan' goes with 'limit'"):
        await nll(scan=5).prepare(proctor.EvaluationContext(name="x"))


async def test_a_client_without_log_probabilities_is_one_line(nll: Any) -> None:
    class SamplesOnly:
        """A client that only samples."""

        def get_tokenizer(self) -> ByteTokenizer:
            return ByteTokenizer()

        async def sample(self, **_: Any) -> None:
            raise AssertionError

    with pytest.raises(proctor.BackendError, match="SamplesOnly gives no log-probabilities"):
        await nll()(SamplesOnly())


async def test_an_older_client_has_the_other_form(likelihoods: Any, nll: Any) -> None:
    class Older(likelihoods):
        """A client of before tinker 0.38."""

        def __getattribute__(self, name: str) -> Any:
            if name == "compute_logprobs":
                raise AttributeError(name)
            return super().__getattribute__(name)

        async def compute_logprobs_async(self, prompt: tinker.ModelInput) -> Any:
            return await likelihoods.compute_logprobs(self, prompt)

    assert await nll()(Older()) == await nll()(likelihoods())


class Records:
    """Keeps what a run would write."""

    def __init__(self) -> None:
        self.samples: list[Any] = []
        self.grades: list[Any] = []

    def sample(self, record: Any) -> None:
        self.samples.append(record)

    def grade(self, record: Any) -> None:
        self.grades.append(record)


async def test_each_example_leaves_its_lines(likelihoods: Any, row: Any, nll: Any) -> None:
    records = Records()
    client = likelihoods()
    twins = [row(0, "Paris"), proctor.Example(id="twin", input="Question 0?", target="Paris")]
    context = proctor.EvaluationContext.for_client(client, sink=records)
    await nll([*twins, row(1, "Rome")]).evaluate(client, context)
    assert len({record["key"] for record in records.samples}) == 3
    assert len({record["key"] for record in records.grades}) == 6
    first = next(r for r in records.samples if r["example"] == "q0")
    assert first["messages"][-1] == {"role": "assistant", "content": "Paris"}
    (call,) = first["calls"]
    assert client.tokenizer.decode(call["tokens"]) == " Paris\n\nUser:"
    grade = next(g for g in records.grades if g["sample"] == first["key"] and g["grader"] == "nll")
    assert grade["value"] == pytest.approx(-sum(call["logprobs"]) / len(call["tokens"]))


async def test_the_budget_the_limit_and_the_seed(row: Any, likelihoods: Any, nll: Any) -> None:
    rows = [row(n, f"answer {n}") for n in range(40)]
    client = likelihoods()
    context = proctor.EvaluationContext.for_client(client, budget=RequestBudget(3))
    metrics = (await nll(rows, limit=10).evaluate(client, context)).metrics
    assert metrics["nll/nll/n"] == 10
    assert client.most_in_flight == 3
    again = likelihoods()
    await nll(rows, limit=10)(again)
    assert sorted(again.asked) == sorted(client.asked)


async def test_an_interrupt_leaves_no_score(row: Any, likelihoods: Any, nll: Any) -> None:
    rows = [row(n, f"answer {n}") for n in range(40)]
    stop = StopSignal()

    class Stopping(likelihoods):
        async def compute_logprobs(self, prompt: tinker.ModelInput) -> list[float | None]:
            if len(self.asked) == 5:
                stop.set()
            return await super().compute_logprobs(prompt)

    client = Stopping()
    context = proctor.EvaluationContext.for_client(client, stop=stop, budget=RequestBudget(2))
    result = await nll(rows, limit=30).evaluate(client, context)
    assert result.withheld is not None
    assert result.metrics["nll/nll/coverage"] < 0.5
    (grader, _) = result.graders
    assert grader.estimate.pairs == 30


async def test_inline_they_are_evaluators_like_others(
    nll: Any, choice: Any, likelihoods: Any
) -> None:
    evals = proctor.InlineEvaluations([nll(), choice()], eval_every=1)
    metrics = await evals.step(0, sampling_client=likelihoods())
    assert {"nll/score", "choice_logprob/score"} <= set(metrics)
    assert metrics["nll/score"] == (await nll()(likelihoods()))["nll/score"]
