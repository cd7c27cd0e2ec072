"""A real HTTP server on this machine, in front of a scripted model."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor.testing import ByteTokenizer, ScriptedClient

SUPPORT = Path(__file__).parents[2] / "support" / "openai_server.py"


@pytest.fixture(scope="session")
def openai_server():
    """The module with the server."""
    spec = importlib.util.spec_from_file_location("openai_server", SUPPORT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def served(openai_server, monkeypatch):
    """Starts a server over a script: ``server, address = served(script, ...)``."""
    running = []

    def start(script: Any = "Paris.", **options: Any):
        answers = script if callable(script) else lambda prompt, index: script
        model = proctor.OpenedModel(
            ScriptedClient(answers),
            proctor.ModelIdentity("scripted", "scripted", digest="1", context_length=4096),
            ByteTokenizer(),
        )
        chat = proctor.RenderedChatModel(model, "role_colon")
        server = openai_server.Server(model, chat, **options)
        context = openai_server.serving(server)
        address = context.__enter__()
        running.append(context)
        return server, address

    monkeypatch.setenv("OPENAI_API_KEY", openai_server.KEY)
    yield start
    for context in running:
        context.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def scripted_tokenizer(monkeypatch):
    """The scripted model's tokenizer, by name."""
    monkeypatch.setattr("proctor_openai.backend.get_tokenizer", lambda name: ByteTokenizer())
