"""The evaluators on log-probabilities against a client whose values are known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tinker

import proctor
from proctor.errors import ConfigError, DatasetError
from proctor.evaluators.choice_logprob import ChoiceLogprob
from proctor.evaluators.nll import NLL
from proctor.evaluators.scored_text import aligned_logprobs, text_length
from proctor.sampling.budget import RequestBudget, RequestFailed, StopSignal
from proctor.scoring.intervals import estimate_ratio, t_quantile
from proctor.testing import ByteTokenizer


class Rows(proctor.Dataset):
    """Rows given in Python."""

    rows: list[proctor.Example]
    """The rows."""

    def examples(self) -> Iterator[proctor.Example]:
        return iter(self.rows)


class Likelihoods:
    """A client whose log-probabilities depend on each token and on where it stands.

    Attributes:
        asked: The tokens of each request.
    """

    def __init__(self, shift: int = 0, leaves_first_out: bool = False) -> None:
        self.tokenizer = ByteTokenizer()
        self.asked: list[list[int]] = []
        self.shift = shift
        self.leaves_first_out = leaves_first_out
        self.failing: dict[str, Any] = {}
        self.in_flight = 0
        self.most_in_flight = 0

    def get_tokenizer(self) -> ByteTokenizer:
        return self.tokenizer

    def sample(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("nothing is sampled")

    async def compute_logprobs(self, prompt: tinker.ModelInput) -> list[float | None]:
        import asyncio

        tokens = prompt.to_ints()
        self.asked.append(tokens)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(0.001)
        self.in_flight -= 1
        text = self.tokenizer.decode(tokens)
        for part, problem in self.failing.items():
            if part in text:
                if isinstance(problem, BaseException):
                    raise problem
                return problem
        values = [self.of(token, index) for index, token in enumerate(tokens)]
        values = values[self.shift :] + values[: self.shift]
        return values[1:] if self.leaves_first_out else [None, *values[1:]]

    @staticmethod
    def of(token: int, index: int) -> float:
        return -((token * 7 + index * 3) % 11) / 10


def row(number: int, target: str, **more: Any) -> proctor.Example:
    return proctor.Example(id=f"q{number}", input=f"Question {number}?", target=target, **more)


ROWS = [row(0, "Paris"), row(1, "Berlin, on the Spree"), row(2, "Rome")]


def nll(rows: list[proctor.Example] = ROWS, **options: Any) -> NLL:
    return NLL(dataset=Rows(rows=rows), renderer="role_colon", **options)


def by_hand(
    client: Likelihoods, rows: list[proctor.Example]
) -> list[tuple[float, int, float, int]]:
    """Nats, tokens, nats of the text and bytes, from the requests' own tokens."""
    sums = []
    for example in rows:
        question = f"User: Question {example.id[1:]}?\n\nAssistant:"
        (tokens,) = [t for t in client.asked if question in client.tokenizer.decode(t)]
        start = len(client.tokenizer.encode(question, add_special_tokens=False))
        start += client.tokenizer.decode(tokens).index(question)
        values = [Likelihoods.of(token, i) for i, token in enumerate(tokens)][start:]
        target = example.targets[0]
        text = values[: len(f" {target}".encode())]
        sums.append((-sum(values), len(values), -sum(text), len(target.encode())))
    return sums


async def test_nats_per_token_and_bits_per_byte_by_hand() -> None:
    client = Likelihoods()
    metrics = await nll()(client)
    sums = by_hand(client, ROWS)
    # " Paris\n\nUser:" and so on: the target, and the end of the turn
    assert [n for _, n, _, _ in sums] == [len(f" {r.targets[0]}\n\nUser:") for r in ROWS]
    nats = sum(s[0] for s in sums) / sum(s[1] for s in sums)
    bits = sum(s[2] for s in sums) / math.log(2) / sum(s[3] for s in sums)
    assert metrics["nll/score"] == pytest.approx(nats)
    assert metrics["nll/nll/score"] == pytest.approx(nats)
    assert metrics["nll/bits_per_byte/score"] == pytest.approx(bits)
    assert metrics["nll/nll/n"] == 3
    assert metrics["nll/nll/ci_low"] < nats < metrics["nll/nll/ci_high"]


async def test_a_server_that_leaves_the_first_value_out_gives_the_same() -> None:
    assert await nll()(Likelihoods(leaves_first_out=True)) == await nll()(Likelihoods())


