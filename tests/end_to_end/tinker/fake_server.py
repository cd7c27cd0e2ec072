"""A server that speaks as much of Tinker's HTTP API as an evaluation needs, and can go wrong."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tinker.proto import tinker_public_pb2 as public_pb

STEP = "tinker://run-1:train:0/sampler_weights/step-{}"
KEY = "tml-right-key-0001"
TIME = "2026-01-01T00:00:{:02d}Z"


@dataclass
class FakeServer:
    """What it serves, what it was asked, and where it hangs.

    Attributes:
        base_models: Names, each with its context length.
        runs: Training runs: base model, and checkpoints in order of their making.
        metadata: Of training runs.
        answers: The answer of a checkpoint's path or a base model's name, as tokens.
        hanging: Ends of paths that never answer.
        failing: Ends of paths that answer with a status.
        public: Checkpoints whose training run belongs to somebody else, and their base models.
    """

    base_models: dict[str, int | None] = field(default_factory=dict)
    runs: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    answers: dict[str, list[int]] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)
    failing: dict[str, int] = field(default_factory=dict)
    public: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self._sessions: dict[str, str] = {}
        self._futures: dict[str, tuple[str, int]] = {}
        self._server: uvicorn.Server | None = None

    def start(self) -> None:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        path = "/{path:path}"
        app = Starlette(routes=[Route(path, self._serve, methods=["GET", "POST"])])
        config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=0)
        self._server = uvicorn.Server(config)
        run = self._server.run
        self._thread = threading.Thread(target=lambda: run(sockets=[listener]), daemon=True)
        self._thread.start()
        until = time.monotonic() + 20
        while not self._server.started and time.monotonic() < until:
            time.sleep(0.01)
        assert self._server.started

    def stop(self) -> None:
        assert self._server is not None
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=10)

    async def _serve(self, request: Request) -> Response:
        path = request.url.path.removeprefix("/api/v1")
        self.asked.append(path)
        body: Any = {}
        if raw := await request.body():
            body = json.loads(raw)
        for end in self.hanging:
            if path.endswith(end):
                await asyncio.sleep(3600)
        key = request.headers.get("x-api-key")
        if path != "/healthz" and key != KEY:
            return JSONResponse({"detail": f"no such key: {key}"}, 401)
        for end, status in self.failing.items():
            if path.endswith(end):
                return JSONResponse({"detail": f"refused {key}"}, status)
        answer = self._answer(path, body)
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    def _answer(self, path: str, body: Any) -> Any:
        missing = JSONResponse({"detail": "not found"}, 404)
        if path == "/telemetry":
            return {"status": "accepted"}
        if path in ("/healthz", "/client/config", "/session_heartbeat"):
            return {}
        if path == "/get_server_capabilities":
            models = self.base_models.items()
            return {
                "supported_models": [
                    {"model_name": name, "max_context_length": length} for name, length in models
                ]
            }
        if path.startswith("/training_runs/"):
            run, _, rest = path.removeprefix("/training_runs/").partition("/")
            if run not in self.runs:
                return missing
            return self._checkpoints(run) if rest == "checkpoints" else self._run(run)
        if path == "/weights_info":
            base = self.public.get(body["tinker_path"])
            return {"base_model": base, "is_lora": True} if base else missing
        if path == "/create_session":
            return {"session_id": "session-1"}
        if path == "/create_sampling_session":
            name = f"sampler-{len(self._sessions)}"
            self._sessions[name] = body.get("model_path") or body["base_model"]
            return {"sampling_session_id": name}
        if path.startswith("/samplers/"):
            source = self._sessions[path.rpartition("/")[2]]
            return {"sampler_id": path.rpartition("/")[2], "base_model": self._base(source)}
        if path == "/asample":
            future = f"future-{len(self._futures)}"
            count = body["num_samples"]
            self._futures[future] = (self._sessions[body["sampling_session_id"]], count)
            ids = [f"{future}-{index}" for index in range(count)]
            return {"request_id": future, "sample_sequence_ids": ids}
        if path == "/retrieve_future":
            return self._samples(*self._futures[body["request_id"]])
        return missing

    def _base(self, source: str) -> str:
        if not source.startswith("tinker://"):
            return source
        if source in self.public:
            return self.public[source]
        return self.runs[source.removeprefix("tinker://").partition("/")[0]][0]

    def _run(self, run: str) -> dict[str, Any]:
        return {
            "training_run_id": run,
            "base_model": self.runs[run][0],
            "model_owner": "me",
            "is_lora": True,
            "last_request_time": TIME.format(0),
            "user_metadata": self.metadata.get(run),
        }

    def _checkpoints(self, run: str) -> dict[str, Any]:
        made = list(enumerate(self.runs[run][1]))
        return {
            "checkpoints": [
                {
                    "checkpoint_id": checkpoint,
                    "checkpoint_type": "sampler" if "sampler_" in checkpoint else "training",
                    "time": TIME.format(second),
                    "tinker_path": f"tinker://{run}/{checkpoint}",
                }
                for second, checkpoint in reversed(made)  # the newest first
            ]
        }

    def _samples(self, source: str, count: int) -> Response:
        tokens = self.answers[source]
        one = public_pb.SampledSequence(
            stop_reason=public_pb.STOP_REASON_STOP,
            tokens=np.array(tokens, dtype=np.int32).tobytes(),
            logprobs=np.zeros(len(tokens), dtype=np.float32).tobytes(),
        )
        answer = public_pb.SampleResponse(sequences=[one] * count)
        return Response(answer.SerializeToString(), media_type="application/x-protobuf")
