"""How the model samples, as tinker has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from proctor.hashing import hash64
from proctor.renderers.tokenizers import Tokenizer
from proctor.types import SamplingOptions

if TYPE_CHECKING:
    import tinker


def combined_stops(
    renderer_stops: Sequence[str] | Sequence[int], extra: Sequence[str], tokenizer: Tokenizer
) -> list[str] | list[int]:
    """The renderer's stop sequences and a task's own, as one list of one type.

    tinker takes strings or token ids, not both: with strings of the task's, the renderer's ids
    become their tokens' text.
    """
    if not extra:
        return list(renderer_stops)  # type: ignore[return-value]
    texts = [s if isinstance(s, str) else str(tokenizer.decode([s])) for s in renderer_stops]
    return [*texts, *extra]


def tinker_params(
    sampling: SamplingOptions, stops: list[str] | list[int], max_tokens: int, seed: int | None
) -> tinker.SamplingParams:
    """Sampling options as tinker's parameters."""
    import tinker

    return tinker.SamplingParams(
        max_tokens=max_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        seed=seed,
        stop=stops,
    )


def sample_seeds(seed: int | None, n: int) -> list[int | None]:
    """The seed of each of ``n`` samples: one alone has the request's own, several differ."""
    if n == 1 or seed is None:
        return [seed] * n
    return [as_seed(hash64(seed, index)) for index in range(n)]


def as_seed(number: int) -> int:
    """A number, such as a hash, as a seed that every sampler takes: its lowest 31 bits."""
    return number & 0x7FFFFFFF
