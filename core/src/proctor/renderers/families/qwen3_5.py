"""``qwen3_5`` and ``qwen3_5_disable_thinking``: Qwen3.5."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

from proctor.renderers.families.qwen3 import (
    EMPTY_THINKING,
    END_TOOL_RESPONSE,
    IM_END,
    TOOL_RESPONSE,
    Qwen3InstructRenderer,
    header,
    last_user_index,
)
from proctor.renderers.markup import Block, Markup, Piece, marked_up, trimmed
from proctor.renderers.messages import (
    AnswerPart,
    CallView,
    calls_of,
    content_of,
    parts_of,
    refuse_thinking,
)
from proctor.renderers.tagged import (
    END_THINK,
    END_TOOL_CALL,
    THINK,
    TOOL_CALL,
    Tags,
    json_or_xml_call,
)
from proctor.types import Message, ToolSpec

_BEFORE_DECLARATIONS = """# Tools

You have access to the following functions:

<tools>
"""

_AFTER_DECLARATIONS = """
</tools>

If you choose to call a function ONLY reply in the following format with NO suffix:

<tool_call>
<function=example_function_name>
<parameter=example_parameter_1>
value_1
</parameter>
<parameter=example_parameter_2>
This is the value for the second parameter
that can span
multiple lines
</parameter>
</function>
</tool_call>

