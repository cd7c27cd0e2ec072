"""A model in training, and a benchmark of tinker-cookbook's kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from tinker_cookbook.eval import benchmarks
from tinker_cookbook.rl.message_env import EnvFromMessageEnv, MessageEnv, MessageStepResult
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

import proctor
from proctor.testing import ByteTokenizer, Reply, ScriptedClient


class TrainedModel:
    """A training client: after k updates its snapshots answer the first k questions."""

    def __init__(self) -> None:
        self.updates = 0
        self.snapshots = 0

    async def save_weights_and_get_sampling_client_async(self) -> ScriptedClient:
        self.snapshots += 1
        return self.client_of(self.updates)

    def client_of(self, updates: int) -> ScriptedClient:
        def answer(prompt: str, index: int) -> Reply:
            number = int(re.findall(r"<(\d+)>", prompt)[-1])
            return Reply(f"It is <{number}>." if number < updates else "No idea.")

        return ScriptedClient(answer)

    def forward_backward(self) -> None:
        """What tells a training client from one that samples."""


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


class NumberEnv(MessageEnv):
    """One question of the benchmark."""

    def __init__(self, number: int, reward: float) -> None:
        self.number = number
        self.reward = reward
        self.example_id = f"number-{number}"

    async def initial_observation(self) -> list[Any]:
        return [{"role": "user", "content": f"Say <{self.number}>."}]

    async def step(self, message: Any) -> MessageStepResult:
        if "crash" in str(message["content"]):
            raise ZeroDivisionError("the environment broke")
        right = f"<{self.number}>" in str(message["content"])
        return MessageStepResult(
            reward=self.reward if right else 0.0,
            episode_done=True,
            next_messages=[],
            metrics={"correct": float(right)},
            logs={"expected": f"<{self.number}>"},
        )


class NumbersBenchmark(benchmarks.BenchmarkBuilder):
    """Twelve numbers to say."""

    name = "say_numbers"
    n = 12
    reward = 1.0

    def make_envs(self, renderer: Any, config: Any) -> Sequence[Any]:
        return [
            EnvFromMessageEnv(renderer, NumberEnv(number, self.reward), failed_parse_reward=0.0)
            for number in range(self.n)
        ]

    def aggregate(self, rewards: list[float], metrics_list: list[Any]) -> Any:
        result = super().aggregate(rewards, metrics_list)
        result.metrics["seen"] = len(rewards)
        return result


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> NumbersBenchmark:
    """The benchmark, registered under its name as tinker-cookbook's own are."""
    made = NumbersBenchmark()
    monkeypatch.setitem(benchmarks.REGISTRY, made.name, made)
    return made


@pytest.fixture
def model() -> TrainedModel:
    return TrainedModel()


@pytest.fixture
def numbers() -> Any:
    """Makes graded evaluators."""

    def make(name: str = "numbers", **options: Any) -> proctor.GradedEvaluator:
        return proctor.GradedEvaluator(
            name=name,
            dataset=Numbers(),
            graders=[Contains()],
            renderer="role_colon",
            **options,
        )

    return make


@pytest.fixture
def client_of() -> Any:
    """Makes clients that give log-probabilities too, which tinker-cookbook asserts."""
    return partial(ScriptedClient, logprob=-0.5)


@pytest.fixture
def tokenizer() -> ByteTokenizer:
    return ByteTokenizer()


SPECIAL = (
    *("<|endoftext|>", "<|end_of_text|>", "[EOS]", "<|im_start|>", "<|im_end|>"),
    *("<|vision_start|>", "<|vision_end|>", "<|image_pad|>"),
    *(
        "<｜begin▁of▁sentence｜>",
        "<｜end▁of▁sentence｜>",
        "<｜User｜>",
        "<｜Assistant｜>",
        "｜DSML｜",
    ),
    *("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>"),
    *("<｜tool▁call▁end｜>", "<｜tool▁sep｜>"),
    *("[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"),
    *("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|return|>", "<|call|>"),
    *("<|im_user|>", "<|im_assistant|>", "<|im_system|>", "<|im_middle|>"),
    *("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", "<|tool_call_begin|>"),
    *("<|tool_call_argument_begin|>", "<|tool_call_end|>"),
    *("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
)
TAGS = ("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
"""Tokens that are no special ones in the models' vocabularies."""


INKLING_SPECIAL = (
    "message_model",
    "message_user",
    "content_thinking",
    "content_text",
    "content_invoke_tool_json",
    "end_message",
    "content_model_end_sampling",
    "endoftext",
)


@pytest.fixture(scope="session")
def inkling_tokenizer() -> Any:
    """Inkling's own, which is no transformers' one."""
    return proctor.get_tokenizer("thinkingmachines/Inkling-7B")


@pytest.fixture(scope="session")
def inkling_tokens(inkling_tokenizer: Any) -> Any:
    """Tokens of an answer of Inkling's whose control tokens stand in brackets."""
    own = inkling_tokenizer.tml_tokenizer
    pattern = re.compile(rf"\[({'|'.join(INKLING_SPECIAL)})\]")

    def tokens(text: str) -> list[int]:
        found: list[int] = []
        for index, piece in enumerate(pattern.split(text)):
            if index % 2:
                found.append(own.encode_special(piece))
            elif piece:
                found += own.encode_ordinary(piece)
        return found

    return tokens


@pytest.fixture(scope="session")
def many_formats_tokenizer() -> PreTrainedTokenizerFast:
    """Bytes, and the control tokens of every family: how text is cut doesn't matter here."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: index for index, letter in enumerate(alphabet)}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIAL])
    backend.add_tokens([AddedToken(token, normalized=False, special=False) for token in TAGS])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|im_end|>", clean_up_tokenization_spaces=False
    )
