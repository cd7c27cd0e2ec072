"""Renderers from elsewhere, which have tinker-cookbook's three methods and no more."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeAlias

from proctor.errors import ProctorError, RendererError, one_line
from proctor.images import read_image
from proctor.renderers.base import Renderer
from proctor.renderers.markup import Block, Piece
from proctor.renderers.messages import AnswerPart, assistant_message, parts_of, text_of
from proctor.renderers.prompt import Prompt
from proctor.renderers.tagged import (
    END_THINK,
    END_TOOL_CALL,
    SPELLED_THINKING,
    THINK,
    TOOL_CALL,
    UNFINISHED_CALL,
    with_spelled_thinking,
)
from proctor.renderers.tokenizers import Tokenizer
from proctor.types import (
    ImagePart,
    Message,
    Part,
    Termination,
    TextPart,
    ThinkingPart,
    ToolSpec,
    UnparsedToolCall,
)

ForeignRenderer: TypeAlias = Any  # tinker-cookbook's, or a plugin's that derives from nothing

_TEXT_ENDS = ("<|endoftext|>", "<|end_of_text|>", "[EOS]")
"""Tokens behind which a model says nothing more, where they are no stop signals."""

_CALL_TAGS = (TOOL_CALL.spelling, END_TOOL_CALL.spelling)

_VERSION = 3
"""Raised when this module reads the same foreign message otherwise."""

_QUESTION = Message(role="user", content="?")

_TAIL = 8
"""Tokens at a prompt's end in which thinking may be opened, in letters too."""


