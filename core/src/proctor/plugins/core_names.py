"""The names that the core itself has, as strings: nothing is imported for them."""

from __future__ import annotations

KINDS = ("evaluator", "grader", "dataset", "renderer", "backend", "command")

FIRST_PARTY = {
    **{("grader", name): "proctor-text" for name in ("choice", "exact", "f1", "number")},
    **{("grader", name): "proctor-text" for name in ("regex", "substring")},
    **{("dataset", name): "proctor-datasets" for name in ("csv", "huggingface", "inline")},
    **{("dataset", name): "proctor-datasets" for name in ("jsonl", "parquet")},
    ("backend", "local"): "proctor-local",
    ("backend", "openai"): "proctor-openai",
    ("grader", "llm_judge"): "proctor-judge",
    ("grader", "embedding"): "proctor-embedding",
    ("grader", "math"): "proctor-math",
    ("evaluator", "inspect"): "proctor-inspect",
    ("evaluator", "cookbook_benchmark"): "proctor-cookbook",
    ("renderer", "cookbook/"): "proctor-cookbook",
    ("command", "report"): "proctor-report",
    ("command", "judge"): "proctor-judge",
    ("command", "export"): "proctor-inspect",
    ("grader", "inspect_scorer"): "proctor-inspect",
    ("backend", "inspect"): "proctor-inspect",
}
"""First-party names and the distributions that have them, for the hint to install one.

A name that ends in ``/`` stands for all that begin with it.
"""

COMMANDS = {
    "run": ("proctor.cli.run:run", "Evaluate a model from a config."),
    "show": ("proctor.cli.show:show", "Print a run's questions, answers and grades."),
    "lint": ("proctor.cli.lint:lint", "Look at a config's datasets before money is spent."),
    "list": ("proctor.cli.components:list_components", "List the components that plugins name."),
    "render": ("proctor.cli.render:render", "Show the tokens of a prompt."),
    "plugins": ("proctor.cli.plugins:plugins", "List plugins, look for problems, start a new one."),
    "schema": ("proctor.cli.schema:schema", "Print the JSON schema of a config, for editors."),
}
"""The core's commands: where each is, and its line in ``--help``."""

BUILTIN = {
    "chat_template": "proctor.renderers.families.chat_template:ChatTemplateRenderer",
    "deepseekv3": "proctor.renderers.families.deepseekv3:DeepSeekV3Renderer",
    "deepseekv3_thinking": "proctor.renderers.families.deepseekv3:DeepSeekV3ThinkingRenderer",
    "gpt_oss_high_reasoning": "proctor.renderers.families.gpt_oss:GptOssHighReasoningRenderer",
    "gpt_oss_low_reasoning": "proctor.renderers.families.gpt_oss:GptOssLowReasoningRenderer",
    "gpt_oss_medium_reasoning": "proctor.renderers.families.gpt_oss:GptOssMediumReasoningRenderer",
    "kimi_k2": "proctor.renderers.families.kimi_k2:KimiK2Renderer",
    "llama3": "proctor.renderers.families.llama3:Llama3Renderer",
    "plain": "proctor.renderers.families.plain:PlainRenderer",
    "qwen3": "proctor.renderers.families.qwen3:Qwen3Renderer",
    "qwen3_5": "proctor.renderers.families.qwen3_5:Qwen35Renderer",
    "qwen3_5_disable_thinking": "proctor.renderers.families.qwen3_5:Qwen35DisableThinkingRenderer",
    "qwen3_6": "proctor.renderers.families.qwen3_6:Qwen36Renderer",
    "qwen3_6_disable_thinking": "proctor.renderers.families.qwen3_6:Qwen36DisableThinkingRenderer",
    "qwen3_8_disable_thinking": "proctor.renderers.families.qwen3_8:Qwen38DisableThinkingRenderer",
    "qwen3_8_low_reasoning": "proctor.renderers.families.qwen3_8:Qwen38LowReasoningRenderer",
    "qwen3_8_medium_reasoning": "proctor.renderers.families.qwen3_8:Qwen38MediumReasoningRenderer",
    "qwen3_8_xhigh_reasoning": "proctor.renderers.families.qwen3_8:Qwen38XhighReasoningRenderer",
    "qwen3_disable_thinking": "proctor.renderers.families.qwen3:Qwen3DisableThinkingRenderer",
    "qwen3_instruct": "proctor.renderers.families.qwen3:Qwen3InstructRenderer",
    "role_colon": "proctor.renderers.families.role_colon:RoleColonRenderer",
}
"""The core's own renderers, by name."""

FUNCTION_GRADER = "proctor.grading.function_grader:FunctionGrader"
"""What makes a grader of a plain function."""
