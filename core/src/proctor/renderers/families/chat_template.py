"""``chat_template``: the tokenizer's own jinja template."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from proctor.errors import RendererError
from proctor.renderers.base import Renderer
from proctor.renderers.codec import Rendered
from proctor.renderers.hidden_text import STAND_IN_START, HiddenText, TemplateMessage
from proctor.renderers.markup import Block, Control, Piece
from proctor.renderers.messages import calls_of, parts_of, refuse_tools
from proctor.renderers.tagged import (
    END_THINK,
    END_TOOL_CALL,
    THINK,
    TOOL_CALL,
    Tags,
    json_or_xml_call,
    with_spelled_thinking,
)
from proctor.renderers.tokenizers import Tokenizer
from proctor.types import Message, ToolSpec

_ANSWER = "proctor"
"""An answer to render, to see what a template writes after one."""

_CALLED = "proctor_called"
"""The name of a tool and its argument, to see whether a template writes a call."""

_TAGS = Tags(
    unframe_thinking=lambda thinking: thinking.strip("\n"),
    unframe_text=lambda text: text.lstrip("\n"),
    before_call="\n",
    read_call=json_or_xml_call,
)
_FORMATS = (THINK, END_THINK, TOOL_CALL, END_TOOL_CALL)

_CHANNELS = re.compile(r"<\|?channel\|?>")
"""What templates begin a channel of an answer with."""


class ChatTemplateRenderer(Renderer):
    """The chat template that came with the tokenizer.

    Its stop signals are what the template writes after an answer, or, where it writes nothing,
    what the next turn begins with; the ends in the model's ``generation_config.json``, where the
    tokenizer came from a folder that has one; and the end of text. Thinking and tool calls are read
    where the template or the vocabulary has ``<think>`` and ``<tool_call>``.

    Text in a message that spells a control token stays text: while the template renders, a
    character for private use stands for it. All other text reaches the template as it is, so its
    tokens are those of ``apply_chat_template``.

    Args:
        tokenizer: The model's tokenizer, which has the template.
        reads_answers: Whether answers are to be read, not only prompts to be compared.

    Raises:
        RendererError: There is no template, it doesn't say how an answer ends, or answers are to be
            read and it writes them in channels.
    """

    name = "chat_template"
    version = 4
    accepts_eos = True
    thinking_start = THINK
    may_spell_controls = True

    def __init__(self, tokenizer: Tokenizer, *, reads_answers: bool = True) -> None:
        template = getattr(tokenizer, "chat_template", None)
        if isinstance(template, Mapping):
            template = template.get("default")
        if not template:
            raise RendererError(
                "the tokenizer has no chat template",
                where="renderer chat_template",
                fix="name another renderer; role_colon is for base models",
            )
        channel = _CHANNELS.search(template)
        if channel and reads_answers:
            raise RendererError(
                f"the chat template writes answers in channels ({channel.group()}), which it can't "
                "read: analysis would be graded with the answer",
                where="renderer chat_template",
                fix="use the family's renderer: gpt_oss_medium_reasoning, or one from a plugin",
            )
        self._template: str = template
        self._reserved = _reserved_spellings(tokenizer, template)
        # The stand-ins' own first character is hidden too, so that no message can forge one.
        self._pattern = re.compile("|".join(map(re.escape, [*self._reserved, STAND_IN_START])))
        self._shows_call: dict[str | None, bool] = {}
        self.tokenizer = tokenizer
        self.controls = tuple(
            control
            for control in _FORMATS
            if control.spelling in self._reserved or control.spelling in template
        )
        self.stops = self._find_stops()
        super().__init__(tokenizer)
        self.opens_thinking = self._prompt_opens_thinking()

    def _find_stops(self) -> tuple[Control, ...]:
        """What ends an answer: see the class."""
        question = {"role": "user", "content": "?"}
        reply = {"role": "assistant", "content": _ANSWER}
        result = {"role": "tool", "name": "f", "content": "?"}
        found = self._first_after([question, reply])
        if not found:
            for following in (question, result):
                found += self._first_after([question, reply, following])
        eos = getattr(self.tokenizer, "eos_token", None)
        # the end of text ends an answer by itself, and may stand behind another end
        others = [ending for ending in _generation_ends(self.tokenizer) if ending != eos]
        endings = [*found, *others, *([] if found else [eos])]
        if not any(endings):
            raise RendererError(
                "neither the chat template nor the tokenizer says how an answer ends",
                where="renderer chat_template",
                fix="name another renderer; role_colon is for base models",
            )
        return tuple(Control(ending) for ending in dict.fromkeys(endings) if ending)

    def _first_after(self, messages: list[TemplateMessage]) -> list[str]:
        """The first special token after the answer in a conversation, if there is one."""
        try:
            rendered = self._render(messages, add_generation_prompt=False)
        except RendererError:
            return []
        after = self._pattern.search(rendered.partition(_ANSWER)[2])
        return [after.group()] if after else []

    def _prompt_opens_thinking(self) -> bool:
        try:
            rendered = self._render([{"role": "user", "content": "?"}])
        except RendererError:
            return False
        return rendered.rfind(THINK.spelling) > rendered.rfind(END_THINK.spelling)

    def get_stop_sequences(self) -> list[str] | list[int]:
        """The template's stop signal and the end of text."""
        stops = dict.fromkeys([*self.stops, *([self.codec.eos] if self.codec.eos else [])])
        if any(stop in self.codec.missing for stop in stops):
            return [stop.spelling for stop in stops]
        return [self.codec.ids[stop] for stop in stops]

    def declare_tools(self, tools: list[ToolSpec], system_prompt: str) -> list[Message]:
        """Not available: where a template declares tools is its own business.

        Raises:
            RendererError: Always.
        """
        raise RendererError(
            "a chat template declares tools by itself",
            where="renderer chat_template",
            fix="pass tools= to build_generation_prompt",
        )

    def layout_tokens(
        self,
        conversations: Sequence[Sequence[Message]],
        role: str,
        tools: list[ToolSpec] | None,
    ) -> list[list[int]]:
        """The tokens of what the template renders."""
        if role != "assistant":
            raise RendererError(
                f"it can't prompt for the role {role!r}",
                where="renderer chat_template",
                fix="name the renderer of the model's family",
            )
        if tools and "tools" not in self._template:
            super().declare_tools(tools, "")
        return self.codec.encode_rendered(
            [self._rendered_parts(messages, tools) for messages in conversations]
        )

    def _rendered_parts(
        self, messages: Sequence[Message], tools: list[ToolSpec] | None
    ) -> list[Rendered]:
        hidden = HiddenText(self._pattern)
        converted = [as_template_input(message, self._template) for message in messages]
        for message in converted:
            if "tool_calls" in message:
                message["content"] = self._content_beside_calls(message["content"])
        return hidden.reveal(self._render(converted, tools, hidden))

    def _content_beside_calls(self, text: str) -> str | None:
        """What a message that calls needs as its content, so that the template writes the call.

        Raises:
            RendererError: It leaves the call out.
        """
        content: str | None
        for content in (text,) if text else ("", None):
            key = content and _ANSWER
            if key not in self._shows_call:
                self._shows_call[key] = self._shows_a_call_beside(key)
            if self._shows_call[key]:
                return content
        raise RendererError(
            f"the chat template leaves out a tool call {'beside' if text else 'without'} text",
            where="renderer chat_template",
            fix="change the conversation, or name another renderer",
        )

    def _shows_a_call_beside(self, content: str | None) -> bool:
        # some write the name only as part of the call's id
        called = {"name": _CALLED, "arguments": json.dumps({_CALLED: 1})}
        call = {"type": "function", "id": "call00001", "function": called}
        question: TemplateMessage = {"role": "user", "content": "?"}
        message: TemplateMessage = {"role": "assistant", "content": content, "tool_calls": [call]}
        result: TemplateMessage = {"role": "tool", "content": "?", "tool_call_id": "call00001"}
        shown = []
        for conversation in ([question, message], [question, message, result]):
            try:
                shown.append(_CALLED in self._render(conversation, add_generation_prompt=False))
            except RendererError:
                continue
        return any(shown) or not shown

    def _render(
        self,
        messages: list[TemplateMessage],
        tools: list[ToolSpec] | None = None,
        hidden: HiddenText | None = None,
        *,
        add_generation_prompt: bool = True,
    ) -> str:
        declared = [{"type": "function", "function": dict(tool)} for tool in tools or ()]
        if hidden is not None:
            declared = [hidden.hide(tool) for tool in declared]
        problem: Exception | None = None
        for read in (True, False):
            # arguments are read first: an escape in their JSON may spell a control token
            shown = [_with_arguments(message, read=read) for message in messages]
            if hidden is not None:
                shown = [hidden.hide(message) for message in shown]
            try:
                return str(
                    self.tokenizer.apply_chat_template(
                        shown,
                        tools=declared or None,
                        tokenize=False,
                        add_generation_prompt=add_generation_prompt,
                        **self.template_arguments,
                    )
                )
            except Exception as error:  # a template may raise anything
                problem = problem or error
        raise RendererError(
            f"the chat template can't render the conversation: {problem}",
            where="renderer chat_template",
            fix="change the conversation, or name another renderer",
        ) from problem

    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """Thinking in its tags, the text, and the stop signal."""
        refuse_tools(message, self.name)
        block: list[Piece] = []
        for part in parts_of(message, self.name):
            if part["type"] == "text":
                block.append(part["text"])
            elif not in_thinking:
                block.extend((THINK, f"\n{part['thinking']}\n", END_THINK, "\n\n"))
            else:
                block.extend((f"{part['thinking']}\n", END_THINK, "\n\n"))
        return [*block, *self.stops]

    def read_answer(self, pieces: Sequence[Piece], in_thinking: bool) -> tuple[Message, bool]:
        """The answer's parts, by the tags that the template has.

        Where it has none for thinking, text that begins with one is thinking all the same, and
        unfinished where none ends it.
        """
        if THINK not in self.controls:
            pieces = with_spelled_thinking(pieces)
        return _TAGS.read(pieces, in_thinking)


