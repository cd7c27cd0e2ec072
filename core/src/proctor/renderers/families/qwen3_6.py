"""``qwen3_6`` and ``qwen3_6_disable_thinking``: Qwen3.6."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

from proctor.renderers.families.qwen3 import IM_END, header
from proctor.renderers.families.qwen3_5 import (
    Qwen35DisableThinkingRenderer,
    Qwen35Renderer,
    trimmed_parts,
)
from proctor.renderers.markup import Block, Piece
from proctor.renderers.messages import AnswerPart, calls_of, parts_of
from proctor.renderers.tagged import END_THINK, THINK
from proctor.types import Message, ToolSpec


class Qwen36Renderer(Qwen35Renderer):
    """Qwen3.6's chat format, with thinking: the prompt opens it.

    It is Qwen3.5's, but for the arguments of a call, which are JSON where they are no text. It
    follows the model's own template throughout: thinking stays in every turn after the user's last
    message, and declarations have OpenAI's wrapper.
    """

    name = "qwen3_6"
    template_differences: ClassVar[tuple[tuple[str, str], ...]] = ()
    differs_on = frozenset()
    escapes: ClassVar[bool] = False
    """Whether the JSON of arguments escapes what is not ASCII."""

    def turn_blocks(
        self, message: Message, index: int, *, is_last: bool, is_answer: bool
    ) -> list[Block]:
        """An assistant's turn that is part of a prompt, with its thinking where that is kept."""
        parts = trimmed_parts(parts_of(message, self.name))
        texts = [part for part in parts if part["type"] == "text"]
        frame: list[Piece] = []
        if self.keeps_thinking(is_answer=is_answer):
            frame = [THINK, f"\n{self.thinking_in(parts)}\n", END_THINK, "\n\n"]
        return [
            header("assistant", index),
            [*frame, *self.content(texts, calls_of(message)), IM_END],
        ]

    def keeps_thinking(self, *, is_answer: bool) -> bool:
        """Whether a turn has its thinking, if only empty, when it is part of a prompt."""
        return is_answer

    def argument_text(self, value: object) -> str:
        """An argument of a call: text as it is, all else as JSON."""
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=self.escapes)

    def declaration(self, tool: ToolSpec) -> str:
        """The line that declares a tool, with OpenAI's wrapper."""
        return json.dumps({"type": "function", "function": tool}, ensure_ascii=False)

    def thinking_in(self, parts: Sequence[AnswerPart]) -> str:
        """An answer's thinking, without white space around it."""
        return super().thinking_in(parts).strip()


class Qwen36DisableThinkingRenderer(Qwen35DisableThinkingRenderer, Qwen36Renderer):
    """Qwen3.6's chat format, where the prompt closes the thinking before it begins."""

    name = "qwen3_6_disable_thinking"
