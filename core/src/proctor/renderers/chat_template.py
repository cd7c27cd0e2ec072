"""The tokenizer's own chat template, for any model that has one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from proctor.errors import RendererError
from proctor.renderers.base import Renderer
from proctor.renderers.thinking import split_thinking
from proctor.types import Message, Termination

_MARK = "\ue000"
_PROBE = "proctorprobe"


class ChatTemplateRenderer(Renderer):
    """Prompts as the tokenizer's jinja template writes them.

    Text that looks like one of the tokenizer's control tokens is taken out before the template
    runs and put back as text, so that tokens are the template's own for all other content.

    Raises:
        RendererError: The tokenizer has no template, or it ends a turn with no control token.
    """

    def __init__(self, tokenizer: Any) -> None:
        super().__init__(tokenizer)
        if not getattr(tokenizer, "chat_template", None):
            raise RendererError(
                "the tokenizer has no chat template", fix="name a renderer, such as role_colon"
            )

    def prompt_tokens(
        self, messages: Sequence[Message], *, role: str = "assistant", prefill: str | None = None
    ) -> list[int]:
        """What the template makes of the conversation."""
        hidden: list[str] = []
        shown = [self._for_template(message, hidden) for message in messages]
        text = self._apply(shown, add_generation_prompt=True)
        tokens: list[int] = []
        for piece, is_control in self.encoder.split(text):
            if is_control:
                tokens.append(self.encoder.control_tokens[piece])
            else:
                tokens += self._encode(piece, hidden)
        return tokens + (self.encoder.encode(prefill) if prefill else [])

    def _for_template(self, message: Message, hidden: list[str]) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "role": message["role"],
            "content": self._hide(self.text_of(message), hidden),
        }
        content = message["content"]
        if not isinstance(content, str):
            thinking = "".join(p["thinking"] for p in content if p["type"] == "thinking")
            if thinking:
                shown["reasoning_content"] = self._hide(thinking, hidden)
        if message.get("tool_calls"):
            shown["tool_calls"] = [
                {
                    "type": "function",
                    "id": call.id,
                    "function": {
                        "name": call.function.name,
                        "arguments": json.loads(call.function.arguments),
                    },
                }
                for call in message["tool_calls"]
            ]
        for key in ("tool_call_id", "name"):
            if key in message:
                shown[key] = message[key]
        return shown

    def _hide(self, text: str, hidden: list[str]) -> str:
        if not self.encoder.is_hostile(text) and _MARK not in text:
            return text
        pieces = []
        for piece, is_control in self.encoder.split(text):
            for part in [piece] if is_control else _around_marks(piece):
                if is_control or part == _MARK:
                    pieces.append(f"{_MARK}{len(hidden)}{_MARK}")
                    hidden.append(part)
                else:
                    pieces.append(part)
        return "".join(pieces)

    def _encode(self, text: str, hidden: Sequence[str]) -> list[int]:
        parts = text.split(_MARK)
        whole = "".join(
            hidden[int(part)] if position % 2 else part for position, part in enumerate(parts)
        )
        return self.encoder.encode(whole)

    def _apply(self, messages: list[dict[str, Any]], *, add_generation_prompt: bool) -> str:
        try:
            return str(
                self.tokenizer.apply_chat_template(
                    messages, tokenize=False, add_generation_prompt=add_generation_prompt
                )
            )
        except Exception as error:
            reason = " ".join(str(error).split())
            raise RendererError(f"the chat template refuses the conversation: {reason}") from error

    @cached_property
    def _end_of_turn(self) -> int | None:
        """The control token that the template puts after an answer."""
        conversation = [
            {"role": "user", "content": _PROBE},
            {"role": "assistant", "content": _PROBE},
        ]
        text = self._apply(conversation, add_generation_prompt=False)
        after = text[text.rindex(_PROBE) + len(_PROBE) :]
        controls = [piece for piece, is_control in self.encoder.split(after) if is_control]
        return self.encoder.control_tokens[controls[0]] if controls else None

    @cached_property
    def _opens_thinking(self) -> bool:
        """Whether the prompt ends inside a thought, which the answer goes on with."""
        text = self._apply([{"role": "user", "content": _PROBE}], add_generation_prompt=True)
        return text.rstrip().endswith("<think>")

    def get_stop_sequences(self) -> list[int]:
        """The token that the template ends a turn with, and the tokenizer's end of text."""
        eos = getattr(self.tokenizer, "eos_token_id", None)
        stops = [token for token in (self._end_of_turn, eos) if token is not None]
        if not stops:
            raise RendererError(
                "the chat template ends a turn with no control token, and there is no end of text",
                fix="name the model family's renderer",
            )
        return list(dict.fromkeys(int(token) for token in stops))

    def parse_response(self, response: list[int]) -> tuple[Message, Termination]:
        """The text up to the end of the turn, its thinking apart."""
        stops = self.get_stop_sequences()
        ends = [position for position, token in enumerate(response) if token in stops]
        body = response[: ends[0]] if ends else response
        text = str(self.tokenizer.decode(body))
        content, is_whole = split_thinking(text, is_open=self._opens_thinking)
        message = Message(role="assistant", content=content)
        if len(ends) != 1 or ends[0] != len(response) - 1 or not is_whole:
            return message, Termination.MALFORMED
        is_turn = self._end_of_turn is None or response[-1] == self._end_of_turn
        return message, Termination.STOP_SEQUENCE if is_turn else Termination.EOS


def _around_marks(text: str) -> list[str]:
    parts = text.split(_MARK)
    marked = [part for piece in parts for part in (piece, _MARK)][:-1]
    return [part for part in marked if part]
