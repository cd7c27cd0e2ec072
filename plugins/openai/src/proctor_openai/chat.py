"""A chat model over ``/v1/chat/completions``."""

from __future__ import annotations

import asyncio
import json
import logging
import re
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
    is_transient_status,
    read_image,
    retry_delay,
    sample_seeds,
)
from proctor_openai.connection import PREFLIGHT_SECONDS, RETRIES, Connection
from proctor_openai.replies import (
    ServerFailure,
    choice_of,
    ending_of,
    read_reasoning,
    read_text,
    reason_of,
    token_counts,
)

PROBE: dict[str, Any] = {
    "type": "object",
    "properties": {"ok": {"enum": ["yes"]}},
    "required": ["ok"],
    "additionalProperties": False,
}
"""A schema that only one reply follows."""


OPTIONAL = ("temperature", "top_p", "seed", "stop", "extra_body")
"""Options without which a server can answer all the same."""

logger = logging.getLogger("proctor.openai")


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
        self._refused: set[str] = set()

    async def check(self, structured_output: bool | None) -> None:
        """Asks for one token, and whether replies can be held to a schema.

        Args:
            structured_output: Whether they can; None to find out.

        Raises:
            BackendError: The server gives no answer.
        """
        question = [Message(role="user", content="Reply with yes.")]
        sampling = SamplingOptions(max_tokens=16)
        await self._connection.patiently(
            lambda: self._complete(question, sampling, 0, None, PREFLIGHT_SECONDS)
        )
        self.takes_schema = bool(structured_output)
        if structured_output is None:
            self.takes_schema = await self._follows_schema(question, sampling)

    async def _follows_schema(self, question: Sequence[Message], sampling: SamplingOptions) -> bool:
        """Whether the server knows schemas: some refuse them, and some ignore them."""
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
                reason = self._connection.said(reason_of(error))
                if attempt == RETRIES or not may_help(error):
                    break
                await asyncio.sleep(retry_delay(error, attempt))
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
        while True:
            sent = {name: value for name, value in options.items() if name not in self._refused}
            sent[self._length] = sampling.max_tokens
            try:
                return await self._connection.within(create(**sent), seconds)
            except openai.BadRequestError as error:
                # OpenAI's newer models know the length by another name only
                if self._length == "max_tokens" and "max_completion_tokens" in str(error):
                    self._length = "max_completion_tokens"
                elif (refused := _refused_option(error, sent)) is not None:
                    self._refuse(refused)
                else:
                    raise

    def _refuse(self, option: str) -> None:
        """Leaves an option out from now on, and says so once."""
        if option not in self._refused:
            self._refused.add(option)
            logger.warning(
                "%s takes no %r: it is left out, and the server's own holds",
                self._connection.model,
                option,
            )

    async def close(self) -> None:
        """Closes the connection."""
        await self._connection.close()


def _refused_option(error: Exception, sent: Mapping[str, Any]) -> str | None:
    """Which option that a server need not know it refuses; None where it refuses something else."""
    named = getattr(error, "param", None)
    said = str(error)
    return next(
        (
            option
            for option in OPTIONAL
            if option in sent and (named == option or re.search(rf"\b{option}\b", said))
        ),
        None,
    )


def may_help(error: Exception) -> bool:
    """Whether a request that failed like that is worth sending again."""
    import openai

    if isinstance(error, ServerFailure):
        return error.may_help
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        # some servers answer 200 with what is no JSON
        unread = isinstance(error, openai.APIResponseValidationError)
        return unread or is_transient_status(status)
    return isinstance(error, (openai.APIConnectionError, json.JSONDecodeError))


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
    """A reply of the chat API as a sample; one that was cut off is truncated.

    Raises:
        ServerFailure: It has no answer in it, or the server says that it failed.
    """
    choice = choice_of(reply)
    ending = ending_of(choice.finish_reason)
    said = choice.message
    text, thought = read_text(said.content)
    text = text or str(getattr(said, "refusal", None) or "")
    given = getattr(said, "reasoning_content", None) or getattr(said, "reasoning", None)
    reasoning = thought or read_reasoning(given)
    content: Any = text
    if reasoning:
        content = [{"type": "thinking", "thinking": reasoning}, {"type": "text", "text": text}]
    cut_off = ending == "truncated"
    stop_reason = "length" if cut_off else "stop"
    call = Call([], [], stop_reason, seconds, usage=token_counts(reply))
    answer = Message(role="assistant", content=content)
    error = "the answer was cut off" if cut_off else None
    return Sample(
        "", index, "truncated" if cut_off else "complete", [*messages, answer], [call], error=error
    )