def _generation_ends(tokenizer: Tokenizer) -> list[str]:
    """The tokens that the model's own ``generation_config.json`` ends an answer with."""
    file = Path(str(getattr(tokenizer, "name_or_path", "") or "")) / "generation_config.json"
    convert = getattr(tokenizer, "convert_ids_to_tokens", None)
    if convert is None or not file.is_file():
        return []
    try:
        ids = json.loads(file.read_text(encoding="utf-8")).get("eos_token_id")
    except (OSError, ValueError, AttributeError):
        return []
    numbers = ids if isinstance(ids, list) else [ids]
    return [
        spelling
        for number in numbers
        if isinstance(number, int) and isinstance(spelling := convert(number), str)
    ]


def _reserved_spellings(tokenizer: Tokenizer, template: str) -> list[str]:
    """Special tokens, and the other added tokens that structure an answer; longest first."""
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    spellings = set(getattr(tokenizer, "all_special_tokens", ()))
    own = {control.spelling for control in _FORMATS}
    for token in added:
        spelling = str(token.content)
        if token.special or spelling in template or spelling in own:
            spellings.add(spelling)
    return sorted((s for s in spellings if s and not s.isspace()), key=lambda s: (-len(s), s))


def as_template_input(message: Message, template: str) -> TemplateMessage:
    """A message as templates know it: content is a string, thinking a key of its own."""
    parts = parts_of(message, "chat_template")
    text = "".join(part["text"] for part in parts if part["type"] == "text")
    thinking = "".join(part["thinking"] for part in parts if part["type"] == "thinking")
    converted: TemplateMessage = {"role": message["role"], "content": text}
    if thinking:
        key = next((k for k in ("reasoning_content", "thinking") if k in template), None)
        if key is None:
            raise RendererError(
                "the chat template has no place for thinking",
                where="renderer chat_template",
                fix="leave the thinking out",
            )
        converted[key] = thinking
    calls = calls_of(message)
    if calls:
        if "tool_calls" not in template:
            raise RendererError(
                "the chat template has no place for tool calls",
                where="renderer chat_template",
                fix="use a model and a renderer that have one",
            )
        converted["tool_calls"] = [
            {
                "type": "function",
                "id": call.id,
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in calls
        ]
    for key in ("tool_call_id", "name"):
        if message.get(key):
            converted[key] = message[key]  # type: ignore[literal-required]
    return converted


def _with_arguments(message: TemplateMessage, *, read: bool) -> TemplateMessage:
    """The message with its tool calls' arguments as mappings, or as they are.

    Templates want the one or the other, and raise where they get the wrong one.
    """
    if not read or "tool_calls" not in message:
        return message
    calls = [
        {
            **call,
            "function": {**call["function"], "arguments": _parsed(call["function"]["arguments"])},
        }
        for call in message["tool_calls"]
    ]
    return {**message, "tool_calls": calls}


def _parsed(arguments: str) -> object:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments
