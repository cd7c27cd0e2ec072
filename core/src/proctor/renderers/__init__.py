"""Renderers: messages to prompt tokens, and sampled tokens back to a message.

Their names and their three methods (``build_generation_prompt``, ``get_stop_sequences``,
``parse_response``) are tinker-cookbook's, so code that was written for those needs its imports
changed and nothing else.
"""

from __future__ import annotations

from proctor.images import PlacedImage
from proctor.plugins.core_names import BUILTIN
from proctor.renderers.base import Renderer
from proctor.renderers.by_name import get_renderer
from proctor.renderers.canonical import CANONICAL
from proctor.renderers.checking import (
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
from proctor.renderers.prompt import Prompt
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
    "PlacedImage",
    "Prompt",
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
