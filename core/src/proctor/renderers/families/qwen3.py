"""``qwen3``, ``qwen3_disable_thinking`` and ``qwen3_instruct``: Qwen3, and its 2507 Instruct."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

from proctor.renderers.base import Renderer
from proctor.renderers.markup import Block, Control, Markup, Piece, marked_up
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
    json_call,
)
from proctor.types import Message, ToolSpec

IM_START = Control("<|im_start|>")
IM_END = Control("<|im_end|>")
TOOL_RESPONSE = Control("<tool_response>")
END_TOOL_RESPONSE = Control("</tool_response>")

_BEFORE_DECLARATIONS = """# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
"""

_AFTER_DECLARATIONS = """
</tools>

For each function call, return a json object with function name and arguments within \
<tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>"""

EMPTY_THINKING: Block = (THINK, "\n\n", END_THINK, "\n\n")


def header(role: str, index: int) -> list[Piece]:
    """What stands before a message; the line before it ends here."""
    return ["\n" if index else "", IM_START, f"{role}\n"]


def last_user_index(messages: Sequence[Message]) -> int:
    """The index of the last message of the user; -1 without one."""
    return max((i for i, m in enumerate(messages) if m["role"] == "user"), default=-1)


class Qwen3InstructRenderer(Renderer):
    """Qwen3's chat format as its 2507 Instruct models have it: they do not think."""

    name = "qwen3_instruct"
    controls = (
        IM_START,
        THINK,
        END_THINK,
        TOOL_CALL,
        END_TOOL_CALL,
        TOOL_RESPONSE,
        END_TOOL_RESPONSE,
    )
    stops = (IM_END,)
    other_ends = (Control("<|endoftext|>"),)
    thinking_start = THINK
    template_differences: ClassVar[tuple[tuple[str, str], ...]] = (
        (
            "</tool_response>\n<tool_response>",
            "</tool_response><|im_end|>\n<|im_start|>user\n<tool_response>",
        ),
    )
    differs_on = frozenset({"unicode in an argument"})
    tags: ClassVar[Tags] = Tags(before_call="\n", read_call=json_call)

    def blocks(self, messages: Sequence[Message], role: str) -> list[Block]:
        """A header and a content for each message, and the header of the next."""
        has_user = last_user_index(messages) >= 0
        blocks: list[Block] = []
        for index, message in enumerate(messages):
            is_tool = message["role"] == "tool"
            blocks.append(header("user" if is_tool else message["role"], index))
            if is_tool:
                result = ["\n", *content_of(message, self.name), "\n"]
                blocks.append([TOOL_RESPONSE, *result, END_TOOL_RESPONSE, IM_END])
            elif message["role"] == "assistant":
                is_last = index == len(messages) - 1
                framed = is_last and has_user
                content = self.history_content(message, is_last=is_last, framed=framed)
                blocks.append([*content, IM_END])
            else:
                blocks.append([*content_of(message, self.name), IM_END])
        return [*blocks, [*header(role, len(messages)), *self.generation_start()]]

    def generation_start(self) -> Block:
        """What the prompt holds of the answer itself."""
        return []

    def history_content(self, message: Message, *, is_last: bool, framed: bool) -> list[Piece]:
        """An assistant's content where it is part of a prompt.

        Thinking is kept in the last message only.

        Args:
            message: The message.
            is_last: Whether the conversation ends with it.
            framed: Whether it is the one that the model is answering with.
        """
        parts = [p for p in parts_of(message, self.name) if is_last or p["type"] == "text"]
        return self.content(parts, calls_of(message))

    def content(self, parts: Sequence[AnswerPart], calls: Sequence[CallView]) -> list[Piece]:
        """An assistant's content: thinking in bare tags, text, tool calls."""
        pieces: list[Piece] = []
        for part in parts:
            if part["type"] == "text":
                pieces.append(part["text"])
            else:
                pieces.extend((THINK, part["thinking"], END_THINK))
        return [*pieces, *self.call_pieces(calls, follows_text=any(pieces))]

    def call_pieces(self, calls: Sequence[CallView], *, follows_text: bool) -> list[Piece]:
        """Tool calls, and the line breaks that set them off."""
        pieces: list[Piece] = []
        for index, call in enumerate(calls):
            if index or follows_text:
                pieces.append("\n")
            payload = json.dumps({"name": call.name, "arguments": call.parsed})
            pieces.extend((TOOL_CALL, f"\n{payload}\n", END_TOOL_CALL))
        return pieces

    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """The content and the end of the turn."""
        return [*self.content(parts_of(message, self.name), calls_of(message)), IM_END]

    def read_answer(self, pieces: Sequence[Piece], in_thinking: bool) -> tuple[Message, bool]:
        """The thinking, the text and the tool calls, by their tags."""
        return self.tags.read(pieces, in_thinking)

    def declare_tools(self, tools: list[ToolSpec], system_prompt: str) -> list[Message]:
        """A system message: its own text first, then the declarations."""
        if not tools:
            return [Message(role="system", content=system_prompt)]
        pieces: list[Piece] = [
            f"{system_prompt}\n\n" if system_prompt else "",
            _BEFORE_DECLARATIONS,
            "\n".join(json.dumps({"type": "function", "function": tool}) for tool in tools),
            *marked_up(_AFTER_DECLARATIONS, (TOOL_CALL, END_TOOL_CALL)),
        ]
        return [Message(role="system", content=Markup(pieces))]


