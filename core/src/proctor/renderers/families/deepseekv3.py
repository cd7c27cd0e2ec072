"""``deepseekv3`` and ``deepseekv3_thinking``: DeepSeek V3.1."""

from __future__ import annotations

import json
from collections.abc import Sequence

from proctor.errors import RendererError
from proctor.renderers.base import Renderer
from proctor.renderers.call_sections import CallSections
from proctor.renderers.markup import Block, Control, Markup, Piece, marked_up
from proctor.renderers.messages import calls_of, content_of, parts_of, refuse_thinking
from proctor.renderers.tagged import END_THINK, THINK
from proctor.types import Message, ToolCall, ToolSpec

_BEGIN = Control("<｜begin▁of▁sentence｜>")
_END = Control("<｜end▁of▁sentence｜>")
_USER = Control("<｜User｜>")
_ASSISTANT = Control("<｜Assistant｜>")
_CALLS = Control("<｜tool▁calls▁begin｜>")
_END_CALLS = Control("<｜tool▁calls▁end｜>")
_CALL = Control("<｜tool▁call▁begin｜>")
_CALL_ARGUMENTS = Control("<｜tool▁sep｜>")
_END_CALL = Control("<｜tool▁call▁end｜>")
_RESULT = Control("<｜tool▁output▁begin｜>")
_END_RESULT = Control("<｜tool▁output▁end｜>")


def _make_call(name: str, arguments: str) -> ToolCall:
    return ToolCall(function=ToolCall.FunctionBody(name=name, arguments=arguments))


_TOOL_CALLS = CallSections(
    (_CALLS,), (_END_CALLS,), _CALL, _CALL_ARGUMENTS, _END_CALL, make=_make_call
)

_BEFORE_DECLARATIONS = """

## Tools
You have access to the following tools:

"""

_AFTER_DECLARATIONS = """

IMPORTANT: ALWAYS adhere to this exact format for tool use:
<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>tool_call_name<｜tool▁sep｜>tool_call_arguments\
<｜tool▁call▁end｜><｜tool▁calls▁end｜>

Where:
- `tool_call_name` must be an exact match to one of the available tools
- `tool_call_arguments` must be valid JSON that strictly follows the tool's Parameters Schema
- For multiple tool calls, chain them directly without separators or spaces"""


