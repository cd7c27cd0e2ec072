"""The checks of datasets, evaluators, clients, backends, renderers and plugins."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest

import proctor
from proctor import Dataset, Example
from proctor.renderers import get_renderer
from proctor.testing import (
    ByteTokenizer,
    ScriptedClient,
    check_backend,
    check_dataset,
    check_evaluator,
    check_plugin,
    check_renderer,
    check_sampling_client,
)


class Rows(Dataset):
    """Three rows."""

    def examples(self) -> Iterator[Example]:
        for number in range(3):
            yield Example(str(number), f"{number}?", str(number))


class Once(Rows):
    def model_post_init(self, context: Any) -> None:
        self._rows = Rows().examples()

    def examples(self) -> Iterator[Example]:
        return self._rows


class Shared(Rows):
    """One position for all iterators."""

    def model_post_init(self, context: Any) -> None:
        self._count = itertools.cycle(range(3))

    def examples(self) -> Iterator[Example]:
        for _ in range(3):
            number = next(self._count)
            yield Example(str(number), f"{number}?", str(number))


class Shuffled(Rows):
    def examples(self) -> Iterator[Example]:
        rows = [Example(str(n), f"{n}?", str(n)) for n in range(50)]
        random.shuffle(rows)
        yield from rows


class Fixed(Rows):
    rows: list[Any] = []  # noqa: RUF012, pydantic copies it

    def examples(self) -> Iterator[Example]:
        yield from self.rows


def test_a_dataset_that_keeps_the_rules_passes() -> None:
    check_dataset(Rows)
    check_dataset(Fixed(rows=[Example("a", "?", 1, ("x", "y")), Example("b", "?")]))


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (Once(), "not the same each time: its example 0"),
        (Shared(), "not the same each time"),
        (Shuffled(), "not the same each time"),
        (Fixed(), "has no examples"),
        (Fixed(rows=[Example("a", "?"), Example("a", "!")]), "more than one example with the id"),
        (Fixed(rows=[Example(1, "?")]), "which is no text"),  # type: ignore[arg-type]
        (Fixed(rows=[Example("", "?")]), "has an empty id"),
        (Fixed(rows=[{"id": "a"}]), "is no Example but dict"),
        (Fixed(rows=[Example("a", "?", 2, ("x", "y"))]), "2 choices, and the target 2"),
        (Fixed(rows=[Example("a", "?", "x", ("x", "y"))]), "index of the right one"),
        (Fixed(rows=[Example("a", "?", 3)]), "a number for target"),
    ],
)
def test_a_dataset_that_breaks_a_rule_fails(dataset: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_dataset(dataset)


def test_a_dataset_is_looked_at_so_far_only() -> None:
    class Endless(Dataset):
        def examples(self) -> Iterator[Example]:
            for number in itertools.count():
                yield Example(str(number), "?")

    check_dataset(Endless, at_most=20)


class Plain:
    """Asks one question."""

    async def ask(self, client: Any) -> str:
        import tinker

        prompt = tinker.ModelInput.from_ints(ByteTokenizer().encode("Capital of France?"))
        parameters = tinker.SamplingParams(max_tokens=5)
        answer = await client.sample(prompt=prompt, num_samples=1, sampling_params=parameters)
        return ByteTokenizer().decode(answer.sequences[0].tokens, skip_special_tokens=True)

    async def __call__(self, client: Any) -> dict[str, float]:
        return {"right": float(await self.ask(client) == "Paris")}


class SwallowsErrors(Plain):
    async def __call__(self, client: Any) -> dict[str, float]:
        try:
            return await super().__call__(client)
        except RuntimeError:
            return {"right": 0.0}


class Idle(Plain):
    async def __call__(self, client: Any) -> dict[str, float]:
        return {"right": 1.0}


class Moody(Plain):
    def __init__(self) -> None:
        self.calls = itertools.count()

    async def __call__(self, client: Any) -> dict[str, float]:
        await self.ask(client)
        return {"right": float(next(self.calls))}


class Returns(Plain):
    def __init__(self, value: Any) -> None:
        self.value = value

    async def __call__(self, client: Any) -> Any:
        await self.ask(client)
        return self.value


class Right(proctor.Grader):
    def grade(self, example: Example, sample: Any) -> bool:
        return sample.text.strip() in example.targets


def test_an_evaluator_that_keeps_the_rules_passes() -> None:
    check_evaluator(Plain())
    check_evaluator(proctor.GradedEvaluator(dataset=Rows(), graders=[Right()]))


@pytest.mark.parametrize(
    ("evaluator", "message"),
    [
        (SwallowsErrors(), "although every request failed: let the exception through"),
        (Idle(), "without asking the model anything"),
        (Moody(), "for the same answers"),
        (Returns({}), "returned no metrics"),
        (Returns([1.0]), "not a dict"),
        (Returns({"a": "1"}), "not a number"),
        (Returns({"a": float("nan")}), "a is nan"),
        (Returns({1: 1.0}), "a metric called 1"),
        (object(), "can't be called"),
    ],
)
def test_an_evaluator_that_breaks_a_rule_fails(evaluator: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_evaluator(evaluator)


class Reciting:
    """A client that recites, byte by byte, as its parameters say."""

    text = "Paris, which is in France, and has been its capital."

    def __init__(self, **faults: Any) -> None:
        self.faults = faults
        self.calls = itertools.count()

    def get_tokenizer(self) -> ByteTokenizer:
        return ByteTokenizer()

    async def sample(self, prompt: Any, num_samples: int, sampling_params: Any) -> Any:
        import tinker

        call = next(self.calls)
        text = self.text[call % 3 if self.faults.get("moody") else 0 :]
        stops = [] if self.faults.get("ignores_stops") else list(sampling_params.stop or [])
        ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
        tokens = ByteTokenizer().encode(text[: min(ends, default=len(text))])
        most = sampling_params.max_tokens + self.faults.get("extra", 0)
        reason = "length" if len(tokens) > most else "stop"
        if self.faults.get("always_stop"):
            reason = self.faults["always_stop"]
        sequences = [
            tinker.SampledSequence(stop_reason=reason, sequence_id="s", _tokens_list=tokens[:most])
            for _ in range(num_samples - self.faults.get("fewer", 0))
        ]
        return tinker.SampleResponse(sequences=sequences)

    async def compute_logprobs(self, prompt: Any) -> list[float | None]:
        count = len(prompt.to_ints())
        return self.faults.get("logprobs", [None, *[-0.5] * (count - 1)])


def test_a_client_that_keeps_the_rules_passes() -> None:
    check_sampling_client(Reciting())


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ({"moody": True}, "at temperature 0 gave"),
        ({"ignores_stops": True}, "with the stop string"),
        ({"extra": 1}, "9 tokens where 8 were the most"),
        ({"fewer": 1}, "gave 0 answers where 1 were asked for"),
        ({"always_stop": "eos"}, "say 'stop' or 'length'"),
        ({"logprobs": []}, "0 log-probabilities for a prompt of"),
        ({"logprobs": [-0.1] * 24}, "gave the first token of a prompt a log-probability"),
        ({"logprobs": [None, *[0.1] * 23]}, "log-probabilities that are none"),
    ],
)
def test_a_client_that_breaks_a_rule_fails(faults: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_sampling_client(Reciting(**faults))


class Opens(proctor.Backend):
    """Opens the reciting client."""

    base_model: str = "recite"
    digest: str | None = "1"

    async def open_model(self) -> Any:
        client = Reciting()
        identity = proctor.ModelIdentity(
            backend="opens", base_model=self.base_model, digest=self.digest, session=str(id(client))
        )
        return proctor.OpenedModel(client, identity, ByteTokenizer())


class Forgetful(Opens):
    async def open_model(self) -> Any:
        self.digest = f"{self.digest}+"
        return await super().open_model()


def test_backends() -> None:
    check_backend(Opens)
    check_backend(Opens(digest=None))
    with pytest.raises(AssertionError, match="doesn't say which base model"):
        check_backend(Opens(base_model=""))
    with pytest.raises(AssertionError, match="for one model"):
        check_backend(Forgetful())


class Wrong:
    """A renderer with one fault."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.inner: Any = get_renderer("role_colon", ByteTokenizer())
        self.calls = itertools.count()

    def build_generation_prompt(self, messages: Any) -> Any:
        import tinker

        if self.fault == "drops":
            messages = messages[-1:]
        tokens = self.inner.build_generation_prompt(messages).to_ints()
        if self.fault == "changes":
            tokens = [*tokens, 65 + next(self.calls)]
        return tinker.ModelInput.from_ints([] if self.fault == "empty" else tokens)

    def get_stop_sequences(self) -> Any:
        return [] if self.fault == "no stops" else self.inner.get_stop_sequences()

    def parse_response(self, tokens: Any) -> Any:
        message, termination = self.inner.parse_response(tokens)
        if self.fault == "keeps the stop":
            message = {**message, "content": ByteTokenizer().decode(tokens)}
        if self.fault == "always ends":
            termination = proctor.Termination.STOP_SEQUENCE
        if self.fault == "never ends":
            termination = proctor.Termination.MALFORMED
        return message, termination