async def test_values_that_are_shifted_by_one_are_other_numbers() -> None:
    """What a wrong alignment would give is not what is given."""
    right, shifted = await nll()(Likelihoods()), await nll()(Likelihoods(shift=1))
    assert abs(right["nll/score"] - shifted["nll/score"]) > 0.01


def test_alignment() -> None:
    assert aligned_logprobs([None, -1.0, -2.0, -3.0], 2, 2) == [-2.0, -3.0]
    assert aligned_logprobs([-1.0, -2.0, -3.0], 2, 2) == [-2.0, -3.0]
    assert aligned_logprobs([-1.0, None, -2.0, 1e-6], 2, 2) == [-2.0, 1e-6]


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        [-1.0, -2.0],
        [-1.0] * 5,
        [None, -1.0, None, -3.0],
        [None, -1.0, math.nan, -3.0],
        [None, -1.0, 0.5, -3.0],
        [None, -1.0, "x", -3.0],
    ],
)
def test_values_that_are_none(given: Any) -> None:
    with pytest.raises(RequestFailed, match="the client gave"):
        aligned_logprobs(given, 2, 2)


def test_where_the_text_ends() -> None:
    tokenizer = ByteTokenizer()
    tokens = tokenizer.encode(" Zürich\n\nUser:", add_special_tokens=False)
    assert text_length("Zürich", tokens, tokenizer) == len(" Zürich".encode())
    with pytest.raises(RequestFailed, match="not in what the renderer made of it"):
        text_length("Basel", tokens, tokenizer)


async def test_what_fails_is_missing_and_withholds_the_score() -> None:
    client = Likelihoods()
    client.failing = {"Question 1": ValueError("the server said no")}
    metrics = await nll()(client)
    assert "nll/score" not in metrics
    assert metrics["nll/nll/failed"] == 1
    assert metrics["nll/nll/coverage"] == pytest.approx(2 / 3)
    metrics = await nll(min_coverage=0.5)(client)
    assert "nll/score" in metrics


async def test_the_missing_are_in_no_sum() -> None:
    client = Likelihoods()
    client.failing = {"Question 1": [None, -1.0]}
    partial = await nll(min_coverage=0.5)(client)
    alone = await nll([ROWS[0], ROWS[2]])(Likelihoods())
    assert partial["nll/score"] == alone["nll/score"]
    assert partial["nll/bits_per_byte/score"] == alone["nll/bits_per_byte/score"]


async def test_a_text_beyond_the_context_is_never_sent() -> None:
    client = Likelihoods()
    identity = proctor.ModelIdentity(backend="x", base_model="m", session="s", context_length=50)
    context = proctor.EvaluationContext(identity=identity, tokenizer=client.tokenizer)
    result = await nll().evaluate(client, context)
    assert result.metrics["nll/nll/failed"] == 1
    assert len(client.asked) == 2


def test_the_interval_is_that_of_a_ratio() -> None:
    """Against the textbook's formula, and against the mean's where all lengths are equal."""
    x, y = np.array([3.0, 8.0, 2.0, 9.0]), np.array([2.0, 5.0, 2.0, 4.0])
    ratio = x.sum() / y.sum()
    residuals = x - ratio * y
    stderr = math.sqrt(4 / 3 * (residuals**2).sum()) / y.sum()
    estimate = estimate_ratio(x, y)
    assert (estimate.mean, estimate.stderr) == (pytest.approx(ratio), pytest.approx(stderr))
    assert estimate.ci_high == pytest.approx(ratio + t_quantile(3) * stderr)
    equal = estimate_ratio(x, np.full(4, 2.0))
    assert equal.stderr == pytest.approx(x.std(ddof=1) / 2 / math.sqrt(4))


def test_clusters_are_not_independent() -> None:
    x, y = np.array([1.0, 1.2, 5.0, 5.1]), np.ones(4)
    joined = estimate_ratio(x, y, np.array([0, 0, 1, 1]))
    assert joined.clusters == 2
    assert joined.stderr > estimate_ratio(x, y).stderr
    assert math.isnan(estimate_ratio(x, y, np.zeros(4, dtype=np.int64)).stderr)
    assert math.isnan(estimate_ratio(np.array([]), np.array([])).mean)


