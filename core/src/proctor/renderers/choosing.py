"""Which renderer a model wants."""

from __future__ import annotations

import re

from proctor.errors import RendererError
from proctor.renderers.tokenizers import Tokenizer

FAMILIES: tuple[tuple[str, str, str], ...] = (
    (r"Qwen3(\.\d)?-.*-Base\b|DeepSeek-V\d.*-Base\b", "role_colon", "base models"),
    (r"SmolLM.*-Instruct\b", "chat_template", "SmolLM"),
    (r"Llama-3(\.\d)?-.*-Instruct\b|Meta-Llama-3-.*-Instruct\b", "llama3", "Llama 3"),
    (r"Llama-3(\.\d)?-\d+B$", "role_colon", "base models"),
    (r"Qwen3-.*-Instruct-2507\b", "qwen3_instruct", "Qwen3 2507"),
    (r"Qwen3\.5-", "qwen3_5", "Qwen3.5"),
    (r"Qwen3\.6-", "qwen3_6", "Qwen3.6"),
    (r"Qwen3\.8-", "qwen3_8_xhigh_reasoning", "Qwen3.8"),
    (r"Qwen3-(?!VL|Coder|Next|.*Thinking-2507)", "qwen3", "Qwen3"),
    (r"DeepSeek-V3\.1\b(?!-Terminus)", "deepseekv3", "DeepSeek V3.1"),
    (r"Qwen3-VL-.*-Instruct\b", "cookbook/qwen3_vl_instruct", "Qwen3-VL"),
    (r"Qwen3-VL-", "cookbook/qwen3_vl", "Qwen3-VL"),
    (r"DeepSeek-V4\.1\b", "cookbook/deepseekv4_1", "DeepSeek V4.1"),
    (r"Kimi-K2\.5\b", "cookbook/kimi_k25", "Kimi K2.5"),
    (r"Kimi-K2\.6\b", "cookbook/kimi_k26", "Kimi K2.6"),
    (r"Nemotron-3-(Nano|Super)\b", "cookbook/nemotron3", "Nemotron 3"),
    (r"Nemotron-3-Ultra\b|Nemotron-3\.5-", "cookbook/nemotron3_ultra", "Nemotron 3 Ultra and 3.5"),
    (r"GLM-5\.3\b", "cookbook/glm5_3_max_reasoning", "GLM 5.3"),
    (r"Inkling\b", "cookbook/tml_v0", "Inkling"),
    (r"gpt-oss-\d+b\b", "gpt_oss_medium_reasoning", "gpt-oss"),
    (r"Kimi-K2-Thinking\b", "kimi_k2", "Kimi K2"),
    (r"(?<![a-z])(base|pt)$", "role_colon", "base models"),
)
"""Patterns of model names, the renderer of their family, and the family; the first match counts.

A family's other modes (without thinking, with more of it) are chosen by name. Those of
``cookbook/`` are tinker-cookbook's, from the plugin proctor-cookbook: what their tokenizers' own
templates say is not what they are trained with, so without the plugin there is an error.
"""


def choose_renderer(
    name: str | None = None,
    model_name: str | None = None,
    checkpoint_renderer_name: str | None = None,
    tokenizer: Tokenizer | None = None,
) -> tuple[str, str]:
    """Chooses a renderer's name, and says why.

    Args:
        name: The renderer that was asked for.
        model_name: The base model: a hub id, a folder or a file.
        checkpoint_renderer_name: The ``renderer_name`` in the checkpoint's metadata.
        tokenizer: The model's tokenizer.

    Returns:
        The name and the reason: the one asked for; else the checkpoint's; else the model family's;
        else ``chat_template`` where the tokenizer has one.

    Raises:
        RendererError: None of these says anything.
    """
    if name:
        return name, "it was asked for"
    if checkpoint_renderer_name:
        found = _as_registered(checkpoint_renderer_name)
        return found, "the checkpoint's metadata names it"
    short = (model_name or "").rstrip("/").replace("\\", "/").rpartition("/")[2]
    for pattern, renderer, family in FAMILIES:
        if re.search(pattern, short, re.IGNORECASE):
            return renderer, f"the model's name is of the family {family}"
    if getattr(tokenizer, "chat_template", None):
        return "chat_template", "the tokenizer has a chat template"
    raise RendererError(
        f"no renderer is known for {model_name or 'this model'}, and its tokenizer has no chat "
        "template",
        fix=f"name one: {', '.join(_known_names())} (role_colon is for base models)",
    )


def _as_registered(name: str) -> str:
    """A checkpoint's name for its renderer as it is registered here: most are tinker-cookbook's."""
    if "/" in name or name in _known_names():
        return name
    return f"cookbook/{name}"


def _known_names() -> list[str]:
    from proctor.plugins.active import plugin_manager

    return sorted({r.name for r in plugin_manager().registry.of_kind("renderer")})
