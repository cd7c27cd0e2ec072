"""Replies of servers as they are: how one ended, what it says, and what is no reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from proctor import is_transient_status, one_line

Ending = Literal["complete", "truncated", "failed"]

FINISH_REASONS: dict[str, Ending] = {
    # OpenAI, vLLM, llama.cpp, SGLang, transformers, OpenRouter, Mistral
    "stop": "complete",
    "tool_calls": "complete",
    "function_call": "complete",
    "length": "truncated",
    # text-generation-inference
    "eos_token": "complete",
    "stop_sequence": "complete",
    # Anthropic's, passed on by gateways
    "end_turn": "complete",
    "tool_use": "complete",
    "max_tokens": "truncated",
    # Mistral
    "model_length": "truncated",
    # the server's own failures: vLLM and SGLang abort, OpenRouter and Mistral have errors
    "abort": "failed",
    "cancelled": "failed",
    "error": "failed",
    "content_filter": "failed",
    "repetition": "failed",
}
"""How an answer ended, by what the server says. What is not here is the server's failure, too."""

HELPS = ("abort", "cancelled", "error")
"""Those after which the same request may succeed."""


class ServerFailure(Exception):
    """A server gave no answer although it did not refuse the request.

    Attributes:
        may_help: Whether the same request may succeed.
    """

    def __init__(self, what: str, *, may_help: bool) -> None:
        super().__init__(what)
        self.may_help = may_help


def ending_of(finish_reason: object) -> Ending:
    """How an answer ended.

    Raises:
        ServerFailure: The server failed, or says what nobody knows.
    """
    reason = str(finish_reason)
    ending = FINISH_REASONS.get(reason, "failed") if finish_reason is not None else "failed"
    if ending == "failed":
        said = repr(reason) if finish_reason is not None else "no finish_reason"
        raise ServerFailure(f"the server ended the answer with {said}", may_help=reason in HELPS)
    return ending


def choice_of(reply: Any) -> Any:
    """The choice in a reply.

    Raises:
        ServerFailure: It has none: an error under status 200, a page, white space.
    """
    choices = getattr(reply, "choices", None)
    if choices:
        return choices[0]
    error = getattr(reply, "error", None)
    if error:
        message = error.get("message") if isinstance(error, Mapping) else None
        code = error.get("code") if isinstance(error, Mapping) else None
        may_help = not isinstance(code, int) or is_transient_status(code)
        raise ServerFailure(
            f"the server's reply is an error: {message or error}", may_help=may_help
        )
    raise ServerFailure(f"the server's reply has no choices: {str(reply)[:200]!r}", may_help=True)


def read_text(content: object) -> tuple[str, str]:
    """The text and the thinking of a message's content: text, or parts as Mistral has them."""
    if not isinstance(content, list):
        return ("" if content is None else str(content)), ""
    texts, thoughts = [], []
    for part in content:
        kind = _field(part, "type")
        if kind in ("thinking", "reasoning"):
            thoughts.append(read_reasoning(_field(part, "thinking") or _field(part, "text")))
        elif _field(part, "text") is not None:
            texts.append(str(_field(part, "text")))
    return "".join(texts), "".join(thoughts)


def read_reasoning(given: object) -> str:
    """A message's reasoning: text, a mapping with one, or a list of parts."""
    if given is None:
        return ""
    if isinstance(given, list):
        return "".join(map(read_reasoning, given))
    if isinstance(given, str):
        return given
    for name in ("text", "content", "thinking", "summary"):
        if (inner := _field(given, name)) is not None:
            return read_reasoning(inner)
    return ""


def _field(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def token_counts(reply: Any) -> tuple[int, int]:
    """How many tokens the prompt and the answer have; 0 where the server does not say."""
    usage = getattr(reply, "usage", None)
    prompt, sampled = _field(usage, "prompt_tokens"), _field(usage, "completion_tokens")
    return _count(prompt), _count(sampled)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def whole_logprobs(values: Any, length: int) -> list[float] | None:
    """One log-probability for each sampled token; None where the server lacks one."""
    if not isinstance(values, list) or len(values) != length:
        return None
    if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in values):
        return None
    return [float(value) for value in values]


def reason_of(error: Exception) -> str:
    """Why there is no answer."""
    return str(error) if isinstance(error, ServerFailure) else one_line(error)