class AdaptedRenderer(Renderer):
    """A foreign renderer with the methods that the sampling loop needs.

    Args:
        foreign: It has ``build_generation_prompt``, ``get_stop_sequences``, ``parse_response``. For
            the checks against the tokenizer's template it may have ``template_arguments``,
            ``template_differences`` and ``differs_on``, as our own do; for its answers a
            ``reader``, which is a renderer of ours, or ``call_tags``, what opens and closes a call
            where that is not ``<tool_call>``. With a true ``takes_images`` it gets images, each as
            a ``data:`` URI, and its prompts may hold tinker's image chunks.
        tokenizer: The tokenizer that it was made with.
        registered_name: The name that it is registered under.
    """

    def __init__(
        self, foreign: ForeignRenderer, tokenizer: Tokenizer, registered_name: str
    ) -> None:
        super().__init__(tokenizer)
        self.foreign = foreign
        self.name = registered_name  # type: ignore[misc]  # its class is every foreign one's
        # what it reads is read again here
        self.reader: Renderer | None = getattr(foreign, "reader", None)
        read_by = _VERSION if self.reader is None else _VERSION + self.reader.version
        self.version = int(getattr(foreign, "version", 1)) + read_by  # type: ignore[misc]
        for told in ("template_arguments", "template_differences", "differs_on"):
            if hasattr(foreign, told):
                setattr(self, told, getattr(foreign, told))
        self._usual_prompt = self._prompt_for_a_question()
        self.opens_thinking = self._opens_thinking(self._usual_prompt)
        self._closing = self.codec.find(END_THINK.spelling)
        self._call_tags: tuple[str, str] = getattr(foreign, "call_tags", _CALL_TAGS)
        self._opening_call = self.codec.find(self._call_tags[0])
        found = [self.codec.find(spelling) for spelling in _TEXT_ENDS]
        self._text_ends = {
            token
            for token in [*found, getattr(tokenizer, "eos_token_id", None)]
            if token is not None
        }

    def layout(
        self,
        conversations: Sequence[Sequence[Message]],
        role: str,
        tools: list[ToolSpec] | None,
    ) -> list[Prompt]:
        """The foreign renderer's prompts.

        Raises:
            RendererError: A message has a part that the foreign renderer takes none of, which some
                of them leave out.
            DatasetError: An image can't be read.
        """
        given = [[self._for_foreign(message) for message in m] for m in conversations]
        declared = [self._with_tools(m, tools) if tools else m for m in given]
        return [self._foreign_prompt(messages, role) for messages in declared]

    def _for_foreign(self, message: Message) -> Message:
        """A message whose every part the foreign renderer takes."""
        content = message["content"]
        if isinstance(content, str) or not getattr(self.foreign, "takes_images", False):
            parts_of(message, self.name)
            return message
        others: list[Part] = [part for part in content if part["type"] != "image"]
        parts_of(Message(role=message["role"], content=others), self.name)
        given: Message = message.copy()
        given["content"] = [_with_data_uri(part) for part in content]
        return given

    def _foreign_prompt(self, messages: list[Message], role: str) -> Prompt:
        options = {} if role == "assistant" else {"role": role}
        try:
            return Prompt.of_model_input(self.foreign.build_generation_prompt(messages, **options))
        except ProctorError:
            raise
        except Exception as error:  # each has its own kinds for what it has no format for
            raise RendererError(
                f"it can't render the conversation ({one_line(error)})",
                where=f"renderer {self.name}",
                fix="leave such messages out of the dataset, or use a renderer that has a format",
            ) from error

    def declare_tools(self, tools: list[ToolSpec], system_prompt: str) -> list[Message]:
        """The foreign renderer's messages that declare tools."""
        # tinker-cookbook's renderers want every key
        whole = [_with_every_key(tool) for tool in tools]
        try:
            prefix = self.foreign.create_conversation_prefix_with_tools(whole, system_prompt)
        except (AttributeError, NotImplementedError):
            return super().declare_tools(tools, system_prompt)
        return list(prefix)

    def get_stop_sequences(self) -> list[str] | list[int]:
        """The foreign renderer's stop sequences."""
        return self._stops

    @cached_property
    def _stops(self) -> list[str] | list[int]:
        """Asked for once: they are looked for in every answer, and some encode them each time."""
        stops: list[str] | list[int] = self.foreign.get_stop_sequences()
        return stops

    def parse_response(
        self,
        response: Sequence[int],
        *,
        prompt: Sequence[int] | None = None,
        prefill: str | None = None,
    ) -> tuple[Message, Termination]:
        """What the foreign renderer reads, with the thinking taken out that it takes for text.

        Foreign renderers don't look at the prompt: an answer to one that opens thinking, and that
        never ends it, is text to them, and ended cleanly.
        """
        if self.reader is not None:
            begun = self._usual_prompt if prompt is None else prompt
            return self.reader.parse_response(response, prompt=begun, prefill=prefill)
        start = self.prefill_tokens(prefill) if prefill else []
        in_thinking = self.opens_thinking
        if prompt is not None:
            in_thinking = self._opens_thinking(prompt[: len(prompt) - len(start)])
        answer, ends_once = self._to_first_end([*start, *response])
        message, termination = self._read_by_foreign(answer)
        if not ends_once:
            termination = Termination.MALFORMED
        parts = parts_of(message, self.name)
        if self._closes_thinking(answer):
            # where the tag is no longer there, the foreign renderer took it out with its thinking
            in_thinking = any(END_THINK.spelling in _text_in(part) for part in parts)
        separated, ends = _separated(parts, in_thinking)
        separated, open_call = self._without_open_call(separated, answer)
        if ends and separated == parts:
            return message, termination
        read: Message = message.copy()
        read["content"] = assistant_message(separated)["content"]
        if open_call and not read.get("unparsed_tool_calls"):
            call = UnparsedToolCall(raw_text=open_call, error=UNFINISHED_CALL)
            read["unparsed_tool_calls"] = [call]
        return read, termination if ends else Termination.MALFORMED

    def _read_by_foreign(self, answer: list[int]) -> tuple[Message, Termination]:
        """What the foreign renderer reads; of an answer that did not end, as if it had.

        Without its end signal most of them take a tool call, and an end of text, for text.
        """
        message: Message
        message, ending = self.foreign.parse_response(answer)
        if isinstance(ending, bool):
            termination = Termination.STOP_SEQUENCE if ending else Termination.MALFORMED
        else:
            termination = Termination(str(ending))
        stop = self._stops[0]
        if termination is Termination.MALFORMED and stop not in answer:
            body = answer[:-1] if answer and answer[-1] in self._text_ends else answer
            end = [stop] if isinstance(stop, int) else []
            message, _ = self.foreign.parse_response([*body, *end])
        return message, termination

    def _to_first_end(self, answer: list[int]) -> tuple[list[int], bool]:
        """An answer up to what first ends it, and whether it has no more than one stop signal.

        Some foreign renderers raise where there are two, others don't see the second, and most
        take an end of text for text.
        """
        stops = set(self._stops)
        signals = [index for index, token in enumerate(answer) if token in stops]
        ends = [index for index, token in enumerate(answer) if token in self._text_ends - stops]
        if len(signals) > 1 or ends:
            first = min(*signals, *ends) if signals and ends else (signals or ends)[0]
            return answer[: first + 1], len(signals) <= 1
        return answer, True

    def _without_open_call(
        self, parts: list[AnswerPart], answer: Sequence[int]
    ) -> tuple[list[AnswerPart], str]:
        """An answer's parts without a tool call that doesn't end, and that call's text."""
        opening, closing = self._call_tags
        token = self._opening_call
        if not parts or (token is not None and token not in answer):
            return parts, ""
        text, found, call = _text_in(parts[-1]).rpartition(opening)
        if not found or closing in call:
            return parts, ""
        return [*parts[:-1], TextPart(type="text", text=text.rstrip())], found + call

    def _closes_thinking(self, answer: Sequence[int]) -> bool:
        """Whether an answer holds the tag that closes thinking."""
        if self._closing is not None:
            return self._closing in answer
        return END_THINK.spelling in self.codec.decode(answer)

    def _opens_thinking(self, prompt: Sequence[int]) -> bool:
        """Whether a prompt ends where it opens thinking."""
        tail = self.codec.decode(prompt[-_TAIL:])
        return tail.rstrip().endswith(THINK.spelling)

    def _prompt_for_a_question(self) -> list[int]:
        try:
            return self._foreign_prompt([_QUESTION], "assistant").tokens
        except Exception:  # a renderer of somebody else's, which may want more than a question
            return []

    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """The text of a message that has nothing else."""
        return [text_of(message, self.name)]

    def answer_tokens(self, message: Message, *, prompt: Sequence[int] | None = None) -> list[int]:
        """The answer as the foreign renderer trains on it, else the text and the first stop signal.

        Where the prompt opens thinking, its example closes that before the text.
        """
        example = self._trained_answer(message)
        if example is not None:
            return example
        stop = self._stops[0]
        ending = self.codec.encode_markup(stop) if isinstance(stop, str) else [stop]
        return [*super().answer_tokens(message, prompt=prompt), *ending]

    def _trained_answer(self, message: Message) -> list[int] | None:
        """The answer's tokens in a training example of the foreign renderer's, if it makes any."""
        build = getattr(self.foreign, "build_supervised_example", None)
        prompt = self._usual_prompt
        if build is None or not prompt:
            return None
        parts_of(message, self.name)
        try:
            whole = [int(token) for token in build([_QUESTION, message])[0].to_ints()]
        except Exception:  # a renderer of somebody else's, which may have no form for the message
            return None
        pairs = enumerate(zip(prompt, whole, strict=False))
        shared = next((i for i, (a, b) in pairs if a != b), min(len(prompt), len(whole)))
        # some examples have no white space behind the thinking that their prompt opens
        is_answer = not self.codec.decode(prompt[shared:]).strip()
        return whole[shared:] or None if is_answer else None

    def read_answer(self, pieces: Sequence[Piece], in_thinking: bool) -> tuple[Message, bool]:
        """Not used: the foreign renderer reads tokens.

        Raises:
            RendererError: Always.
        """
        raise RendererError("a renderer from elsewhere reads tokens", where=f"renderer {self.name}")


