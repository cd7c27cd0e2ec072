"""A small server with OpenAI's HTTP API in front of a model of Proctor's, for tests."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import tinker
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import proctor

KEY = "sk-secret-of-the-test"


class Server:
    """The API, and what was asked of it.

    Args:
        model: The opened model.
        chat: The same model as a chat model.
        name: What the server calls it.
        gives_tokens: Whether completions give token ids back, as vLLM's do.
        misbehaves: Called with a path and the number of its request; a response that it returns is
            sent in place of the right one.
    """

    def __init__(
        self,
        model: proctor.OpenedModel,
        chat: proctor.ChatModel,
        *,
        name: str = "smollm2",
        gives_tokens: bool = True,
        misbehaves: Callable[[str, int], Any] = lambda path, number: None,
    ) -> None:
        self.model = model
        self.chat = chat
        self.name = name
        self.gives_tokens = gives_tokens
        self.misbehaves = misbehaves
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.keys: set[str] = set()

    def app(self) -> Starlette:
        """The routes."""
        return Starlette(
            routes=[
                Route("/v1/models", self._wrapped(self._models)),
                Route("/v1/chat/completions", self._wrapped(self._chat), methods=["POST"]),
                Route("/v1/completions", self._wrapped(self._completions), methods=["POST"]),
            ]
        )

    def _wrapped(self, handler: Any) -> Any:
        async def handle(request: Request) -> Any:
            path = request.url.path.removeprefix("/v1/")
            body = await request.json() if request.method == "POST" else {}
            number = sum(known == path for known, _ in self.requests)
            self.requests.append((path, body))
            key = request.headers.get("authorization", "").removeprefix("Bearer ")
            self.keys.add(key)
            wrong = self.misbehaves(path, number)
            if asyncio.iscoroutine(wrong):
                wrong = await wrong
            if wrong is not None:
                return wrong
            if key != KEY:
                return error(401, f"Incorrect API key provided: {key}")
            if request.method == "POST" and body["model"] != self.name:
                return error(404, f"The model {body['model']} does not exist")
            return await handler(body)

        return handle

    async def _models(self, _: dict[str, Any]) -> JSONResponse:
        length = self.model.identity.context_length
        entry = {"id": self.name, "object": "model", "max_model_len": length}
        return JSONResponse({"object": "list", "data": [entry]})

    async def _chat(self, body: dict[str, Any]) -> JSONResponse:
        sampling = proctor.SamplingOptions(
            max_tokens=body["max_tokens"],
            temperature=body.get("temperature", 0.0),
            seed=body.get("seed"),
            stop=tuple(body.get("stop", ())),
        )
        [sample] = await self.chat.generate(body["messages"], sampling)
        if sample.status == "failed":
            return error(400, str(sample.error))
        prompt, completion = sample.calls[0].token_counts
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": sample.text},
            "finish_reason": "length" if sample.status == "truncated" else "stop",
        }
        usage = {"prompt_tokens": prompt, "completion_tokens": completion}
        return JSONResponse(
            {
                "id": "chat-1",
                "object": "chat.completion",
                "created": 0,
                "model": self.name,
                "choices": [choice],
                "usage": usage | {"total_tokens": prompt + completion},
            }
        )

    async def _completions(self, body: dict[str, Any]) -> JSONResponse:
        ids = body["prompt"]
        params = tinker.SamplingParams(
            max_tokens=body["max_tokens"],
            temperature=body.get("temperature", 1.0),
            top_p=body.get("top_p", 1.0),
            top_k=body.get("top_k", -1),
            seed=body.get("seed"),
            stop=body.get("stop_token_ids") or body.get("stop"),
        )
        prompt = tinker.ModelInput.from_ints(ids)
        reply = await self.model.client.sample(prompt, 1, params)
        sequence = reply.sequences[0]
        tokens = [int(token) for token in sequence.tokens]
        choice: dict[str, Any] = {
            "index": 0,
            "text": self.model.tokenizer.decode(tokens),
            "finish_reason": str(sequence.stop_reason),
            "logprobs": {"token_logprobs": [float(v) for v in sequence.logprobs or ()]},
        }
        if body.get("return_token_ids") and self.gives_tokens:
            choice |= {"token_ids": tokens, "prompt_token_ids": ids}
        if "prompt_logprobs" in body:
            values = await self.model.client.compute_logprobs(prompt)
            choice["prompt_logprobs"] = [
                None if value is None else {str(token): {"logprob": value}}
                for token, value in zip(ids, values, strict=True)
            ]
        return JSONResponse(
            {
                "id": "cmpl-1",
                "object": "text_completion",
                "created": 0,
                "model": self.name,
                "choices": [choice],
            }
        )


def error(status: int, message: str, **headers: str) -> JSONResponse:
    """An error as OpenAI's API has it."""
    return JSONResponse({"error": {"message": message}}, status_code=status, headers=headers)


@contextlib.contextmanager
def serving(server: Server) -> Iterator[str]:
    """Serves on a free port of this machine; gives the address."""
    config = uvicorn.Config(server.app(), host="127.0.0.1", port=0, log_level="error")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        threading.Event().wait(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        running.should_exit = True
        running.force_exit = True
        thread.join(timeout=10)
