"""Renderers: messages to prompt tokens, and sampled tokens back to a message.

Their names and their three methods (``build_generation_prompt``, ``get_stop_sequences``,
``parse_response``) are tinker-cookbook's, so code that was written for those needs its imports
changed and nothing else.
"""

from __future__ import annotations

from typing import Any

from proctor.renderers.adapted import AdaptedRenderer
from proctor.renderers.base import Renderer
from proctor.renderers.checking import (
    CANONICAL,
    Difference,
    PromptToken,
    RendererWarning,
    check_renderer,
    describe_prompt,
    early_warning,
    quick_check,
)
from proctor.renderers.choosing import choose_renderer
from proctor.renderers.markup import Block, Control, Markup, Piece, spell
from proctor.renderers.messages import (
    assistant_message,
    calls_of,
    content_of,
    parts_of,
    refuse_tools,
    text_of,
)
from proctor.tokenizers import LockedTokenizer
from proctor.types import (
    Content,
    ImagePart,
    Message,
    Part,
    Termination,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolSpec,
    UnparsedToolCall,
    message_reasoning,
    message_text,
)

ParseTermination = Termination
"""tinker-cookbook's name for it."""

BUILTIN = {
    "chat_template": "proctor.renderers.chat_template:ChatTemplateRenderer",
    "deepseekv3": "proctor.renderers.deepseekv3:DeepSeekV3Renderer",
    "deepseekv3_thinking": "proctor.renderers.deepseekv3:DeepSeekV3ThinkingRenderer",
    "gpt_oss_high_reasoning": "proctor.renderers.gpt_oss:GptOssHighReasoningRenderer",
    "gpt_oss_low_reasoning": "proctor.renderers.gpt_oss:GptOssLowReasoningRenderer",
    "gpt_oss_medium_reasoning": "proctor.renderers.gpt_oss:GptOssMediumReasoningRenderer",
    "kimi_k2": "proctor.renderers.kimi_k2:KimiK2Renderer",
    "llama3": "proctor.renderers.llama3:Llama3Renderer",
    "qwen3": "proctor.renderers.qwen3:Qwen3Renderer",
    "qwen3_5": "proctor.renderers.qwen3_5:Qwen35Renderer",
    "qwen3_5_disable_thinking": "proctor.renderers.qwen3_5:Qwen35DisableThinkingRenderer",
    "qwen3_disable_thinking": "proctor.renderers.qwen3:Qwen3DisableThinkingRenderer",
    "qwen3_instruct": "proctor.renderers.qwen3:Qwen3InstructRenderer",
    "role_colon": "proctor.renderers.role_colon:RoleColonRenderer",
}
"""The core's own renderers, by name."""


def get_renderer(name: str, tokenizer: Any) -> Renderer:
    """The renderer of a name, for a tokenizer.

    Args:
        name: A name that the core or a plugin registered.
        tokenizer: The model's tokenizer, as ``proctor.get_tokenizer`` returns it.

    Returns:
        The renderer. One that only has tinker-cookbook's three methods is wrapped.

    Raises:
        UnknownComponentError: No renderer has the name; the message lists near ones.
        RendererError: The renderer can't work with the tokenizer.
    """
    tokenizer = LockedTokenizer.of(tokenizer)
    made = _registered_renderer(name)(tokenizer)
    return made if isinstance(made, Renderer) else AdaptedRenderer(made, tokenizer, name)


def _registered_renderer(name: str) -> Any:
    """The class, or the function, that makes the renderer of a name out of a tokenizer."""
    from proctor.plugins import plugin_manager

    return plugin_manager().registry.find("renderer", name).load()


__all__ = [
    "BUILTIN",
    "CANONICAL",
    "Block",
    "Content",
    "Control",
    "Difference",
    "ImagePart",
    "Markup",
    "Message",
    "ParseTermination",
    "Part",
    "Piece",
    "PromptToken",
    "Renderer",
    "RendererWarning",
    "Termination",
    "TextPart",
    "ThinkingPart",
    "ToolCall",
    "ToolSpec",
    "UnparsedToolCall",
    "assistant_message",
    "calls_of",
    "check_renderer",
    "choose_renderer",
    "content_of",
    "describe_prompt",
    "early_warning",
    "get_renderer",
    "message_reasoning",
    "message_text",
    "parts_of",
    "quick_check",
    "refuse_tools",
    "spell",
    "text_of",
]
