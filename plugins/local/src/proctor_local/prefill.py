"""Prefill: the model's passes over prompts, to continue them or to score their tokens."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

PREFILL_TOKENS = 2048
"""Most tokens of one forward pass over prompts, padding included."""

_SCORED_LOGITS = 2**26
"""Most logits that one pass over prompts keeps: 256 MiB in float32."""


@dataclass(frozen=True, slots=True)
class PromptScores:
    """Log-probabilities of a prompt's tokens after the first, and the likeliest ones there.

    Attributes:
        logprobs: Of the prompt's own tokens; float32, length - 1.
        top_tokens: Ids of the likeliest tokens at each of these places, length - 1 x k.
        top_logprobs: Their log-probabilities, of the same shape.
    """

    logprobs: Tensor
    top_tokens: Tensor
    top_logprobs: Tensor


class PromptReader:
    """Runs prompts through a model, in passes that bound the memory they need.

    Prompts that share a pass are padded on the left; one that is longer than a pass is read alone,
    piece by piece.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._device = model.device
        self._can_skip_logits = "logits_to_keep" in inspect.signature(model.forward).parameters
        vocabulary = model.get_input_embeddings().weight.shape[0]
        self.score_tokens = max(1, min(PREFILL_TOKENS, _SCORED_LOGITS // vocabulary))

    def read(self, prompts: Sequence[Sequence[int]]) -> tuple[Tensor, DynamicCache]:
        """Reads prompts that are to be continued.

        Returns:
            The logits of each prompt's next token (float32, prompts x vocabulary), and the keys and
            values, padded on the left.
        """
        ids, mask = self._padded(prompts)
        cache = DynamicCache()
        for *_, logits in self._passes(ids, mask, cache, PREFILL_TOKENS, last_only=True):
            last = logits[:, -1]
        return last.float(), cache

    def score(self, prompts: Sequence[Sequence[int]], top_k: int) -> list[PromptScores]:
        """The log-probability of each token of each prompt but the first, given those before it."""
        ids, mask = self._padded(prompts)
        collected = []
        for start, end, logits in self._passes(
            ids, mask, DynamicCache(), self.score_tokens, last_only=False
        ):
            targets = ids[:, start + 1 : end + 1]
            logits = logits[:, : targets.shape[1]].float()
            normaliser = logits.logsumexp(-1)
            chosen = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1) - normaliser
            best = logits.topk(top_k, dim=-1)
            values = best.values - normaliser.unsqueeze(-1)
            collected.append((chosen.cpu(), best.indices.cpu(), values.cpu()))
        chosen, indices, values = (torch.cat(parts, 1) for parts in zip(*collected, strict=True))
        starts = [ids.shape[1] - len(prompt) for prompt in prompts]
        return [
            PromptScores(chosen[row, start:], indices[row, start:], values[row, start:])
            for row, start in enumerate(starts)
        ]

    def _padded(self, prompts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        width = max(len(prompt) for prompt in prompts)
        padded = [[0] * (width - len(prompt)) + list(prompt) for prompt in prompts]
        real = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        return (
            torch.tensor(padded, device=self._device),
            torch.tensor(real, device=self._device),
        )

    def _passes(
        self, ids: Tensor, mask: Tensor, cache: DynamicCache, most: int, *, last_only: bool
    ) -> Iterator[tuple[int, int, Tensor]]:
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        width = ids.shape[1]
        # A pass in which a row is all padding would attend to nothing, hence one row if several.
        step = width if ids.shape[0] > 1 else most
        for start in range(0, width, step):
            end = min(start + step, width)
            options = {"logits_to_keep": 1} if last_only and self._can_skip_logits else {}
            output = self._model(
                input_ids=ids[:, start:end],
                attention_mask=mask[:, :end],
                position_ids=positions[:, start:end],
                past_key_values=cache,
                use_cache=True,
                **options,
            )
            yield start, end, output.logits
