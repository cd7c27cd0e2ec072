"""``User: ...`` and ``Assistant: ...`` as plain text, for base models."""

from __future__ import annotations

from collections.abc import Sequence

from proctor.renderers.base import Renderer
from proctor.types import Message, Termination

STOP = "\n\nUser:"


class RoleColonRenderer(Renderer):
    """Turns as ``Role: text`` with blank lines between; any tokenizer will do."""

    def prompt_tokens(
        self, messages: Sequence[Message], *, role: str = "assistant", prefill: str | None = None
    ) -> list[int]:
        """The conversation as text, ending in the role whose turn it is."""
        bos = getattr(self.tokenizer, "bos_token_id", None)
        tokens = [] if bos is None else [int(bos)]
        for message in messages:
            text = f"{message['role'].capitalize()}: {self.text_of(message)}\n\n"
            tokens += self.encoder.encode(text)
        start = f"{role.capitalize()}:" + (f" {prefill}" if prefill else "")
        return tokens + self.encoder.encode(start)

    def get_stop_sequences(self) -> list[str]:
        """The next turn of the user."""
        return [STOP]

    def parse_response(self, response: list[int]) -> tuple[Message, Termination]:
        """The text up to the next turn; the end of text is a clean end too, for a base model."""
        eos = getattr(self.tokenizer, "eos_token_id", None)
        has_ended = eos is not None and bool(response) and response[-1] == eos
        text = str(self.tokenizer.decode(response[:-1] if has_ended else response))
        content, *rest = text.split(STOP)
        message = Message(role="assistant", content=content.removeprefix(" ").removesuffix("\n\n"))
        if not rest:
            return message, Termination.EOS if has_ended else Termination.MALFORMED
        is_clean = len(rest) == 1 and not has_ended
        return message, Termination.STOP_SEQUENCE if is_clean else Termination.MALFORMED
