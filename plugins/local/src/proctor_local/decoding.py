"""The model's passes over a batch of sequences that all grow by a token at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

_SLACK = 256
"""Places that a buffer has to spare when it is made, so that it is made anew only so often."""


class DecodingBatch:
    """Keys and values of the sequences that are being continued.

    Sequences end at the same place of a buffer and start where their length says; what stands
    before them is hidden by the attention mask. So they can join and leave without a copy of the
    others. Every layer keeps all keys, also where attention slides over a window: the mask sees to
    that too.

    Args:
        model: A transformers model for causal language modelling.
        max_rows: Most sequences at once.
    """

    def __init__(self, model: Any, max_rows: int) -> None:
        self._model = model
        self._max_rows = max_rows
        self._cache = DynamicCache()
        self._layers: list[_Buffer] = []
        self._lengths: list[int] = []

    def __len__(self) -> int:
        return len(self._lengths)

    def join(self, cache: DynamicCache, lengths: Sequence[int], copies: Sequence[int]) -> None:
        """Adds sequences that were read.

        Args:
            cache: Their keys and values, padded on the left.
            lengths: Their lengths without the padding.
            copies: How many times each is continued.
        """
        if not self._layers:
            self._layers = [_Buffer() for _ in cache.layers]
            self._cache.layers = list(self._layers)
        rows = len(self)
        needed = rows + sum(copies)
        total = max(needed, min(2 * needed, self._max_rows))
        for buffer, layer in zip(self._layers, cache.layers, strict=True):
            buffer.join(rows, layer, copies, total)
        for length, times in zip(lengths, copies, strict=True):
            self._lengths.extend([length] * times)

    def keep(self, wanted: Sequence[bool]) -> list[int]:
        """Drops the other sequences; the last ones take the places of those that go.

        Returns:
            The old place of each sequence that stays, in the new order.
        """
        order = list(range(len(wanted)))
        for place in reversed(range(len(wanted))):
            if not wanted[place]:
                order[place] = order[-1]
                order.pop()
        moves = [(old, new) for new, old in enumerate(order) if old != new]
        self._lengths = [self._lengths[old] for old in order]
        width = max(self._lengths, default=0)
        for buffer in self._layers:
            buffer.keep(moves, len(order), width)
        return order

    def clear(self) -> None:
        """Drops all sequences, and their memory."""
        self._cache, self._layers, self._lengths = DynamicCache(), [], []

    def step(self, tokens: Tensor) -> Tensor:
        """Appends one token to each sequence.

        Returns:
            The logits of the next ones; float32, sequences x vocabulary.
        """
        lengths = torch.tensor(self._lengths, device=tokens.device).unsqueeze(1)
        width = max(self._lengths) + 1
        mask = torch.arange(width, device=tokens.device) >= width - 1 - lengths
        output = self._model(
            input_ids=tokens.unsqueeze(1),
            attention_mask=mask.long(),
            position_ids=lengths,
            past_key_values=self._cache,
            use_cache=True,
        )
        self._lengths = [length + 1 for length in self._lengths]
        logits: Tensor = output.logits[:, -1].float()
        return logits


class _Buffer(DynamicLayer):
    """One layer's keys and values, in a buffer of which a window of rows and places is in use.

    ``DynamicLayer`` makes the whole tensor anew for each token; here a token is written in place.
    """

    def __init__(self) -> None:
        DynamicLayer.__init__(self)
        self._stores: list[Tensor] = []
        self._start = 0
        self._end = 0

    def join(self, rows: int, layer: Any, copies: Sequence[int], total: int) -> None:
        """Adds rows after the first ``rows``; ``total`` is the most that are to be expected."""
        width = layer.keys.shape[2]
        added = sum(copies)
        if not rows:
            self._start = self._end = 0
        if self._end < width or self._stores[0].shape[0] < rows + added:
            self._rebuild(rows, (layer.keys, layer.values), total, width)
        self._start = min(self._start, self._end - width)
        repeats = torch.tensor(copies, device=layer.keys.device)
        for store, states in zip(self._stores, (layer.keys, layer.values), strict=True):
            store[rows : rows + added, :, self._end - width : self._end] = states.repeat_interleave(
                repeats, 0
            )
        self.is_initialized = True
        self._show(rows + added)

    def keep(self, moves: Sequence[tuple[int, int]], rows: int, width: int) -> None:
        """Moves rows (from, to), keeps the first ``rows`` and the last ``width`` places."""
        for store in self._stores:
            for old, new in moves:
                store[new, :, self._start : self._end] = store[old, :, self._start : self._end]
        self._start = self._end - width
        self._show(rows)

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Writes the states of the next tokens behind those that are there."""
        rows, added = key_states.shape[0], key_states.shape[2]
        if self._end + added > self._stores[0].shape[2]:
            self._rebuild(rows, (key_states, value_states), self._stores[0].shape[0], 0)
        for store, states in zip(self._stores, (key_states, value_states), strict=True):
            store[:rows, :, self._end : self._end + added] = states
        self._end += added
        return self._show(rows)

    def _show(self, rows: int) -> tuple[Tensor, Tensor]:
        keys, values = (store[:rows, :, self._start : self._end] for store in self._stores)
        self.keys, self.values = keys, values
        return keys, values

    def _rebuild(self, rows: int, like: tuple[Tensor, Tensor], total: int, width: int) -> None:
        """A new buffer, whose window ends at ``width`` at least and has room behind it."""
        used = self._end - self._start
        end = max(used, width)
        room = end + max(_SLACK, end // 4)
        stores = []
        for index, states in enumerate(like):
            # Zeros: what the mask hides still takes part in a product with 0, and may be no NaN.
            store = states.new_zeros((total, states.shape[1], room, states.shape[3]))
            if rows:
                old = self._stores[index][:rows, :, self._start : self._end]
                store[:rows, :, end - used : end] = old
            stores.append(store)
        self._stores = stores
        self._start, self._end = end - used, end
