"""From logits to the next token of each row, by the row's own temperature, top_k and top_p."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def choose_tokens(
    logits: Tensor,
    temperatures: Sequence[float],
    top_ks: Sequence[int],
    top_ps: Sequence[float],
    draws: Sequence[float],
) -> Tensor:
    """Takes one token for each row.

    ``top_k`` cuts first, then ``top_p``: the smallest set of the likeliest tokens that holds this
    share of what ``top_k`` left. A draw picks from what remains by the inverse of its cumulative
    distribution, so a row's token depends on nothing but its own logits and draw.

    Args:
        logits: Float32, rows x vocabulary.
        temperatures: 0 takes the likeliest token.
        top_ks: Below 1 for all tokens.
        top_ps: 1 for all tokens.
        draws: One uniform number in [0, 1) for each row.

    Returns:
        The token ids, one for each row.
    """
    tokens = logits.argmax(-1)
    everything = [
        row for row, heat in enumerate(temperatures) if heat > 0 and top_ks[row] < 1 <= top_ps[row]
    ]
    restricted = [
        row for row, heat in enumerate(temperatures) if heat > 0 and row not in set(everything)
    ]
    if everything:
        weights = _weights(logits, everything, temperatures)
        tokens[everything] = _pick(weights, [draws[row] for row in everything])
    if restricted:
        weights, order = _weights(logits, restricted, temperatures).sort(
            dim=-1, descending=True, stable=True
        )
        size = weights.shape[-1]
        most = [top_ks[row] if top_ks[row] > 0 else size for row in restricted]
        ranks = torch.arange(size, device=logits.device)
        weights[ranks >= _column(most, logits)] = 0
        before = weights.cumsum(-1) - weights
        share = _column([top_ps[row] for row in restricted], weights)
        whole = share >= 1
        weights[(before >= share * weights.sum(-1, keepdim=True)) & ~whole] = 0
        picked = _pick(weights, [draws[row] for row in restricted])
        tokens[restricted] = order.gather(-1, picked.unsqueeze(-1)).squeeze(-1)
    return tokens


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=torch.float64, device=like.device).unsqueeze(-1)


def _weights(logits: Tensor, rows: Sequence[int], temperatures: Sequence[float]) -> Tensor:
    """Unnormalised probabilities in float64, whose sum over a large vocabulary stays exact."""
    chosen = logits[rows].double()
    heat = _column([temperatures[row] for row in rows], logits)
    return ((chosen - chosen.amax(-1, keepdim=True)) / heat).exp()


def _pick(weights: Tensor, draws: Sequence[float]) -> Tensor:
    cumulative = weights.cumsum(-1)
    total = cumulative[:, -1:]
    # A draw just below 1 may round up to the total, beyond the last token.
    height = torch.minimum(
        _column(draws, weights) * total, torch.nextafter(total, torch.zeros_like(total))
    )
    return torch.searchsorted(cumulative, height, right=True).squeeze(-1)
