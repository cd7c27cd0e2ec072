"""From logits to the next token of each row, by the row's own temperature, top_k and top_p."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

_COLDEST = 1e-30
"""A temperature below this divides nothing by 0 in float32, and chooses the same token."""


def choose_tokens(
    logits: Tensor,
    temperatures: Sequence[float],
    top_ks: Sequence[int],
    top_ps: Sequence[float],
    generators: Sequence[torch.Generator],
) -> Tensor:
    """Takes one token for each row.

    ``top_k`` cuts first, then ``top_p``: the smallest set of the likeliest tokens that holds this
    share of what ``top_k`` left. The token is the argmax of the logits with Gumbel noise, which is
    a sample of their softmax (Gumbel 1954; Maddison et al. 2014, "A* sampling"). The last bits of
    logits depend on what else is in the batch: they turn an argmax only where two tokens are as
    good as equal, but would often move a draw from the cumulative distribution to a neighbour among
    the many rare tokens. So a seed gives the same answer in any company.

    Args:
        logits: Float32, rows x vocabulary.
        temperatures: 0 takes the likeliest token, and uses up no noise.
        top_ks: Below 1 for all tokens.
        top_ps: 1 for all tokens.
        generators: Each row's source of noise, on the device of the logits.

    Returns:
        The token ids, one for each row.
    """
    tokens = logits.argmax(-1)
    hot = [row for row, temperature in enumerate(temperatures) if temperature > 0]
    if not hot:
        return tokens
    heat = _column([max(temperatures[row], _COLDEST) for row in hot], logits)
    chosen = logits[hot]
    scaled = (chosen - chosen.amax(-1, keepdim=True)) / heat
    limited = [place for place, row in enumerate(hot) if top_ks[row] > 0 or top_ps[row] < 1]
    if limited:
        rows = [hot[place] for place in limited]
        scaled[limited] = _limited(
            scaled[limited], [top_ks[row] for row in rows], [top_ps[row] for row in rows]
        )
    noise = torch.empty_like(scaled)
    for place, row in enumerate(hot):
        noise[place].exponential_(generator=generators[row])
    tokens[hot] = (scaled - noise.log()).argmax(-1)
    return tokens


def _limited(scaled: Tensor, top_ks: Sequence[int], top_ps: Sequence[float]) -> Tensor:
    """The same logits, and minus infinity for the tokens that are out of the question."""
    ordered, order = scaled.sort(dim=-1, descending=True, stable=True)
    size = scaled.shape[-1]
    ranks = torch.arange(size, device=scaled.device)
    most = _column([top_k if top_k > 0 else size for top_k in top_ks], scaled)
    ordered = ordered.masked_fill(ranks >= most, -math.inf)
    shares = _column(top_ps, scaled)
    probabilities = ordered.softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    ordered = ordered.masked_fill((before >= shares) & (shares < 1), -math.inf)
    return torch.empty_like(scaled).scatter_(-1, order, ordered)


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).unsqueeze(-1)
