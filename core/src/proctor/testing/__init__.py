"""What a plugin's tests import: scripted clients and a tokenizer that needs no download."""

from __future__ import annotations

from proctor.testing.clients import Hang, Reply, ScriptedClient
from proctor.testing.tokenizer import ByteTokenizer

__all__ = ["ByteTokenizer", "Hang", "Reply", "ScriptedClient"]