async def test_groups() -> None:
    rows = [
        row(0, "Paris", metadata={"land": "F"}),
        row(1, "Berlin", metadata={"land": "D"}),
        row(2, "Lyon", metadata={"land": "F"}),
    ]
    metrics = await nll(rows, by=["metadata.land"])(Likelihoods())
    alone = await nll([rows[0], rows[2]])(Likelihoods())
    name = "nll/nll/metadata.land=F/score"
    assert metrics[name] == pytest.approx(alone["nll/score"])
    assert metrics["nll/nll/metadata.land=D/n"] == 1


CHOICES = [
    proctor.Example(id=f"c{n}", input=f"Question {n}?", choices=("a", "bb", "ccc"), target=n % 3)
    for n in range(9)
]


class Preferring(Likelihoods):
    """A client that gives each text a log-probability a byte."""

    def __init__(self, of_text: dict[str, float]) -> None:
        super().__init__()
        self.of_text = of_text

    async def compute_logprobs(self, prompt: tinker.ModelInput) -> list[float | None]:
        tokens = prompt.to_ints()
        self.asked.append(tokens)
        text = str(self.tokenizer.decode(tokens))
        answer = text.rsplit("Assistant:", 1)[1]
        option = answer.removesuffix("\n\nUser:").strip()
        values: list[float | None] = [-9.0] * len(tokens)
        start = len(tokens) - len(answer.encode())
        for offset in range(len(option) + 1):
            values[start + offset] = self.of_text[option] / (len(option) + 1)
        values[0] = None
        return values


def choice(rows: list[proctor.Example] = CHOICES, **options: Any) -> ChoiceLogprob:
    return ChoiceLogprob(dataset=Rows(rows=rows), renderer="role_colon", **options)


async def test_the_likeliest_option_plain_and_by_length() -> None:
    # as sums "a" is the likeliest, a byte "ccc" is: -1 / 1, -1.5 / 2, -1.8 / 3
    client = Preferring({"a": -1.0, "bb": -1.5, "ccc": -1.8})
    metrics = await choice()(client)
    assert metrics["choice_logprob/score"] == metrics["choice_logprob/accuracy/score"]
    assert metrics["choice_logprob/accuracy/score"] == pytest.approx(1 / 3)
    assert metrics["choice_logprob/accuracy_normalized/score"] == pytest.approx(1 / 3)
    rows = [e for e in CHOICES if e.target == 0]
    metrics = await choice(rows)(client)
    assert metrics["choice_logprob/accuracy/score"] == 1.0
    assert metrics["choice_logprob/accuracy_normalized/score"] == 0.0


async def test_the_options_are_not_shown() -> None:
    client = Preferring({"a": -1.0, "bb": -1.5, "ccc": -1.8})
    await choice(CHOICES[:1])(client)
    texts = [client.tokenizer.decode(tokens) for tokens in client.asked]
    assert len(texts) == 3
    assert sum("bb" in str(text) for text in texts) == 1


async def test_an_option_as_likely_as_the_right_one_makes_it_wrong() -> None:
    client = Preferring({"a": -1.0, "bb": -1.0, "ccc": -4.0})
    metrics = await choice([e for e in CHOICES if e.target == 0])(client)
    assert metrics["choice_logprob/accuracy/score"] == 0.0


async def test_an_option_that_the_model_rules_out_loses() -> None:
    client = Preferring({"a": -1.0, "bb": -math.inf, "ccc": -4.0})
    metrics = await choice([e for e in CHOICES if e.target == 0])(client)
    assert metrics["choice_logprob/accuracy/score"] == 1.0
    metrics = await choice([e for e in CHOICES if e.target == 1])(client)
    assert metrics["choice_logprob/accuracy/score"] == 0.0


async def test_a_target_that_the_model_rules_out_is_ungraded() -> None:
    client = Likelihoods()
    await nll([row(1, "Berlin")])(client)
    client.failing = {"Berlin": [-math.inf] * len(client.asked[0])}
    metrics = await nll([ROWS[0], row(1, "Berlin")], min_coverage=0.5)(client)
    assert (metrics["nll/nll/ungraded"], metrics["nll/nll/failed"]) == (1, 0)
    assert metrics["nll/score"] == (await nll([ROWS[0]])(Likelihoods()))["nll/score"]


async def test_one_option_that_fails_makes_the_example_missing() -> None:
    client = Likelihoods()
    client.failing = {"Assistant: bb": ValueError("gone")}
    metrics = await choice()(client)
    assert metrics["choice_logprob/accuracy/failed"] == 9
    assert "choice_logprob/score" not in metrics


