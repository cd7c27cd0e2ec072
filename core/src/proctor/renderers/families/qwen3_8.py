"""``qwen3_8_*``: Qwen3.8, which is told how much to think."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from proctor.renderers.families.qwen3_5 import Qwen35Renderer
from proctor.renderers.families.qwen3_6 import Qwen36DisableThinkingRenderer, Qwen36Renderer
from proctor.renderers.markup import Block, Markup, Piece, trimmed
from proctor.renderers.messages import content_of
from proctor.types import Message, ToolSpec


class Qwen38XhighReasoningRenderer(Qwen36Renderer):
    """Qwen3.8's chat format, with its usual effort: the prompt opens the thinking.

    It is Qwen3.6's, but every turn keeps its thinking, if only empty, and the system message begins
    with how much to think.
    """

    name = "qwen3_8_xhigh_reasoning"
    template_differences = Qwen35Renderer.template_differences
    escapes = True
    effort: ClassVar[str] = (
        "Reasoning effort is set to xhigh. Please think carefully through the task, validate key "
        "assumptions, consider plausible alternatives, and prioritize correctness, consistency, "
        "and clarity in the final answer."
    )

    def blocks(self, messages: Sequence[Message], role: str) -> list[Block]:
        """As Qwen3.6's, with the effort before the system message's own text."""
        rest = list(messages)
        system: list[Piece] = []
        if rest and rest[0]["role"] == "system":
            system = trimmed(content_of(rest.pop(0), self.name))
        if self.effort:
            system = [self.effort, *(["\n\n", *system] if system else [])]
        told = [Message(role="system", content=Markup(system))] if system else []
        return super().blocks([*told, *rest], role)

    def keeps_thinking(self, *, is_answer: bool) -> bool:
        """Every turn has its thinking."""
        return True

    def declaration(self, tool: ToolSpec) -> str:
        """The line that declares a tool, as Qwen3.5's."""
        return Qwen35Renderer.declaration(self, tool)


class Qwen38MediumReasoningRenderer(Qwen38XhighReasoningRenderer):
    """The same with medium effort, about which the prompt says nothing."""

    name = "qwen3_8_medium_reasoning"
    template_arguments = {"reasoning_effort": "medium"}  # noqa: RUF012 (a ClassVar in the base)
    effort = ""


class Qwen38LowReasoningRenderer(Qwen38XhighReasoningRenderer):
    """The same with low effort."""

    name = "qwen3_8_low_reasoning"
    template_arguments = {"reasoning_effort": "low"}  # noqa: RUF012 (a ClassVar in the base)
    effort = (
        "Reasoning effort is set to low. Keep your thinking brief and focused, moving directly to "
        "the conclusion without unnecessary elaboration."
    )


class Qwen38DisableThinkingRenderer(Qwen36DisableThinkingRenderer, Qwen38XhighReasoningRenderer):
    """Qwen3.8's chat format, where the prompt closes the thinking before it begins."""

    name = "qwen3_8_disable_thinking"
    effort = ""
