"""A single-file plugin for tests: a backend whose answers a config writes down."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from pydantic import Field

import proctor
from proctor.testing import ByteTokenizer, Hang, Reply, ScriptedClient


class ScriptedBackend(proctor.Backend):
    """Answers what the config says."""

    answers: dict[str, str] = Field(default_factory=dict)
    """The answer to a prompt that holds the key; ``FAIL``, ``HANG``, ``CUT`` and ``JUNK`` name
    what goes wrong instead, and ``SLOW`` is an answer after a while."""
    otherwise: str = "I do not know."
    """The answer to any other prompt."""
    seconds: float = 0.0
    """How long an answer takes."""
    model_name: str = "scripted-base"
    """The model's name."""

    async def open_model(self) -> proctor.OpenedModel:
        if "PROCTOR_TEST_OPENED" in os.environ:
            await asyncio.to_thread(Path(os.environ["PROCTOR_TEST_OPENED"]).touch)
        return proctor.OpenedModel(
            client=ScriptedClient(self._script),
            identity=proctor.ModelIdentity(
                backend="scripted", base_model=self.model_name, digest="scripted-1"
            ),
            tokenizer=ByteTokenizer(),
        )

    def _script(self, prompt: str, index: int) -> Any:
        asked = prompt.rsplit("User:", 1)[-1]
        text = next((a for key, a in self.answers.items() if key in asked), self.otherwise)
        if text == "FAIL":
            return ValueError("no such model")
        if text == "HANG":
            return Hang()
        if text == "CUT":
            return Reply("Let me think about", "length", ends=False)
        if text == "JUNK":
            return Reply("\x00\x1b[31m", ends=False)
        return Reply(text, seconds=self.seconds)


@proctor.hookimpl
def proctor_register(registry: Any) -> None:
    registry.backend("scripted", ScriptedBackend)