def test_a_renderer_that_keeps_the_rules_passes() -> None:
    check_renderer(get_renderer("role_colon", ByteTokenizer()), ByteTokenizer())
    check_renderer(Wrong("in nothing"), ByteTokenizer())


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("drops", "prompt lacks 'What is the capital of France"),
        ("changes", "two prompts of one conversation"),
        ("empty", "an empty prompt"),
        ("no stops", "no stop sequences"),
        ("keeps the stop", "from 'Paris is the capital of France.' and its stop"),
        ("always ends", "which has no end"),
        ("never ends", "which ends with its stop"),
    ],
)
def test_a_renderer_that_breaks_a_rule_fails(fault: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_renderer(Wrong(fault), ByteTokenizer())


SOURCE = """
import proctor

@proctor.hookimpl
def proctor_register(registry):
    registry.dataset("rows", "house_rows:Rows")
"""
ROWS = "import proctor\nclass Rows(proctor.Dataset):\n    'Rows.'\n"


def test_plugins(plugin_folder: Any) -> None:
    with pytest.raises(AssertionError, match="no plugin of house-evals is installed"):
        check_plugin("house-evals")
    plugin_folder.add(SOURCE)
    with pytest.raises(
        AssertionError, match=r"No module named 'house_rows'; install the distribution"
    ):
        check_plugin("house-evals")
    plugin_folder.add(SOURCE, modules={"house_rows.py": ROWS})
    check_plugin("house-evals")
    plugin_folder.add(SOURCE, distribution="other-evals")
    with pytest.raises(AssertionError, match="dataset 'rows' is also other-evals/rows"):
        check_plugin("house-evals")


@pytest.mark.parametrize(
    "hook",
    [
        "proctor_run_started(run)",
        "proctor_sample_finished(record)",
        "proctor_extra_graders(evaluator_spec)",
        "proctor_adapt_evaluator(evaluator)",
        "proctor_load_tokenizer(model)",
    ],
)
def test_a_plugin_that_registers_nothing_may_do_its_work_in_another_hook(
    plugin_folder: Any, hook: str
) -> None:
    plugin_folder.add(f"import proctor\n@proctor.hookimpl\ndef {hook}: pass\n")
    check_plugin("house-evals")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import proctor\n@proctor.hookimpl\ndef proctor_register(registry): pass\n", "nothing"),
        ("import proctor\n", "it has no hook"),
    ],
)
def test_a_plugin_that_does_nothing_fails(plugin_folder: Any, source: str, message: str) -> None:
    plugin_folder.add(source)
    with pytest.raises(AssertionError, match=message):
        check_plugin("house-evals")


def test_scripted_clients_come_from_a_fixture(scripted_client: Any) -> None:
    client = scripted_client(lambda prompt, index: "x")
    assert isinstance(client, ScriptedClient)
