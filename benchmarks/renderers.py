"""Rendering a prompt of about 2,000 tokens, here and with tinker-cookbook's renderer of the name.

    python benchmarks/renderers.py [NAME ...]

Both get the same tokenizer: Llama 3's vocabulary, from the wheel of llama-models, with the format's
control tokens. A prompt is a conversation of 20 turns. The figure is the least time of several
rounds, for a prompt by itself and, here, for one of a batch of 32, as the sampling loop renders.
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
ROUNDS = 7
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


def conversation(tokenizer: Any, number: int) -> list[Any]:
    """Every text of every conversation is another one, so that none is encoded once for two."""
    words = tokenizer.encode(WORDS * 200, add_special_tokens=False)
    text = tokenizer.decode(words[: TOKENS // TURNS - 12])
    roles = ("system", *("user", "assistant") * TURNS)
    return [{"role": roles[i], "content": f"{number}.{i} {text}"} for i in range(TURNS)]


def least_seconds(render: Callable[[], object], repeats: int) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(repeats):
            render()
        best = min(best, (time.perf_counter() - started) / repeats)
    return best


def main(names: list[str]) -> int:
    base = vocabulary()
    slower = []
    print(f"{'renderer':26} {'tokens':>6} {'proctor':>10} {'in batches':>11} {'cookbook':>10}")
    for name in names or sorted(BUILTIN.keys() - {"chat_template"}):
        tokenizer = tokenizer_for(name, base)
        ours, theirs = get_renderer(name, tokenizer), cookbook.get_renderer(name, tokenizer)
        conversations = [conversation(tokenizer, number) for number in range(BATCH)]
        messages = conversations[0]
        tokens = ours.build_generation_prompt(messages).to_ints()
        assert tokens == theirs.build_generation_prompt(messages).to_ints()

        def one(renderer: Any = ours, messages: Any = messages) -> object:
            return renderer.build_generation_prompt(messages)

        def batch(renderer: Any = ours, conversations: Any = conversations) -> object:
            return renderer.prompt_tokens_batch(conversations)

        def their_one(renderer: Any = theirs, messages: Any = messages) -> object:
            return renderer.build_generation_prompt(messages)

        mine, in_batch, other = (
            least_seconds(one, 20),
            least_seconds(batch, 1) / BATCH,
            least_seconds(their_one, 20),
        )
        figures = (f"{seconds * 1e3:.2f} ms" for seconds in (mine, in_batch, other))
        print(f"{name:26} {len(tokens):6} " + "{:>10} {:>11} {:>10}".format(*figures))
        if mine > other:
            slower.append(name)
    print("slower than tinker-cookbook: " + (", ".join(slower) or "none"))
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
