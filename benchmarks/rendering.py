"""Rendering a prompt of about 2,000 tokens, here and with tinker-cookbook's renderer of the name.

    python benchmarks/rendering.py [NAME ...]

Both get the same tokenizer: Llama 3's vocabulary, from the wheel of llama-models, with the format's
control tokens. A prompt is a conversation of 20 turns, one long message, or one with a control
token spelled in it, which is text here. The figure is the least time of several rounds, for a
prompt by itself and, here, for one of a batch of 32, as the sampling loop renders.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

from tinker_cookbook import renderers as cookbook
from tokenizers import AddedToken, Tokenizer
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import TikTokenConverter

from proctor.renderers import BUILTIN, get_renderer

TOKENS = 2000
TURNS = 20
BATCH = 32
ROUNDS = 5
NOT_THEIRS = {"chat_template", "plain", "qwen3_6", "qwen3_6_disable_thinking"}
WORDS = "The quick brown fox jumps over the lazy dog, and nobody in Zürich asks it why; "


def vocabulary() -> str:
    spec = importlib.util.find_spec("llama_models")
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin).parent / "llama3" / "tokenizer.model"
    return TikTokenConverter(vocab_file=str(file)).converted().to_str()


def tokenizer_for(name: str, base: str) -> Any:
    module, _, attribute = BUILTIN[name].partition(":")
    made = getattr(importlib.import_module(module), attribute)
    tokenizer = Tokenizer.from_str(base)
    controls = [*made.controls, *made.stops]
    tokenizer.add_special_tokens(
        [AddedToken(control.spelling, normalized=False, special=True) for control in controls]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def text_of(tokenizer: Any, tokens: int) -> str:
    words = tokenizer.encode(WORDS * (tokens // 10), add_special_tokens=False)
    return str(tokenizer.decode(words[:tokens]))


def turns(tokenizer: Any, number: int) -> list[Any]:
    """Every text of every conversation is another one, so that none is encoded once for two."""
    text = text_of(tokenizer, TOKENS // TURNS - 12)
    roles = ("system", *("user", "assistant") * TURNS)
    return [{"role": roles[i], "content": f"{number}.{i} {text}"} for i in range(TURNS)]


def one_message(tokenizer: Any, number: int) -> list[Any]:
    return [{"role": "user", "content": f"{number} {text_of(tokenizer, TOKENS)}"}]


def spelled_control(tokenizer: Any, number: int) -> list[Any]:
    """The same, with the first control token of the vocabulary spelled in its middle."""
    half = text_of(tokenizer, TOKENS // 2)
    control = next((t.content for t in tokenizer.added_tokens_decoder.values()), "<|im_end|>")
    return [{"role": "user", "content": f"{number} {half} {control} {half}"}]


WORKLOADS = {"turns": turns, "one message": one_message, "spelled control": spelled_control}


def least_seconds(render: Callable[[], object], repeats: int) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(repeats):
            render()
        best = min(best, (time.perf_counter() - started) / repeats)
    return best


def compare(name: str, workload: str, tokenizer: Any) -> tuple[int, float, float, float]:
    """Tokens of a prompt, and seconds for one: here, here in a batch, and there."""
    ours, theirs = get_renderer(name, tokenizer), cookbook.get_renderer(name, tokenizer)
    conversations = [WORKLOADS[workload](tokenizer, number) for number in range(BATCH)]
    messages = conversations[0]
    tokens = ours.build_generation_prompt(messages).to_ints()
    if workload != "spelled control":  # there it becomes a control token
        assert tokens == theirs.build_generation_prompt(messages).to_ints()
    here, there = alternated(
        lambda: ours.build_generation_prompt(messages),
        lambda: theirs.build_generation_prompt(messages),
    )
    batch = least_seconds(lambda: ours.prompt_tokens_batch(conversations), 1) / BATCH
    return len(tokens), here, batch, there


def alternated(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """The least seconds of each, measured in turn, so that both see the same machine."""
    rounds = [(least_seconds(one, 5), least_seconds(other, 5)) for _ in range(ROUNDS)]
    return min(first for first, _ in rounds), min(second for _, second in rounds)


def main(names: list[str]) -> int:
    base = vocabulary()
    slower = []
    head = f"{'renderer':26} {'workload':16} {'tokens':>6} {'proctor':>10} {'in batches':>11}"
    print(f"{head} {'cookbook':>10} {'ratio':>6}")
    for name in names or sorted(BUILTIN.keys() - NOT_THEIRS):
        tokenizer = tokenizer_for(name, base)
        for workload in WORKLOADS:
            tokens, here, batch, there = compare(name, workload, tokenizer)
            figures = (f"{seconds * 1e3:.2f} ms" for seconds in (here, batch, there))
            line = f"{name:26} {workload:16} {tokens:6} " + "{:>10} {:>11} {:>10}".format(*figures)
            print(f"{line} {here / there:6.2f}")
            if here > there * 1.05:
                slower.append(f"{name} ({workload})")
    print("slower than tinker-cookbook by more than 5%: " + (", ".join(slower) or "none"))
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
