"""Attention that leaves the keys and values of a batch where they are.

Several heads of queries share one head of keys and values in most models. transformers copies the
keys and values for each head of queries wherever there is a mask, which a batch of sequences of
different lengths always has; with hundreds of tokens in each, that takes most of a step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

_NAME = "proctor_grouped"


def use_grouped_attention(model: Any) -> None:
    """Makes a model that uses torch's attention read each key once for all heads that share it."""
    if model.config._attn_implementation == "sdpa" and model._can_set_attn_implementation():
        AttentionInterface.register(_NAME, _grouped_attention)
        AttentionMaskInterface.register(_NAME, sdpa_mask)
        model.set_attn_implementation(_NAME)


def _grouped_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention of one new token, whose heads stand in for the places of a longer query.

    Queries are rows x heads x places x size; the result is rows x places x heads x size.
    """
    rows, heads, places, size = query.shape
    one_mask = attention_mask is None or attention_mask.shape[1] == 1
    if places != 1 or not one_mask:
        output: tuple[Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **options
        )
        return output
    shared = key.shape[1]
    attended = torch.nn.functional.scaled_dot_product_attention(
        query.reshape(rows, shared, heads // shared, size),
        key,
        value,
        attn_mask=attention_mask,
        scale=scaling,
    )
    return attended.reshape(rows, 1, heads, value.shape[-1]), None