class DeepSeekV3Renderer(Renderer):
    """DeepSeek V3.1's chat format, where the prompt closes the thinking before it begins."""

    name = "deepseekv3"
    version = 2
    controls = (
        _BEGIN,
        _USER,
        _ASSISTANT,
        THINK,
        END_THINK,
        *_TOOL_CALLS.controls,
        _RESULT,
        _END_RESULT,
    )
    stops = (_END,)
    thinking_start = THINK
    template_differences = (
        # a turn without text has no end
        (
            r"((?:</think>|<｜tool▁output▁end｜>)<｜tool▁calls▁begin｜>"
            r"(?:(?!<｜tool▁calls▁end｜>).)*<｜tool▁calls▁end｜>)<｜end▁of▁sentence｜>",
            r"\1",
        ),
        (r"(</think>)<｜end▁of▁sentence｜>", r"\1"),
    )
    differs_on = frozenset({"thinking in two rounds"})
    template_arguments = {"thinking": False}  # noqa: RUF012 (a ClassVar in the base)

    def blocks(self, messages: Sequence[Message], role: str) -> list[Block]:
        """A turn for each message; an answer that follows a tool's result has no header."""
        blocks: list[Block] = [[_BEGIN]]
        layouts = {"system": self._system, "user": self._user, "tool": self._tool}
        layouts["assistant"] = self._assistant
        for index, message in enumerate(messages):
            layout = layouts.get(message["role"])
            if layout is None:
                raise RendererError(
                    f"it has no role {message['role']!r}",
                    where=f"renderer {self.name}",
                    fix="use system, user, assistant or tool",
                )
            blocks.extend(layout(messages, index))
        if role != "assistant":
            raise RendererError(
                f"it can't prompt for the role {role!r}",
                where=f"renderer {self.name}",
                fix="use assistant",
            )
        follows_tool = bool(messages) and messages[-1]["role"] == "tool"
        return blocks if follows_tool else [*blocks, self.generation_start()]

    def generation_start(self) -> Block:
        """The header of an answer, and what the prompt holds of its thinking."""
        return [_ASSISTANT, END_THINK]

    def _system(self, messages: Sequence[Message], index: int) -> list[Block]:
        if index > 0:
            raise RendererError(
                "it has a system message at the start only",
                where=f"renderer {self.name}",
                fix="make the later ones user messages",
            )
        return [content_of(messages[index], self.name)]

    def _user(self, messages: Sequence[Message], index: int) -> list[Block]:
        return [[_USER], content_of(messages[index], self.name)]

    def _tool(self, messages: Sequence[Message], index: int) -> list[Block]:
        return [[_RESULT], [*content_of(messages[index], self.name), _END_RESULT]]

    def _assistant(self, messages: Sequence[Message], index: int) -> list[Block]:
        message = messages[index]
        follows_tool = index > 0 and messages[index - 1]["role"] == "tool"
        is_last = index == len(messages) - 1
        start = [] if follows_tool else [_ASSISTANT, *self.history_start(is_last=is_last)]
        content = self.history_content(message, follows_tool=follows_tool, is_last=is_last)
        end = [_END] if self.has_end(message, follows_tool=follows_tool) else []
        return [start, [*content, *_call_pieces(message), *end]]

    def has_end(self, message: Message, *, follows_tool: bool) -> bool:
        """Whether an answer that is part of a prompt has an end.

        One without content has none: what was trained with tinker-cookbook has learnt it so.
        """
        if follows_tool:
            return bool(message["content"])
        return any(part.get("text") for part in parts_of(message, self.name))

    def history_start(self, *, is_last: bool) -> Block:
        """What follows the header of an answer that is part of a prompt."""
        return [END_THINK]

    def history_content(
        self, message: Message, *, follows_tool: bool, is_last: bool
    ) -> list[Piece]:
        """The thinking and text of an answer that is part of a prompt."""
        keeps_thinking = follows_tool and (is_last or bool(message.get("tool_calls")))
        return self.content(message, keeps_thinking=keeps_thinking)

    def content(self, message: Message, *, keeps_thinking: bool) -> list[Piece]:
        """The thinking, if it is kept, and the text of an answer."""
        pieces: list[Piece] = []
        for part in parts_of(message, self.name):
            if part["type"] == "text":
                pieces.append(part["text"])
            elif keeps_thinking:
                pieces.extend((THINK, part["thinking"], END_THINK))
        return pieces

    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """The text, the tool calls and the end."""
        refuse_thinking(message, self.name)
        return [*self.content(message, keeps_thinking=True), *_call_pieces(message), _END]

    def read_answer(self, pieces: Sequence[Piece], in_thinking: bool) -> tuple[Message, bool]:
        """The thinking, the text and the tool calls."""
        return _TOOL_CALLS.read(pieces, in_thinking)

    def declare_tools(self, tools: list[ToolSpec], system_prompt: str) -> list[Message]:
        """A system message: its own text first, then the declarations."""
        if not tools:
            return [Message(role="system", content=system_prompt)]
        declarations = "\n".join(
            f"### {tool['name']}\nDescription: {tool.get('description', '')}\n\n"
            f"Parameters: {json.dumps(tool.get('parameters', {}))}"
            for tool in tools
        )
        pieces = [system_prompt, _BEFORE_DECLARATIONS, declarations]
        after = marked_up(_AFTER_DECLARATIONS, _TOOL_CALLS.controls)
        return [Message(role="system", content=Markup([*pieces, *after]))]


class DeepSeekV3ThinkingRenderer(DeepSeekV3Renderer):
    """DeepSeek V3.1's chat format, with thinking: the prompt opens it.

    After a tool's result the prompt opens none. Pass the prompt to ``parse_response`` there.
    """

    name = "deepseekv3_thinking"
    differs_on = DeepSeekV3Renderer.differs_on | {
        "thinking beside a call",
        "thinking beside an earlier call",
    }
    opens_thinking = True
    template_arguments = {"thinking": True}  # noqa: RUF012 (a ClassVar in the base)

    def generation_start(self) -> Block:
        """The header of an answer, and the opening of its thinking."""
        return [_ASSISTANT, THINK]

    def history_start(self, *, is_last: bool) -> Block:
        """The closing of the thinking that was taken out, in all but the last message."""
        return [] if is_last else [END_THINK]

    def has_end(self, message: Message, *, follows_tool: bool) -> bool:
        """As in ``DeepSeekV3Renderer``; thinking counts as content."""
        return bool(message["content"])

    def history_content(
        self, message: Message, *, follows_tool: bool, is_last: bool
    ) -> list[Piece]:
        """Thinking is kept in the last message, and beside tool calls."""
        keeps = is_last or bool(message.get("tool_calls"))
        pieces = self.content(message, keeps_thinking=keeps)
        if is_last and not follows_tool and message["content"] and THINK not in pieces:
            return [THINK, END_THINK, *pieces]
        return pieces

    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """The rest of the thinking, if the prompt opened it, the text, the calls, the end."""
        if not in_thinking:
            return [*self.content(message, keeps_thinking=True), *_call_pieces(message), _END]
        parts = parts_of(message, self.name)
        thinking = "".join(part["thinking"] for part in parts if part["type"] == "thinking")
        text = "".join(part["text"] for part in parts if part["type"] == "text")
        return [thinking, END_THINK, text, *_call_pieces(message), _END]


def _call_pieces(message: Message) -> list[Piece]:
    calls = calls_of(message)
    if not calls:
        return []
    pieces: list[Piece] = [_CALLS]
    for call in calls:
        pieces.extend((_CALL, call.name, _CALL_ARGUMENTS, call.arguments, _END_CALL))
    return [*pieces, _END_CALLS]