def _with_data_uri(part: Part) -> Part:
    """A part whose image, if it is one, is in it: a renderer may open any other URL or path."""
    if part["type"] != "image":
        return part
    return ImagePart(type="image", image=read_image(part["image"]).data_uri)


def _with_every_key(tool: ToolSpec) -> ToolSpec:
    """A declaration with a description and parameters, its keys in their own order."""
    whole = tool.copy()
    whole.setdefault("description", "")
    whole.setdefault("parameters", {})
    return whole


def _text_in(part: AnswerPart) -> str:
    return part["text"] if part["type"] == "text" else ""


def _separated(parts: list[AnswerPart], in_thinking: bool) -> tuple[list[AnswerPart], bool]:
    """An answer's parts with no thinking in the text, and whether all thinking ends.

    Args:
        parts: The parts as they were read.
        in_thinking: Whether the answer begins inside thinking, where none was read.
    """
    ends = True
    if not any(part["type"] == "thinking" for part in parts):
        texts = [part["text"] for part in parts if part["type"] == "text"]
        pieces = with_spelled_thinking(["".join(texts)], in_thinking=in_thinking)
        message, ends = SPELLED_THINKING.read(pieces, in_thinking)
        parts = parts_of(message, "")
    separated = [piece for part in parts for piece in _split_open(part)]
    return separated, ends and len(separated) == len(parts)


def _split_open(part: AnswerPart) -> list[AnswerPart]:
    """A part of text as text and thinking, where it opens thinking and doesn't close it.

    Thinking that the prompt closed, and that the answer opens anew, loses the tag.
    """
    if part["type"] != "text":
        thinking = part["thinking"].removeprefix(THINK.spelling)
        return [ThinkingPart(type="thinking", thinking=thinking)]
    text, opening, thinking = part["text"].rpartition(THINK.spelling)
    if not opening or END_THINK.spelling in thinking:
        return [part]
    return [TextPart(type="text", text=text), ThinkingPart(type="thinking", thinking=thinking)]
