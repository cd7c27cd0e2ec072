"""The bridge to tinker-cookbook: its training loops, its renderers, its benchmarks."""

from typing import Any

from proctor import hookimpl

RENDERERS = (
    "deepseekv3",
    "deepseekv3_disable_thinking",
    "deepseekv3_thinking",
    "deepseekv4_1",
    "deepseekv4_1_disable_thinking",
    "deepseekv4_1_low_reasoning",
    "deepseekv4_1_max_reasoning",
    "deepseekv4_1_preserve_thinking",
    "glm5_3_high_reasoning",
    "glm5_3_low_reasoning",
    "glm5_3_max_reasoning",
    "gpt_oss_high_reasoning",
    "gpt_oss_low_reasoning",
    "gpt_oss_medium_reasoning",
    "gpt_oss_no_sysprompt",
    "kimi_k2",
    "kimi_k25",
    "kimi_k25_disable_thinking",
    "kimi_k26",
    "kimi_k26_disable_thinking",
    "kimi_k26_preserve_thinking",
    "llama3",
    "nemotron3",
    "nemotron3_disable_thinking",
    "nemotron3_low_thinking",
    "nemotron3_preserve_thinking",
    "nemotron3_ultra",
    "nemotron3_ultra_disable_thinking",
    "nemotron3_ultra_medium_thinking",
    "nemotron3_ultra_preserve_thinking",
    "qwen3",
    "qwen3_5",
    "qwen3_5_disable_thinking",
    "qwen3_5_preserve_thinking",
    "qwen3_8_disable_thinking",
    "qwen3_8_low_reasoning",
    "qwen3_8_medium_reasoning",
    "qwen3_8_xhigh_reasoning",
    "qwen3_disable_thinking",
    "qwen3_instruct",
    "qwen3_vl",
    "qwen3_vl_instruct",
    "role_colon",
    "tml_v0",
)
"""The renderers of tinker-cookbook 0.5.8, by its names."""


@hookimpl
def proctor_register(registry: Any) -> None:
    """Names the evaluator of its benchmarks, and its renderers."""
    registry.evaluator("cookbook_benchmark", "proctor_cookbook.benchmark:CookbookBenchmark")
    for name in RENDERERS:
        registry.renderer(f"cookbook/{name}", f"proctor_cookbook.renderers:{name}")


@hookimpl
def proctor_load_tokenizer(model: str) -> Any | None:
    """Inkling's tokenizer, which is that of tml-renderers and not on the hub."""
    if not model.startswith("thinkingmachines/Inkling"):
        return None
    from tinker_cookbook.tokenizer_utils import get_tokenizer

    return get_tokenizer(model)


@hookimpl
def proctor_adapt_evaluator(evaluator: Any) -> Any | None:
    """Gives an evaluator the base class that tinker-cookbook's loops look for."""
    import sys

    if "tinker_cookbook" not in sys.modules:
        return None
    from proctor_cookbook.adapting import adapted

    return adapted(evaluator)
