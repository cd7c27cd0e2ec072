"""``qwen3_6`` and ``qwen3_6_disable_thinking``: Qwen3.6."""

from __future__ import annotations

import json
from typing import ClassVar

from proctor.renderers.families.qwen3 import IM_END, header
from proctor.renderers.families.qwen3_5 import EMPTY_THINKING, Qwen35Renderer, trimmed_parts
from proctor.renderers.markup import Block, Piece
from proctor.renderers.messages import calls_of, parts_of
from proctor.renderers.tagged import END_THINK, THINK
from proctor.types import Message, Part, ThinkingPart, ToolSpec


class Qwen36Renderer(Qwen35Renderer):
    """Qwen3.6's chat format, with thinking: the prompt opens it.

    It is Qwen3.5's, but for the arguments of a call, which are JSON where they are no text. It
    follows the model's own template throughout: thinking stays in every turn after the user's last
    message, and declarations have OpenAI's wrapper.
    """

    name = "qwen3_6"
    template_differences: ClassVar[tuple[tuple[str, str], ...]] = ()
    differs_on = frozenset()

    def turn_blocks(
        self, message: Message, index: int, *, is_last: bool, is_answer: bool
    ) -> list[Block]:
        """An assistant's turn that is part of a prompt, with its thinking where that is kept."""
        parts = trimmed_parts(parts_of(message, self.name))
        texts = [part for part in parts if part["type"] == "text"]
        frame: list[Piece] = []
        if self.keeps_thinking(is_answer=is_answer):
            thinking = "".join(part["thinking"] for part in parts if part["type"] == "thinking")
            frame = [THINK, f"\n{thinking.strip()}\n", END_THINK, "\n\n"]
        return [
            header("assistant", index),
            [*frame, *self.content(texts, calls_of(message)), IM_END],
        ]

    def keeps_thinking(self, *, is_answer: bool) -> bool:
        """Whether a turn has its thinking, if only empty, when it is part of a prompt."""
        return is_answer

    def argument_text(self, value: object) -> str:
        """An argument of a call: text as it is, all else as JSON."""
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def declaration(self, tool: ToolSpec) -> str:
        """The line that declares a tool, with OpenAI's wrapper."""
        return json.dumps({"type": "function", "function": tool}, ensure_ascii=False)

    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """The rest of the thinking, if the prompt opened it, the text, the calls, the end."""
        trimmed_thinking: list[Part] = [
            ThinkingPart(type="thinking", thinking=part["thinking"].strip())
            if part["type"] == "thinking"
            else part
            for part in parts_of(message, self.name)
        ]
        answer = message.copy()
        answer["content"] = trimmed_thinking
        return super().answer_block(answer, in_thinking)


class Qwen36DisableThinkingRenderer(Qwen36Renderer):
    """Qwen3.6's chat format, where the prompt closes the thinking before it begins."""

    name = "qwen3_6_disable_thinking"
    opens_thinking = False
    template_arguments = {"enable_thinking": False}  # noqa: RUF012 (a ClassVar in the base)

    def generation_start(self) -> Block:
        """Empty thinking."""
        return EMPTY_THINKING
