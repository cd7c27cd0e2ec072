"""A chat model over ``/v1/chat/completions``."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from proctor import (
    Call,
    ChatModel,
    Message,
    ModelIdentity,
    Sample,
    SamplingOptions,
    read_image,
    sample_seeds,
)
from proctor_openai.connection import PREFLIGHT_SECONDS, RETRIES, Connection

PROBE: dict[str, Any] = {
    "type": "object",
    "properties": {"ok": {"enum": ["yes"]}},
    "required": ["ok"],
    "additionalProperties": False,
}
"""A schema that only one reply follows."""


class OpenAIChatModel(ChatModel):
    """A model behind OpenAI's chat API.

    Args:
        connection: The way to its server.
        max_in_flight: Most requests at once.
    """

    def __init__(self, connection: Connection, max_in_flight: int) -> None:
        self.identity = ModelIdentity(
            "openai", connection.model, session=f"{connection.address}#{connection.model}"
        )
        self.max_in_flight = max_in_flight
        self._connection = connection
        self._length = "max_tokens"

    async def check(self, structured_output: bool | None) -> None:
        """Asks for one token, and whether replies can be held to a schema.

        Args:
            structured_output: Whether they can; None to find out.

        Raises:
            BackendError: The server gives no answer.
        """
        question = [Message(role="user", content="Reply with yes.")]
        sampling = SamplingOptions(max_tokens=16)
        try:
            await self._complete(question, sampling, None, None, PREFLIGHT_SECONDS)
        except Exception as error:
            raise self._connection.refusal(error) from error
        self.takes_schema = bool(structured_output)
        if structured_output is None:
            self.takes_schema = await self._follows_schema(question, sampling)

    async def _follows_schema(self, question: Sequence[Message], sampling: SamplingOptions) -> bool:
        """Whether the server knows schemas: some refuse them, and some ignore them."""
        import json

        try:
            reply = await self._complete(question, sampling, None, PROBE, PREFLIGHT_SECONDS)
            return bool(json.loads(reply.choices[0].message.content or "") == {"ok": "yes"})
        except Exception:  # whatever it answers, it is not what was asked for
            return False

    async def generate(
        self,
        messages: Sequence[Message],
        sampling: SamplingOptions,
        n: int = 1,
        *,
        schema: Mapping[str, Any] | None = None,
    ) -> list[Sample]:
        """Sends ``n`` requests; each answer is one sample, a failed one says why."""
        seeds = sample_seeds(sampling.seed, n)
        return list(
            await asyncio.gather(
                *(
                    self._sample(messages, sampling, seed, index, schema)
                    for index, seed in enumerate(seeds)
                )
            )
        )

    async def _sample(
        self,
        messages: Sequence[Message],
        sampling: SamplingOptions,
        seed: int | None,
        index: int,
        schema: Mapping[str, Any] | None,
    ) -> Sample:
        for attempt in range(1 + RETRIES):
            started = time.monotonic()
            try:
                reply = await self._complete(messages, sampling, seed, schema)
                return read_reply(reply, messages, index, time.monotonic() - started)
            except TimeoutError:
                reason = f"no answer within {self._connection.timeout:.0f} s"
                break
            except Exception as error:
                reason = f"{type(error).__name__}: {self._connection.said(error)}"
                delay = retry_delay(error, attempt)
                if delay is None or attempt == RETRIES:
                    break
                await asyncio.sleep(delay)
        return Sample("", index, "failed", list(messages), [], error=reason)

    async def _complete(
        self,
        messages: Sequence[Message],
        sampling: SamplingOptions,
        seed: int | None,
        schema: Mapping[str, Any] | None,
        seconds: float | None = None,
    ) -> Any:
        import openai

        options: dict[str, Any] = {
            "model": self._connection.model,
            "messages": [chat_message(message) for message in messages],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
        }
        if seed is not None:
            options["seed"] = seed
        if sampling.stop:
            options["stop"] = list(sampling.stop)
        if sampling.top_k > 0:
            options["extra_body"] = {"top_k": sampling.top_k}
        if schema is not None:
            form = {"name": "reply", "schema": dict(schema), "strict": True}
            options["response_format"] = {"type": "json_schema", "json_schema": form}
        create: Any = self._connection.client.chat.completions.create
        try:
            length = {self._length: sampling.max_tokens}
            return await self._connection.within(create(**options, **length), seconds)
        except openai.BadRequestError as error:
            # OpenAI's newer models know the length by another name only
            if self._length != "max_tokens" or "max_completion_tokens" not in str(error):
                raise
            self._length = "max_completion_tokens"
            length = {self._length: sampling.max_tokens}
            return await self._connection.within(create(**options, **length), seconds)

    async def close(self) -> None:
        """Closes the connection."""
        await self._connection.close()


def retry_delay(error: Exception, attempt: int) -> float | None:
    """Seconds until a request is worth sending again; None where it never is."""
    import openai

    status = getattr(error, "status_code", None)
    is_transient = status in (408, 409, 425, 429) or (isinstance(status, int) and status >= 500)
    if not is_transient and not isinstance(error, openai.APIConnectionError):
        return None
    response = getattr(error, "response", None)
    asked = response.headers.get("retry-after") if response is not None else None
    try:
        wanted = float(asked or "")
    except ValueError:
        # jitter spreads retries out; it changes no result, so it needs no seed
        return float(0.5 * 2**attempt * random.uniform(0.8, 1.2))  # noqa: S311
    return min(60.0, max(0.0, wanted))


def chat_message(message: Message) -> dict[str, Any]:
    """A message in the form of the chat API, without thinking, which it does not take."""
    content: Any = message["content"]
    if not isinstance(content, str):
        parts: list[dict[str, Any]] = []
        for part in content:
            if part["type"] == "text":
                parts.append({"type": "text", "text": part["text"]})
            elif part["type"] == "image":
                parts.append({"type": "image_url", "image_url": {"url": _image_url(part["image"])}})
        content = parts
    sent: dict[str, Any] = {"role": message["role"], "content": content}
    if "tool_calls" in message:
        sent["tool_calls"] = [call.model_dump(mode="json") for call in message["tool_calls"]]
    for key in ("tool_call_id", "name"):
        if key in message:
            sent[key] = message[key]
    return sent


def _image_url(image: Any) -> str:
    """An image as the chat API takes it: a URL of the network stays one, for the server to open."""
    if isinstance(image, str) and image.startswith(("http://", "https://")):
        return image
    return read_image(image).data_uri


def read_reply(reply: Any, messages: Sequence[Message], index: int, seconds: float) -> Sample:
    """A reply of the chat API as a sample.

    A reply that was cut off is truncated; one that a filter stopped, or that has no known end, is
    malformed: neither is an answer.

    Raises:
        ValueError: It has no choice in it, which no chat API sends.
    """
    choices = getattr(reply, "choices", None)
    if not choices:
        raise ValueError(f"the server's reply has no choices: {str(reply)[:200]}")
    choice = choices[0]
    said = choice.message
    text = said.content or getattr(said, "refusal", None) or ""
    reasoning = getattr(said, "reasoning_content", None) or getattr(said, "reasoning", None)
    content: Any = text
    if reasoning:
        content = [{"type": "thinking", "thinking": reasoning}, {"type": "text", "text": text}]
    reason = choice.finish_reason
    usage = getattr(reply, "usage", None)
    counts = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    status, error = "complete", None
    if reason == "length":
        status, error = "truncated", "the answer was cut off"
    elif reason not in ("stop", "tool_calls", "function_call"):
        status, error = "malformed", f"it ended with {reason!r}"
    call = Call([], [], "length" if reason == "length" else "stop", seconds, usage=counts)
    answer = Message(role="assistant", content=content)
    return Sample("", index, status, [*messages, answer], [call], error=error)  # type: ignore[arg-type]