<IMPORTANT>
Reminder:
- Function calls MUST follow the specified format: an inner <function=...></function> block must \
be nested within <tool_call></tool_call> XML tags
- Required parameters MUST be specified
- You may provide optional reasoning for your function call in natural language BEFORE the \
function call, but NOT after
- If there is no function call available, answer the question like normal with your current \
knowledge and do not tell the user about function calls
</IMPORTANT>"""


class Qwen35Renderer(Qwen3InstructRenderer):
    """Qwen3.5's chat format, with thinking: the prompt opens it."""

    name = "qwen3_5"
    opens_thinking = True
    template_differences: ClassVar[tuple[tuple[str, str], ...]] = (
        (r'\{"type": "function", "function": (\{.*\})\}\n', r"\1\n"),
    )
    differs_on = frozenset({"thinking beside a call", "thinking in two rounds"})
    tags: ClassVar[Tags] = Tags(
        unframe_thinking=str.strip,
        unframe_text=lambda text: text.removeprefix("\n\n"),
        before_call="\n\n",
        read_call=json_or_xml_call,
    )

    def blocks(self, messages: Sequence[Message], role: str) -> list[Block]:
        """A header and a content for each message, and the header of the next.

        Tool results in a row share one header.
        """
        roles = [message["role"] for message in messages]
        after_user = last_user_index(messages) + 1
        blocks: list[Block] = []
        for index, message in enumerate(messages):
            if roles[index] == "tool":
                continues = index > 0 and roles[index - 1] == "tool"
                goes_on = index + 1 < len(roles) and roles[index + 1] == "tool"
                result = ["\n", *trimmed(content_of(message, self.name)), "\n"]
                blocks.append(["\n"] if continues else header("user", index))
                end = [] if goes_on else [IM_END]
                blocks.append([TOOL_RESPONSE, *result, END_TOOL_RESPONSE, *end])
            elif roles[index] == "assistant":
                is_last = index == len(messages) - 1
                is_answer = index >= after_user
                blocks.extend(
                    self.turn_blocks(message, index, is_last=is_last, is_answer=is_answer)
                )
            else:
                blocks.append(header(roles[index], index))
                blocks.append([*trimmed(content_of(message, self.name)), IM_END])
        return [*blocks, [*header(role, len(messages)), *self.generation_start()]]

    def turn_blocks(
        self, message: Message, index: int, *, is_last: bool, is_answer: bool
    ) -> list[Block]:
        """An assistant's turn that is part of a prompt.

        Args:
            message: The message.
            index: Its place in the conversation.
            is_last: Whether nothing follows it.
            is_answer: Whether it comes after the user's last message.
        """
        parts = trimmed_parts(parts_of(message, self.name))
        has_thinking = any(part["type"] == "thinking" for part in parts)
        kept = [part for part in parts if is_last or part["type"] == "text"]
        content = [*self.content(kept, calls_of(message)), IM_END]
        start = header("assistant", index)
        if not is_answer or has_thinking:
            return [start, content]
        if not is_last:
            return [[*start, *EMPTY_THINKING], content]
        # The prompt that this answers ends with the generation start, so a block ends there too.
        prompt = [*start, *self.generation_start()]
        rest: Block = [] if len(self.generation_start()) > 2 else ["\n", END_THINK, "\n\n"]
        return [prompt, rest, content]

    def generation_start(self) -> Block:
        """The opening of the thinking."""
        return [THINK, "\n"]

    def content(self, parts: Sequence[AnswerPart], calls: Sequence[CallView]) -> list[Piece]:
        """An assistant's content: thinking on lines of its own, text, tool calls."""
        pieces: list[Piece] = []
        for part in parts:
            if part["type"] == "text":
                pieces.append(part["text"])
            else:
                pieces.extend((THINK, f"\n{part['thinking']}\n", END_THINK, "\n\n"))
        has_text = any(part["type"] == "text" and part["text"].strip() for part in parts)
        return [*pieces, *self.call_pieces(calls, follows_text=has_text)]

    def call_pieces(self, calls: Sequence[CallView], *, follows_text: bool) -> list[Piece]:
        """Tool calls as XML, and the line breaks that set them off."""
        pieces: list[Piece] = []
        for index, call in enumerate(calls):
            if index or follows_text:
                pieces.append("\n" if index else "\n\n")
            lines = [f"\n<function={call.name}>"]
            for key, value in call.parsed.items():
                lines.append(f"<parameter={key}>\n{self.argument_text(value)}\n</parameter>")
            lines.append("</function>\n")
            pieces.extend((TOOL_CALL, "\n".join(lines), END_TOOL_CALL))
        return pieces

    def thinking_in(self, parts: Sequence[AnswerPart]) -> str:
        """An answer's thinking, as it is written."""
        return "".join(part["thinking"] for part in parts if part["type"] == "thinking")

    def argument_text(self, value: object) -> str:
        """An argument of a call: JSON of a list or an object, else as Python writes it."""
        return json.dumps(value) if isinstance(value, (dict, list)) else str(value)

    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """The rest of the thinking, if the prompt opened it, the text, the calls, the end."""
        parts = trimmed_parts(parts_of(message, self.name))
        thinking = self.thinking_in(parts)
        if not in_thinking:
            refuse_thinking(message, self.name)
            return [*self.content(parts, calls_of(message)), IM_END]
        texts = [part for part in parts if part["type"] == "text"]
        content = self.content(texts, calls_of(message))
        return [f"{thinking}\n", END_THINK, "\n\n", *content, IM_END]

    def declare_tools(self, tools: list[ToolSpec], system_prompt: str) -> list[Message]:
        """A system message: the declarations first, then its own text."""
        if not tools:
            return [Message(role="system", content=system_prompt)]
        pieces: list[Piece] = [
            _BEFORE_DECLARATIONS,
            "\n".join(map(self.declaration, tools)),
            *marked_up(_AFTER_DECLARATIONS, (TOOL_CALL, END_TOOL_CALL)),
        ]
        if system_prompt:
            pieces.append(f"\n\n{system_prompt}")
        return [Message(role="system", content=Markup(pieces))]

    def declaration(self, tool: ToolSpec) -> str:
        """The line that declares a tool."""
        return json.dumps(tool)


class Qwen35DisableThinkingRenderer(Qwen35Renderer):
    """Qwen3.5's chat format, where the prompt closes the thinking before it begins."""

    name = "qwen3_5_disable_thinking"
    opens_thinking = False
    template_arguments = {"enable_thinking": False}  # noqa: RUF012 (a ClassVar in the base)

    def generation_start(self) -> Block:
        """Empty thinking."""
        return EMPTY_THINKING


def trimmed_parts(parts: Sequence[AnswerPart]) -> list[AnswerPart]:
    """The parts without white space around the visible text."""
    copied = [part.copy() for part in parts]
    texts = [part for part in copied if part["type"] == "text"]
    for order, strip in ((texts, str.lstrip), (texts[::-1], str.rstrip)):
        for part in order:
            part["text"] = strip(part["text"])
            if part["text"]:
                break
    return copied