class Qwen3Renderer(Qwen3InstructRenderer):
    """Qwen3's chat format, with thinking: the model opens it by itself."""

    name = "qwen3"
    differs_on = Qwen3InstructRenderer.differs_on | {
        "thinking beside a call",
        "thinking in two rounds",
    }
    tags: ClassVar[Tags] = Tags(
        unframe_thinking=lambda thinking: thinking.strip("\n"),
        unframe_text=lambda text: text.lstrip("\n"),
        before_call="\n",
        read_call=json_call,
    )

    def history_content(self, message: Message, *, is_last: bool, framed: bool) -> list[Piece]:
        """As in ``Qwen3InstructRenderer``; the message being answered with has a full frame."""
        if framed:
            return self.framed_content(message)
        return super().history_content(message, is_last=is_last, framed=framed)

    def framed_content(self, message: Message) -> list[Piece]:
        """The content with thinking on lines of its own, an empty one where there is none."""
        parts = parts_of(message, self.name)
        pieces: list[Piece] = []
        has_text = False
        follows_thinking = False
        if not any(part["type"] == "thinking" for part in parts):
            pieces.extend(EMPTY_THINKING)
            follows_thinking = True
        for part in parts:
            if part["type"] == "thinking":
                thinking = part["thinking"].strip("\n")
                pieces.extend((THINK, f"\n{thinking}\n", END_THINK, "\n\n"))
                follows_thinking = has_text = True
            else:
                pieces.append(part["text"].lstrip("\n") if follows_thinking else part["text"])
                follows_thinking = False
                has_text = has_text or part["text"] != ""
        return [*pieces, *self.call_pieces(calls_of(message), follows_text=has_text)]

    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """The thinking, if only empty, the text, the tool calls and the end of the turn."""
        return [*self.framed_content(message), IM_END]


class Qwen3DisableThinkingRenderer(Qwen3Renderer):
    """Qwen3's chat format, where the prompt closes the thinking before it begins."""

    name = "qwen3_disable_thinking"
    template_arguments = {"enable_thinking": False}  # noqa: RUF012 (a ClassVar in the base)

    def generation_start(self) -> Block:
        """Empty thinking."""
        return EMPTY_THINKING

    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """The text, the tool calls and the end of the turn."""
        refuse_thinking(message, self.name)
        return [*self.content(parts_of(message, self.name), calls_of(message)), IM_END]