async def test_shots_are_answered_with_a_text() -> None:
    shots = {"dataset": Rows(rows=CHOICES[4:5]), "n": 1}
    client = Preferring({"a": -1.0, "bb": -1.5, "ccc": -1.8})
    await choice(CHOICES[:1], few_shot=shots)(client)
    text = str(client.tokenizer.decode(client.asked[0]))
    assert "User: Question 4?\n\nAssistant: bb\n\nUser: Question 0?" in text


BAD_ROWS: dict[str, tuple[Any, proctor.Example, str]] = {
    "no target": (nll, proctor.Example(id="x", input="?"), "row 'x' has no target"),
    "a blank target": (nll, proctor.Example(id="x", input="?", target=" "), "has no target"),
    "no choices": (choice, row(1, "Paris"), "row 'q1' has no choices"),
    "one choice": (
        choice,
        proctor.Example(id="x", input="?", choices=("a",), target=0),
        "has no choices",
    ),
    "no index": (
        choice,
        proctor.Example(id="x", input="?", choices=("a", "b"), target="a"),
        "the target 'a'",
    ),
    "an index beyond": (
        choice,
        proctor.Example(id="x", input="?", choices=("a", "b"), target=2),
        "the target 2",
    ),
    "an empty choice": (
        choice,
        proctor.Example(id="x", input="?", choices=("a", " "), target=0),
        "an empty choice",
    ),
}


@pytest.mark.parametrize("case", BAD_ROWS)
async def test_rows_that_cannot_be_used_are_found_before_anything_is_sent(case: str) -> None:
    make, bad, expected = BAD_ROWS[case]
    good = CHOICES if make is choice else ROWS
    with pytest.raises(DatasetError, match=expected):
        await make([*good, bad]).prepare(proctor.EvaluationContext())


async def test_scan_without_limit_is_one_line() -> None:
    with pytest.raises(ConfigError, match="'scan' goes with 'limit'"):
        await nll(scan=5).prepare(proctor.EvaluationContext(name="x"))


async def test_a_client_without_log_probabilities_is_one_line() -> None:
    class SamplesOnly:
        """A client that only samples."""

        def get_tokenizer(self) -> ByteTokenizer:
            return ByteTokenizer()

        async def sample(self, **_: Any) -> None:
            raise AssertionError

    with pytest.raises(proctor.BackendError, match="SamplesOnly gives no log-probabilities"):
        await nll()(SamplesOnly())


async def test_an_older_client_has_the_other_form() -> None:
    class Older(Likelihoods):
        """A client of before tinker 0.38."""

        def __getattribute__(self, name: str) -> Any:
            if name == "compute_logprobs":
                raise AttributeError(name)
            return super().__getattribute__(name)

        async def compute_logprobs_async(self, prompt: tinker.ModelInput) -> Any:
            return await Likelihoods.compute_logprobs(self, prompt)

    assert await nll()(Older()) == await nll()(Likelihoods())


class Records:
    """Keeps what a run would write."""

    def __init__(self) -> None:
        self.samples: list[Any] = []
        self.grades: list[Any] = []

    def sample(self, record: Any) -> None:
        self.samples.append(record)

    def grade(self, record: Any) -> None:
        self.grades.append(record)


async def test_each_example_leaves_its_lines() -> None:
    records = Records()
    client = Likelihoods()
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


async def test_the_budget_the_limit_and_the_seed() -> None:
    rows = [row(n, f"answer {n}") for n in range(40)]
    client = Likelihoods()
    context = proctor.EvaluationContext.for_client(client, budget=RequestBudget(3))
    metrics = (await nll(rows, limit=10).evaluate(client, context)).metrics
    assert metrics["nll/nll/n"] == 10
    assert client.most_in_flight == 3
    again = Likelihoods()
    await nll(rows, limit=10)(again)
    assert sorted(again.asked) == sorted(client.asked)


async def test_an_interrupt_leaves_no_score() -> None:
    rows = [row(n, f"answer {n}") for n in range(40)]
    stop = StopSignal()

    class Stopping(Likelihoods):
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


async def test_inline_they_are_evaluators_like_others() -> None:
    evals = proctor.InlineEvaluations([nll(), choice()], eval_every=1)
    metrics = await evals.step(0, sampling_client=Likelihoods())
    assert {"nll/score", "choice_logprob/score"} <= set(metrics)
    assert metrics["nll/score"] == (await nll()(Likelihoods()))["nll/score"]
